"""What no client should send: answered or closed with a reason in the trace, and another client is served meanwhile."""

from __future__ import annotations

import gc
import socket
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import pytest

from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPublish,
    MqttSuback,
    MqttSubscribe,
    MqttUnsubscribe,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.reference_server.echo import until
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, MqttPeer
from tests.reference_server.mqtt_codec.client_wire import V5, V311, packet, to_server

pytestmark = pytest.mark.slow

Serve = Callable[..., MqttBench]
MANY_PROPERTIES = (("user_property", ("a", "b")),) * 5_001
MAY_GROW_BYTES = 64 * 1024


@contextmanager
def somebody_else(bench: MqttBench) -> Iterator[None]:
    """Another client, connected before and served after."""
    with bench.peer() as other:
        assert other.connect("other") == "CONNACK 0"
        yield
        assert other.is_served()


def answers(session: Session, envelope: Envelope) -> Sequence[Output] | None:
    """As a platform does that knows the standard."""
    match envelope:
        case Undecodable(Flaw.UNKNOWN_VERSION):
            return (Send(session.id, MqttConnack(1)), Close(session.id))
        case MqttSubscribe(wanted, packet_id):
            return (Send(session.id, MqttSuback(packet_id, tuple(one.qos for one in wanted))),)
        case _:
            return None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x30\xff\xff\xff\x7f" + b"x" * 1_000_000, "268,435,460 bytes, where 262,144 are taken"),
        (packet(0x30, b"\x00\x02\xff\xfe"), "the topic is no UTF-8"),
        (packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x02\xc3\x28"), "the client id is no UTF-8"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "must not have the flags"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "must not have the flags"),
        (b"\x00" * 100_000, "packet type 0"),
        (to_server(MqttSubscribe((Subscription("a"),) * 5_001, 1)), "at most 5,000 properties or topic filters"),
        (to_server(MqttUnsubscribe(("a",) * 5_001, 1)), "at most 5,000 properties or topic filters"),
        (to_server(MqttConnect(version=V5, properties=MANY_PROPERTIES), V5), "at most 5,000 properties"),
    ],
)
def test_what_is_no_packet(serve: Serve, data: bytes, why: str) -> None:
    bench = serve(answers)
    with somebody_else(bench), bench.peer() as peer:
        with suppress(ConnectionError):
            peer.socket.sendall(data)
            assert peer.rest() == b""
        bench.is_gone(2)
    assert len(bench.reasons(2)) == 1
    assert why in bench.reasons(2)[0]


def test_an_unknown_level_is_answered_as_the_platform_says(serve: Serve) -> None:
    bench = serve(answers)
    with somebody_else(bench), bench.peer() as peer:
        peer.socket.sendall(packet(0x10, b"\x00\x04MQTT\x09\x02\x00\x3c\x00\x00"))
        assert peer.rest() == b"\x20\x02\x00\x01"
    assert bench.reasons(2) == ["nobody speaks level 9 of 'MQTT'"]


def test_a_publish_before_a_connect_may_be_kept_waiting(serve: Serve) -> None:
    bench = serve(answers)
    with somebody_else(bench), bench.peer() as peer:
        peer.say(MqttPublish("a", b"x", 1, packet_id=1))
        until(lambda: (2, MqttPublish("a", b"x", 1, packet_id=1)) in bench.platform.came)
        assert peer.connect() == "CONNACK 0"  # neither answered nor closed until now
    assert bench.reasons(2) == []


def test_a_client_id_of_64_kib(serve: Serve) -> None:
    bench = serve(answers)
    with somebody_else(bench), bench.peer() as peer:
        assert peer.connect("x" * 65_535) == "CONNACK 0"


def test_thousands_of_subscriptions_in_one_packet(serve: Serve) -> None:
    bench = serve(answers)
    wanted = tuple(Subscription(f"a/{n}", n % 3) for n in range(5_000))
    with somebody_else(bench), bench.peer() as peer:
        peer.connect()
        peer.say(MqttSubscribe(wanted, 1))
        assert peer.hear() == MqttSuback(1, tuple(one.qos for one in wanted))


