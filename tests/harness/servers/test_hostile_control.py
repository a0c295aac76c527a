"""A control interface that sends what none sends: one sentence, whatever is asked."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from fleetrig.harness.run.remote_trace import is_about
from fleetrig.harness.servers.control import PAGE, ControlInterface
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.contract.trace_json import from_line, to_line
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.virtual import VirtualBench
from tests.harness.hostile_server import OTHER_KINDS, places_in
from tests.simulator.http_only import HttpOnly

FAULT = Fault(FaultKind.OUTAGE, hits="GET /nowhere")
DEEP = b"[" * 100_000
EVENT = b'{"at_us": 1, "seq": 1, "lane": "server", "kind": "note"%s}\n'
LAST: Headers = (("Trace-Last", "7"),)


Call = Callable[[ControlInterface], AdminCall[Any]]


def answered(call: Call, body: bytes, headers: Headers = (), status: int = 200) -> Any:
    def handler(request: HttpRequest, session: Session, now_us: int) -> Delivery:
        return Delivery(HttpResponse(status, headers, body))

    return VirtualBench(HttpOnly(handler), Trace()).run(call(ControlInterface("http://h:1")))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (DEEP, "it answered with JSON that is nested deeper"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "it answered with a number of 5,000 digits"),
        (b'{"id": NaN}', "it answered with NaN"),
        (b"\xff", "it answered with JSON that is no UTF-8"),
        (b"[]", "it answered with a list, no object"),
        (b"null", "it answered with null, no object"),
        (b'{"id": null}', "its answer to POST /faults has no id"),
        (b'{"id": "1"}', "its answer to POST /faults has no id"),
        (b'{"id": true}', "its answer to POST /faults has no id"),
    ],
)
def test_a_fault_without_a_number(body: bytes, sentence: str) -> None:
    with pytest.raises(BrokenBench, match=f"^http://h:1 is no control interface: {sentence}"):
        answered(lambda control: control.add_fault(FAULT), body, status=201)


@pytest.mark.parametrize("listed", [b"null", b'"x"', b"7", b"[null, 7, {}]", b'[{"id": "7"}]', b'[{"id": [1]}]'])
def test_a_list_of_faults_that_is_none_holds_none(listed: bytes) -> None:
    assert answered(lambda control: control.newest_like(FAULT), b'{"faults": ' + listed + b"}") is None


@pytest.mark.parametrize("last", ["", "x", "-1", "9" * 5_000, "٣"])
def test_a_trace_without_an_end(last: str) -> None:
    with pytest.raises(BrokenBench, match="its trace has no Trace-Last"):
        answered(lambda control: control.last_number(), b"", (("Trace-Last", last),))


@pytest.mark.parametrize(
    "body",
    [
        DEEP + b"\n", b"null\n", b"[]\n", b"7\n", b"{}\n", b"\xff\n", b'{"at_us": NaN}\n',
        b'{"at_us": ' + b"9" * 5_000 + b"}\n",
        EVENT % b', "envelope": 7', EVENT % b', "envelope": []', EVENT % b', "envelope": {"request": null}',
        (EVENT % b"") * PAGE, (EVENT % b', "number": null') * PAGE, (EVENT % b', "number": "x"') * PAGE,
    ],
)  # fmt: skip
def test_events_that_are_none(body: bytes) -> None:
    with pytest.raises(BrokenBench, match=r"^http://h:1 gave no trace: ") as broken:
        answered(lambda control: control.events_since(0), body, LAST)
    assert len(str(broken.value)) < 500


REQUEST = {"method": "GET", "origin": "http://h", "target": "/a", "headers": [["A", "b"]], "body": "{}"}
EVENTS = [
    {"at_us": 1, "seq": 1, "lane": "server", "kind": "received", "device": "d", "session": 3, "envelope": envelope}
    for envelope in ({"request": REQUEST}, {"response": {"status": 200}}, {"connect": {"client_id": "x", "version": 4}})
]


@pytest.mark.parametrize("event", EVENTS)
def test_values_of_another_kind_in_an_event(event: dict[str, Any]) -> None:
    """Each is refused, or can be shown, written and told from others."""
    places = range(len(list(places_in(event))))
    assert from_line(json.dumps(event)).device == "d"
    for place, value in itertools.product(places, OTHER_KINDS):
        changed = json.loads(json.dumps(event))
        holder, key = list(places_in(changed))[place]
        holder[key] = value
        with suppress(BrokenBench):
            page = answered(lambda control: control.events_since(0), json.dumps(changed).encode() + b"\n", LAST)
            for found in page.events:
                is_about(found, "x")
                assert to_line(from_line(to_line(found, Secrets())), Secrets()) == to_line(found, Secrets())
                assert hash(found)


MESSAGE = {
    "number": 1, "at_us": 1, "tenant": "t", "topic": "hono.event.t", "key": "d", "properties": {"a": "b"},
    "payload": "x",
}  # fmt: skip


def messages_in(*messages: object) -> Any:
    body = json.dumps({"messages": messages, "last": 1}).encode()
    return answered(lambda control: control.northbound("t"), body)


def test_messages_are_read_whole() -> None:
    payloads: list[object] = ["x", {"base64": "AP8="}, {"base64": "A"}]
    found = messages_in(*({**MESSAGE, "number": 1 + at, "payload": one} for at, one in enumerate(payloads)))
    assert [(one.number, one.key, one.payload) for one in found] == [
        (1, "d", b"x"),
        (2, "d", b"\x00\xff"),
        (3, "d", b""),
    ]


@pytest.mark.parametrize("place", range(len(list(places_in(MESSAGE)))))
@pytest.mark.parametrize("value", OTHER_KINDS, ids=repr)
def test_values_of_another_kind_in_a_message(place: int, value: object) -> None:
    """Each is refused, or has no say in anything."""
    changed = json.loads(json.dumps(MESSAGE))
    holder, key = list(places_in(changed))[place]
    holder[key] = value
    with suppress(BrokenBench):
        (found,) = messages_in(changed)
        assert isinstance(found.payload, bytes)
        assert isinstance(found.number, int)


@pytest.mark.parametrize("body", [b"null", b"{}", b'{"messages": null}', b'{"messages": [7]}', DEEP, b"\xff"])
def test_messages_that_are_none(body: bytes) -> None:
    with pytest.raises(BrokenBench, match=r"^http://h:1 (gave no messages|is no control interface): "):
        answered(lambda control: control.northbound("t"), body)


def test_messages_that_have_no_end() -> None:
    with pytest.raises(BrokenBench, match="gave no messages"):
        messages_in(*[MESSAGE] * PAGE)
    with pytest.raises(BrokenBench, match="gave no messages"):
        messages_in(*({**MESSAGE, "number": number + 1} for number in range(PAGE)))
