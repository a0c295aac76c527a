"""Which handler a method and a path mean: literal segments before variables, the path as it was sent.

A slash at the end is another path (S95); a segment is percent-decoded after splitting, literal ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.http.waiting import Wait
from fleetrig.reference_server.platforms.thingsboard.state.records import Authority

Handler = Callable[..., Reply | Wait]
"""`handler(call, *path variables)`, variables as text."""

EVERYBODY: Final = frozenset[Authority]()
TENANT: Final = frozenset({Authority.TENANT_ADMIN})
CUSTOMER: Final = frozenset({Authority.CUSTOMER_USER})
BOTH: Final = TENANT | CUSTOMER
SYSTEM: Final = frozenset({Authority.SYS_ADMIN})
ADMINISTRATORS: Final = SYSTEM | TENANT
ANY_ACCOUNT: Final = SYSTEM | BOTH


@dataclass(frozen=True, slots=True)
class Route:
    """One line of a table. `needs`: one of these authorities (else 403); nobody in particular on open paths."""

    method: str
    path: str
    handler: Handler
    needs: frozenset[Authority] = EVERYBODY
    with_parameter: str = ""
    """The route is this one only if the query has that parameter."""
    says_json: bool = False
    """It states that it answers JSON: who does not accept that is refused before anything else."""


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    routes: dict[str, list[Route]] = field(default_factory=dict)


class Router:
    """The routes of a table as a tree over path segments."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self._fixed: dict[tuple[str, str], Route] = {}
        """(method, path) of routes that are alone with it, and have neither variables nor a parameter."""
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.path.split("/")[1:]:
            if part.startswith("{"):
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.literal.setdefault(part, _Node())
        same = node.routes.setdefault(route.method, [])
        same.append(route)
        if "{" not in route.path:
            self._fixed.pop((route.method, route.path), None)
            if len(same) == 1 and not route.with_parameter:
                self._fixed[route.method, route.path] = route

    def find(self, method: str, path: str, query: Mapping[str, Any]) -> tuple[Route, list[str]]:
        """The route and its path variables. Raises 404, and 405 with `Allow`."""
        wanted = "GET" if method == "HEAD" else method
        if (route := self._fixed.get((wanted, path))) is not None:
            return route, []
        leaves = list(self._leaves(self._root, path.split("/")[1:]))
        for leaf, values in leaves:
            route = _chosen(leaf.routes.get(wanted, ()), query)
            if route is not None:
                return route, values
        if not leaves:
            raise HttpRefusal(
                404, f"No static resource {path[1:]}.", reason=f"no API has the path {path[:200]}", framework=True
            )
        if method == "OPTIONS":
            return next(route for leaf, _ in leaves for routes in leaf.routes.values() for route in routes), []
        raise _other_method(method, path, [name for leaf, _ in leaves for name in leaf.routes])

    def _leaves(self, node: _Node, parts: list[str]) -> Iterator[tuple[_Node, list[str]]]:
        """All that a path can mean, with its variables."""
        if not parts:
            if node.routes:
                yield node, []
            return
        first, *rest = parts
        text = unquote(first)
        if text in node.literal:
            yield from self._leaves(node.literal[text], rest)
        if node.variable is not None and first:
            for leaf, values in self._leaves(node.variable, rest):
                yield leaf, [text, *values]


def _chosen(routes: Iterable[Route], query: Mapping[str, Any]) -> Route | None:
    """Of two routes that differ in a query parameter the one that names it, if it is there."""
    fitting = [route for route in routes if not route.with_parameter or route.with_parameter in query]
    return max(fitting, key=lambda route: bool(route.with_parameter), default=None)


def _other_method(method: str, path: str, known: Iterable[str]) -> HttpRefusal:
    allow = ", ".join(dict.fromkeys(known))
    return HttpRefusal(
        405,
        f"Request method '{method}' is not supported",
        reason=f"{method} {path[:200]}: only {allow} is known here",
        headers=(("Allow", allow),),
        framework=True,
    )
