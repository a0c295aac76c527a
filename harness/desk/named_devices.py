"""Devices as a command line names them: by their names, or by globs over those that a server knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.harness.servers.description import did_you_mean
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

GLOB: Final = frozenset("*?[")


def named_devices(
    wanted: Sequence[str], knows: Callable[[str], AdminCall[bool]], all_names: Callable[[], AdminCall[Sequence[str]]]
) -> AdminCall[list[str]]:
    """Each once, in the order in which they are named. Raises UsageError for what names nobody.

    All names are asked for only when there is a glob, or a name that is nobody's.
    """
    found: dict[str, None] = {}
    for name in wanted:
        is_glob = not GLOB.isdisjoint(name)
        if not is_glob and (yield from knows(name)):
            found[name] = None
            continue
        names = yield from all_names()
        matching = [one for one in names if is_glob and fnmatchcase(one, name)]
        if not matching:
            raise UsageError(_nobody(name, names))
        found |= dict.fromkeys(sorted(matching))
    return list(found)


def _nobody(name: str, names: Sequence[str]) -> str:
    if not names:
        return (
            f"--to {name}: the server knows no device yet; `fleetrig register {name}` lets one in, and some servers "
            "know a device only once it has called"
        )
    known = f"it knows {names[0]}" if len(names) == 1 else f"it knows {len(names):,}, {min(names)} for one"
    return f"--to {name}: the server knows no such device{did_you_mean(name, names)}; {known}"
