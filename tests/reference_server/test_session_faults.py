"""Faults of sessions: each does what it says to whom it hits, says so in the trace before, and leaves others alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.http_faults import HttpFaults
from fleetrig.reference_server.session_faults import SessionFaults
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Send
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPingreq, MqttPublish, MqttVersion
from tests.conversation.talk import START_US, Talk

UP = MqttPublish("up", b"x", qos=1, packet_id=7)
PING = MqttPingreq()
SESSION_KINDS = (
    FaultKind.CONNECT_REFUSED,
    FaultKind.CONNECT_UNANSWERED,
    FaultKind.DROP_AFTER_CONNACK,
    FaultKind.DUPLICATE_DELIVERY,
    FaultKind.WITHHELD_ACK,
    FaultKind.WITHHELD_PINGRESP,
    FaultKind.HALF_PACKET,
    FaultKind.MALFORMED_PACKET,
)
DATAGRAM_KINDS = (FaultKind.COAP_RESET, FaultKind.LOST_DATAGRAM, FaultKind.DUPLICATE_DATAGRAM)


@pytest.fixture
def talk() -> Talk:
    return Talk()


def story(talk: Talk, session: int) -> list[str]:
    """A device's whole life."""
    said = talk.connect(session) + talk.subscribe(session) + talk.say(session, UP)
    said += talk.say(session, MqttPublish("remind", b"100")) + talk.say(session, PING)
    return said


WHOLE = ["1 CONNACK 0", "1 SUBACK 0", "1 PUBACK", "1 PUBLISH echo/up", "1 PUBLISH echo/remind", "1 PINGRESP"]
PUSHED = ["1 PUBLISH reminder"]


def test_without_faults(talk: Talk) -> None:
    assert (story(talk, 1), talk.after(1)) == (WHOLE, PUSHED)


# Each of them


@pytest.mark.parametrize(
    ("version", "parameters", "code"),
    [(MqttVersion.V311, {}, 3), (MqttVersion.V5, {}, 136), (MqttVersion.V5, {"code": 5}, 5), (MqttVersion.V31, {}, 3)],
)
def test_connect_refused(talk: Talk, version: MqttVersion, parameters: dict[str, int], code: int) -> None:
    talk.fault(FaultKind.CONNECT_REFUSED, hits="CONNECT gw-*", parameters=parameters)
    talk.open(1)
    assert talk.say(1, MqttConnect("gw-1", version=version)) == [f"1 CONNACK {code}", "1 closed"]
    assert [event[:3] for event in talk.told()] == [
        ("opened", 1, ""), ("received", 1, "CONNECT gw-1"), ("fault", 1, "CONNECT gw-1"),
        ("delivered", 1, f"CONNACK {code}"), ("closed", 1, ""),
    ]  # fmt: skip
    assert talk.connect(2, "other") == ["2 CONNACK 0"]


def test_connect_unanswered(talk: Talk) -> None:
    talk.fault(FaultKind.CONNECT_UNANSWERED, hits="CONNECT gw-1*", times=1)
    assert story(talk, 1) == []
    assert talk.after(1) == []
    assert talk.echo.published("gw-1") == 0
    told = talk.told()
    assert told[2:4] == [("fault", 1, "CONNECT gw-1", "connect_unanswered"), ("delivered", 1, "", "silence")]
    talk.close(1)
    assert talk.connect(3, "gw-1") == ["3 CONNACK 0"]


@pytest.mark.parametrize("shows_as", [None, Ending.RESET, Ending.SILENCE])
def test_drop_after_connack(talk: Talk, shows_as: Ending | None) -> None:
    talk.fault(FaultKind.DROP_AFTER_CONNACK, hits="CONNECT gw-*", shows_as=shows_as)
    assert talk.connect(1) == ["1 CONNACK 0", f"1 {shows_as or 'closed'}"]
    assert [event[:3] for event in talk.told()][2:] == [
        ("fault", 1, "CONNACK 0"), ("answered", 1, "CONNACK 0"), ("delivered", 1, "CONNACK 0"), ("closed", 1, "")
    ]  # fmt: skip
    assert talk.connect(2, "other") == ["2 CONNACK 0"]


def test_a_refusal_is_no_connack_to_drop_after(talk: Talk) -> None:
    talk.fault(FaultKind.DROP_AFTER_CONNACK, shows_as=Ending.RESET)
    talk.open(1)
    assert talk.say(1, MqttConnect("gw-1", password=b"wrong")) == ["1 CONNACK 5", "1 closed"]


