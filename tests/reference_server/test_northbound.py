"""What a platform hands on to applications, in the control interface; and the fault that keeps it from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.http_container import PLAIN_CONTAINER
from fleetrig.reference_server.northbound import (
    CommandRefused,
    NorthboundCommand,
    NorthboundMessage,
    OpenOutlet,
    Outlet,
)
from fleetrig.reference_server.platform import HttpAnswer, Reaction
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.reference_server.test_control import ControlPanel

NOW_US = VIRTUAL_EPOCH_US


@dataclass
class Telling:
    """A `NorthboundPlatform`: every body is handed on to the topic of its path; 503 when that cannot be."""

    name: str = "telling"
    container_rules = PLAIN_CONTAINER
    outlet: Outlet = field(default_factory=OpenOutlet)
    webhook: str = ""
    told: list[NorthboundMessage] = field(default_factory=list)
    commands: list[NorthboundCommand] = field(default_factory=list)

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer:
        topic = request.path[1:]
        if not self.outlet.takes(f"EVENT {topic}", now_us):
            return HttpAnswer(HttpResponse(503), "applications cannot be reached")
        tenant = topic.rpartition(".")[2]
        properties = {"qos": "1", "by": "secret-word"}
        number = len(self.told) + 1
        self.told.append(NorthboundMessage(number, now_us, tenant, topic, "d1", properties, body_bytes(request.body)))
        return HttpAnswer(HttpResponse(202))

    def northbound(self, tenant: str, after: int, at_most: int) -> Sequence[NorthboundMessage]:
        return [one for one in self.told if one.number > after and tenant in ("", one.tenant)][:at_most]

    def for_webhook(self, after: int, at_most: int) -> Sequence[NorthboundMessage]:
        return [one for one in self.told if one.number > after and one.topic.startswith("hono.event.")][:at_most]

    def send_command(self, command: NorthboundCommand, now_us: int) -> str:
        if command.device == "nobody":
            raise CommandRefused("nobody takes commands of nobody")
        self.commands.append(command)
        return "" if command.is_one_way else "17"

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return ()

    def secrets(self) -> list[tuple[str, str]]:
        return []


@dataclass
class Bench:
    events: list[TraceEvent] = field(default_factory=list)
    platform: Telling = field(default_factory=Telling)

    def __post_init__(self) -> None:
        trace = Trace()
        trace.listen(self.events.append)
        self.plan = FaultPlan(lambda: 0.0)
        self.server = Server(self.platform, MemoryStore(), self.plan, trace, Secrets())

    def tell(self, topic: str = "hono.event.t1", body: bytes = b"x") -> tuple[int, int]:
        """Status, and how much later it comes (us)."""
        delivery = self.server.exchange(HttpRequest("POST", "http://h", f"/{topic}", (), body), Session(id=3), NOW_US)
        assert delivery.response is not None
        return delivery.response.status, delivery.delay_us

    def panel(self) -> ControlPanel:
        panel = ControlPanel()
        panel.control = type(panel.control)(replace(panel.target, northbound=[self.platform]))
        return panel


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_messages_get_there_while_nothing_is_wrong(bench: Bench) -> None:
    assert bench.tell() == (202, 0)
    assert [event.kind for event in bench.events] == ["received", "answered"]


def test_a_fault_keeps_messages_back(bench: Bench) -> None:
    bench.plan.add(Fault(FaultKind.NORTHBOUND_DOWN, "EVENT *.t1", times=2, parameters={"delay_s": 1.5}), NOW_US)
    assert bench.tell("hono.event.t2") == (202, 0)
    assert [bench.tell() for _ in range(3)] == [(503, 1_500_000), (503, 1_500_000), (202, 0)]
    fault = next(event for event in bench.events if event.kind == "fault")
    assert (fault.fault, fault.session) == (FaultKind.NORTHBOUND_DOWN, 0)
    assert fault.reason == "EVENT hono.event.t1: delay_s 1.5"


def test_without_a_delay_it_is_told_at_once(bench: Bench) -> None:
    bench.plan.add(Fault(FaultKind.NORTHBOUND_DOWN), NOW_US)
    assert bench.tell() == (503, 0)
    assert bench.events[0].reason == "EVENT hono.event.t1: applications cannot be reached"


# Over the control interface


def test_messages_are_read_in_order_and_on_from_a_number(bench: Bench) -> None:
    for topic in ("a.t1", "a.t2", "b.t1"):
        bench.tell(topic, b"\xff" if topic == "a.t2" else b"text")
    panel = bench.panel()
    panel.secrets.learn("password", "secret-word")
    status, found = panel.ask("GET", "/northbound?limit=2")
    assert (status, found["last"]) == (200, 2)
    first, second = found["messages"]
    assert first == {
        "number": 1, "at_us": NOW_US, "tenant": "t1", "topic": "a.t1", "key": "d1",
        "properties": {"qos": "1", "by": first["properties"]["by"]}, "payload": "text",
    }  # fmt: skip
    assert first["properties"]["by"].startswith("password:")
    assert second["payload"] == {"base64": "/w=="}
    assert panel.ask("GET", "/northbound?after=2&tenant=t1")[1]["messages"][0]["topic"] == "b.t1"
    assert panel.ask("GET", "/northbound?after=3") == (200, {"messages": [], "last": 3})


@pytest.mark.parametrize(
    ("query", "field"), [("tenat=t1", "tenat"), ("after=-1", "after"), ("limit=0", "limit"), ("limit=1001", "limit")]
)
def test_what_cannot_be_asked(bench: Bench, query: str, field: str) -> None:
    status, refused = bench.panel().ask("GET", f"/northbound?{query}")
    assert (status, refused["field"]) == (400, field)


def test_a_command(bench: Bench) -> None:
    panel = bench.panel()
    command = {"tenant": "t1", "device": "d1", "command": "blink", "payload": {"times": 2}}
    assert panel.ask("POST", "/northbound/commands", command) == (202, {"correlation_id": "17"})
    assert panel.ask("POST", "/northbound/commands", {**command, "payload": "on", "one_way": True})[0] == 202
    first, second = bench.platform.commands
    assert (first.name, first.payload, first.content_type) == ("blink", b'{"times": 2}', "application/json")
    assert (second.payload, second.content_type, second.is_one_way) == (b"on", "", True)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"device": "nobody"}, 409, "nobody takes commands of nobody"),
        ({"device": ""}, 400, "device: expected a text, which must be given"),
        ({"tenant": None}, 400, "tenant: expected a text, which must be given"),
        ({"device": "a/b"}, 400, "device: expected a name without /, +, # and NUL"),
        ({"command": "#"}, 400, "command: expected a name without /, +, # and NUL"),
        ({"command": "a\0"}, 400, "command: expected a name without"),
        ({"command": "\ud800"}, 400, "command: expected a text that can be written in UTF-8"),
        ({"device": "ä" * 128}, 400, "device: expected at most 255 bytes"),
        ({"content_type": "text/\ud800"}, 400, "content_type: expected a media type"),
        ({"one_way": 1}, 400, "one_way: expected true or false"),
        ({"content_type": 1}, 400, "content_type: expected a media type"),
        ({"comand": "x"}, 400, "did you mean command?"),
    ],
)
def test_a_command_that_is_none(bench: Bench, change: dict[str, object], status: int, error: str) -> None:
    body = {"tenant": "t1", "device": "d1", "command": "blink", **change}
    answered, refused = bench.panel().ask("POST", "/northbound/commands", body)
    assert answered == status
    assert error in refused["error"]
    assert bench.platform.commands == []


def test_a_server_whose_platforms_hand_nothing_on() -> None:
    panel = ControlPanel()
    assert panel.ask("GET", "/northbound")[0] == 404
    assert panel.ask("POST", "/northbound/commands", {"tenant": "t", "device": "d", "command": "c"})[0] == 404
    assert "northbound" not in panel.ask("GET", "/")[1]["links"]
    assert Bench().panel().ask("GET", "/")[1]["links"]["northbound"] == "/northbound"
