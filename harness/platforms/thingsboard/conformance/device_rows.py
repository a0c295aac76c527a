"""The rows for devices, by number: what a device has to do, and how heavy it weighs when it does not.

They are judged by the scenarios that cite them (`scenarios/external/thingsboard/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.verdict import Severity

DEVICE_ROWS: Final[Mapping[str, str]] = {
    "D01": "Asks in one session of the service: user name or client id `provision`, and no secret in its CONNECT",
    "D02": "Subscribes to `/provision/response`, just as it is written, before the reply can come",
    "D03": "Asks though its subscription is never acknowledged (servers before 3.9)",
    "D04": "Sends key and secret as text, and no member that is null",
    "D05": "Stores what it is given, leaves the session by itself, and logs in with that",
    "D06": "Uses `clientId`, `userName` and `password` of the reply",
    "D07": "Shows its own certificate and key, not the text that is sent back",
    "D08": "Uses credentials of the kind that it is given, whatever it has asked for",
    "D09": "Takes further members, another order and blanks for what they are",
    "D10": "Takes a success without credentials, or of a kind that it does not know, for a failure, and stores nothing",
    "D11": "NOT_FOUND: keeps nothing, and does not ask again and again",
    "D12": "FAILURE: the same, and asks under no other name",
    "D13": "Takes a refusal without `errorMsg`",
    "D14": "Hung up on without a reply, waits longer each time, each device differently",
    "D15": "Refused after a reply that was lost, does not ask again and again",
    "D16": "Refused a session, backs off",
    "D17": "Gives up in time when no reply comes, and asks again",
    "D18": "Takes a reply that comes twice as one",
    "D19": "Without power before it has stored the reply, asks again",
    "D20": "Without power after it has stored the reply, asks no more",
    "D21": "With credentials that are refused, tries a few times, may ask anew, and leaves the server alone then",
    "D22": "Handles a reply of more than a kilobyte, or fails well",
    "D23": "Takes a reply that is cut, is no JSON, or comes on another topic, for none",
    "D24": "Tells key and secret to no server whose certificate it cannot trust",
    "D25": "Judges replies over HTTP by their body: FAILURE comes with 200 too",
    "D26": "Backs off from errors of HTTP",
    "D27": "Over CoAP, waits after an empty acknowledgement, and takes an answer once",
    "D28": "Over CoAP, reads the reply in a 4.00, and though it is called text",
    "D29": "Is not troubled when the server ends the session after it was provisioned",
    "D30": "Reset, knows nothing of what it was given, and asks under the same name",
    "D31": "Writes neither key nor secret nor credentials anywhere that can be read",
    "D32": "Switched on together with others, does not ask together with them, nor again",
    "D33": "As a gateway says so when it asks, and connects the devices behind it",
    "D34": "Publishes nothing but its request in the session to provision",
}
WARNINGS: Final = frozenset({"D14", "D16", "D22", "D26", "D32"})
"""What is, in part, merely wise: growing pauses, differences between devices, room for long replies."""


def severity_of(number: str) -> Severity:
    return Severity.WARNING if number in WARNINGS else Severity.ERROR
