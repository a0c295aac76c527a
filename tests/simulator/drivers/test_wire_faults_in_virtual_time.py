"""What a device sees in virtual time of datagrams that are lost, of packets that are cut, and of handshakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send, Unheard, WireForm
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey, TlsCredential
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPingreq, MqttPublish
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.effects import Ask, Await, Connect, Effect, NoReply, Reply
from tests.simulator.drivers.test_conversations import Life, live
from tests.simulator.scripted_server import ScriptedServer

POST = CoapRequest("POST", "coap://tb.test:5683", "/a")
REPEATED_S = (2.5, 7.5, 17.5, 37.5)
"""When the first to the fourth repetition goes out."""

Answers = Callable[[Session, Envelope], Sequence[Output]]


def ask(request: CoapRequest = POST) -> list[Effect]:
    return [Ask("post", request, 60.0)]


def answered(form: WireForm, copies: int = 1, *, confirmable: bool = False) -> Answers:
    def answer(session: Session, envelope: Envelope) -> Sequence[Output]:
        assert isinstance(envelope, CoapRequest)
        response = CoapResponse("2.01", token=envelope.token, confirmable=confirmable)
        return (Send(session.id, response, form=form, copies=copies),)

    return answer


@pytest.mark.parametrize("copies", [1, 2, 3, 4])
def test_a_lost_answer_comes_with_a_repetition(copies: int) -> None:
    ((_, outcome),) = live(ask(), answered(WireForm.LOST, copies)).outcomes
    assert isinstance(outcome, Reply)
    assert outcome.after_s == pytest.approx(REPEATED_S[copies - 1] + 0.002)


def test_of_five_lost_ones_none_comes() -> None:
    assert live(ask(), answered(WireForm.LOST, 5)).run(60).outcomes[0][1] == NoReply("timeout", 60.0)


def test_what_is_not_confirmable_is_lost_for_good() -> None:
    non = CoapRequest("POST", POST.origin, "/a", confirmable=False)
    assert live(ask(non), answered(WireForm.LOST)).run(60).outcomes[0][1] == NoReply("timeout", 60.0)
    ((_, outcome),) = live(ask(non), answered(WireForm.LOST, confirmable=True)).outcomes
    assert isinstance(outcome, Reply), "an answer that is confirmable itself is repeated"


def test_a_malformed_datagram_is_ignored_and_repeated_whole() -> None:
    ((_, outcome),) = live(ask(), answered(WireForm.MALFORMED)).outcomes
    assert isinstance(outcome, Reply)
    assert outcome.after_s == pytest.approx(2.502)


def test_a_datagram_that_comes_twice_is_heard_once() -> None:
    life = live([*ask(), Await("again", ("2.01",), 5.0, 5.0)], answered(WireForm.TWICE))
    assert [type(outcome) for _, outcome in life.outcomes] == [Reply, NoReply]


@pytest.mark.parametrize(("copies", "after_us"), [(1, 2_500_000), (2, 7_500_000)])
def test_a_request_that_was_lost_reaches_the_server_later(copies: int, after_us: int) -> None:
    heard: list[int] = []

    def answer(session: Session, envelope: Envelope) -> Sequence[Output]:
        heard.append(life.now_us)
        if len(heard) == 1:
            return (Unheard(session.id, copies),)
        return answered(WireForm.WHOLE)(session, envelope)

    life = Life(ask(), ScriptedServer(answer))
    assert isinstance(life.run().outcomes[0][1], Reply)
    assert heard == [0, after_us]


def test_a_request_that_is_lost_again_and_again_is_sent_five_times() -> None:
    heard: list[int] = []

    def answer(session: Session, envelope: Envelope) -> Sequence[Output]:
        heard.append(life.now_us)
        return (Unheard(session.id),)

    life = Life(ask(), ScriptedServer(answer))
    assert life.run(200).outcomes[0][1] == NoReply("timeout", 60.0)
    assert heard == [0, *(int(after_s * 1e6) for after_s in REPEATED_S)]


def test_rst_is_an_answer() -> None:
    def answer(session: Session, envelope: Envelope) -> Sequence[Output]:
        assert isinstance(envelope, CoapRequest)
        return (Send(session.id, CoapReset(envelope.token)),)

    ((_, outcome),) = live(ask(), answer).outcomes
    assert isinstance(outcome, Reply)
    assert outcome.envelope.line == "RST"


CONNECT = Connect("connect", "mqtt://broker.test:1883", MqttConnect("dev"), 5.0)


@pytest.mark.parametrize("ending", [Ending.CLOSED, Ending.RESET])
def test_half_a_packet_and_the_end(ending: Ending) -> None:
    outputs = lambda s, _: (Send(s.id, MqttConnack(), form=WireForm.HALF), Close(s.id, ending))  # noqa: E731
    assert live([CONNECT], outputs).outcomes == [(2_000, NoReply(str(ending), 0.002))]


def test_half_a_packet_and_silence() -> None:
    outputs = lambda s, _: (Send(s.id, MqttConnack(), form=WireForm.HALF), Close(s.id, Ending.SILENCE))  # noqa: E731
    assert live([CONNECT], outputs).outcomes == [(5_000_000, NoReply("timeout", 5.0))]


def test_a_malformed_packet_ends_the_connection_for_the_device() -> None:
    def outputs(session: Session, envelope: Envelope) -> Sequence[Output]:
        form = WireForm.WHOLE if isinstance(envelope, MqttConnect) else WireForm.MALFORMED
        answer = MqttConnack() if isinstance(envelope, MqttConnect) else MqttPublish("a")
        return (Send(session.id, answer, form=form),)

    life = live([CONNECT, Ask("ping", MqttPingreq(), 5.0), Ask("ping", MqttPingreq(), 5.0)], outputs)
    assert [outcome for _, outcome in life.outcomes[1:]] == [NoReply("malformed", 0.002), NoReply("malformed", 0.0)]
    assert [line for _, _, line in life.told][-2:] == ["PINGREQ", "closed"]


@dataclass
class Judging(ScriptedServer):
    """Shows a certificate, and judges those that are shown to it."""

    shown: ShownCertificate = ShownCertificate.OWN
    alert: TlsAlert | None = None
    key: bytes | None = None
    asked: list[tuple[bytes, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(lambda session, envelope: (Send(session.id, MqttConnack()),))

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        return self.shown

    def psk(self, session: Session, now_us: int) -> bytes | None:
        self.asked.append((session.psk_identity.encode(),))
        return self.key

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        self.asked.append(session.certificates)
        return self.alert


def life_over(scheme: str, server: Judging, credential: TlsCredential | None = None) -> Life:
    request = HttpRequest("GET", "https://h.test", "/")
    effects: list[Effect] = (
        [Ask("poll", request, 5.0)]
        if scheme == "https"
        else [Connect("connect", f"{scheme}://h.test:1", MqttConnect("dev"), 5.0)]
    )
    life = Life(effects, server)
    life.agent.tls_credential = credential
    return life.run()


@pytest.mark.parametrize("scheme", ["mqtts", "https", "coaps"])
@pytest.mark.parametrize("shown", list(ShownCertificate))
def test_devices_trust_good_certificates_only(scheme: str, shown: ShownCertificate) -> None:
    ((_, outcome),) = life_over(scheme, server := Judging(shown=shown)).outcomes
    if shown in (ShownCertificate.OWN, ShownCertificate.LONG_CHAIN):
        assert isinstance(outcome, Reply)
    else:
        assert outcome == NoReply("tls", 0.002)
        assert server.told == [], "nothing was opened"
    assert server.asked == [], "the device has shown nothing"


def test_plain_connections_know_no_handshakes() -> None:
    server = Judging(shown=ShownCertificate.EXPIRED, alert=TlsAlert.UNKNOWN_CA)
    assert isinstance(life_over("mqtt", server, ClientCertificate((b"own",), b"")).outcomes[0][1], Reply)


@pytest.mark.parametrize("scheme", ["mqtts", "https", "coaps"])
def test_an_alert_ends_the_handshake(scheme: str) -> None:
    server = Judging(alert=TlsAlert.BAD_CERTIFICATE)
    assert life_over(scheme, server, ClientCertificate((b"own",), b"")).outcomes[0][1] == NoReply("tls", 0.002)
    assert (server.asked, server.told) == ([(b"own",)], [])


def test_a_handshake_refused_in_silence() -> None:
    """TLS closes the connection; over datagrams nothing comes at all."""
    certificate = ClientCertificate((b"own",), b"")
    closed = life_over("mqtts", Judging(alert=TlsAlert.SILENCE), certificate).outcomes[0][1]
    silent = life_over("coaps", Judging(alert=TlsAlert.SILENCE), certificate).outcomes[0][1]
    assert (closed, silent) == (NoReply("tls", 0.002), NoReply("timeout", 5.0))


@pytest.mark.parametrize("key", [b"right", b"wrong", None])
def test_a_pre_shared_key(key: bytes | None) -> None:
    server = Judging(key=key)
    ((_, outcome),) = life_over("coaps", server, PreSharedKey("dev", b"right")).outcomes
    assert isinstance(outcome, Reply) if key == b"right" else outcome == NoReply("timeout", 5.0)
    assert server.asked == [(b"dev",)]


def test_a_pre_shared_key_is_of_no_use_over_tls() -> None:
    server = Judging()
    assert isinstance(life_over("mqtts", server, PreSharedKey("dev", b"right")).outcomes[0][1], Reply)
    assert server.asked == []
