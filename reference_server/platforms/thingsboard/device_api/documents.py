"""JSON from a device's payload, as leniently as the real server's library reads it."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.thingsboard.device_api.values import BadValue
from fleetrig.reference_server.platforms.thingsboard.provisioning.lenient_json import NotJson, parse


def read_json(payload: bytes) -> Any:
    """Numbers are `JsonNumber`s. Raises BadValue."""
    try:
        return parse(payload.decode("utf-8", "replace"))
    except NotJson as no_json:
        raise BadValue(str(no_json)) from None
