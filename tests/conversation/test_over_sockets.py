"""A platform with sessions over real sockets: answers, pushes that nobody asked for, endings, several sessions."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from fleetrig.reference_server.listener_kinds import LISTENER_KINDS
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    Subscription,
)
from fleetrig.simulator.contract.trace import TraceEvent
from tests.conversation.echo_platform import EchoPlatform
from tests.conversation.peer import ToyPeer
from tests.conversation.toy_front import TOY_LISTENER_KINDS
from tests.reference_server.echo import ServerBench, running, traced, until
from tests.reference_server.fronts.peer import is_refused


@dataclass
class Toy:
    """The echo platform, served on a port of the toy front."""

    server: ReferenceServer
    bench: ServerBench
    events: list[TraceEvent]
    platforms: list[EchoPlatform] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.server.addresses["echo"]["toy"].port

    def peer(self) -> ToyPeer:
        return ToyPeer(self.port)

    def add_fault(self, kind: FaultKind, **fields: object) -> None:
        fault = Fault(kind, **fields)  # type: ignore[arg-type]
        self.bench.loop.call(lambda: self.server.add_fault(fault))

    def kinds(self, session: int) -> list[str]:
        return [event.kind for event in self.events if event.session == session and event.lane == "server"]


@pytest.fixture
def toy() -> Iterator[Toy]:
    platforms: list[EchoPlatform] = []

    def build(store: Store, blobs: Blobs, entropy: Entropy) -> EchoPlatform:
        platforms.append(EchoPlatform(store))
        return platforms[-1]

    with running() as bench:
        trace, events = traced()
        options = ServerOptions((PlatformOptions("echo", build, {"toy": ANY_LOOPBACK_PORT}),))
        server = bench.run(ReferenceServer(options, trace, listener_kinds=TOY_LISTENER_KINDS))
        yield Toy(server, bench, events, platforms)
        assert server.bugs == []


def test_its_url_names_its_scheme(toy: Toy) -> None:
    assert toy.server.url("echo", "toy") == f"toy://127.0.0.1:{toy.port}"


def test_a_connection_with_and_without_the_password(toy: Toy) -> None:
    with toy.peer() as peer:
        assert peer.connect("gw-1") == "CONNACK 0"
        peer.say(MqttPingreq())
        assert peer.hear().line == "PINGRESP"
    with toy.peer() as peer:
        peer.say(MqttConnect("gw-2", password=b"wrong"))
        assert peer.hear().line == "CONNACK 5"
        with pytest.raises(EOFError):
            peer.hear()
    refused = [event for event in toy.events if event.kind == "refused"]
    assert [(event.session, event.device, event.reason) for event in refused] == [(2, "gw-2", "the password differs")]


def test_the_first_envelope_must_be_a_connect(toy: Toy) -> None:
    with toy.peer() as peer:
        peer.say(MqttPublish("a"))
        with pytest.raises(EOFError):
            peer.hear()
    assert toy.platforms[0].published("") == 0


def test_an_answer_can_be_several_envelopes(toy: Toy) -> None:
    with toy.peer() as peer:
        peer.connect("gw-1")
        peer.say(MqttSubscribe((Subscription("echo/#"),), packet_id=1))
        peer.say(MqttPublish("up", b"x", qos=1, packet_id=7))
        assert [peer.hear().line for _ in range(3)] == ["SUBACK 0", "PUBACK", "PUBLISH echo/up"]
    until(lambda: "closed" in toy.kinds(1))
    assert toy.kinds(1) == [
        "opened", "received", "answered", "received", "answered", "received", "answered", "answered", "closed"
    ]  # fmt: skip


def test_a_push_comes_unasked(toy: Toy) -> None:
    with toy.peer() as peer:
        peer.connect("gw-1")
        peer.say(MqttPublish("remind", b"40"))
        assert peer.hear() == MqttPublish("reminder", b"40")
    (push,) = [event for event in toy.events if event.kind == "pushed"]
    (asked,) = [event for event in toy.events if event.name == "published 1"]
    assert (push.device, push.session) == ("gw-1", 1)
    assert push.at_us >= asked.at_us + 40_000


def test_one_session_speaks_to_another(toy: Toy) -> None:
    with toy.peer() as one, toy.peer() as two:
        one.connect("gw-1")
        two.connect("gw-2")
        one.say(MqttPublish("to/gw-2", b"hello"))
        assert two.hear() == MqttPublish("from/gw-1", b"hello")
    (push,) = [event for event in toy.events if event.kind == "pushed"]
    assert (push.device, push.session) == ("gw-2", 2)


def test_a_disconnect_ends_it_and_nothing_is_pushed_to_who_has_left(toy: Toy) -> None:
    with toy.peer() as peer:
        peer.connect("gw-1")
        peer.say(MqttPublish("remind", b"50"))
        peer.say(MqttDisconnect())
        with pytest.raises(EOFError):
            peer.hear()
    until(lambda: toy.platforms[0].next_due_us() is None)
    assert "pushed" not in toy.kinds(1)
    assert toy.kinds(1).count("closed") == 1


@pytest.mark.parametrize("data", [b"\x00\x00\x00\x02{}", b"\x00\x00\x00\x01?", b"\x7f\xff\xff\xff" + b"x" * 17_000_000])
def test_what_is_no_envelope_ends_the_connection(toy: Toy, data: bytes) -> None:
    with toy.peer() as peer:
        with suppress(ConnectionError):
            peer.socket.sendall(data)
        with pytest.raises(ConnectionError):
            peer.hear()
    with toy.peer() as peer:
        assert peer.connect("gw-1") == "CONNACK 0"


def test_an_outage_ends_sessions_and_closes_the_port(toy: Toy) -> None:
    with toy.peer() as peer:
        peer.connect("gw-1")
        toy.add_fault(FaultKind.OUTAGE, for_s=0.2)
        assert is_refused(toy.port)
        with pytest.raises(ConnectionResetError):
            peer.hear()
    assert toy.kinds(1)[-2:] == ["delivered", "closed"]
    assert [event.reason for event in toy.events if event.kind == "closed"] == ["reset"]
    until(lambda: not is_refused(toy.port))
    with toy.peer() as peer:
        assert peer.connect("gw-1") == "CONNACK 0"


@pytest.mark.parametrize(("shows_as", "error"), [(Ending.RESET, ConnectionResetError), (Ending.CLOSED, EOFError)])
def test_the_end_after_a_connack(toy: Toy, shows_as: Ending, error: type[Exception]) -> None:
    toy.add_fault(FaultKind.DROP_AFTER_CONNACK, shows_as=shows_as, parameters={"delay_s": 0.01})
    with toy.peer() as peer:
        assert peer.connect("gw-1") == "CONNACK 0"
        with pytest.raises(error):
            peer.hear()


def test_silence_after_a_connack(toy: Toy) -> None:
    toy.add_fault(FaultKind.DROP_AFTER_CONNACK, shows_as=Ending.SILENCE)
    with toy.peer() as peer:
        assert peer.connect("gw-1") == "CONNACK 0"
        peer.say(MqttPingreq())
        peer.socket.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            peer.hear()


def test_late_and_twice(toy: Toy) -> None:
    toy.add_fault(FaultKind.LATENCY, hits="PUBLISH echo/late", parameters={"delay_s": 0.1})
    toy.add_fault(FaultKind.DUPLICATE_DELIVERY, hits="PUBLISH echo/twice")
    with toy.peer() as peer:
        peer.connect("gw-1")
        peer.say(MqttSubscribe((Subscription("echo/#"),), packet_id=1))
        for topic in ("late", "twice"):
            peer.say(MqttPublish(topic))
        lines = [peer.hear().line for _ in range(4)]
    assert lines == ["SUBACK 0", "PUBLISH echo/twice", "PUBLISH echo/twice", "PUBLISH echo/late"]


def test_a_platform_cannot_listen_for_what_it_does_not_speak() -> None:
    options = PlatformOptions("echo", EchoPlatform, {"http": ANY_LOOPBACK_PORT})
    with running() as bench, pytest.raises(ModelError, match="the platform echo speaks no HTTP"):
        bench.run(ReferenceServer(ServerOptions((options,)), listener_kinds=LISTENER_KINDS))
