"""One folder for each platform: everything that the harness knows of it. The table names them.

A part of a platform is imported when it is asked for, and not before: `fleetrig check` reads a scenario by its
platform's vocabulary, which is data, and imports no engine.
"""

from __future__ import annotations

import difflib
import importlib
from typing import Any, Final

from fleetrig.simulator.contract.errors import UsageError

PLATFORMS: Final = {
    "hawkbit": "fleetrig.harness.platforms.hawkbit",
    "thingsboard": "fleetrig.harness.platforms.thingsboard",
    "hono": "fleetrig.harness.platforms.hono",
    "kura": "fleetrig.harness.platforms.kura",
}
"""Name -> package. A new platform is a line here and a folder with the same files as the others."""
FIRST: Final = next(iter(PLATFORMS))
"""Where a command needs one and none is named."""


def load(name: str, part: str) -> Any:
    """A part of a platform, `module:object` below its package. Raises UsageError for an unknown platform."""
    if name not in PLATFORMS:
        nearest = difflib.get_close_matches(name, PLATFORMS, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"there is {', '.join(PLATFORMS)}"
        raise UsageError(f"there is no platform {name!r}; {hint}")
    module, _, attribute = part.partition(":")
    return getattr(importlib.import_module(f"{PLATFORMS[name]}.{module}"), attribute)
