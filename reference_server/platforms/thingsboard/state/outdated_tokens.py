"""Tokens that are good no longer though their time has not come: after a logout, and after a new password.

They are remembered in memory, as on the real server: a restart takes them for good again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MOST_REMEMBERED: Final = 100_000
"""Of sessions, and of users; then those that came first are forgotten."""


class OutdatedTokens:
    def __init__(self) -> None:
        self._before_s: dict[str, int] = {}
        """Session or user -> its tokens from before this second are outdated."""

    def end_all_before(self, of_whom: str, at_s: int) -> None:
        """Of a session or a user; tokens of that very second stay good, as on the real server."""
        self._before_s.pop(of_whom, None)
        self._before_s[of_whom] = at_s
        if len(self._before_s) > MOST_REMEMBERED:
            del self._before_s[next(iter(self._before_s))]

    def has(self, claims: Mapping[str, Any]) -> bool:
        """Whether a token with these claims is outdated."""
        issued_s = claims.get("iat")
        ends_s = max(self._before_s.get(str(claims.get(name)), 0) for name in ("userId", "sessionId"))
        return isinstance(issued_s, int) and issued_s < ends_s
