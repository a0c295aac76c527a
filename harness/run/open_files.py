"""The limit on open files: every simulated device keeps a connection."""

from __future__ import annotations

import resource
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench

OWN_FILES: Final = 64
"""Files that are no device's: standard streams, libraries, the trace, the administrator's connections."""


def allow_connections(devices: int) -> None:
    """Raises the soft limit as far as it goes. Raises BrokenBench when that is too little for the fleet."""
    least, wanted = devices + OWN_FILES, 2 * devices + OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if allowed > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if max(soft, allowed) < least:
            raise BrokenBench(
                f"{devices:,} devices need {least:,} open files, but the limit here is {hard:,}: start from a shell "
                f"where `ulimit -Hn` shows more, or simulate at most {max(0, hard - OWN_FILES):,} devices"
            )
