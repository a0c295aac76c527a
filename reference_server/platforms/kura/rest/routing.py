"""Which handler a method and a path mean, as the routes of a table say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from fleetrig.reference_server.platform import HeldRequest
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.replies import Reply

Handler = Callable[[Call], Reply | HeldRequest]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` has its variables in braces: `/v1/{scope}/users/{user}`."""

    method: str
    path: str
    handler: Handler
    right: tuple[str, str] | None = None
    """Domain and action of the permission that it takes in the account `{scope}`; None: to be signed in is enough."""
    is_open: bool = False
    """Nobody has to be signed in."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a path means; `variables` decoded."""

    routes: Mapping[str, Route]
    variables: Mapping[str, str]

    @property
    def allow(self) -> str:
        return ", ".join(sorted(self.routes))


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)
    names: tuple[str, ...] = ()


class Router:
    """The routes as a tree over path segments; a literal segment counts before a variable."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def find(self, path: str) -> Found | None:
        """None for a path that no route has. A slash at the end does not count."""
        parts = [unquote(part, errors="replace") for part in path.removesuffix("/").split("/")[1:]]
        return _found(self._root, parts, 0, ())

    def _add(self, route: Route) -> None:
        node, names = self._root, []
        for part in route.path.split("/")[1:]:
            if part.startswith("{"):
                names.append(part.strip("{}"))
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.literal.setdefault(part, _Node())
        node.routes[route.method] = route
        node.names = tuple(names)


def _found(node: _Node, parts: list[str], at: int, values: tuple[str, ...]) -> Found | None:
    if at == len(parts):
        return Found(node.routes, dict(zip(node.names, values, strict=True))) if node.routes else None
    part = parts[at]
    if part in node.literal and (found := _found(node.literal[part], parts, at + 1, values)) is not None:
        return found
    if node.variable is None or not part:
        return None
    return _found(node.variable, parts, at + 1, (*values, part))
