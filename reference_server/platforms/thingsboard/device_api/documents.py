"""JSON from a device's payload, as leniently as the real server's library reads it."""

from __future__ import annotations

import json

from fleetrig.reference_server.platforms.thingsboard.device_api.values import BadValue
from fleetrig.simulator.contract.json_types import Json


def read_json(payload: bytes) -> Json:
    """Raises BadValue."""
    try:
        document: Json = json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise BadValue(str(error)) from None
    return document