def test_drop_some_time_after_the_connack(talk: Talk) -> None:
    talk.fault(FaultKind.DROP_AFTER_CONNACK, parameters={"delay_s": 2.5})
    assert talk.connect(1) == ["1 CONNACK 0", "1 closed +2500ms"]
    assert talk.told()[-1] == ("closed", 1, "", "closed in 2.5 s")


def test_duplicate_delivery(talk: Talk) -> None:
    talk.fault(FaultKind.DUPLICATE_DELIVERY, hits="PUBLISH */up", parameters={"delay_s": 0.2})
    talk.fault(FaultKind.DUPLICATE_DELIVERY, hits="PUBLISH rem*")
    assert story(talk, 1) == [*WHOLE[:4], "1 PUBLISH echo/up +200ms", *WHOLE[4:]]
    talk.told()
    assert talk.after(1) == PUSHED * 2
    assert [event[:3] for event in talk.told()] == [
        ("fault", 1, "PUBLISH reminder"), ("pushed", 1, "PUBLISH reminder"),
        ("delivered", 1, "PUBLISH reminder"), ("delivered", 1, "PUBLISH reminder"),
    ]  # fmt: skip


@pytest.mark.parametrize(("qos", "dup"), [(0, False), (1, True), (2, True)])
def test_a_duplicate_is_marked_where_mqtt_marks_them(qos: int, dup: bool) -> None:
    plan = FaultPlan(lambda: 0.0)
    plan.add(Fault(FaultKind.DUPLICATE_DELIVERY), 0)
    push = Send(1, MqttPublish("a", b"x", qos, packet_id=qos))
    (distorted,) = SessionFaults(plan).distorting([push], 0, None, 0)
    assert distorted.becomes == (push, Send(1, MqttPublish("a", b"x", qos, dup=dup, packet_id=qos)))


def test_a_coap_notification_comes_twice_and_late() -> None:
    plan = FaultPlan(lambda: 0.0)
    plan.add(Fault(FaultKind.DUPLICATE_DELIVERY, hits="2.05"), 0)
    plan.add(Fault(FaultKind.LATENCY, hits="2.05", parameters={"delay_s": 1.0}), 0)
    notification = CoapResponse("2.05", b"x", observe=7, token=b"t")
    (distorted,) = SessionFaults(plan).distorting([Send(1, notification)], 0, None, 0)
    assert distorted.becomes == (Send(1, notification, 1_000_000),) * 2
    assert [fault.kind for fault in distorted.faults] == [FaultKind.DUPLICATE_DELIVERY, FaultKind.LATENCY]


def test_a_publish_that_came_is_not_what_is_delivered(talk: Talk) -> None:
    talk.fault(FaultKind.DUPLICATE_DELIVERY, hits="PUBLISH up")
    assert story(talk, 1) == WHOLE


@pytest.mark.parametrize(
    ("hits", "expected"),
    [
        ("PUBLISH echo/up", [*WHOLE[:3], "1 PUBLISH echo/up +300ms", *WHOLE[4:]]),
        ("PUBLISH up", [*WHOLE[:2], "1 PUBACK +300ms", "1 PUBLISH echo/up +300ms", *WHOLE[4:]]),
        ("PINGREQ", [*WHOLE[:5], "1 PINGRESP +300ms"]),
    ],
)
def test_latency_of_what_goes_out_or_of_the_answer_to_what_came(talk: Talk, hits: str, expected: list[str]) -> None:
    talk.fault(FaultKind.LATENCY, hits=hits, parameters={"delay_s": 0.3})
    assert (story(talk, 1), talk.after(1)) == (expected, PUSHED)


def test_a_late_push(talk: Talk) -> None:
    talk.fault(FaultKind.LATENCY, hits="PUBLISH reminder", parameters={"delay_s": 0.3})
    assert (story(talk, 1), talk.after(1)) == (WHOLE, ["1 PUBLISH reminder +300ms"])


@pytest.mark.parametrize(
    ("hits", "expected"),
    [("PUBACK", [*WHOLE[:2], *WHOLE[3:]]), ("PUBLISH up", [*WHOLE[:2], *WHOLE[3:]]),
     ("SUBACK*", [WHOLE[0], *WHOLE[2:]]), ("*", [WHOLE[0], *WHOLE[3:]]), ("PUBLISH down", WHOLE)],
)  # fmt: skip
def test_withheld_ack(talk: Talk, hits: str, expected: list[str]) -> None:
    talk.fault(FaultKind.WITHHELD_ACK, hits=hits)
    assert (story(talk, 1), talk.after(1)) == (expected, PUSHED)
    assert talk.echo.published("gw-1") == 2, "what is not acknowledged was taken all the same"


