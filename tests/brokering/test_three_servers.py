"""The rule sets of three real servers, each with as much of the platform above as a session needs.

Expected is what was recorded of the real servers or stands in their fact sheets; the rows are cited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from fleetrig.reference_server.mqtt_sessions.application import LogIn, PublishAnswer, SessionEnd
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Close, Envelope, Output
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    MqttWill,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.brokering.broker_talk import V5, V31, published, sent
from tests.brokering.rule_sets import HONO_LIKE, KURA_LIKE, THINGSBOARD_LIKE
from tests.conversation.talk import lines

REQUEST, RESPONSE = "/provision/request", "/provision/response"


@dataclass
class Platform:
    """What the three have in common: whose user name is `no` is refused; answers and ends are told."""

    rules: SessionRules
    ends: list[SessionEnd] = field(default_factory=list)
    ttds: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sessions = MqttSessions(self.rules, self, lambda: "auto")

    def log_in(self, connect: MqttConnect, session: Session, now_us: int) -> LogIn:
        if connect.user_name == "no":
            return LogIn(MqttReason.BAD_USER_NAME_OR_PASSWORD, reason="nobody knows it")
        return LogIn(device=connect.client_id or "provision")

    def grant(self, client: ClientState, wanted: Subscription, now_us: int) -> int:
        return wanted.qos

    def subscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def unsubscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        return self.sessions.route(publish, now_us, client)

    def ended(self, client: ClientState, end: SessionEnd, now_us: int) -> Sequence[Output]:
        self.ends.append(end)
        return ()


class Provisioning(Platform):
    """ThingsBoard's provision session (fact sheet 1.4)."""

    def grant(self, client: ClientState, wanted: Subscription, now_us: int) -> int:
        return wanted.qos if wanted.topic_filter == RESPONSE else MqttReason.TOPIC_FILTER_INVALID

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        if publish.topic != REQUEST:
            return PublishAnswer(MqttReason.TOPIC_NAME_INVALID, ends=True, reason="an unknown topic")
        wanted = client.subscriptions.get(RESPONSE)
        reply = MqttPublish(RESPONSE, b"{}", 1 if wanted is None else wanted.qos)
        assert client.session is not None
        end = Close(client.session, delay_us=60 * US_PER_S)
        return PublishAnswer(outputs=[*self.sessions.send(client, reply, now_us), end])


class Telemetry(Platform):
    """Hono's adapter: what cannot be published closes the connection and is not acknowledged (fact sheet 4.2).

    Who subscribes to commands gets those that wait; the first and the last subscription are events with a `ttd`.
    """

    def subscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        self.ttds.append(-1)
        return self.sessions.send(client, MqttPublish("c///q//reboot"), now_us)

    def unsubscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        self.ttds.append(0)
        return ()

    def ended(self, client: ClientState, end: SessionEnd, now_us: int) -> Sequence[Output]:
        self.ttds += [0 for _ in client.subscriptions]
        return super().ended(client, end, now_us)

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        if publish.topic.partition("/")[0] in ("t", "telemetry", "e", "event"):
            return PublishAnswer()
        return PublishAnswer(is_acknowledged=False, ends=True, reason="no such endpoint")


