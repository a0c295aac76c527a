"""What ids may be (spec 0)."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.registry import Registry

TENANT_ID: Final = r"^[a-zA-Z0-9-_\.]+$"
DEVICE_ID: Final = r"^[a-zA-Z0-9-_\.:=]+$"
"""As Java has them, for texts; what they mean is below."""
COLUMN_LETTERS: Final = 256
"""How long a text may be in the database of the registry that has columns."""
IS_TENANT_ID: Final = re.compile(r"[a-zA-Z0-9_.-]+", re.ASCII)
IS_DEVICE_ID: Final = re.compile(r"[a-zA-Z0-9_.:=-]+", re.ASCII)


def check_column(registry: Registry, column: str, *texts: str | None, most: int = COLUMN_LETTERS) -> None:
    """Raises Refused for a text, or its absence, that a database with columns cannot keep."""
    if not registry.traits.has_columns:
        return
    for text in texts:
        if text is None:
            raise Refused(500, f'NULL not allowed for column "{column}"', f"a {column} is null")
        if len(text) > most:
            error = f'Value too long for column "{column} CHARACTER VARYING({most})": ({len(text)})'
            raise Refused(500, error, f"{text[:40]!r}… has {len(text)} letters: the database keeps {most}")


def check_device_id(registry: Registry, device_id: str) -> None:
    """Raises Refused: one that was made by a template may be none."""
    if registry.traits.checks_ids and IS_DEVICE_ID.fullmatch(device_id) is None:
        why = f"{device_id[:80]!r} is no device id: it may have letters, digits and - _ . : = only"
        raise Refused(400, f"invalid device ID: {device_id}", why)
