"""`If-Match`: compared as it stands, without quotes, lists or `*` (spec 1.0)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.hono.state.errors import Refused

PRECONDITION_FAILED = 412


def check_version(expected: str | None, stored: str, error: str = "resource version mismatch") -> None:
    """`expected`: what the caller has seen; None: whatever there is. Raises Refused."""
    if expected is not None and expected != stored:
        is_quoted = expected.strip('"') == stored
        hint = "; it has to be without quotes" if is_quoted else ": somebody changed it in between"
        raise Refused(PRECONDITION_FAILED, error, f"If-Match is {expected[:40]!r}, the version is {stored!r}{hint}")
