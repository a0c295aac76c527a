"""Slow bodies and wrong lengths without a network: a device sees what it would see on a socket."""

from __future__ import annotations

from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.effects import Ask, Download, Downloaded, NoReply, Reply
from fleetrig.simulator.transports.virtual_http import ROUND_TRIP_US, VirtualHttp

REQUEST = HttpRequest("GET", "http://h", "/x")
SLOW = Delivery(HttpResponse(200, (), b"0123456789"), bytes_per_s=5.0)


def asked(delivery: Delivery, within_s: float = 10.0) -> tuple[object, int]:
    return VirtualHttp(lambda *_: delivery).ask(Ask("poll", REQUEST, within_s), Session(), 0)


def test_a_dripping_answer_takes_its_time() -> None:
    answer, after_us = asked(SLOW)
    assert isinstance(answer, Reply)
    assert answer.envelope.body == b"0123456789"
    assert after_us == 2_000_000 + ROUND_TRIP_US


def test_who_is_less_patient_gets_none() -> None:
    assert asked(SLOW, within_s=1.5) == (NoReply("timeout", 1.5), 1_500_000)


def test_a_download_is_patient_as_long_as_something_comes() -> None:
    transport = VirtualHttp(lambda *_: SLOW)
    got, after_us = transport.download(Download("download", REQUEST, "f", 0, 1.0), "d1", Session(), 0)
    assert isinstance(got, Downloaded)
    assert (got.stored_bytes, got.cut, after_us) == (10, False, 2_000_000 + ROUND_TRIP_US)


def with_length(length: str) -> object:
    response = HttpResponse(200, (("Content-Length", length),), b"0123456789")
    answer, _ = asked(Delivery(response, as_given=frozenset({"content-length"})))
    return answer.why if isinstance(answer, NoReply) else answer.envelope.body if isinstance(answer, Reply) else None


def test_a_length_that_is_wrong() -> None:
    assert with_length("10") == b"0123456789"
    assert with_length("5") == b"01234"
    assert with_length("99") == "truncated"
    assert with_length("abc") == "malformed"