def test_who_says_nothing_is_cut_off(serve: Serve) -> None:
    bench = serve(first_packet_within_s=0.05)
    with bench.peer() as peer:
        with pytest.raises(ConnectionResetError):
            peer.rest()
        bench.is_gone()
    assert bench.reasons() == ["said nothing within 0.05 s"]


def test_who_has_said_something_is_waited_for_no_longer(serve: Serve) -> None:
    bench = serve()
    with bench.peer() as peer:
        until(lambda: len(bench.front.silent) == 1)
        peer.connect()
        assert len(bench.front.silent) == 0


def test_too_many_that_say_nothing_make_room_for_others(serve: Serve) -> None:
    bench = serve(silent_connections=5)
    with somebody_else(bench), ExitStack() as stack:
        crowd = [stack.enter_context(bench.peer()) for _ in range(8)]
        with bench.peer() as late:
            assert late.connect() == "CONNACK 0"
        for peer in crowd[:3]:
            with pytest.raises(ConnectionResetError):
                peer.rest()
        assert crowd[-1].connect() == "CONNACK 0"
    assert bench.reasons(2) == ["said nothing, and 5 others have not either"]


@pytest.mark.parametrize("start", [b"\x10", b"\x30\x80", to_server(MqttConnect("gw-1"))[:9]])
def test_half_a_packet_and_no_more(serve: Serve, start: bytes) -> None:
    bench = serve(whole_packet_within_s=0.05)
    with somebody_else(bench), bench.peer() as peer:
        peer.connect()
        peer.socket.sendall(start)
        with pytest.raises(ConnectionResetError):
            peer.rest()
        bench.is_gone(2)
    assert bench.reasons(2) == ["a packet did not come whole within 0.05 s"]


def test_a_packet_that_comes_whole_is_waited_for_no_longer(serve: Serve) -> None:
    bench = serve()
    data = to_server(MqttPublish("a", b"x" * 10))
    with bench.peer() as peer:
        peer.connect()
        for _ in range(3):
            peer.socket.sendall(data[:5])
            until(lambda: len(bench.front.half) == 1)
            peer.socket.sendall(data[5:])
            until(lambda: len(bench.front.half) == 0)
        assert peer.is_served()


def test_each_half_packet_has_its_own_time(serve: Serve) -> None:
    """A busy client may always be in the middle of a packet, and never in that of the same for long."""
    bench = serve()
    data = to_server(MqttPublish("a", b"x" * 10))
    with bench.peer() as busy, bench.peer() as stuck:
        for number, peer in enumerate((busy, stuck), 1):
            peer.connect()
            peer.socket.sendall(data[:5])
            until(lambda number=number: len(bench.front.half) == number)  # type: ignore[misc]
        assert bench.front.half.oldest.session.id == 1
        busy.socket.sendall(data[5:] + data[:5])
        until(lambda: bench.front.half.oldest.session.id == 2)
        assert len(bench.front.half) == 2


def test_a_platform_that_lets_the_undecodable_be(serve: Serve) -> None:
    bench = serve(lambda session, envelope: () if isinstance(envelope, Undecodable) else None, judged_within_s=0.05)
    with somebody_else(bench), bench.peer() as peer:
        peer.connect()
        peer.socket.sendall(b"\x00\x00" + to_server(MqttPingreq()) * 100)
        with pytest.raises(ConnectionResetError):
            peer.rest()
        bench.is_gone(2)
    assert [one.line for session, one in bench.platform.came if session == 2][1:] == ["UNDECODABLE malformed"]
    assert bench.reasons(2)[1:] == ["what came is undecodable, and the platform let it be within 0.05 s"]


