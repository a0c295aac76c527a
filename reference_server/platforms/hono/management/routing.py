"""Which handler a method and a path mean, as Vert.x Web finds it.

A slash at the end does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.replies import Reply
from fleetrig.reference_server.platforms.hono.vertx.cors import CorsRoute
from fleetrig.reference_server.platforms.hono.vertx.paths import normal_path

Handler = Callable[[Call], Reply]

TENANT_ID: Final = "tenant_id"
DEVICE_ID: Final = "device_id"


@dataclass(frozen=True, slots=True)
class Resource:
    """A path: `names` of its variables behind `/v1/<collection>`, and what may be done there, by method."""

    collection: str
    names: tuple[str, ...]
    handlers: dict[str, Handler]
    allow: str
    """The header `Allow`, in the order of the real server."""
    cors: CorsRoute


class NoResource(Exception):
    """No route has the path."""


class Router:
    """Resources by collection and number of variables."""

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        self._resources = {(one.collection, len(one.names)): one for one in resources}

    def find(self, path: str) -> tuple[Resource, dict[str, str]]:
        """The resource, and the variables of the path, decoded. Raises NoResource, Refused."""
        _, *parts = normal_path(path).removesuffix("/").split("/")
        if len(parts) < 2 or parts[0] != "v1":
            raise NoResource
        resource = self._resources.get((parts[1], len(parts) - 2))
        if resource is None or "" in parts:
            raise NoResource
        texts = (unquote(part, errors="replace") if "%" in part else part for part in parts[2:])
        return resource, dict(zip(resource.names, texts, strict=True))
