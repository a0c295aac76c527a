"""A reference server's control interface as the harness uses it (docs/control.md): faults, and its trace.

Each call is a generator of Asks, like those of the management API. Raises `BrokenBench` when it cannot be used.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fleetrig.harness.servers.json_answer import NotJson, beginning, kind_of, read_json, with_whole_pairs
from fleetrig.harness.servers.no_answer import sentence
from fleetrig.reference_server.northbound import NorthboundCommand, NorthboundMessage
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
SHOWN_OF_REFUSAL: Final = 300
MAX_NUMBER_DIGITS: Final = 18
"""Of an event."""


class ControlInterface:
    """`url` as the ready file's `control` with `http://` before it."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._origin, prefix = split_url(self.url)
        self._prefix = prefix.rstrip("/")

    def add_fault(self, fault: Fault) -> AdminCall[int]:
        """Adds a fault; it is in force once this is answered. Returns the fault's id."""
        answer = yield from self._ask("POST", "/faults", 201, fault_to_json(fault))
        number = self._document(answer).get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise BrokenBench(f"{self.url} is no control interface: its answer to POST /faults has no id")
        return number

    def remove_fault(self, fault_id: int) -> AdminCall[None]:
        """Removes a fault; does nothing if it is already gone."""
        yield from self._ask("DELETE", f"/faults/{fault_id}", 200, or_status=404)

    def newest_like(self, fault: Fault, *, but: Collection[int] = ()) -> AdminCall[int | None]:
        """The number of the fault like this one that was added last, and is not among `but`; None if there is none."""
        answer = yield from self._ask("GET", "/faults", 200)
        listed = self._document(answer).get("faults")
        wanted = fault_to_json(fault).items()
        numbers = [
            number
            for one in (listed if isinstance(listed, list) else ())
            if isinstance(one, dict) and all(one.get(key) == value for key, value in wanted)
            if isinstance(number := one.get("id"), int) and number not in but
        ]
        return max(numbers, default=None)

    def _document(self, answer: HttpResponse) -> dict[str, Any]:
        """Raises BrokenBench for what is no object of JSON."""
        try:
            document = read_json(body_bytes(answer.body))
        except NotJson as wrong:
            raise BrokenBench(f"{self.url} is no control interface: it answered with {wrong}") from None
        if not isinstance(document, dict):
            raise BrokenBench(f"{self.url} is no control interface: it answered with {kind_of(document)}, no object")
        return document

    def last_number(self) -> AdminCall[int]:
        """The number of the newest event of its trace."""
        answer = yield from self._ask("GET", "/trace?limit=1&bodies=false", 200)
        return self._last(answer)

    def events_since(self, number: int) -> AdminCall[TracePage]:
        """The next events of its server lane, without bodies."""
        answer = yield from self._ask("GET", f"/trace?lane=server&bodies=false&since={number}&limit={PAGE}", 200)
        text = with_whole_pairs(body_bytes(answer.body).decode("utf-8", "replace"))
        lines = [line for line in text.split("\n") if line and not line.startswith('{"dropped"')]
        try:
            events = [from_line(line) for line in lines]
            until = _number_of(lines[-1]) if len(lines) == PAGE else self._last(answer)
        except ValueError as wrong:
            raise BrokenBench(f"{self.url} gave no trace: {wrong}") from None
        return TracePage(events, until, is_all=len(lines) < PAGE)

    def northbound(self, tenant: str) -> AdminCall[list[NorthboundMessage]]:
        """All that it has handed on to applications of a tenant and still remembers, in its order."""
        found: list[NorthboundMessage] = []
        after = 0
        while True:
            path = f"/northbound?tenant={quote(tenant, safe='')}&after={after}&limit={PAGE}"
            document = self._document((yield from self._ask("GET", path, 200)))
            listed = document.get("messages")
            page = [_message_in(one) for one in listed] if isinstance(listed, list) else [None]
            known = [one for one in page if one is not None and one.number > after]
            if len(known) < len(page):
                raise BrokenBench(f"{self.url} gave no messages: {beginning(json.dumps(document).encode(), 200)}")
            found += known
            if len(known) < PAGE:
                return found
            after = known[-1].number

    def send_command(self, command: NorthboundCommand) -> AdminCall[str]:
        """Asks something of a device in an application's name. Returns why nobody took it; empty when it was taken."""
        document = {
            "tenant": command.tenant,
            "device": command.device,
            "command": command.name,
            "payload": command.payload.decode("utf-8", "replace"),
            "content_type": command.content_type,
            "one_way": command.is_one_way,
        }
        answer = yield from self._ask("POST", "/northbound/commands", 202, document, or_status=409)
        if answer.status == 202:
            return ""
        return beginning(body_bytes(answer.body), SHOWN_OF_REFUSAL)

    def _last(self, answer: HttpResponse) -> int:
        last = answer.header("Trace-Last") or ""
        if not (last.isascii() and last.isdecimal() and len(last) <= MAX_NUMBER_DIGITS):
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
                said = beginning(body_bytes(response.body), SHOWN_OF_REFUSAL)
                raise BrokenBench(f"{method} {path} on the control interface {self.url} gave {response.status}: {said}")
            case NoReply(why):
                raise BrokenBench(f"the control interface cannot be used: {sentence(self.url, why)}")
            case answer:
                raise AssertionError(f"a driver answered Ask with {answer!r}")


@dataclass(frozen=True, slots=True)
class TracePage:
    """`until` is the number to ask on from; `is_all` when there was nothing behind it."""

    events: Sequence[TraceEvent]
    until: int
    is_all: bool


def _message_in(document: Any) -> NorthboundMessage | None:
    """None for what is none."""
    match document:
        case {
            "number": int(number), "at_us": int(at_us), "tenant": str(tenant), "topic": str(topic), "key": str(key),
            "properties": dict(properties), "payload": str() | {"base64": str()} as payload,
        }:  # fmt: skip
            return NorthboundMessage(number, at_us, tenant, topic, key, properties, _content_of(payload))
        case _:
            return None


def _content_of(payload: str | dict[str, str]) -> bytes:
    """A text as it is; what is none in Base64. Empty for what is no Base64."""
    if isinstance(payload, str):
        return payload.encode(errors="replace")
    try:
        return base64.b64decode(payload["base64"], validate=True)
    except ValueError:
        return b""


def _number_of(line: str) -> int:
    """The number of an event. Raises ValueError."""
    event = read_json(line.encode())
    number = event.get("number") if isinstance(event, dict) else None
    if not isinstance(number, int):
        raise ValueError(f"an event has no number: {line[:100]!r}")
    return number