def test_withheld_ack_in_the_trace(talk: Talk) -> None:
    talk.connect(1)
    talk.fault(FaultKind.WITHHELD_ACK, times=1)
    talk.told()
    talk.say(1, UP)
    assert talk.told() == [
        ("received", 1, "PUBLISH up", "127.0.0.1"), ("fault", 1, "PUBACK", "withheld_ack"),
        ("answered", 1, "PUBACK", ""), ("delivered", 1, "", "silence"),
    ]  # fmt: skip
    assert talk.say(1, UP) == ["1 PUBACK"]


def test_withheld_pingresp_of_one_device(talk: Talk) -> None:
    talk.fault(FaultKind.WITHHELD_PINGRESP, hits="CONNECT gw-1*")
    assert story(talk, 1) == WHOLE[:-1]
    talk.connect(2)
    assert talk.say(2, PING) == ["2 PINGRESP"]


# Those that HTTP knows too


@pytest.mark.parametrize(
    ("shows_as", "expected"), [(None, ["1 closed"]), (Ending.RESET, ["1 reset"]), (Ending.SILENCE, [])]
)
def test_lost_reply(talk: Talk, shows_as: Ending | None, expected: list[str]) -> None:
    talk.connect(1)
    talk.subscribe(1)
    talk.fault(FaultKind.LOST_REPLY, hits="PUBLISH up", shows_as=shows_as, times=1)
    assert talk.say(1, UP) == expected
    assert talk.echo.published("gw-1") == 1
    assert talk.say(1, UP) == WHOLE[2:4], "it has bitten once, though it took two envelopes"


def test_a_lost_reply_spares_others(talk: Talk) -> None:
    for session in (1, 2):
        talk.connect(session)
    talk.fault(FaultKind.LOST_REPLY)
    assert talk.say(1, MqttPublish("to/gw-2", qos=1)) == ["1 closed", "2 PUBLISH from/gw-1"]


def test_an_overload_is_for_coap_and_not_for_mqtt(talk: Talk) -> None:
    talk.fault(FaultKind.OVERLOAD, parameters={"status": 429, "retry_after_s": 300.0})
    assert story(talk, 1) == WHOLE
    (refusal,) = talk.heard(1, CoapRequest("POST", "coap://h", "/a", token=b"t"))
    assert refusal.envelope.code == "4.29"  # type: ignore[union-attr]
    assert refusal.envelope.options == ((14, b"\x01\x2c"),)  # type: ignore[union-attr]
    assert refusal.envelope.token == b"t"  # type: ignore[union-attr]


@pytest.mark.parametrize(("shows_as", "ending"), [(Ending.RESET, "reset"), (Ending.CLOSED, "closed")])
def test_an_outage_ends_a_session_that_says_something_or_hears_something(
    talk: Talk, shows_as: Ending, ending: str
) -> None:
    story(talk, 1)
    talk.fault(FaultKind.OUTAGE, shows_as=shows_as)
    assert talk.say(1, UP) == [f"1 {ending}"]
    assert talk.after(1) == [f"1 {ending}"]
    assert talk.echo.published("gw-1") == 2


def test_an_outage_in_silence(talk: Talk) -> None:
    story(talk, 1)
    talk.fault(FaultKind.OUTAGE, shows_as=Ending.SILENCE, for_s=1.0)
    assert talk.say(1, PING) == []
    assert talk.after(1) == []
    assert talk.say(1, PING) == ["1 PINGRESP"]


def test_an_outage_of_some(talk: Talk) -> None:
    talk.fault(FaultKind.OUTAGE, hits="CONNECT gw-1*")
    assert talk.connect(1) == ["1 reset"]
    assert talk.connect(2) == ["2 CONNACK 0"]


def test_an_outage_that_refuses_all_ends_sessions_when_it_begins_and_lets_none_open(talk: Talk) -> None:
    story(talk, 1)
    talk.fault(FaultKind.OUTAGE, at_s=0.05, for_s=10.0)
    assert talk.server.next_due_us() == START_US + 50_000
    talk.told()
    assert talk.after(0.06) == ["1 reset"]
    assert talk.told() == [("fault", 0, "", "outage"), ("delivered", 1, "", "reset"), ("closed", 1, "", "reset")]
    talk.close(1)
    assert talk.open(2) == ["2 refused"]
    assert talk.close(2) == []
    assert talk.server.next_due_us() is None
    talk.after(10)
    assert talk.connect(3) == ["3 CONNACK 0"]
    assert talk.after(1) == []


