"""The limit on open files: every connected device takes one, here and in a server."""

from __future__ import annotations

import resource
import sys
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench

OWN_FILES: Final = 64
"""Files besides those of devices: standard streams, libraries, the trace, the administrator's connections."""
MAX_FILES: Final = 65_536
"""The limit that a server requests."""


def raise_file_limit(devices: int) -> None:
    """Raises the soft limit as far as possible. Raises BrokenBench if that is not enough for the fleet."""
    least = devices + OWN_FILES
    allowed, hard = raise_soft_limit(2 * devices + OWN_FILES)
    if allowed < least:
        raise BrokenBench(
            f"{devices:,} devices need {least:,} open files, but the limit here is {hard:,}: start from a shell "
            f"where `ulimit -Hn` shows more, or simulate at most {max(0, hard - OWN_FILES):,} devices"
        )


def raise_soft_limit(wanted: int = MAX_FILES) -> tuple[int, int]:
    """Raises the soft limit to `wanted` files, at most to the hard limit; never lowers it.

    Returns the new soft limit and the hard limit. `sys.maxsize` stands for no limit.
    """
    soft, hard = (_number(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    allowed = min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return max(soft, allowed), hard


def _number(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
