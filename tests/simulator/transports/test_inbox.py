"""What comes on a connection: answers find their questions, everything else waits its turn."""

from __future__ import annotations

import pytest

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.transports.inbox import INBOX_LIMIT, LAST_PACKET_ID, Inbox

PUBACK, PUBREC, PUBREL, PUBCOMP = PublishAckKind
SUBSCRIBE = MqttSubscribe((Subscription("a"),), 7)
GET = CoapRequest("GET", "coap://h", "/a", token=b"\1")

ANSWERS: list[tuple[Envelope, Envelope]] = [
    (MqttConnect("c"), MqttConnack(5)),
    (SUBSCRIBE, MqttSuback(7, (0,))),
    (MqttUnsubscribe(("a",), 7), MqttUnsuback(7)),
    (MqttPublish("a", qos=1, packet_id=7), MqttPublishAck(PUBACK, 7)),
    (MqttPublish("a", qos=2, packet_id=7), MqttPublishAck(PUBREC, 7)),
    (MqttPublishAck(PUBREL, 7), MqttPublishAck(PUBCOMP, 7)),
    (MqttPingreq(), MqttPingresp()),
    (GET, CoapResponse("2.05", token=b"\1")),
    (GET, CoapReset(b"\1")),
]
OTHERS: list[tuple[Envelope, Envelope]] = [
    (SUBSCRIBE, MqttSuback(8, (0,))),
    (SUBSCRIBE, MqttUnsuback(7)),
    (MqttUnsubscribe(("a",), 7), MqttUnsuback(8)),
    (MqttPublish("a", qos=1, packet_id=7), MqttPublishAck(PUBACK, 8)),
    (MqttPublish("a", qos=1, packet_id=7), MqttPublishAck(PUBREC, 7)),
    (MqttPublish("a", qos=2, packet_id=7), MqttPublishAck(PUBACK, 7)),
    (MqttPublishAck(PUBREL, 7), MqttPublishAck(PUBREC, 7)),
    (MqttPingreq(), MqttConnack()),
    (GET, CoapResponse("2.05", token=b"\2")),
    (MqttConnect("c"), MqttDisconnect()),
]


@pytest.mark.parametrize(("request_", "answer"), ANSWERS, ids=map(str, range(len(ANSWERS))))
def test_an_answer_finds_its_question_once(request_: Envelope, answer: Envelope) -> None:
    inbox = Inbox()
    assert not inbox.is_wanted(answer), "nobody has asked"
    inbox.want_answer(request_)
    assert inbox.is_wanted(answer)
    assert not inbox.is_wanted(answer), "the same again answers nothing"


@pytest.mark.parametrize(("request_", "other"), OTHERS, ids=map(str, range(len(OTHERS))))
def test_what_answers_another_question_is_none(request_: Envelope, other: Envelope) -> None:
    inbox = Inbox()
    inbox.want_answer(request_)
    assert not inbox.is_wanted(other)


def test_who_gives_up_gets_no_late_answer() -> None:
    inbox = Inbox()
    inbox.want_answer(SUBSCRIBE)
    inbox.want_nothing()
    assert not inbox.is_wanted(MqttSuback(7, (0,)))


@pytest.mark.parametrize(
    "envelope", [MqttPublish("a"), MqttPublishAck(PUBACK, 1), MqttDisconnect(), CoapReset()], ids=lambda one: one.line
)
def test_what_nobody_answers_is_not_asked(envelope: Envelope) -> None:
    with pytest.raises(ModelError, match="sends it with Tell, not with Ask"):
        Inbox().want_answer(envelope)


def test_numbers_are_given_where_they_are_missing() -> None:
    inbox = Inbox()
    sent: list[MqttSubscribe | MqttUnsubscribe | MqttPublish] = [
        MqttSubscribe((Subscription("a"),)), MqttUnsubscribe(("a",)), MqttPublish("a", qos=1), MqttPublish("a", qos=2),
        MqttPublish("a", qos=1, packet_id=99), MqttPublish("a"),
    ]  # fmt: skip
    assert [inbox.numbered(one).packet_id for one in sent] == [1, 2, 3, 4, 99, 0]  # type: ignore[union-attr]
    first, second = (inbox.numbered(CoapRequest("GET", "coap://h", "/a")) for _ in range(2))
    assert isinstance(first, CoapRequest)
    assert isinstance(second, CoapRequest)
    assert b"" != first.token != second.token
    assert inbox.numbered(GET) is GET


def test_packet_ids_begin_anew_after_the_last() -> None:
    inbox = Inbox()
    ids = [inbox.numbered(MqttPublish("a", qos=1)).packet_id for _ in range(LAST_PACKET_ID + 1)]  # type: ignore[union-attr]
    assert (ids[0], ids[-2], ids[-1]) == (1, LAST_PACKET_ID, 1)


def test_an_await_takes_the_oldest_that_fits_and_leaves_the_others() -> None:
    inbox = Inbox()
    for topic in ("rpc/1", "other", "rpc/2"):
        assert inbox.keep(MqttPublish(topic)) is None
    wanted = ("PUBLISH rpc/*", "DISCONNECT*")
    taken = [inbox.want_fitting(wanted) for _ in range(3)]
    assert [one and one.line for one in taken] == ["PUBLISH rpc/1", "PUBLISH rpc/2", None]
    assert not inbox.is_wanted(MqttPublish("another"))
    assert inbox.is_wanted(MqttPublish("rpc/3")), "the last one waits"
    assert inbox.want_fitting(("*",)) == MqttPublish("other")


def test_the_oldest_goes_when_it_is_full() -> None:
    inbox = Inbox()
    assert [inbox.keep(MqttPublish(str(n))) for n in range(INBOX_LIMIT)] == [None] * INBOX_LIMIT
    assert inbox.keep(MqttPublish("one more")) == MqttPublish("0")
    assert inbox.want_fitting(("*",)) == MqttPublish("1")
