"""What ids may be (spec 0)."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.registry import Registry

TENANT_ID: Final = r"^[a-zA-Z0-9-_\.]+$"
DEVICE_ID: Final = r"^[a-zA-Z0-9-_\.:=]+$"
"""As Java has them, for texts; what they mean is below."""
IS_TENANT_ID: Final = re.compile(r"[a-zA-Z0-9_.-]+", re.ASCII)
IS_DEVICE_ID: Final = re.compile(r"[a-zA-Z0-9_.:=-]+", re.ASCII)


def check_device_id(registry: Registry, device_id: str) -> None:
    """Raises Refused: one that was made by a template may be none."""
    if registry.traits.checks_ids and IS_DEVICE_ID.fullmatch(device_id) is None:
        why = f"{device_id[:80]!r} is no device id: it may have letters, digits and - _ . : = only"
        raise Refused(400, f"invalid device ID: {device_id}", why)
