"""Addresses with too many wrong logins: their next connections are closed before anything is said (spec 5).

Off by default, as on the real server (DefaultTransportRateLimitService). It is asked when a connection opens, over TLS
after its handshake; the real server closes before that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.state.settings import IpGuardSettings
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S

FORGETS_AFTER_US: Final = 600 * US_PER_S
"""Without a login, good or wrong; at least for as long as an address is blocked."""
ADDRESSES_KEPT: Final = 100_000
"""Then those that came first are strangers again."""


@dataclass(slots=True)
class _Address:
    last_login_us: int
    wrong: int = 0


class IpGuard:
    def __init__(self, settings: IpGuardSettings) -> None:
        self._settings = settings
        self._known: dict[str, _Address] = {}

    def blocks(self, peer: str, now_us: int) -> bool:
        """Tries while it is blocked do not prolong that."""
        known = self._known.get(peer) if self._settings.is_on else None
        if known is None:
            return False
        return self._is_bad(known) and now_us <= known.last_login_us + self._block_us

    def logged_in(self, peer: str) -> None:
        """One good login clears the address."""
        self._known.pop(peer, None)

    def failed(self, peer: str, now_us: int) -> None:
        """A wrong login, or a device that was deleted while it was connected. After a block one is enough."""
        if not self._settings.is_on:
            return
        known = self._known.pop(peer, None)
        if known is None or now_us - known.last_login_us > max(FORGETS_AFTER_US, self._block_us):
            known = _Address(now_us)
        known.last_login_us, known.wrong = now_us, known.wrong + 1
        self._known[peer] = known
        if len(self._known) > ADDRESSES_KEPT:
            del self._known[next(iter(self._known))]

    def _is_bad(self, known: _Address) -> bool:
        return known.wrong >= self._settings.wrong_logins

    @property
    def _block_us(self) -> int:
        return self._settings.block_ms * US_PER_MS
