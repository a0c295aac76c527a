"""The DoS filter: so many requests a second for each client address (§3.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.simulator.contract.clock import US_PER_S

WINDOW_US = US_PER_S
PRUNE_ABOVE = 10_000
"""Windows kept before those that are over are thrown away."""


@dataclass(slots=True)
class _Window:
    since_us: int
    count: int = 0


@dataclass(slots=True)
class DosFilter:
    """Counts per interface and address, reads and writes apart. The state is of the process, as in the real server."""

    settings: Settings
    _reads: dict[str, _Window] = field(default_factory=dict)
    _writes: dict[str, _Window] = field(default_factory=dict)
    _white: dict[str, bool] = field(default_factory=dict)

    def check(self, interface: str, method: str, address: str, now_us: int, *, counts: bool = True) -> None:
        """Raises 403 for a black-listed address, 429 for one over its limit. Each interface counts for itself.

        Without `counts` it only says whether this request would be let in.
        """
        blacklist, dos = self.settings.blacklist, self.settings.dos
        if not dos.enabled:
            return
        if blacklist and re.search(blacklist, address):
            raise HawkbitError(403, secured=False, reason=f"address {address} is black-listed by {blacklist}")
        if self._is_white(address):
            return
        windows, most = (self._reads, dos.max_read) if method == "GET" else (self._writes, dos.max_write)
        admits = _admit if counts else _would_admit
        if not admits(windows, f"{interface} {address}", most, now_us):
            what = "reads" if method == "GET" else "writes"
            reason = f"DoS filter: more than {most + 2} {what} from {address} within a second; wait for it to pass"
            raise HawkbitError(429, secured=False, reason=reason)

    def lets_in(self, interface: str, address: str, now_us: int) -> bool:
        """Counts a read if `check` would let it in; a refused one is left to `check`, which counts it and says why."""
        blacklist, dos = self.settings.blacklist, self.settings.dos
        if not dos.enabled:
            return True
        if blacklist and re.search(blacklist, address):
            return False
        if self._white.get(address) or self._is_white(address):
            return True
        client = f"{interface} {address}"
        return _would_admit(self._reads, client, dos.max_read, now_us) and _admit(
            self._reads, client, dos.max_read, now_us
        )

    def _is_white(self, address: str) -> bool:
        """Remembered, since the pattern is searched for on every request."""
        white = self._white.get(address)
        if white is None:
            if len(self._white) > PRUNE_ABOVE:
                self._white.clear()
            pattern = self.settings.dos.whitelist
            white = self._white[address] = bool(pattern and re.search(pattern, address))
        return white


def _would_admit(windows: dict[str, _Window], client: str, most: int, now_us: int) -> bool:
    window = windows.get(client)
    return window is None or now_us - window.since_us >= WINDOW_US or window.count <= most


def _admit(windows: dict[str, _Window], client: str, most: int, now_us: int) -> bool:
    """The first request of a window is free and the check is "older count > most": `most` + 2 pass (S60)."""
    window = windows.get(client)
    if window is None or now_us - window.since_us >= WINDOW_US:
        if len(windows) > PRUNE_ABOVE:
            for old in [key for key, value in windows.items() if now_us - value.since_us >= WINDOW_US]:
                del windows[old]
        windows[client] = _Window(now_us)
        return True
    older = window.count
    window.count += 1
    return older <= most
