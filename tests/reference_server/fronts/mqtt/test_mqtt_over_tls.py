"""The MQTT front over TLS: the session knows what was shown, and limits hold as they do in clear."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
import trustme

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.mqtt_limits import MqttLimits
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from tests.reference_server.echo import until
from tests.reference_server.fronts.mqtt.mqtt_bench import Scripted, mqtt_served
from tests.reference_server.mqtt_codec.client_wire import to_server

pytestmark = pytest.mark.slow

OVER_TLS = ("mqtts",)
BIG = MqttPublish("a", b"x" * 20_000)


@pytest.fixture(params=[ClientAuth.NONE, ClientAuth.ANY])
def auth(request: pytest.FixtureRequest) -> ClientAuth:
    """Either way of doing TLS."""
    found: ClientAuth = request.param
    return found


def scripted(answer: Any, **limits: Any) -> Scripted:
    return Scripted(answer, MqttLimits(**limits))


def test_the_session_knows_certificates_and_server_name() -> None:
    authority = trustme.CA()
    own = authority.issue_cert("gw-7")
    with mqtt_served(Scripted(), OVER_TLS, ClientAuth.ANY) as bench:
        tls = ssl.create_default_context(cafile=str(bench.server.ca))
        own.configure_cert(tls)
        with bench.peer(tls=tls) as peer:
            assert peer.connect() == "CONNACK 0"
    (session,) = bench.platform.sessions
    assert (session.listener, session.tls, session.server_name) == ("mqtts", True, "localhost")
    shown = ssl.PEM_cert_to_DER_cert(own.cert_chain_pems[0].bytes().decode())
    assert session.certificates[0] == shown


def test_what_was_said_last_arrives_though_the_peer_goes_on_sending(auth: ClientAuth) -> None:
    refuses = scripted(lambda session, _: (Send(session.id, MqttConnack(5)), Close(session.id)))
    with mqtt_served(refuses, OVER_TLS, auth) as bench, bench.peer() as peer:
        peer.say(MqttConnect("gw-1"), *[MqttPublish("a", b"x" * 10_000)] * 50)
        assert peer.hear() == MqttConnack(5)
        assert peer.rest() == b""


def test_a_slow_reader_gets_all_of_it(auth: ClientAuth) -> None:
    count = 1_000

    def pushes(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        return (Send(session.id, BIG),) if isinstance(envelope, MqttPingreq) else None

    platform = scripted(pushes, packets_per_turn=4)
    with mqtt_served(platform, OVER_TLS, auth) as bench, bench.peer() as peer:
        peer.connect()
        peer.say(*[MqttPingreq()] * count)
        until(lambda: len(bench.front.unread) == 1)
        assert [peer.hear() for _ in range(count)] == [BIG] * count


def test_a_flood_from_a_peer_that_reads_nothing_stops_there(auth: ClientAuth) -> None:
    def floods(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        return (Send(session.id, BIG),) if isinstance(envelope, MqttSubscribe) else None

    flood = to_server(MqttSubscribe((Subscription("a"),), 1)) * 10_000
    with mqtt_served(scripted(floods, read_within_s=0.2), OVER_TLS, auth) as bench:
        with bench.peer() as other, bench.peer() as peer:
            other.connect("other")
            peer.connect()
            with suppress(OSError):
                while True:
                    peer.socket.sendall(flood)
            bench.is_gone(2)
            assert other.is_served()
        assert bench.reasons(2) == ["read too little of what it was sent within 0.2 s"]


def test_a_peer_that_is_gone_when_it_is_answered_is_nobodys_bug(auth: ClientAuth) -> None:
    """A socket that was reset cannot be told of an end."""

    def closes(session: Session, envelope: Envelope) -> Sequence[Output] | None:
        return (Close(session.id),) if isinstance(envelope, MqttPublish) else None

    with mqtt_served(scripted(closes), OVER_TLS, auth) as bench:
        for number in range(1, 11):
            peer = bench.peer()
            assert peer.connect() == "CONNACK 0"
            peer.say(MqttPublish("a"))
            peer.reset()
            bench.is_gone(number)
        assert bench.server.failures == {}
