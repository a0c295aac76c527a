"""The control interface as a function: an envelope in, an envelope out, or a stream of trace lines (docs/control.md).

Pure: the time is handed in, and it opens nothing. What a change brings about on sockets, such as a port that closes, is
performed by the front before the answer goes out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from fleetrig.reference_server.clock import LATEST_US, AdjustableClock
from fleetrig.reference_server.control.northbound_view import NORTHBOUND_PARAMETERS, NorthboundView
from fleetrig.reference_server.control.refusals import SHOWN_LINE_CHARS, Refusal, Refusals
from fleetrig.reference_server.control.request_checks import (
    RequestRefused,
    check_host,
    glob,
    json_object,
    mistake,
    nearest,
    query_of,
    whole,
    word_of,
    yes_or_no,
)
from fleetrig.reference_server.control.ring import MAX_EVENTS, TraceRing
from fleetrig.reference_server.control.trace_cursor import TraceCursor, TraceQuery
from fleetrig.reference_server.fault_plan import FaultPlan, ScheduledFault
from fleetrig.reference_server.northbound import NorthboundPlatform
from fleetrig.reference_server.stores.interface import Store
from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.fault_json import FaultMistake, fault_from_json, fault_to_json
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import KINDS, Lane

MAX_FAULTS: Final = 100
MOST: Final = 10**18
SHOWN_LINES: Final = 1_000
SHOWN_REASONS: Final = 20
MOST_REASONS: Final = 1_000

EXPECTED_SKIP: Final = (
    "expected a number of seconds above 0, such as 3600: the clock goes forward only, and not beyond the year 2099"
)
EXPECTED_SKIP_WORD: Final = "expected skip_s, the seconds to move the clock forward"

REFERENCE_SERVER: Final = "fleetrig reference server"
"""By this a client knows that it has found a control interface."""

NOT_STORED: Final[Headers] = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
JSON_TYPE: Final[Headers] = (("Content-Type", "application/json"), *NOT_STORED)

LINKS: Final[dict[str, Json]] = {
    "faults": "/faults",
    "clock": "/clock",
    "trace": "/trace?since=0",
    "trace_as_it_happens": "/trace?follow=true",
    "reasons": "/reasons",
}
NORTHBOUND: Final = "/northbound"
COMMANDS: Final = "/northbound/commands"
QUERIED: Final = frozenset({"/trace", "/reasons", NORTHBOUND})
"""Paths with parameters."""

SERVED_KINDS: Final = tuple(dict.fromkeys(KINDS[Lane.SERVER] + KINDS[Lane.NETWORK]))
"""What a server that stands alone tells of; in a run others write into the same trace."""


def a_kind(text: str) -> str:
    known = {kind for kinds in KINDS.values() for kind in kinds}
    return text if text in known else word_of(*SERVED_KINDS)(text)


TRACE_PARAMETERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "since": whole(0, MOST),
    "lane": word_of(*Lane),
    "kind": a_kind,
    "device": glob,
    "limit": whole(1, MAX_EVENTS),
    "follow": yes_or_no,
    "bodies": yes_or_no,
}

REASON_PARAMETERS: Final[Mapping[str, Callable[[str], Any]]] = {"device": glob, "limit": whole(1, MOST_REASONS)}


@dataclass(frozen=True, slots=True)
class ControlTarget:
    """The parts of a running server that can be seen and changed from outside."""

    about: Mapping[str, Json]
    """What the command that started it adds: version, profiles."""
    urls: Mapping[str, Mapping[str, str]]
    """Platform -> listener name -> URL."""
    control_url: str
    store_url: str
    store: Store
    clock: AdjustableClock
    faults: FaultPlan
    ring: TraceRing
    refusals: Refusals
    secrets: Secrets
    northbound: Sequence[NorthboundPlatform] = ()
    """Platforms that hand messages on to applications."""
    ca: str = ""
    """Where the authority of its certificate lies, if it is a throw-away one."""
    is_open: bool = False
    """It answers under any host name, not only loopback."""


ControlReply = HttpResponse | TraceCursor
ControlHandler = Callable[[HttpRequest], ControlReply]


class Control:
    def __init__(self, target: ControlTarget) -> None:
        self._target = target
        self._northbound = NorthboundView(target.northbound, target.secrets)
        self._routes: Mapping[str, Mapping[str, ControlHandler]] = {
            "/": {"GET": self._show},
            "/faults": {"GET": self._list_faults, "POST": self._add_fault, "DELETE": self._clear_faults},
            "/clock": {"GET": self._show_time, "POST": self._skip},
            "/trace": {"GET": self._read_trace},
            "/reasons": {"GET": self._list_reasons},
            NORTHBOUND: {"GET": self._list_messages},
            COMMANDS: {"POST": self._send_command},
        }

    def handle(self, request: HttpRequest) -> ControlReply:
        """Never raises for what a client sent."""
        try:
            if not self._target.is_open:
                check_host(request)
            return self._handler_of(request)(request)
        except RequestRefused as refused:
            return reply(refused.status, refused.document, refused.headers)

    def _handler_of(self, request: HttpRequest) -> ControlHandler:
        path = request.path
        methods = self._routes.get(path)
        if methods is None:
            methods = self._fault_methods(path)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            allowed = ", ".join(["HEAD", *methods] if "GET" in methods else methods)
            raise RequestRefused(405, f"{path} knows {allowed}, not {request.method[:100]}", (("Allow", allowed),))
        if path not in QUERIED:
            query_of(request, {})
        return methods[method]

    # What it is

    def _show(self, _: HttpRequest) -> HttpResponse:
        target, now_us = self._target, self._target.clock.now_us()
        running = [entry for entry in target.faults.scheduled() if not entry.is_over(now_us)]
        document: dict[str, Json] = {
            "server": REFERENCE_SERVER,
            **target.about,
            "platforms": list(target.urls),
            "urls": {**{name: dict(urls) for name, urls in target.urls.items()}, "control": target.control_url},
            **({"ca": target.ca} if target.ca else {}),
            "store": target.secrets.hide(target.store_url),
            "records": dict(target.store.totals()),
            "clock": self._time(),
            "faults": [fault_view(entry, now_us) for entry in running],
            "trace": {"last": target.ring.last, "forgotten": target.ring.forgotten},
            "links": {**LINKS, **({"northbound": NORTHBOUND} if target.northbound else {})},
        }
        return reply(200, document)

    # Faults

    def _list_faults(self, _: HttpRequest) -> HttpResponse:
        now_us = self._target.clock.now_us()
        return reply(200, {"faults": [fault_view(entry, now_us) for entry in self._target.faults.scheduled()]})

    def _add_fault(self, request: HttpRequest) -> HttpResponse:
        document = json_object(request)
        try:
            fault = fault_from_json(document)
        except FaultMistake as wrong:
            raise mistake(wrong.field, wrong.expected, document.get(wrong.field), wrong.near) from None
        if len(self._target.faults.scheduled()) >= MAX_FAULTS:
            full = f"there are {MAX_FAULTS} faults already: DELETE some, those that are over count too"
            raise RequestRefused(409, full)
        now_us = self._target.clock.now_us()
        entry = self._target.faults.add(fault, now_us)
        return reply(201, fault_view(entry, now_us), (("Location", f"/faults/{entry.id}"),))

    def _clear_faults(self, _: HttpRequest) -> HttpResponse:
        now_us = self._target.clock.now_us()
        removed = self._target.faults.scheduled()
        self._target.faults.clear()
        return reply(200, {"removed": [fault_view(entry, now_us) for entry in removed]})

    def _fault_methods(self, path: str) -> Mapping[str, ControlHandler]:
        """Of one fault. Raises RequestRefused(404)."""
        head, _, name = path.rpartition("/")
        if head != "/faults" or not name:
            near = nearest(path.lower().rstrip("/"), tuple(self._routes))
            hint = f"; did you mean {near}?" if near else ""
            raise RequestRefused(404, f"there is no {path[:100]!r} here{hint}", near=near, links=LINKS)
        entry = next((entry for entry in self._target.faults.scheduled() if str(entry.id) == name), None)
        if entry is None:
            raise RequestRefused(404, f"there is no fault {name[:100]!r}: GET /faults lists them")
        return {"GET": partial(self._show_fault, entry), "DELETE": partial(self._remove_fault, entry)}

    def _show_fault(self, entry: ScheduledFault, _: HttpRequest) -> HttpResponse:
        return reply(200, fault_view(entry, self._target.clock.now_us()))

    def _remove_fault(self, entry: ScheduledFault, _: HttpRequest) -> HttpResponse:
        self._target.faults.remove(entry.id)
        return reply(200, fault_view(entry, self._target.clock.now_us()))

    # The clock

    def _show_time(self, _: HttpRequest) -> HttpResponse:
        return reply(200, self._time())

    def _skip(self, request: HttpRequest) -> HttpResponse:
        document = json_object(request)
        for word in document:
            if word != "skip_s":
                raise mistake(word, EXPECTED_SKIP_WORD, document[word], nearest(word, ("skip_s",)))
        skip_s: Any = document.get("skip_s")
        is_number = isinstance(skip_s, int | float) and not isinstance(skip_s, bool)
        if not is_number or not 0 < skip_s <= to_s(LATEST_US):
            raise mistake("skip_s", EXPECTED_SKIP, skip_s)
        try:
            self._target.clock.skip(to_us(skip_s))
        except ValueError as wrong:
            raise mistake("skip_s", str(wrong), skip_s) from None
        return reply(200, self._time())

    def _time(self) -> dict[str, Json]:
        now_us = self._target.clock.now_us()
        return {"now": iso(now_us), "now_us": now_us, "skipped_s": to_s(self._target.clock.skipped_us)}

    # What happened

    def _read_trace(self, request: HttpRequest) -> TraceCursor:
        asked = query_of(request, TRACE_PARAMETERS)
        _check_kind(asked)
        ring = self._target.ring
        if asked.get("since", 0) > ring.last:
            expected = f"expected at most {ring.last}, the number of the newest event (was the server restarted?)"
            raise mistake("since", expected, asked["since"])
        if not asked.get("follow"):
            asked.setdefault("limit", SHOWN_LINES)
        return TraceCursor(ring, self._target.secrets, TraceQuery(**asked))

    def _list_reasons(self, request: HttpRequest) -> HttpResponse:
        asked = query_of(request, REASON_PARAMETERS)
        limit = asked.get("limit", SHOWN_REASONS)
        found = self._target.refusals.newest_first(asked.get("device", "*"))
        return reply(200, {"reasons": [self._reason(refusal) for _, refusal in zip(range(limit), found, strict=False)]})

    def _list_messages(self, request: HttpRequest) -> HttpResponse:
        return reply(200, self._northbound.messages(query_of(request, NORTHBOUND_PARAMETERS)))

    def _send_command(self, request: HttpRequest) -> HttpResponse:
        return reply(202, self._northbound.send(request, self._target.clock.now_us()))

    def _reason(self, refusal: Refusal) -> dict[str, Json]:
        hide = self._target.secrets.hide
        return {
            "at": iso(refusal.at_us),
            "at_us": refusal.at_us,
            "line": hide(refusal.line)[:SHOWN_LINE_CHARS],
            "status": refusal.status,
            "device": hide(refusal.device),
            "reason": hide(refusal.reason),
        }


def _check_kind(asked: Mapping[str, Any]) -> None:
    """Raises RequestRefused(400) for a kind of event that the lane asked for never has."""
    kinds = KINDS[asked["lane"]] if "lane" in asked else ()
    if kinds and asked.get("kind", kinds[0]) not in kinds:
        expected = f"expected a kind of the lane {asked['lane']}: {', '.join(kinds)}"
        raise mistake("kind", expected, asked["kind"], nearest(asked["kind"], kinds))


def fault_view(entry: ScheduledFault, now_us: int) -> dict[str, Json]:
    """The fault as it was given, with its state."""
    state = "on" if entry.is_on(now_us) else "over" if entry.is_over(now_us) else "waiting"
    times: dict[str, Json] = {"begins_us": entry.from_us, "ends_us": entry.until_us}
    return {"id": entry.id, **fault_to_json(entry.fault), "state": state, "bites": entry.bites, **times}


def iso(at_us: int) -> str:
    """`2026-01-01T12:00:00.000000Z`."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def reply(status: int, document: Mapping[str, Json], headers: Headers = ()) -> HttpResponse:
    body = json.dumps(document, indent=2).encode("ascii") + b"\n"
    return HttpResponse(status, (*JSON_TYPE, *headers), body)
