"""Which handler a method and a path mean: a tree over path segments, built once from the tables of routes.

Paths are taken as sent: no normalising, a slash at the end is another path (404), a segment is percent-decoded after
splitting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from fleetrig.reference_server.platforms.hawkbit.request.call import LONG_MAX, parse_parameter
from fleetrig.reference_server.platforms.hawkbit.request.replies import (
    CBOR,
    DDI_TYPES,
    HAL,
    JSON,
    MGMT_TYPES,
    Reply,
    Steps,
)
from fleetrig.reference_server.platforms.hawkbit.state.errors import framework
from fleetrig.simulator.contract.http import Headers

Handler = Callable[..., Reply | Steps]
"""`handler(call, *path variables)`; a `{name:long}` arrives as int, others as decoded text."""

MGMT_BODY: Final = (HAL, JSON)
ANY_BODY: Final = (JSON, CBOR, "application/yaml", "application/*+json")
"""Where the real server names no type of body it takes what its readers know; without a body it asks for no type."""
DDI_BODY: Final = (JSON, CBOR)


@dataclass(frozen=True, slots=True)
class Route:
    """One line of a table.

    `needs`: the permission, checked after the body was read, as the real server's services do ("" for devices).
    `reads`: content types of the body (else 415); empty: any or none. `writes`: types of the answer (else 406), the
    first is the default; empty: the route answers without a document.
    """

    method: str
    path: str
    handler: Handler
    needs: str = ""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = MGMT_TYPES
    body_is_optional: bool = False
    asks: tuple[str, ...] = ()
    """Query parameters that must be there (else 400), asked for before the types of body and answer."""

    @property
    def is_for_devices(self) -> bool:
        return self.path.startswith("/{tenant}/")

    def takes_long(self, skips: int) -> tuple[bool, ...]:
        """For each path variable after the first `skips` segments whether it is a number."""
        parts = self.path.split("/")[1 + skips :]
        return tuple(part.endswith(":long}") for part in parts if part.startswith("{"))


def mgmt(
    method: str,
    path: str,
    handler: Handler,
    needs: str = "",
    writes: tuple[str, ...] = MGMT_TYPES,
    asks: tuple[str, ...] = (),
) -> Route:
    """A Mgmt route that names no body; uploads and lists to delete are read all the same."""
    return Route(method, "/rest/v1" + path, handler, needs, (), writes, asks=asks)


def mgmt_body(method: str, path: str, handler: Handler, needs: str = "", writes: tuple[str, ...] = MGMT_TYPES) -> Route:
    """A Mgmt route with a JSON body."""
    return Route(method, "/rest/v1" + path, handler, needs, MGMT_BODY, writes)


def mgmt_json_body(method: str, path: str, handler: Handler, needs: str) -> Route:
    """A Mgmt route with a JSON body and no document for an answer; it names its two types of body in another order."""
    return Route(method, "/rest/v1" + path, handler, needs, (JSON, HAL), ())


def mgmt_any_body(
    method: str, path: str, handler: Handler, needs: str = "", *, optional: bool = False, asks: tuple[str, ...] = ()
) -> Route:
    """A Mgmt route that answers nothing and does not say what types of body it takes."""
    return Route(method, "/rest/v1" + path, handler, needs, ANY_BODY, (), optional, asks)


def ddi(method: str, path: str, handler: Handler, writes: tuple[str, ...] = DDI_TYPES) -> Route:
    """A device route below `/{tenant}/controller/v1/{controllerId}`: GETs read no body, the others JSON or CBOR.

    The handler gets neither tenant nor controllerId: both are in the call (`tenant`, `device`).
    """
    return Route(method, "/{tenant}/controller/v1/{controllerId}" + path, handler, "",
                 () if method == "GET" else DDI_BODY, writes)  # fmt: skip


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    variable: _Node | None = None
    routes: dict[str, tuple[Route, tuple[bool, ...]]] = field(default_factory=dict)


class Router:
    """Routes that all begin with the same segments, of which the first `skips` are left out on both sides."""

    def __init__(self, routes: Iterable[Route], skips: int = 0) -> None:
        self._skips = skips
        self._root = _Node()
        for route in routes:
            node = self._root
            for part in route.path.split("/")[1 + skips :]:
                if part.startswith("{"):
                    node.variable = node.variable or _Node()
                    node = node.variable
                else:
                    node = node.literal.setdefault(part, _Node())
            assert route.method not in node.routes, f"two routes for {route.method} {route.path}"
            node.routes[route.method] = (route, route.takes_long(skips))

    def find(self, method: str, segments: list[str]) -> tuple[Route, list[str], tuple[bool, ...]]:
        """(route, path variables as text, which of them are numbers). Raises 404, 405 with `Allow`, 200 for OPTIONS."""
        wanted = "GET" if method == "HEAD" else method
        parts = segments[self._skips :]
        values: list[str] = []
        node = self._follow(parts, values)
        if node is not None and (found := node.routes.get(wanted)) is not None:
            return found[0], values, found[1]
        leaves = list(self._leaves(self._root, parts))
        for leaf, values in leaves:
            if (found := leaf.routes.get(wanted)) is not None:
                return found[0], values, found[1]
        if not leaves:
            raise framework(404, f"no such path: {_shown(segments)}")
        raise _other_method(method, _shown(segments), [name for leaf, _ in leaves for name in leaf.routes])

    def _follow(self, parts: list[str], values: list[str]) -> _Node | None:
        """The common case: the first branch that fits at each segment is the right one."""
        node = self._root
        for part in parts:
            below = node.literal.get(part)
            if below is None and part:
                below = node.variable
                values.append(unquote(part) if "%" in part else part)
            if below is None:
                return None
            node = below
        return node if node.routes else None

    def _leaves(self, node: _Node, parts: list[str]) -> Iterator[tuple[_Node, list[str]]]:
        """All that a path can mean, with its variables: literal segments before variables."""
        if not parts:
            if node.routes:
                yield node, []
            return
        first, *rest = parts
        if first in node.literal:
            yield from self._leaves(node.literal[first], rest)
        if node.variable is not None and first:
            for leaf, values in self._leaves(node.variable, rest):
                yield leaf, [unquote(first) if "%" in first else first, *values]


def _shown(segments: list[str]) -> str:
    return "/".join(["", *segments])[:200]


def _other_method(method: str, path: str, known: Iterable[str]) -> Exception:
    """OPTIONS is answered for every path; another method gets 405 and the ones that there are (§0)."""
    methods = list(dict.fromkeys(known))
    if method == "OPTIONS":
        if "GET" in methods:
            methods.insert(methods.index("GET") + 1, "HEAD")
        return Options(",".join([*methods, "OPTIONS"]))
    allow = ", ".join(methods)
    return framework(405, f"{method} {path}: only {allow} is known here", headers=(("Allow", allow),))


class Options(Exception):
    """Not an error: the answer to OPTIONS, which no handler gives."""

    def __init__(self, allow: str, more: Headers = (("Accept-Patch", ""),)) -> None:
        super().__init__(allow)
        self.reply = Reply(headers=(("Allow", allow), *more))


def refuse_preflight(method: str, headers: Mapping[str, str]) -> None:
    """A browser's question across origins gets the container's own answer, for any path: nothing is allowed."""
    if method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers:
        raise Options("GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH", ())


def arguments(values: list[str], takes_long: tuple[bool, ...]) -> list[Any]:
    """Path variables as the handler takes them. Raises not readable where text stands for a number."""
    if True not in takes_long:
        return list(values)
    return [_number(value) if is_long else value for value, is_long in zip(values, takes_long, strict=True)]


def _number(text: str) -> int:
    if not text.strip():
        raise framework(400, "a path variable of blanks is none")
    return parse_parameter(text, LONG_MAX, "path variable")
