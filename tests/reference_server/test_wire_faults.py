"""Faults that fronts perform byte for byte: what is ordered of them, what the platform knows of it, what is traced."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platform import ACCEPTED, HandshakeAnswer, Reaction
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Send, Unheard, WireForm
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPublish, MqttPublishAck, PublishAckKind
from fleetrig.simulator.contract.session import Session
from tests.conversation.echo_platform import PASSWORD, EchoPlatform
from tests.conversation.talk import Talk

PUBACK = MqttPublishAck(PublishAckKind.PUBACK, 7)
UP = MqttPublish("up", b"x", qos=1, packet_id=7)
POST = CoapRequest("POST", "coap://h", "/a", b"x", token=b"t")
CREATED = CoapResponse("2.01", token=b"t")


class CoapEcho(EchoPlatform):
    """Answers requests of CoAP, too."""

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        if isinstance(envelope, CoapRequest):
            return Reaction((Send(session.id, CREATED),), device="dev", changed="created")
        return super().receive(session, envelope, now_us)


class Judging(EchoPlatform):
    """Trusts nobody but the certificate `good`, and knows the key of one identity."""

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        if session.psk_identity:
            return HandshakeAnswer(psk=b"key", device="dev") if session.psk_identity == "dev" else ACCEPTED
        if session.certificates == (b"good",):
            return HandshakeAnswer(device="dev", changed="dev created")
        return HandshakeAnswer(TlsAlert.UNKNOWN_CA, reason="nobody knows its issuer", device="dev")


@pytest.fixture
def talk() -> Talk:
    talk = Talk()
    talk.connect(1)
    talk.told()
    return talk


@pytest.fixture
def coap(talk: Talk) -> Talk:
    talk.serve(CoapEcho(talk.store))
    talk.open(1)
    talk.told()
    return talk


@pytest.mark.parametrize("hits", ["PUBACK", "PUBLISH up", "*"])
@pytest.mark.parametrize("shows_as", [None, Ending.RESET, Ending.SILENCE])
def test_half_a_packet_and_the_end(talk: Talk, hits: str, shows_as: Ending | None) -> None:
    talk.fault(FaultKind.HALF_PACKET, hits=hits, shows_as=shows_as, parameters={"after_bytes": 1})
    ending = shows_as or Ending.CLOSED
    assert talk.heard(1, UP) == [Send(1, PUBACK, form=WireForm.HALF, cut_after_bytes=1), Close(1, ending)]
    assert talk.echo.published("gw-1") == 1
    assert talk.told()[1:] == [
        ("fault", 1, "PUBACK", "half_packet"), ("answered", 1, "PUBACK", ""), ("delivered", 1, "PUBACK", "half"),
        ("closed", 1, "", str(ending)),
    ]  # fmt: skip


def test_half_of_a_late_packet_ends_the_connection_late(talk: Talk) -> None:
    talk.fault(FaultKind.LATENCY, hits="PUBACK", parameters={"delay_s": 0.5})
    talk.fault(FaultKind.HALF_PACKET, hits="PUBACK")
    assert talk.heard(1, UP) == [
        Send(1, PUBACK, 500_000, WireForm.HALF), Close(1, Ending.CLOSED, 500_000)
    ]  # fmt: skip


def test_a_malformed_packet(talk: Talk) -> None:
    talk.fault(FaultKind.MALFORMED_PACKET, hits="CONNACK*", times=1)
    talk.open(2)
    (sent,) = talk.heard(2, MqttConnect("gw-2", password=PASSWORD.encode()))
    assert sent == Send(2, MqttConnack(), form=WireForm.MALFORMED)
    assert talk.told()[-1] == ("delivered", 2, "CONNACK 0", "malformed")


def test_faults_of_datagrams_leave_mqtt_alone(talk: Talk) -> None:
    for kind in (FaultKind.COAP_RESET, FaultKind.LOST_DATAGRAM, FaultKind.DUPLICATE_DATAGRAM):
        talk.fault(kind)
    assert talk.heard(1, UP) == [Send(1, PUBACK)]


def test_rst_instead_of_an_answer(coap: Talk) -> None:
    coap.fault(FaultKind.COAP_RESET, hits="POST coap:/a", times=1)
    assert coap.say(1, POST) == ["1 RST"]
    assert [event[:3] for event in coap.told()] == [
        ("received", 1, "POST coap:/a"), ("fault", 1, "POST coap:/a"), ("delivered", 1, "RST")
    ]  # fmt: skip
    assert coap.say(1, POST) == ["1 2.01"]


def test_a_lost_request_has_never_come(coap: Talk) -> None:
    coap.fault(FaultKind.LOST_DATAGRAM, hits="POST *", times=1, parameters={"copies": 2})
    assert coap.heard(1, POST) == [Unheard(1, 2)]
    assert coap.told()[-1] == ("delivered", 1, "", "silence")
    assert coap.say(1, POST) == ["1 2.01"]


def test_a_lost_answer_was_committed(coap: Talk) -> None:
    coap.fault(FaultKind.LOST_DATAGRAM, hits="2.01", parameters={"copies": 3})
    assert coap.heard(1, POST) == [Send(1, CREATED, form=WireForm.LOST, copies=3)]
    assert coap.told()[-2:] == [("answered", 1, "2.01", ""), ("delivered", 1, "2.01", "lost")]


def test_an_outage_that_shows_as_silence_acknowledges_nothing(coap: Talk) -> None:
    coap.fault(FaultKind.OUTAGE, hits="POST *", shows_as=Ending.SILENCE)
    assert coap.heard(1, POST) == [Unheard(1)]
    assert coap.told()[-1] == ("delivered", 1, "", "silence")


def test_a_lost_reply_is_lost_however_often_it_is_sent(coap: Talk) -> None:
    coap.fault(FaultKind.LOST_REPLY, shows_as=Ending.SILENCE)
    (sent,) = coap.heard(1, POST)
    assert isinstance(sent, Send)
    assert (sent.form, sent.envelope) == (WireForm.LOST, CREATED)
    assert sent.copies > 5
    assert coap.told()[-2:] == [("answered", 1, "2.01", ""), ("delivered", 1, "2.01", "lost")]


def test_a_datagram_that_comes_twice(coap: Talk) -> None:
    coap.fault(FaultKind.DUPLICATE_DATAGRAM, hits="2.01")
    assert coap.heard(1, POST) == [Send(1, CREATED, form=WireForm.TWICE)]


def test_half_packets_are_for_connections(coap: Talk) -> None:
    coap.fault(FaultKind.HALF_PACKET)
    assert coap.heard(1, POST) == [Send(1, CREATED)]


@pytest.mark.parametrize("shown", [one for one in ShownCertificate if one is not ShownCertificate.OWN])
def test_another_certificate_of_the_server(talk: Talk, shown: ShownCertificate) -> None:
    talk.fault(FaultKind.SERVER_CERTIFICATE, hits="HANDSHAKE mqtts", times=1, parameters={"certificate": str(shown)})
    mqtts, https = Session(id=4, listener="mqtts", tls=True), Session(id=5, listener="https", tls=True)
    assert talk.server.shown_certificate(https, talk.now_us) is ShownCertificate.OWN
    assert talk.server.shown_certificate(mqtts, talk.now_us) is shown
    assert talk.server.shown_certificate(mqtts, talk.now_us) is ShownCertificate.OWN
    assert talk.told() == [("fault", 4, "", "server_certificate")]


def test_a_platform_judges_certificates(talk: Talk) -> None:
    talk.serve(Judging(talk.store))
    good, bad = (Session(id=8, tls=True, certificates=(one,)) for one in (b"good", b"bad"))
    assert talk.server.handshake(good, talk.now_us) is None
    assert talk.server.handshake(bad, talk.now_us) is TlsAlert.UNKNOWN_CA
    assert [(event.kind, event.name, event.reason, event.device) for event in talk.events] == [
        ("answered", "dev created", "", "dev"),
        ("refused", "handshake: unknown_ca", "nobody knows its issuer", "dev"),
    ]


def test_a_platform_has_keys(talk: Talk) -> None:
    talk.serve(Judging(talk.store))
    assert talk.server.psk(Session(id=8, psk_identity="dev"), talk.now_us) == b"key"
    assert talk.server.psk(Session(id=8, psk_identity="other"), talk.now_us) is None
    (refused,) = talk.events
    assert (refused.kind, refused.reason) == ("refused", "nobody has a key of the identity other")


def test_who_does_not_judge_lets_everybody_in(talk: Talk) -> None:
    assert talk.server.handshake(Session(id=8, certificates=(b"any",)), talk.now_us) is None
    assert talk.server.psk(Session(id=8, psk_identity="dev"), talk.now_us) is None


def test_a_refusal_is_told_even_without_a_reason(talk: Talk) -> None:
    class Silent(EchoPlatform):
        def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
            return HandshakeAnswer(TlsAlert.BAD_CERTIFICATE)

    talk.serve(Silent(talk.store))
    assert talk.server.handshake(Session(id=8, certificates=(b"any",)), talk.now_us) is TlsAlert.BAD_CERTIFICATE
    assert [(event.kind, event.reason) for event in talk.events] == [
        ("refused", "the platform refuses it, and does not say why")
    ]
