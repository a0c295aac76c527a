"""The MQTT front over sockets: envelopes in order, outputs as they are meant, endings, forms, outages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from fleetrig.reference_server.fronts.mqtt.connection import MqttConnection
from fleetrig.reference_server.listener_kinds import LISTENER_KINDS
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send, WireForm
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttVersion,
    PublishAckKind,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Undecodable
from tests.reference_server.echo import Echo, running, until
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, MqttPeer, Scripted, mqtt_served
from tests.reference_server.fronts.peer import is_refused
from tests.reference_server.mqtt_codec.client_wire import V5, to_server

Serve = Callable[..., MqttBench]
MS = 1_000


def to_publish(outputs: Callable[[Session, MqttPublish], Sequence[Output]]) -> Callable[..., Sequence[Output] | None]:
    """An answer to PUBLISH only."""
    return lambda session, envelope: outputs(session, envelope) if isinstance(envelope, MqttPublish) else None


@pytest.mark.parametrize("version", MqttVersion)
def test_what_comes_is_told_in_order(serve: Serve, version: MqttVersion) -> None:
    bench = serve()
    sent: list[MqttPacket] = [
        MqttPublish("a", b"1", 1, packet_id=1),
        MqttPublishAck(PublishAckKind.PUBREL, 7),
        MqttDisconnect(),
    ]
    with bench.peer(version) as peer:
        assert peer.connect() == "CONNACK 0"
        peer.say(*sent)
        assert peer.rest() == b""
    assert [envelope for _, envelope in bench.platform.came][1:] == sent
    (session,) = bench.platform.sessions
    assert (session.peer, session.local_port, session.id, session.listener) == ("127.0.0.1", bench.port, 1, "mqtt")
    bench.is_gone()
    assert bench.platform.gone == [1]


def test_a_packet_may_come_in_pieces_and_many_at_once(serve: Serve) -> None:
    bench = serve(packets_per_turn=3)
    data = to_server(MqttConnect("gw-1")) + to_server(MqttPingreq()) * 20
    with bench.peer() as peer:
        for start in range(0, 20, 5):
            peer.socket.sendall(data[start : start + 5])
        peer.socket.sendall(data[20:])
        heard = [peer.hear() for _ in range(21)]
    assert heard == [MqttConnack(), *[MqttPingresp()] * 20]


def test_outputs_keep_their_order_and_their_delays(serve: Serve) -> None:
    bench = serve(
        to_publish(
            lambda session, publish: (
                Send(session.id, MqttPublish("late"), delay_us=40 * MS),
                Send(session.id, MqttPublish("second"), delay_us=40 * MS),
                Send(session.id, MqttPublish("now")),
                Close(session.id, delay_us=80 * MS),
            )
        )
    )
    with bench.peer() as peer:
        peer.connect()
        peer.say(MqttPublish("go"))
        assert [peer.hear().line for _ in range(3)] == ["PUBLISH now", "PUBLISH late", "PUBLISH second"]
        assert peer.rest() == b""
    bench.is_gone()


def test_one_session_speaks_to_another_and_to_none(serve: Serve) -> None:
    bench = serve(to_publish(lambda session, publish: [Send(to, publish) for to in (1, 2, 99)]))
    with bench.peer() as one, bench.peer() as two:
        one.connect("one")
        two.connect("two")
        two.say(MqttPublish("all", b"x"))
        assert one.hear() == two.hear() == MqttPublish("all", b"x")


def test_an_opening_may_be_refused(serve: Serve) -> None:
    bench = serve(opening=lambda session: (Close(session.id, Ending.RESET),))
    with pytest.raises(ConnectionResetError), bench.peer() as peer:  # while it connects, or soon after
        peer.hear()
    bench.is_gone()
    assert bench.platform.gone == [1]


def test_what_was_said_last_arrives_though_the_peer_goes_on_sending(serve: Serve) -> None:
    """Closed at once, a socket with unread bytes is reset, and the CONNACK lost on its way."""
    bench = serve(lambda session, envelope: (Send(session.id, MqttConnack(5)), Close(session.id)))
    with bench.peer() as peer:
        peer.say(MqttConnect("gw-1"), *[MqttPublish("a", b"x" * 10_000)] * 50)
        assert peer.hear() == MqttConnack(5)
        assert peer.rest() == b""
    assert len(bench.platform.came) == 1


def test_a_peer_that_stays_after_the_end_is_cut_off(serve: Serve) -> None:
    bench = serve(to_publish(lambda session, publish: (Close(session.id),)), gone_within_s=0.05)
    with bench.peer() as peer:
        peer.connect()
        peer.say(MqttPublish("a"))
        assert peer.rest() == b""
        bench.is_gone()
        until(lambda: _cannot_send(peer))


def test_a_reset_is_a_reset(serve: Serve) -> None:
    bench = serve(to_publish(lambda session, publish: (Close(session.id, Ending.RESET),)))
    with bench.peer() as peer:
        peer.connect()
        peer.say(MqttPublish("a"))
        with pytest.raises(ConnectionResetError):
            peer.hear()
    bench.is_gone()


def test_silence_forgets_the_session_and_keeps_the_connection_until_the_peer_goes(serve: Serve) -> None:
    bench = serve(to_publish(lambda session, publish: (Close(session.id, Ending.SILENCE),)), gone_within_s=0.01)
    with bench.peer() as peer, bench.peer() as other:
        peer.connect()
        peer.say(MqttPublish("a"))
        bench.is_gone()
        peer.say(*[MqttPublish("b", b"x" * 60_000)] * 100)
        assert other.connect("gw-2") == "CONNACK 0"
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.rest() == b""
    assert [envelope.line for session, envelope in bench.platform.came if session == 1] == [
        "CONNECT gw-1 user",
        "PUBLISH a",
    ]


def test_the_server_ends_each_session_once_whoever_goes_first(serve: Serve) -> None:
    bench = serve()
    with bench.peer() as peer:
        peer.connect()
        peer.say(MqttDisconnect())
        assert peer.rest() == b""
    with bench.peer() as peer:
        peer.connect()
    bench.is_gone(2)
    assert bench.platform.gone == [1, 2]
    assert [one.session for one in bench.events if one.kind == "closed"] == [1, 2]


def test_half_a_packet_and_then_nothing_more(serve: Serve) -> None:
    def halves(session: Session, publish: MqttPublish) -> Sequence[Output]:
        return (
            Send(session.id, MqttPublish("whole")),
            Send(session.id, MqttPublish("half"), form=WireForm.HALF, cut_after_bytes=3),
            Send(session.id, MqttPublish("never")),
            Close(session.id, delay_us=20 * MS),
        )

    bench = serve(to_publish(halves))
    with bench.peer() as peer:
        peer.connect()
        peer.say(MqttPublish("go"))
        assert peer.hear() == MqttPublish("whole")
        assert peer.rest() == b"\x30\x06\x00"
    assert bench.network() == [("fault", "half", "3 of 8 bytes, and nothing more")]


def test_a_malformed_packet_has_the_length_of_the_whole_one(serve: Serve) -> None:
    bench = serve(
        to_publish(
            lambda session, publish: (
                Send(session.id, MqttPublish("a", b"xy"), form=WireForm.MALFORMED),
                Send(session.id, MqttPingresp()),
                Close(session.id),
            )
        )
    )
    with bench.peer() as peer:
        peer.connect()
        peer.say(MqttPublish("go"))
        assert peer.rest() == b"\x0f\x05\x00\x01axy\xd0\x00"
    assert bench.network() == [("fault", "malformed", "7 bytes of the reserved packet type 0")]


def test_topic_aliases_as_the_connack_grants_them(serve: Serve) -> None:
    def grants(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        is_connect = isinstance(envelope, MqttConnect)
        return (Send(session.id, MqttConnack(properties=(("topic_alias_maximum", 1),))),) if is_connect else None

    bench = serve(grants)
    with bench.peer(V5) as peer:
        peer.connect()
        for topic in ("long/topic", ""):
            peer.say(MqttPublish(topic, b"x", properties=(("topic_alias", 1),)))
        peer.say(MqttPublish("a", properties=(("topic_alias", 2),)))
        assert peer.rest() == b""
    assert [one.line for _, one in bench.platform.came][1:] == [
        "PUBLISH long/topic", "PUBLISH long/topic", "UNDECODABLE topic_alias",
    ]  # fmt: skip


def test_an_outage_resets_everybody_and_refuses_others(serve: Serve) -> None:
    bench = serve()
    with bench.peer() as peer:
        peer.connect()
        bench.bench.loop.call(lambda: bench.server.add_fault(Fault(FaultKind.OUTAGE, for_s=0.2)))
        assert is_refused(bench.port)
        with pytest.raises(ConnectionResetError):
            peer.hear()
    until(lambda: not is_refused(bench.port))
    with bench.peer() as peer:
        assert peer.connect() == "CONNACK 0"
    assert [one[2] for one in bench.network()][:2] == ["stopped listening", "listening again"]


def test_a_bug_of_a_platform_ends_that_connection_only(serve: Serve) -> None:
    def stumbles(session: Session, publish: MqttPublish) -> Sequence[Output]:
        raise LookupError("a bug")

    bench = serve(to_publish(stumbles))
    with bench.peer() as peer, bench.peer() as other:
        peer.connect()
        other.connect("gw-2")
        peer.say(MqttPublish("a"))
        with pytest.raises(ConnectionResetError):
            peer.hear()
        assert other.is_served()
    assert [str(bug) for bug in bench.server.bugs] == ["a bug"]
    bench.server.bugs.clear()


def test_what_mqtt_has_no_form_for_ends_that_connection_only(serve: Serve) -> None:
    bench = serve(to_publish(lambda session, publish: (Send(session.id, MqttPublish("a", qos=1)), Send(2, publish))))
    with bench.peer() as peer, bench.peer() as other:
        peer.connect()
        other.connect("gw-2")
        peer.say(MqttPublish("x"))
        with pytest.raises(ConnectionResetError):
            peer.hear()
        assert other.hear() == MqttPublish("x")
    assert len(bench.server.bugs) == 1
    bench.server.bugs.clear()


def test_a_server_that_stops_ends_all_connections() -> None:
    platform = Scripted()
    with mqtt_served(platform) as bench:
        peers = [bench.peer() for _ in range(3)]
        for peer in peers:
            peer.connect()
    for peer in peers:
        with peer:
            assert peer.rest() == b""
    assert sorted(platform.gone) == [1, 2, 3]


def test_a_platform_without_sessions_speaks_no_mqtt() -> None:
    platform = PlatformOptions("echo", Echo, {"mqtt": ANY_LOOPBACK_PORT})
    with running() as bench, pytest.raises(ModelError, match="the platform echo has no sessions"):
        bench.run(ReferenceServer(ServerOptions((platform,))))


def test_who_was_being_accepted_when_the_server_stopped_is_cut_off() -> None:
    with mqtt_served(Scripted()) as bench:
        front = bench.front
    ours, theirs = socket.socketpair()

    async def accept_late() -> None:
        await asyncio.get_running_loop().connect_accepted_socket(partial(MqttConnection, front, "mqtt"), ours)
        await front.close()

    asyncio.run(accept_late())
    with theirs:
        assert theirs.recv(1) == b""


def test_listeners_are_called_after_their_scheme() -> None:
    with mqtt_served(Scripted(), ("mqtt", "mqtts")) as bench:
        assert bench.server.url("scripted", "mqtt") == f"mqtt://127.0.0.1:{bench.port}"
        assert bench.server.url("scripted", "mqtts").startswith("mqtts://127.0.0.1:")
    assert LISTENER_KINDS["mqtt"].make is LISTENER_KINDS["mqtts"].make


def test_a_client_sees_what_is_undecodable_answered_by_the_platform(serve: Serve) -> None:
    def says_why(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        if not isinstance(envelope, Undecodable):
            return None
        return (Send(session.id, MqttDisconnect(0x81)), Close(session.id))

    bench = serve(says_why)
    with bench.peer(V5) as peer:
        peer.connect()
        peer.socket.sendall(b"\x00\x00")
        assert peer.hear() == MqttDisconnect(0x81)
        assert peer.rest() == b""
    assert bench.network() == [("malformed", "", "packet type 0 is reserved")]


def _cannot_send(peer: MqttPeer) -> bool:
    try:
        peer.socket.sendall(b"\xc0\x00")
    except ConnectionError:
        return True
    return False
