"""The rows for devices (§6.5), by number: what a device has to do, and how heavy it weighs when it does not.

They are judged by the scenarios that cite them (`scenarios/external/hawkbit/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.verdict import Severity

DEVICE_ROWS: Final[Mapping[str, str]] = {
    "V01": "Polls as often as the server says, never faster",
    "V02": "Uses a new interval from the next cycle on",
    "V03": "Sends its attributes once, to the place where the link leads",
    "V04": "Keeps its attributes to itself while nobody asks",
    "V05": "Refused with 401, goes on at a bounded rate, and recovers",
    "V06": "Refused with 403 or 404, does the same",
    "V07": "Waits at least as long as Retry-After says, else backs off",
    "V08": "Backs off from a failing server with growing, scattered delays, and starts anew after success",
    "V09": "Takes a refused, reset, silent, slow or cut answer as no answer; neither crashes nor hangs",
    "V10": "Does not come back at the same moment as all others",
    "V11": "Falls back to a safe interval when the poll makes no sense: no hammering, no silence for good",
    "V12": "Told an interval of zero, still waits a second",
    "V13": "Ignores fields and links that it does not know",
    "V14": "Follows the deployment as linked, reports that it proceeds, and closes it",
    "V15": "Does not install a file whose hash is wrong, and reports a failure",
    "V16": "Finishes a download that broke off, and checks the whole of it",
    "V17": "Starts anew when it asked for a part and gets the whole",
    "V18": "Told to skip the update, downloads and does not install",
    "V19": "Told to skip the download, does nothing yet",
    "V20": "Installs only once the window is open",
    "V21": "Canceled before the installation, confirms and does not install",
    "V22": "Canceled in the middle, refuses the cancel or finishes, but leaves nothing open",
    "V23": "Stops reporting on an action that is gone (410), and goes on polling",
    "V24": "Repeats a report that could not be taken, within reason; the final one is not lost",
    "V25": "Does not carry out the same action again once it is closed",
    "V26": "Drops an action that was replaced, and carries out the new one",
    "V27": "Restarted in the middle, goes on or reports; closes the action once",
    "V28": "May ask for news only (If-None-Match); keeps its interval on a 304",
    "V29": "Takes answers in every form of HTTP: kept alive, closed, chunked, 1.0",
    "V30": "Stays patient when its token was replaced, and works again with the new one",
    "V31": "Does not take its token to another host when redirected",
    "V32": "Works with a clock that is wrong by years",
    "V33": "Registers itself again after its target was deleted, and sends its attributes again",
    "V34": "Never writes its token anywhere",
    "V35": "Shares its id with no other device",
    "V36": "Asked before an update, answers before it fetches anything, once, and installs what it has confirmed",
    "V37": "Denies an update once (an action's history is bounded), and fetches nothing of it",
    "V38": "Asks for a file that is gone a bounded number of times, and reports the failure",
    "V39": "Fetches every file of every module before it closes",
    "V40": "Keeps action ids of any length as they are",
    "V41": "Works under an id that holds colons, umlauts or signs",
    "V42": "Fetches files whose names hold umlauts or signs, or are long",
}
WARNINGS: Final = frozenset({"V04", "V07", "V08", "V10"})
"""What is merely wise; all others are demanded by the protocol."""


def severity_of(number: str) -> Severity:
    return Severity.WARNING if number in WARNINGS else Severity.ERROR
