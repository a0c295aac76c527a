"""The limit on open files: every connected device takes one, here and in a server."""

from __future__ import annotations

import resource
import sys
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench

OWN_FILES: Final = 64
"""Files that are no device's: standard streams, libraries, the trace, the administrator's connections."""
MAX_FILES: Final = 65_536
"""As many as a server asks for."""


def raise_file_limit(devices: int) -> None:
    """Raises the soft limit as far as it goes. Raises BrokenBench when that is too little for the fleet."""
    least = devices + OWN_FILES
    allowed, hard = raise_soft_limit(2 * devices + OWN_FILES)
    if allowed < least:
        raise BrokenBench(
            f"{devices:,} devices need {least:,} open files, but the limit here is {hard:,}: start from a shell "
            f"where `ulimit -Hn` shows more, or simulate at most {max(0, hard - OWN_FILES):,} devices"
        )


def raise_soft_limit(wanted: int = MAX_FILES) -> tuple[int, int]:
    """Raises the soft limit to `wanted` files, or as near as the hard limit lets it; never lowers it.

    Returns the soft limit that counts now, and the hard limit. `sys.maxsize` stands for no limit.
    """
    soft, hard = (_number(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    allowed = min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return max(soft, allowed), hard


def _number(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
