"""What a device's CoAP takes and repeats in virtual time: the same as aiocoap's over sockets (test_coap.py)."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.mqtt import MqttPingresp
from fleetrig.simulator.transports.coap_under_way import UNANSWERED_LIMIT, CoapUnderWay

GET = CoapRequest("GET", "coap://h", "/a", token=b"t")
ANSWER = CoapResponse("2.05", token=b"t")
OBSERVING = replace(GET, observe=0)


def after(*sent: CoapRequest | CoapReset) -> CoapUnderWay:
    coap = CoapUnderWay()
    for envelope in sent:
        coap.sent(envelope)
    return coap


def taken(coap: CoapUnderWay, *sequences: int, now_us: int = 0) -> list[int]:
    """The notifications that the device gets."""
    return [sequence for sequence in sequences if coap.takes(replace(ANSWER, observe=sequence), now_us)]


def test_an_answer_is_taken_once() -> None:
    coap = after(GET)
    assert coap.takes(ANSWER, 0)
    assert not coap.takes(ANSWER, 0)
    assert not after(GET).takes(replace(ANSWER, token=b"else"), 0)
    assert after(GET).takes(CoapReset(b"t"), 0)
    assert not after().takes(CoapReset(b"t"), 0)


def test_other_protocols_are_none_of_its_business() -> None:
    assert after().takes(MqttPingresp(), 0)


def test_only_newer_notifications_are_taken() -> None:
    assert taken(after(OBSERVING), 5, 6, 6, 4, 9) == [5, 6, 9]
    last = (1 << 24) - 1
    assert taken(after(OBSERVING), last, 0, last) == [last, 0]
    assert taken(after(OBSERVING), 5, 5 + (1 << 23)) == [5], "that far ahead is behind"


def test_after_two_minutes_every_notification_is_new() -> None:
    coap = after(OBSERVING)
    assert taken(coap, 5) == [5]
    assert taken(coap, 3, now_us=128 * US_PER_S) == []
    assert taken(coap, 3, now_us=128 * US_PER_S + 1) == [3]


def test_an_answer_that_is_no_notification_ends_an_observation() -> None:
    coap = after(OBSERVING)
    assert taken(coap, 5) == [5]
    assert coap.takes(replace(ANSWER, code="4.04"), 0)
    assert taken(coap, 6) == []


def test_an_observation_can_be_taken_back() -> None:
    assert taken(after(OBSERVING, CoapReset(b"t")), 5) == []
    coap = after(OBSERVING, replace(GET, observe=1))
    assert taken(coap, 5) == [], "it has crossed the request"
    assert coap.takes(ANSWER, 0)


def test_what_is_repeated() -> None:
    assert after(GET).is_repeated(GET)
    assert after(GET).unacknowledged() == [GET]
    assert not after(replace(GET, confirmable=False)).is_repeated(replace(GET, confirmable=False))
    answered, given_up = after(GET), after(GET)
    answered.takes(ANSWER, 0)
    given_up.give_up(b"t")
    given_up.give_up(b"else")
    assert not answered.is_repeated(GET)
    assert not given_up.is_repeated(GET)
    assert given_up.takes(ANSWER, 0), "late, but welcome"


def test_a_registration_is_repeated_until_it_is_answered() -> None:
    coap = after(OBSERVING)
    assert coap.is_repeated(OBSERVING)
    taken(coap, 5)
    assert not coap.is_repeated(OBSERVING)


def test_what_comes_again() -> None:
    assert after(GET).comes_again(ANSWER)
    assert not after(replace(GET, confirmable=False)).comes_again(ANSWER)
    assert after().comes_again(replace(ANSWER, confirmable=True))
    assert not after(GET).comes_again(CoapReset(b"t"))


def test_what_is_never_answered_is_forgotten_in_the_end() -> None:
    coap = after(OBSERVING)
    taken(coap, 5)
    for number in range(UNANSWERED_LIMIT + 1):
        coap.sent(replace(GET, token=number.to_bytes(2, "big")))
    assert not coap.takes(replace(ANSWER, token=b"\0\0"), 0)
    assert coap.takes(replace(ANSWER, token=b"\0\1"), 0)
    assert taken(coap, 6) == [6], "observations stay"
