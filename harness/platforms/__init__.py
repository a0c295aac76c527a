"""One folder for each platform: everything that the harness knows of it. The table names them.

A part of a platform is imported when it is asked for, and not before: `fleetrig check` reads a scenario by its
platform's vocabulary, which is data, and imports no engine.
"""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any, Final

from fleetrig.simulator.contract.errors import UsageError

if TYPE_CHECKING:
    from fleetrig.harness.platform import Platform
    from fleetrig.harness.scenario_file.vocabulary import Vocabulary

PLATFORMS: Final = {"hawkbit": "fleetrig.harness.platforms.hawkbit"}
"""Name -> package. A new platform is a line here and a folder with the same files as the others."""


def vocabulary_of(name: str) -> Vocabulary:
    """What a platform adds to scenario files. Raises UsageError for an unknown platform."""
    vocabulary: Vocabulary = load(name, "vocabulary:VOCABULARY")
    return vocabulary


def platform_of(name: str) -> Platform:
    """All that a run needs of a platform. Raises UsageError for an unknown platform."""
    platform: Platform = load(name, "platform:PLATFORM")
    return platform


def load(name: str, part: str) -> Any:
    """A part of a platform, `module:object` below its package. Raises UsageError for an unknown platform."""
    if name not in PLATFORMS:
        nearest = difflib.get_close_matches(name, PLATFORMS, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"there is {', '.join(PLATFORMS)}"
        raise UsageError(f"there is no platform {name!r}; {hint}")
    module, _, attribute = part.partition(":")
    return getattr(importlib.import_module(f"{PLATFORMS[name]}.{module}"), attribute)
