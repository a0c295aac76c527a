"""Where devices connect: `GET /v1/{scope}/endpointInfos` (spec 5.5): this server's own listeners, read only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.events import event_id
from fleetrig.reference_server.platforms.kura.rest.replies import Reply, listed, paging_of_query
from fleetrig.reference_server.platforms.kura.state.records import ROOT_SCOPE

SCHEMES: Final = {"mqtt": False, "mqtts": True}
"""Listener -> whether it is secure."""


def list_all(call: Call) -> Reply:
    return listed("endpointInfo", list(_endpoints(call)), lambda one: one, paging_of_query(call))


def _endpoints(call: Call) -> Iterator[dict[str, Any]]:
    for number, (listener, is_secure) in enumerate(SCHEMES.items(), 1):
        url = call.registry.listeners.get(listener)
        if url is None:
            continue
        at = urlsplit(url)
        yield {
            "type": "endpointInfo",
            "id": event_id(number),
            "scopeId": ROOT_SCOPE,
            "schema": listener,
            "dns": at.hostname or "",
            "port": at.port or 0,
            "secure": is_secure,
            "usages": [{"name": "MESSAGE_BROKER"}, {"name": "PROVISION"}],
            "endpointType": "resource",
        }
