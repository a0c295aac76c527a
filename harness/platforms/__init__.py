"""One folder for each platform: what the harness knows of it, and nobody else does. The table names them."""

from __future__ import annotations

from typing import Final

PLATFORMS: Final = {"hawkbit": "fleetrig.harness.platforms.hawkbit"}
"""Name -> package. Its modules are imported when the platform is named, and not before."""