class Table:
    """One connection after the other, each by its number."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.sessions = platform.sessions

    def joins(
        self, number: int, client_id: str = "", user_name: str | None = "provision", **fields: object
    ) -> list[str]:
        self.sessions.opened(Session(id=number), 0)
        return self.says(number, MqttConnect(client_id, user_name, **fields))  # type: ignore[arg-type]

    def says(self, number: int, envelope: Envelope) -> list[str]:
        return lines(self.heard(number, envelope))

    def heard(self, number: int, envelope: Envelope) -> list[Output]:
        return list(self.sessions.receive(Session(id=number), envelope, 0).outputs)


@pytest.fixture
def thingsboard() -> Table:
    return Table(Provisioning(THINGSBOARD_LIKE))


@pytest.fixture
def hono() -> Table:
    return Table(Telemetry(HONO_LIKE))


def request(qos: int = 1) -> MqttPublish:
    return MqttPublish(REQUEST, b"{}", qos, packet_id=3)


def wants(topic_filter: str, qos: int) -> MqttSubscribe:
    return MqttSubscribe((Subscription(topic_filter, qos),), 2)


@pytest.mark.parametrize(("version", "client_id"), [(MqttVersion.V311, ""), (V5, ""), (V31, "c31")])
def test_s52_a_provision_session(thingsboard: Table, version: MqttVersion, client_id: str) -> None:
    assert thingsboard.joins(1, client_id, version=version) == ["1 CONNACK 0"]
    assert thingsboard.says(1, wants(RESPONSE, 1)) == ["1 SUBACK 1"]
    assert thingsboard.says(1, request()) == ["1 PUBACK", f"1 PUBLISH {RESPONSE}", "1 closed +60000ms"]  # S60, S64


def test_s54_another_user_name(thingsboard: Table) -> None:
    assert thingsboard.joins(1, user_name="no") == ["1 CONNACK 5", "1 closed"]
    assert thingsboard.joins(2, user_name="no", version=V5) == ["2 CONNACK 134", "2 DISCONNECT 134", "2 closed"]


@pytest.mark.parametrize(("asked", "granted"), [(0, 0), (1, 1), (2, 1), (None, 1)])
def test_s56_to_s58_the_quality_of_the_reply(thingsboard: Table, asked: int | None, granted: int) -> None:
    thingsboard.joins(1)
    if asked is not None:
        assert thingsboard.says(1, wants(RESPONSE, asked)) == [f"1 SUBACK {granted}"]
    (reply,) = published(thingsboard.heard(1, request()))
    assert (reply.qos, reply.retain, reply.dup) == (granted, False, False)


@pytest.mark.parametrize(("version", "code"), [(MqttVersion.V311, 0x80), (V5, 0x8F)])
def test_s59_other_filters(thingsboard: Table, version: MqttVersion, code: int) -> None:
    thingsboard.joins(1, version=version)
    for topic_filter in ("#", "provision/response", "/provision/+", "/provision/response/#", "a/#/b"):
        assert thingsboard.says(1, wants(topic_filter, 1)) == [f"1 SUBACK {code}"]
    assert thingsboard.says(1, request(0)) == [f"1 PUBLISH {RESPONSE}", "1 closed +60000ms"]


def test_s61_other_topics(thingsboard: Table) -> None:
    thingsboard.joins(1)
    assert thingsboard.says(1, MqttPublish("v1/devices/me/telemetry", qos=1, packet_id=1)) == ["1 PUBACK", "1 closed"]
    thingsboard.joins(2, version=V5)
    said = thingsboard.says(2, MqttPublish("v1/devices/me/telemetry", qos=1, packet_id=1))
    assert said == ["2 PUBACK 144", "2 DISCONNECT 144", "2 closed"]


def test_s63_s87_requests_without_end(thingsboard: Table) -> None:
    thingsboard.joins(1)
    for _ in range(200):  # nobody waits for a PUBACK
        assert thingsboard.says(1, request(2))[:2] == ["1 PUBACK", f"1 PUBLISH {RESPONSE}"]


def test_s65_each_sees_its_own_reply(thingsboard: Table) -> None:
    for number in (1, 2):
        assert thingsboard.joins(number, "provision") == [f"{number} CONNACK 0"]
        thingsboard.says(number, wants(RESPONSE, 1))
    assert {one.session for one in thingsboard.heard(2, request())} == {2}


def test_s67_too_large(thingsboard: Table) -> None:
    thingsboard.joins(1)
    assert thingsboard.says(1, Undecodable(Flaw.TOO_LARGE, "70,000 bytes")) == ["1 closed"]
    thingsboard.joins(2, version=V5)
    assert thingsboard.says(2, Undecodable(Flaw.TOO_LARGE, "70,000 bytes")) == ["2 DISCONNECT 129", "2 closed"]


def test_s68_m02_pings_and_unsubscribing(thingsboard: Table) -> None:
    thingsboard.joins(1, version=V5)
    assert thingsboard.says(1, MqttPingreq()) == ["1 PINGRESP"]
    thingsboard.says(1, wants(RESPONSE, 1))
    codes = [sent(thingsboard.heard(1, MqttUnsubscribe((RESPONSE,), 4))) for _ in range(2)]
    assert codes == [[MqttUnsuback(4, (0,))], [MqttUnsuback(4, (0x11,))]]
    assert thingsboard.says(1, MqttDisconnect()) == ["1 closed"]


def test_s89_s90_silence(thingsboard: Table) -> None:
    thingsboard.joins(1, keep_alive_s=1)
    thingsboard.sessions.opened(Session(id=2), 0)
    assert thingsboard.says(2, MqttPublish("a", qos=1, packet_id=1)) == []
    assert thingsboard.sessions.next_due_us() is None


def test_a_session_that_is_inactive() -> None:
    """ThingsBoard's transport ends those after 600 s (fact sheet 4), though it does not enforce keep-alive."""
    table = Table(Platform(replace(THINGSBOARD_LIKE, silence_s=600)))
    table.joins(1, keep_alive_s=1)
    assert table.sessions.next_due_us() == 600 * US_PER_S
    (ended,) = table.sessions.advance(600 * US_PER_S)
    assert (lines(list(ended.outputs)), ended.reason) == (["1 closed"], "nothing was heard for 600 s")


