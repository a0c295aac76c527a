"""The range in which operators let tenants set polling times.

Start-up properties: `hawkbit.controller.minPollingTime`, by default 30 s, and `maxPollingTime`, nearly a day.
"""

from __future__ import annotations

import re
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import MissingCapability

ALLOWED: Final = re.compile(r"range\D+(\d\d):(\d\d):(\d\d)\D+(\d\d):(\d\d):(\d\d)")
INTERVAL: Final = re.compile(r"\b(\d\d):(\d\d):(\d\d)\b")
SHORT: Final = re.compile(r"(\d\d):(\d\d)")
ISO: Final = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
USUAL_RANGE_S: Final = (30, 86399)


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def polling_range_s(error: dict[str, Any]) -> tuple[int, int]:
    """The shortest and longest interval that this server allows, from its refusal of another; else the usual ones."""
    match = ALLOWED.search(str(error.get("message", "")))
    if match is None:
        return USUAL_RANGE_S
    h1, m1, s1, h2, m2, s2 = (int(part) for part in match.groups())
    return 3600 * h1 + 60 * m1 + s1, 3600 * h2 + 60 * m2 + s2


def need_range(answer: Answer, polling_time: object) -> None:
    """Raises MissingCapability when the server refused a polling time because its operator allows others only."""
    if answer.status != 400 or not answer.text.startswith("{"):
        return
    least_s, most_s = polling_range_s(answer.json())
    if not all(least_s <= one <= most_s for one in _intervals_s(str(polling_time))):
        allowed = f"hawkbit.controller.minPollingTime and maxPollingTime allow {clock(least_s)} to {clock(most_s)}"
        raise MissingCapability(f"leave to poll every {polling_time}: {allowed}")


def _intervals_s(polling_time: str) -> list[int]:
    """In every form in which rows write them."""
    if polling_time.isdecimal():
        return [int(polling_time)]
    if (short := SHORT.fullmatch(polling_time)) is not None:
        return [60 * int(short[1]) + int(short[2])]
    if (iso := ISO.fullmatch(polling_time)) is not None:
        hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return [3600 * hours + 60 * minutes + seconds]
    return [3600 * int(h) + 60 * int(m) + int(s) for h, m, s in INTERVAL.findall(polling_time)]
