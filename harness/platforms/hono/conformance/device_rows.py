"""The rows for devices, by number: what a device has to do, and how heavy it weighs when it does not.

They are judged by the scenarios that cite them (`scenarios/external/hono/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.verdict import Severity

DEVICE_ROWS: Final[Mapping[str, str]] = {
    "D01": "Shows its certificate in the handshake, and proves that it has the key",
    "D02": "Sends nothing to a server whose certificate it cannot trust, or that is for another host",
    "D03": "Asks for the host name (SNI) that begins with its tenant, where it is told to",
    "D04": "Refused with 401 or CONNACK 4, backs off, gives up in time, and reports that it is not let in",
    "D05": "Refused with 403 or CONNACK 5, does the same, and keeps its identity",
    "D06": "Told 409 (it came at the same time as itself), asks again soon, not at a fixed time, and gets in",
    "D07": "Told 503 with Retry-After, or CONNACK 3, waits at least as long, and loses nothing that it has to keep",
    "D08": "Told 429, slows down",
    "D09": "Whose certificate has expired (an alert), takes or asks for a new one, or reports it",
    "D10": "Hung up on right after CONNACK 0, backs off, connects again, and does not mind to be provisioned anew",
    "D11": "Answered slowly the first time, waits, and opens no second connection meanwhile",
    "D12": "Does what its documentation says when its certificate is used from two hosts",
    "D13": "Comes back after a power cut with the same subject and the same key",
    "D14": "As a gateway, serves the others when one of its devices is answered with 404",
    "D15": "Runs a command that comes with an answer, and says how that went",
    "D16": "Waits for the PUBACK of what it publishes with QoS 1, and sends it again after it has reconnected",
}
WARNINGS: Final = frozenset({"D04", "D06", "D07"})
"""What is, in part, merely wise: pauses that grow, and that differ between devices."""


def severity_of(number: str) -> Severity:
    return Severity.WARNING if number in WARNINGS else Severity.ERROR