def test_m05_garbage(thingsboard: Table) -> None:
    thingsboard.sessions.opened(Session(id=1), 0)
    for flaw in Flaw:
        thingsboard.sessions.opened(Session(id=1), 0)
        assert thingsboard.says(1, Undecodable(flaw, "GET / HTTP/1.1")) == ["1 closed"]


def test_m01_wrong_credentials_at_hono(hono: Table) -> None:
    assert hono.joins(1, user_name="no") == ["1 CONNACK 4", "1 closed"]
    assert hono.joins(2, user_name="no", version=V5) == ["2 CONNACK 134", "2 closed"]


def test_m05_m06_publishing_to_hono(hono: Table) -> None:
    hono.joins(1)
    for topic in ("telemetry", "t", "event", "e", "telemetry/?content-type=application%2Fjson"):
        assert hono.says(1, MqttPublish(topic, qos=1, packet_id=1)) == ["1 PUBACK"]
    assert hono.says(1, MqttPublish("nosuch", qos=1, packet_id=1)) == ["1 closed"]


def test_hono_learns_when_a_device_takes_commands(hono: Table) -> None:
    hono.joins(1)
    assert hono.says(1, wants("c///q/#", 0)) == ["1 SUBACK 0", "1 PUBLISH c///q//reboot"]
    hono.says(1, wants("c/#/q", 0))  # is refused
    hono.says(1, MqttUnsubscribe(("c///q/#", "c"), 3))
    hono.says(1, MqttUnsubscribe(("c///q/#",), 4))
    hono.says(1, wants("c///q/#", 0))
    hono.sessions.closed(Session(id=1), 0)
    assert hono.platform.ttds == [-1, 0, -1, 0]


def test_hono_keeps_no_sessions_and_no_wills(hono: Table) -> None:
    hono.joins(1, "gw-1", clean_start=False, will=MqttWill("e", b"gone"))
    assert lines(hono.sessions.closed(Session(id=1), 0).outputs) == []
    assert hono.platform.ends == [SessionEnd.LOST]
    hono.sessions.opened(Session(id=2), 0)
    assert sent(hono.heard(2, MqttConnect("gw-1", clean_start=False))) == [MqttConnack(0, session_present=False)]


def test_s31_s33_how_a_gateway_ended() -> None:
    """Kura: the first of two is dropped and its will published; DISCONNECT leaves no will (fact sheet 5.1, 5.2)."""
    table = Table(Platform(KURA_LIKE))
    will = MqttWill("$EDC/a/gw-1/MQTT/LWT")
    table.joins(9, "console")
    table.says(9, wants("$EDC/a/#", 0))
    table.joins(1, "gw-1", will=will)
    assert table.joins(2, "gw-1", will=will) == ["1 closed", "9 PUBLISH $EDC/a/gw-1/MQTT/LWT", "2 CONNACK 0"]
    assert table.says(2, MqttDisconnect()) == ["2 closed"]
    assert table.platform.ends == [SessionEnd.TAKEN_OVER, SessionEnd.LEFT]