def test_a_platform_that_falls_silent_on_the_undecodable(serve: Serve) -> None:
    """Its connection is not waited for: that of another, which came later, is what the front ends."""

    def answers_first(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        if not isinstance(envelope, Undecodable):
            return None
        return (Close(session.id, Ending.SILENCE),) if session.id == 1 else ()

    bench = serve(answers_first, judged_within_s=0.05)
    with bench.peer() as silent, bench.peer() as later:
        silent.socket.sendall(b"\x00")
        bench.is_gone(1)
        later.socket.sendall(b"\x00")
        with pytest.raises(ConnectionResetError):
            later.rest()
        silent.socket.shutdown(socket.SHUT_WR)
        assert silent.rest() == b""
    assert len(bench.reasons(1)) == 1


def test_a_flood_of_connects_is_answered_in_turns(serve: Serve) -> None:
    bench = serve(packets_per_turn=8)
    flood = to_server(MqttConnect("gw-1")) * 5_000
    with somebody_else(bench), bench.peer() as peer, bench.peer() as other:
        peer.socket.sendall(flood)
        assert other.connect("patient") == "CONNACK 0"
        for _ in range(5_000):
            assert peer.hear() == MqttConnack()


def test_a_flood_from_a_peer_that_reads_nothing_stops_there(serve: Serve) -> None:
    """Its answers fill what the system keeps for it, then it is not read from, and then it is reset."""
    bench = serve(read_within_s=0.2)
    flood = to_server(MqttSubscribe((Subscription("a"),), 1)) * 10_000
    big = MqttPublish("a", b"x" * 10_000)

    def floods(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        return (Send(session.id, big),) if isinstance(envelope, MqttSubscribe) else None

    bench.platform.answer = floods
    with somebody_else(bench), bench.peer() as peer:
        peer.connect()
        with suppress(ConnectionError):
            while True:
                peer.socket.sendall(flood)
        bench.is_gone(2)
    assert bench.reasons(2) == ["read too little of what it was sent within 0.2 s"]


def test_pushes_to_a_peer_that_reads_nothing_are_bounded(serve: Serve) -> None:
    bench = serve(unread_bytes=100_000)

    def pushes(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        return [Send(2, MqttPublish("a", b"x" * 100_000))] * 200 if isinstance(envelope, MqttPublish) else None

    bench.platform.answer = pushes
    with bench.peer() as one, bench.peer() as reads_nothing:
        one.connect()
        reads_nothing.connect()
        one.say(MqttPublish("go"))
        bench.is_gone(2)
        assert one.is_served()
    (why,) = bench.reasons(2)
    assert why.startswith("it leaves ")
    assert why.endswith(" bytes unread")


def test_what_comes_all_at_once_for_who_reads_nothing(serve: Serve) -> None:
    """100 MB in one answer: no more of them are made than fit."""

    def pushes(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        if not isinstance(envelope, MqttPublish):
            return None
        return [Send(session.id, MqttPublish("a", b"x" * 100_000))] * 1_000

    bench = serve(pushes)
    tracemalloc.start()
    try:
        with somebody_else(bench), bench.peer() as peer:
            peer.connect()
            peer.say(MqttPublish("go"))
            bench.is_gone(2)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    (why,) = bench.reasons(2)
    assert why.endswith(" bytes unread")


def test_many_who_read_nothing_have_a_bound_together(serve: Serve) -> None:
    """The first of them is reset, though it is far from its own bound."""

    def pushes(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        if not isinstance(envelope, MqttPublish):
            return None
        number = 1 if envelope.topic == "one" else 2
        return (Send(number, MqttPublish("a", b"x" * 100_000)),)

    bench = serve(pushes, unread_bytes=1 << 30, all_unread_bytes=1_000_000)
    with bench.peer() as one, bench.peer() as two, bench.peer() as sender:
        for peer in (one, two, sender):
            peer.connect()
        while not len(bench.front.unread):
            sender.say(MqttPublish("one"))
            assert sender.is_served()
        sender.say(*[MqttPublish("two")] * 200)
        bench.is_gone(1)
        assert sender.is_served()
    assert "and all together more than 1,000,000" in bench.reasons(1)[0]


def test_a_slow_reader_gets_all_of_it(serve: Serve) -> None:
    """More than the system keeps for it; it is not read from until it reads on."""
    count, payload = 1_000, b"x" * 20_000

    def pushes(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        return (Send(session.id, MqttPublish("a", payload)),) if isinstance(envelope, MqttPingreq) else None

    bench = serve(pushes, packets_per_turn=4)
    with bench.peer() as peer:
        peer.connect()
        peer.say(*[MqttPingreq()] * count)
        until(lambda: len(bench.front.unread) == 1)
        assert len(bench.platform.came) < count
        assert not bench.is_reading(1)
        assert [peer.hear() for _ in range(count)] == [MqttPublish("a", payload)] * count
        assert len(bench.front.unread) == 0


def test_silence_towards_a_peer_that_reads_nothing_ends_when_it_goes(serve: Serve) -> None:
    """Who was not read from is read from again, or its leaving would not be noticed."""
    big = MqttPublish("a", b"x" * 400_000)

    def pushes(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        match envelope:
            case MqttPublish():
                return (Close(1, Ending.SILENCE),)
            case MqttPingreq():
                return (Send(session.id, big),)
            case _:
                return None

    bench = serve(pushes)
    with bench.peer() as peer, bench.peer() as other:
        peer.connect()
        other.connect()
        peer.say(*[MqttPingreq()] * 50)
        until(lambda: len(bench.front.unread) == 1)
        assert not bench.is_reading(1)
        other.say(MqttPublish("be silent"))
        bench.is_gone(1)
        assert bench.is_reading(1)


def test_a_peer_that_is_gone_when_it_is_answered_is_nobodys_bug(serve: Serve) -> None:
    """A socket that was reset cannot be told of an end."""
    bench = serve(lambda session, envelope: (Close(session.id),))
    for number in range(1, 21):
        peer = bench.peer()
        peer.say(MqttPublish("a", b"x" * 1_000))
        peer.reset()
        bench.is_gone(number)
    assert bench.server.failures == {}


@pytest.mark.slow
def test_memory_stays_flat_under_all_of_it(serve: Serve) -> None:
    bench = serve(answers)
    bad = [
        b"\x30\xff\xff\xff\x7f" + b"x" * 50_000,
        to_server(MqttConnect("gw-1")) + packet(0x30, b"\x00\x02\xff\xfe"),
        to_server(MqttConnect("x" * 65_535)),
        to_server(MqttConnect("gw-1")) + b"\x30\xff\x7f" + b"x" * 10_000,
        to_server(MqttSubscribe(tuple(Subscription(f"a/{n}") for n in range(1_000)), 1)),
        to_server(MqttConnect("gw-1")) * 200,
        b"",
    ]

    def round_of() -> None:
        for data in bad:
            with MqttPeer(bench.port, V311) as peer, suppress(ConnectionError):
                peer.socket.sendall(data)
        until(lambda: len(bench.platform.gone) == len(bad))
        for kept in (bench.events, bench.platform.came, bench.platform.gone, bench.platform.sessions):
            kept.clear()
        gc.collect()

    with somebody_else(bench):
        bench.platform.sessions.clear()
        for _ in range(3):
            round_of()
        tracemalloc.start()
        try:
            round_of()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(5):
                round_of()
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert grown < MAY_GROW_BYTES


@pytest.mark.parametrize("packet_bytes", [1_000, (16 << 20) + 4_096])
def test_the_largest_packet_is_the_platforms_to_say_to_the_byte(
    serve: Callable[..., MqttBench], packet_bytes: int
) -> None:
    around = len(to_server(MqttPublish("t", bytes(packet_bytes)))) - packet_bytes
    bench = serve(packet_bytes=packet_bytes)
    with bench.peer() as peer:
        peer.connect()
        peer.say(MqttPublish("t", bytes(packet_bytes - around)))
        assert peer.is_served()
        peer.say(MqttPublish("t", bytes(packet_bytes - around + 1)))
        with pytest.raises((EOFError, ConnectionResetError)):
            peer.hear()
    assert [type(envelope) for _, envelope in bench.platform.came][-1] is Undecodable