def test_a_share_of_connections_is_refused_and_those_that_stand_stay(talk: Talk) -> None:
    story(talk, 1)
    talk.fault(FaultKind.OUTAGE, share=0.5)
    opened = [talk.open(session) for session in range(2, 102)]
    assert 30 < opened.count([]) < 70
    assert talk.say(1, PING) == ["1 PINGRESP"]
    again = Talk()
    story(again, 1)
    again.fault(FaultKind.OUTAGE, share=0.5)
    assert [again.open(session) for session in range(2, 102)] == opened, "the same seed, the same bites"


@pytest.mark.parametrize(
    ("parameters", "topic", "payload"),
    [
        ({"body": "{"}, "echo/up", b"{"),
        ({"topic": "elsewhere"}, "elsewhere", b'{"b":1,"a":{"c":null}}'),
        ({"set_values": {"b": 2, "a.c": 3, "d": [1]}}, "echo/up", b'{"b":2,"a":{"c":3},"d":[1]}'),
        ({"set_values": {"b": None}, "topic": "x"}, "x", b'{"a":{"c":null}}'),
        ({"respelt": True}, "echo/up", b'{\n  "a": {\n    "c": null\n  },\n  "b": 1\n}'),
        ({"respelt": False, "topic": "x"}, "x", b'{"b":1,"a":{"c":null}}'),
    ],
)
def test_rewrite_what_is_published(talk: Talk, parameters: dict[str, Json], topic: str, payload: bytes) -> None:
    talk.connect(1)
    talk.subscribe(1)
    talk.fault(FaultKind.REWRITE, hits="PUBLISH echo/*", times=1, parameters=parameters)
    document = b'{"b":1,"a":{"c":null}}'
    ack, came = talk.heard(1, replace(UP, payload=document))
    assert isinstance(came, Send)
    assert isinstance(came.envelope, MqttPublish)
    assert (came.envelope.topic, came.envelope.payload) == (topic, payload)
    assert isinstance(ack, Send)
    assert ack.envelope.line == "PUBACK"


def test_rewrite_leaves_alone_what_has_nothing_to_rewrite(talk: Talk) -> None:
    """An acknowledgement is no answer with a body, also where the fault is about what came in."""
    talk.connect(1)
    talk.subscribe(1)
    talk.fault(FaultKind.REWRITE, hits="PUBLISH up", times=1, parameters={"topic": "elsewhere"})
    assert talk.say(1, UP) == ["1 PUBACK", "1 PUBLISH elsewhere"]


def test_what_is_rewritten_and_comes_twice_is_rewritten_twice(talk: Talk) -> None:
    talk.connect(1)
    talk.subscribe(1)
    talk.fault(FaultKind.REWRITE, hits="PUBLISH echo/*", parameters={"topic": "elsewhere"})
    talk.fault(FaultKind.DUPLICATE_DELIVERY, hits="PUBLISH echo/*")
    assert talk.say(1, UP) == ["1 PUBACK", "1 PUBLISH elsewhere", "1 PUBLISH elsewhere"]


# What they leave alone


@pytest.mark.parametrize("kind", [*SESSION_KINDS, *DATAGRAM_KINDS])
def test_requests_over_http_are_not_bitten(kind: FaultKind) -> None:
    plan = FaultPlan(lambda: 0.0)
    plan.add(Fault(kind), 0)
    request = HttpRequest("GET", "http://h", "/")
    faults = HttpFaults(plan)
    assert (faults.blocking(request, 0), faults.distorting(request, 0)) == (None, [])


@pytest.mark.parametrize("kind", [FaultKind.MOVED, FaultKind.DRIPPING, FaultKind.FRAMING, FaultKind.TRUNCATED_BODY])
def test_faults_of_http_bite_no_session(talk: Talk, kind: FaultKind) -> None:
    talk.fault(kind, parameters={"below": "/b", "body": "", "bytes_per_s": 1, "framed": "close", "after_bytes": 1})
    assert (story(talk, 1), talk.after(1)) == (WHOLE, PUSHED)


@pytest.mark.parametrize("kind", SESSION_KINDS)
def test_a_fault_bites_as_often_as_it_says(talk: Talk, kind: FaultKind) -> None:
    talk.fault(kind, times=1)
    story(talk, 1)
    assert [entry.bites for entry in talk.plan.scheduled()] == [1]
    assert story(talk, 2)[0] == "2 CONNACK 0"


@pytest.mark.parametrize("kind", SESSION_KINDS)
def test_a_fault_that_is_over_does_nothing(talk: Talk, kind: FaultKind) -> None:
    talk.fault(kind, for_s=1.0)
    talk.after(1)
    assert (story(talk, 1), talk.after(1)) == (WHOLE, PUSHED)
