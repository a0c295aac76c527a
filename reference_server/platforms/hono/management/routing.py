"""Which handler a method and a path mean, as Vert.x Web finds it.

Paths are made normal first: unreserved characters are decoded, `.` and `..` resolved, two slashes are one. A slash at
the end does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.replies import Reply
from fleetrig.reference_server.platforms.hono.state.errors import Refused

Handler = Callable[[Call], Reply]

TENANT_ID: Final = "tenant_id"
DEVICE_ID: Final = "device_id"
HEX_PAIR: Final = re.compile(r"[0-9a-fA-F]{2}", re.ASCII)
UNRESERVED: Final = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


@dataclass(frozen=True, slots=True)
class Resource:
    """A path: `names` of its variables behind `/v1/<collection>`, and what may be done there, by method."""

    collection: str
    names: tuple[str, ...]
    handlers: dict[str, Handler]
    allow: str
    """The header `Allow`, in the order of the real server."""
    cors_methods: str
    """What a browser of another origin is told that it may do."""


class NoResource(Exception):
    """No route has the path."""


def normal_path(path: str) -> str:
    """Raises Refused for an escape that is none."""
    if "%" in path:
        _check_escapes(path)
        path = UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path)
    if "//" not in path and "/." not in path:
        return path
    parts: list[str] = []
    for part in re.sub("/+", "/", path).split("/")[1:]:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    is_folder = path.endswith(("/.", "/.."))
    return f"/{'/'.join(parts)}{'/' if is_folder and parts else ''}"


def _check_escapes(path: str) -> None:
    for found in re.finditer("%(.{0,2})", path):
        digits, at = found[1], found.start()
        if len(digits) < 2:
            why = f"the path ends in the middle of an escape: {path[-40:]!r}"
            raise Refused(400, f"Invalid position for escape character: {at}", why)
        if HEX_PAIR.fullmatch(digits) is None:
            raise Refused(400, f"Invalid escape sequence: %{digits}", f"%{digits} in the path is no escape")


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
