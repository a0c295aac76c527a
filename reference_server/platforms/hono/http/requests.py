"""What a request of a device asks for: its route, whom it is for, its parameters (spec 4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl, unquote, unquote_plus

from fleetrig.reference_server.platforms.hono.vertx.cors import CorsRoute
from fleetrig.reference_server.platforms.hono.vertx.paths import BROKEN_ESCAPE, normal_path
from fleetrig.simulator.contract.http import Headers, HttpRequest

EVENT: Final = "event"
COMMAND: Final = "command"
TENANT_ID: Final = "tenant_id"
REQUEST_ID: Final = "cmd_req_id"
"""How the adapter calls variables of its paths; a parameter of the query with that name goes before them."""
INTEGER: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
POST_AND_PUT: Final = ("POST", "PUT")
PUT_ONLY: Final = ("PUT",)
SIGNED: Final = "authorization,content-type"
OF_TELEMETRY: Final = f"QoS-Level,hono-ttd,{SIGNED}"
OF_EVENTS: Final = f"hono-ttd,{SIGNED}"
READABLE: Final = "hono-command,hono-cmd-req-id"


@dataclass(frozen=True, slots=True)
class AdapterRoute:
    """`methods`: those that paths of this kind know."""

    endpoint: str
    methods: tuple[str, ...]
    cors: CorsRoute


ROUTES: Final[Mapping[tuple[str, bool], AdapterRoute]] = {
    (endpoint, is_longer): AdapterRoute(
        endpoint,
        PUT_ONLY if is_longer else POST_AND_PUT,
        CorsRoute("PUT" if is_longer else "POST", headers, READABLE),
    )
    for endpoint, headers in (("telemetry", OF_TELEMETRY), (EVENT, OF_EVENTS))
    for is_longer in (False, True)
}
"""Of telemetry and events: the endpoint alone, and with more behind it."""
RESPONSES: Final = AdapterRoute(COMMAND, POST_AND_PUT, CorsRoute("PUT,POST", f"hono-cmd-status,{SIGNED}"))


@dataclass  # no slots: cached properties
class AdapterCall:
    """A request and what is read of it.

    The path is read twice, as the real adapter does it: made normal to find its route (`parts`), and as it was sent to
    find whom it is for (`segments`).
    """

    request: HttpRequest
    cors_headers: Headers = ()
    """What its answer has beside its own, since a page in a browser asks."""

    @cached_property
    def parts(self) -> list[str]:
        """A slash at the end counts for nothing. Raises Refused for an escape that is none."""
        return normal_path(self.request.path).removesuffix("/").removeprefix("/").split("/")

    @cached_property
    def segments(self) -> list[str]:
        """Decoded; slashes at the end count for nothing."""
        segments = unquote_plus(self.request.path.removeprefix("/"), errors="replace").split("/")
        while len(segments) > 1 and not segments[-1]:
            segments.pop()
        return segments

    def segment(self, at: int) -> str:
        return self.segments[at] if at < len(self.segments) else ""

    @property
    def begins_empty(self) -> bool:
        return not self.segments[0]

    @cached_property
    def route(self) -> AdapterRoute | None:
        """None for a path that the adapter does not know. Raises Refused."""
        match self.parts:
            case ["command", "res", *_]:
                return RESPONSES
            case [endpoint, *more]:
                return ROUTES.get((endpoint, bool(more)))
        return None

    @property
    def named_tenant(self) -> str | None:
        """That of `/telemetry/TENANT/DEVICE` or `/command/res/TENANT/DEVICE/ID`; None when the path names none."""
        match self.parts:
            case ["command", "res", tenant_id, _, _]:
                return self._variable(TENANT_ID, tenant_id)
            case [endpoint, tenant_id, _] if endpoint != COMMAND:
                return self._variable(TENANT_ID, tenant_id)
        return None

    @property
    def named_request(self) -> str:
        """That of `/command/res/ID`."""
        return self._variable(REQUEST_ID, self.parts[2])

    def _variable(self, name: str, part: str) -> str:
        return self.query.get(name, unquote(part, errors="replace"))

    @property
    def has_broken_query(self) -> bool:
        return BROKEN_ESCAPE.search(self.request.query) is not None

    @property
    def asks_query(self) -> bool:
        """Whether a parameter of the message may stand there only, since no header says it."""
        names = ("hono-ttd", "hono-ttl") if self.segment(0) == EVENT else ("hono-ttd",)
        return any(self.request.header(name) is None for name in names)

    @cached_property
    def query(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name, value in parse_qsl(self.request.query, keep_blank_values=True, errors="replace"):
            found.setdefault(name, value)
        return found

    def parameter(self, name: str) -> str | None:
        """A header, or else a parameter of the query."""
        header = self.request.header(name)
        return self.query.get(name) if header is None else header

    def number(self, name: str) -> int | None:
        """None for what is no integer of Java."""
        return integer_in(self.parameter(name))

    @property
    def content_type(self) -> str | None:
        """Without its parameters; None when it is not said."""
        return (self.request.header("content-type") or "").partition(";")[0].strip() or None

    @property
    def qos(self) -> int | None:
        """None for a quality of service that the endpoint does not know."""
        is_event = self.segment(0) == EVENT
        said = self.request.header("qos-level")
        level = int(is_event) if not said else integer_in(said)
        return level if level in ((1,) if is_event else (0, 1)) else None


def integer_in(text: str | None) -> int | None:
    return int(text) if text is not None and INTEGER.fullmatch(text) else None
