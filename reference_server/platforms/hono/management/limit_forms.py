"""What limits a tenant, as an operator gives it and as GET shows it (spec 1.1)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.hono.management.members import (
    LONG_BITS,
    Unreadable,
    at_least,
    mapping,
    members_of,
    needed_text,
    word,
)
from fleetrig.reference_server.platforms.hono.state.times import read_time, time_text

UNLIMITED: Final = -1
TIMES_TO_LIVE: Final = ("max-ttl", "max-ttl-telemetry-qos0", "max-ttl-telemetry-qos1", "max-ttl-command-response")
QOS_0: Final = "max-ttl-telemetry-qos0"
SECOND_NAME: Final = "maxTtlTelemetryQoS0"
"""By a slip of the real server this is shown beside QOS_0, and understood in its place."""
VOLUMES: Final = {"data-volume": "max-bytes", "connection-duration": "max-minutes"}
"""Limits over a period -> how much."""
MODES: Final = ("days", "monthly", "unknown")
REGISTRATION: Final = ("max-devices", "max-credentials-per-device")


def read_registration_limits(value: Any, where: str, *, strict: bool = True) -> dict[str, int] | None:
    """Both are always shown. Raises Unreadable."""
    if value is None:
        return None
    given = members_of(value, REGISTRATION, where, refuses_unknown=strict)
    return {name: _limit(given, name, where) for name in REGISTRATION}


def read_resource_limits(value: Any, where: str, *, strict: bool = True) -> dict[str, Any] | None:
    """What limits nothing is not shown. Raises Unreadable."""
    if value is None:
        return None
    known = ("max-connections", *TIMES_TO_LIVE, SECOND_NAME, *VOLUMES, "ext")
    given = members_of(value, known, where, refuses_unknown=strict)
    if SECOND_NAME in given:
        given = {QOS_0: given[SECOND_NAME], **given}
    shown: dict[str, Any] = {"max-connections": _limit(given, "max-connections", where)}
    shown |= {name: _limit(given, name, where, bits=LONG_BITS) for name in TIMES_TO_LIVE}
    shown = {name: most for name, most in shown.items() if most != UNLIMITED}
    if QOS_0 in shown:
        shown[SECOND_NAME] = shown[QOS_0]
    for name in VOLUMES:
        if given.get(name) is not None:
            shown[name] = _volume(given[name], name, f"{where}.{name}", strict=strict)
    ext = mapping(given.get("ext"), f"{where}.ext")
    return {**shown, "ext": ext} if ext else shown


def _limit(given: dict[str, Any], name: str, where: str, *, bits: int = 31) -> int:
    """-1 when it is left out, 0 for null."""
    return at_least(UNLIMITED, given.get(name, UNLIMITED), f"{where}.{name}", bits=bits)


def _volume(value: Any, name: str, where: str, *, strict: bool) -> dict[str, Any]:
    """Without a maximum it is 0, and not unlimited, since that is what the real server's reader makes of it; GET
    leaves a 0 out."""
    most = VOLUMES[name]
    given = members_of(value, ("effective-since", "period", most), where, refuses_unknown=strict)
    try:
        since = time_text(read_time(needed_text(given.get("effective-since"), f"{where}.effective-since").strip()))
    except (ValueError, OverflowError) as problem:
        raise Unreadable(f"{where}.effective-since: {problem}") from None
    period = given.get("period")
    shown = {
        "effective-since": since,
        "period": {"mode": "monthly"} if period is None else _period(period, f"{where}.period", strict=strict),
    }
    amount = at_least(UNLIMITED, given.get(most), f"{where}.{most}", bits=LONG_BITS)
    return {**shown, most: amount} if amount else shown


def _period(value: Any, where: str, *, strict: bool) -> dict[str, Any]:
    given = members_of(value, ("mode", "no-of-days"), where, refuses_unknown=strict)
    mode = word(given.get("mode"), MODES, f"{where}.mode")
    if mode is None:
        raise Unreadable(f"{where}.mode is missing: expected days or monthly")
    days = at_least(0, given.get("no-of-days"), f"{where}.no-of-days")
    return {"mode": mode, "no-of-days": days} if days else {"mode": mode}
