"""A reference server's control interface as the harness uses it (docs/control.md): faults, and its trace.

Each call is a generator of Asks, like those of the management API. Raises `BrokenBench` when it cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.fault_json import fault_to_json
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, split_url
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import from_line
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask, NoReply, Reply

CONTROL_WITHIN_S: Final = 10.0
PAGE: Final = 500


class ControlInterface:
    """`url` as the ready file's `control` with `http://` before it."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._origin, prefix = split_url(self.url)
        self._prefix = prefix.rstrip("/")

    def add_fault(self, fault: Fault) -> AdminCall[int]:
        """Adds a fault; it is in force once this is answered. Returns the fault's id."""
        answer = yield from self._ask("POST", "/faults", 201, fault_to_json(fault))
        return int(_object(self.url, answer)["id"])

    def remove_fault(self, fault_id: int) -> AdminCall[None]:
        """Removes a fault; does nothing if it is already gone."""
        yield from self._ask("DELETE", f"/faults/{fault_id}", 200, or_status=404)

    def last_number(self) -> AdminCall[int]:
        """The number of the newest event of its trace."""
        answer = yield from self._ask("GET", "/trace?limit=1&bodies=false", 200)
        return self._last(answer)

    def events_since(self, number: int) -> AdminCall[TracePage]:
        """The next events of its server lane, without bodies."""
        answer = yield from self._ask("GET", f"/trace?lane=server&bodies=false&since={number}&limit={PAGE}", 200)
        lines = [line for line in body_bytes(answer.body).decode().splitlines() if not line.startswith('{"dropped"')]
        try:
            events = [from_line(line) for line in lines]
            until = json.loads(lines[-1])["number"] if len(lines) == PAGE else self._last(answer)
        except (ValueError, KeyError) as wrong:
            raise BrokenBench(f"{self.url} gave no trace: {wrong}") from None
        return TracePage(events, until, is_all=len(lines) < PAGE)

    def _last(self, answer: HttpResponse) -> int:
        last = answer.header("Trace-Last") or ""
        if not last.isdecimal():
            raise BrokenBench(f"{self.url} is no control interface: its trace has no Trace-Last")
        return int(last)

    def _ask(
        self, method: str, path: str, status: int, body: object = None, or_status: int = 0
    ) -> AdminCall[HttpResponse]:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = (("Content-Type", "application/json"),) if sent else ()
        request = HttpRequest(method, self._origin, self._prefix + path, headers, sent)
        match (yield Ask("control", request, CONTROL_WITHIN_S)):
            case Reply(HttpResponse() as response) if response.status in (status, or_status):
                return response
            case Reply(HttpResponse() as response):
                said = body_bytes(response.body)[:300].decode("utf-8", "replace")
                raise BrokenBench(f"{method} {path} on the control interface {self.url} gave {response.status}: {said}")
            case NoReply(why):
                raise BrokenBench(f"the control interface {self.url} cannot be used: {method} {path} ended in {why}")
            case answer:
                raise AssertionError(f"a driver answered Ask with {answer!r}")


@dataclass(frozen=True, slots=True)
class TracePage:
    """`until` is the number to ask on from; `is_all` when there was nothing behind it."""

    events: Sequence[TraceEvent]
    until: int
    is_all: bool


def _object(url: str, answer: HttpResponse) -> dict[str, Any]:
    try:
        document = json.loads(body_bytes(answer.body))
    except ValueError:
        document = None
    if not isinstance(document, dict) or "id" not in document:
        raise BrokenBench(f"{url} is no control interface: it answered without an id")
    return document
