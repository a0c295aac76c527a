"""The rows for devices, by number: what a gateway has to do, and how heavy it weighs when it does not.

They are judged by the scenarios that cite them (`scenarios/external/kura/` for any gateway, `scenarios/kura/` for our
own), but for those that no server can bring about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.verdict import Severity

DEVICE_ROWS: Final[Mapping[str, str]] = {
    "G01": "Does not connect to the provision broker while `enabled` is false",
    "G02": "Makes its user name of MAC and serial (00600CAABBCC-SN1) and its client id of the MAC, where none is given",
    "G03": "Without a serial, ends its user name with -UNKNOWN",
    "G04": "Subscribes to its REPLY topic before it publishes its request",
    "G05": "After 200 and a chain that it trusts, is provisioned: DISCONNECT, then CONNECT to the target",
    "G06": "After a power cut behind the confirmed 200, goes to the target and asks for nothing again",
    "G07": "After a power cut while it stages, has its old configuration and tries again",
    "G08": "Refused with CONNACK 4 or 5, tries retry-max-attempts times at the retry interval, then falls silent",
    "G09": "Refused for ever with -1 attempts, tries at a fixed rate that neither drifts nor grows",
    "G10": "Rejects a configuration with 0 or -2 attempts, an interval of 0 or a timeout of 0",
    "G11": "Gives up an attempt without CONNACK at its timeout, and closes the socket",
    "G12": "Gives up an attempt without a reply at its timeout, counted from its start, with DISCONNECT",
    "G13": "Never has two attempts at once: what takes longer than the interval is followed at once",
    "G14": "Ignores a reply that comes after the timeout, and asks again with a new request.id and nonce",
    "G15": "Ignores a reply to another request, and takes none that lacks its nonce",
    "G16": "Told 400 and not to come again, goes on at its interval while it may try for ever",
    "G17": "Told 500 with a time to wait, waits at least that long",
    "G18": "Takes a chain whose root is in its trust store",
    "G19": "With ca-authentication, refuses a chain of an unknown root, and keeps nothing of it",
    "G20": "Takes a chain without its root whose issuer it trusts",
    "G21": "Refuses a chain that is shuffled, expired, self-signed, wrongly signed or empty",
    "G22": "Without ca-authentication, takes a chain of an unknown root as long as it is well-formed",
    "G23": "Does not trust a root because the reply brought it",
    "G24": "Sends no credentials to a broker whose TLS certificate it does not trust",
    "G25": "Once provisioned, does not answer an unsigned control message",
    "G26": "Once provisioned, answers one that is rightly signed",
    "G27": "Does not answer one that is signed by a stranger, expired, replayed, too old or altered",
    "G28": "Before it is provisioned, answers an unsigned control message",
    "G29": "Moved to another account, says DC, goes the whole way, and never uses its old credentials again",
    "G30": "Moved without the certificate of the target, stays at, or returns to, its old configuration",
    "G31": "Refused by the target ten times, goes back to what it was",
    "G32": "Disabled in the middle of an attempt, disconnects and keeps its old configuration",
    "G33": "Whose session ends while it stages, tries again",
    "G34": "Without an answer to confirm, confirms the same job again, and commits once",
    "G35": "Does not provision two cloud connections on one instance",
    "G36": "Given another client id for the target, uses that one in its topics from then on",
    "G37": "Does not answer its own requests, which it hears itself",
    "G38": "Loses its connection and comes back after 1 to 11 whole seconds at an interval of 60 s, then every 60 s",
    "G39": "With an interval below 15 s, comes back after 1 s",
    "G40": "Whose transport is configured anew, says DC, DISCONNECT and CONNECT, and leaves no will",
    "G41": "Killed, leaves its will: empty, at the LWT topic",
    "G42": "Is silent on unknown applications and missing ids, says 400 to unknown methods, 404 to unknown resources",
    "G43": "Takes a configuration with 200, and then applies it",
    "G44": "Says 400 to a configuration that is no XML, and 200 to a component that it does not have",
    "G45": "Rolls back to the snapshot before the last when none is named",
    "G46": "Answers three slow requests at once, two at a time",
    "G47": "With recovery on, reboots when its broker cannot be reached, and never because of a wrong password",
    "G48": "Loads a certificate, shows it, deletes it, and says 500 then",
    "G49": "Says all mandatory metrics in its BIRTH, as STRING",
    "G50": "Says one APPS for applications that come together",
    "G51": "Sends replies at once while its rate limit is used up",
    "G52": "With a clock that is years wrong, refuses chains and signatures, and goes on once it is set",
}
OF_CHAINS: Final = "our own server has no such chain to send"
WITHOUT_SCENARIO: Final[Mapping[str, str]] = {
    "G03": "a server cannot take a gateway's serial away",
    "G20": OF_CHAINS,
    "G21": OF_CHAINS,
    "G23": OF_CHAINS,
    "G47": "nobody sees over the network why a gateway starts again",
    "G50": "a server cannot make a gateway install applications at that pace",
}
"""Row -> why no scenario judges it; our own gateway's flow is tested for it instead (`tests/simulator/flows/kura/`)."""
WARNINGS: Final = frozenset({"G09", "G17", "G38", "G46"})
"""What rests on facts that were inferred, or is merely wise."""


def severity_of(number: str) -> Severity:
    return Severity.WARNING if number in WARNINGS else Severity.ERROR
