"""Which device a DTLS session is of: found in its handshake, and kept as long as the session."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.provisioning.sign_in import SignedIn

MOST_JUDGED: Final = 1_000
"""Whose handshakes are not complete; a handshake that comes to nothing is not told."""


class Identities:
    def __init__(self) -> None:
        self._judged: dict[int, SignedIn] = {}
        self._of_session: dict[int, SignedIn] = {}

    def judged(self, session: int, found: SignedIn) -> None:
        self._judged[session] = found
        if len(self._judged) > MOST_JUDGED:
            del self._judged[next(iter(self._judged))]

    def opened(self, session: int) -> None:
        found = self._judged.pop(session, None)
        if found is not None:
            self._of_session[session] = found

    def of(self, session: int) -> SignedIn | None:
        """None for a session without DTLS, or without a device."""
        return self._of_session.get(session)

    def closed(self, session: int) -> None:
        self._judged.pop(session, None)
        self._of_session.pop(session, None)
