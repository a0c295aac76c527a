"""The transport without a network performs every delivery as a socket would show it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.http import FileSlice, HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.effects import REPLY_LIMIT_BYTES, Ask, Download, Downloaded, NoReply, Reply
from fleetrig.simulator.transports.virtual_http import ROUND_TRIP_US, VirtualHttp

REQUEST = HttpRequest("GET", "http://h", "/fw")
OK = HttpResponse(200, (("A", "b"),), b"x" * 100)


def answering(*deliveries: Delivery) -> VirtualHttp:
    left = list(deliveries)
    return VirtualHttp(lambda request, session, now_us: left.pop(0))


def ask(delivery: Delivery, within_s: float = 1.0) -> tuple[Reply | NoReply, int]:
    return answering(delivery).ask(Ask("poll", REQUEST, within_s), Session(), 0)


def download(transport: VirtualHttp, from_byte: int = 0, at_most_bytes: int | None = None) -> Downloaded | NoReply:
    got, _ = transport.download(Download("download", REQUEST, "fw", from_byte, 1.0, at_most_bytes), "dev", Session(), 0)
    return got


def test_the_handler_is_told_who_asks_and_when() -> None:
    seen: list[object] = []

    def handler(request: HttpRequest, session: Session, now_us: int) -> Delivery:
        seen.extend((request, session, now_us))
        return Delivery(OK)

    VirtualHttp(handler).ask(Ask("poll", REQUEST, 1.0), Session("10.0.0.1", 80), 77)
    assert seen == [REQUEST, Session("10.0.0.1", 80), 77]


def test_an_answer_takes_a_round_trip() -> None:
    assert ask(Delivery(OK)) == (Reply(OK, ROUND_TRIP_US / 1e6), ROUND_TRIP_US)
    assert ask(Delivery(OK, delay_us=500_000)) == (Reply(OK, 0.502), 502_000)


@pytest.mark.parametrize("status", [204, 301, 404, 500])
def test_every_status_is_a_reply(status: int) -> None:
    response = HttpResponse(status)
    assert ask(Delivery(response))[0] == Reply(response, ROUND_TRIP_US / 1e6)


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.RESET, Ending.CLOSED])
@pytest.mark.parametrize("response", [None, OK], ids=["lost", "spoilt"])
def test_endings_without_an_answer(ending: Ending, response: HttpResponse | None) -> None:
    outcome, after_us = ask(Delivery(response, ending, 10_000))
    assert outcome == NoReply(ending.value, 0.012)
    assert after_us == 12_000


@pytest.mark.parametrize(
    "delivery",
    [Delivery(None, Ending.SILENCE), Delivery(OK, delay_us=1_000_000), Delivery(None, Ending.RESET, 2_000_000)],
    ids=["silence", "late", "reset too late"],
)
def test_a_device_waits_no_longer_than_it_wants(delivery: Delivery) -> None:
    assert ask(delivery) == (NoReply("timeout", 1.0), 1_000_000)


@pytest.mark.parametrize("cut_after_bytes", [None, 0, 99])
def test_a_document_that_is_cut_is_no_document(cut_after_bytes: int | None) -> None:
    outcome, _ = ask(Delivery(OK, Ending.TRUNCATED, 0, cut_after_bytes))
    assert isinstance(outcome, NoReply)
    assert outcome.why == "truncated"


@pytest.mark.parametrize("body", [b"", b"x" * 100])
def test_what_is_cut_behind_its_end_is_whole(body: bytes) -> None:
    response = HttpResponse(200, (), body)
    outcome, _ = ask(Delivery(response, Ending.TRUNCATED, 0, 100))
    assert outcome == Reply(response, ROUND_TRIP_US / 1e6)


def test_a_document_has_a_limit() -> None:
    for extra, whole in ((0, True), (1, False)):
        outcome, _ = ask(Delivery(HttpResponse(200, (), b"x" * (REPLY_LIMIT_BYTES + extra))))
        assert isinstance(outcome, Reply) is whole
        assert whole or outcome == NoReply("malformed", ROUND_TRIP_US / 1e6)


def test_a_download_from_a_file(tmp_path: Path) -> None:
    image = bytes(range(256)) * 1_000
    path = tmp_path / "fw"
    path.write_bytes(image)
    got = download(answering(Delivery(HttpResponse(200, (("A", "b"),), FileSlice(str(path), 0, len(image))))))
    assert isinstance(got, Downloaded)
    assert (got.status, got.headers, got.cut) == (200, (("A", "b"),), False)
    assert (got.received_bytes, got.stored_bytes, got.after_s) == (len(image), len(image), ROUND_TRIP_US / 1e6)
    assert got.hashes["sha256"] == hashlib.sha256(image).hexdigest()


@pytest.mark.parametrize(("cut_after_bytes", "comes"), [(None, 50), (0, 0), (99, 99)])
def test_a_cut_download_goes_on(cut_after_bytes: int | None, comes: int) -> None:
    rest = HttpResponse(206, (("Content-Range", f"bytes {comes}-99/100"),), b"x" * (100 - comes))
    transport = answering(Delivery(OK, Ending.TRUNCATED, 0, cut_after_bytes), Delivery(rest))
    first = download(transport)
    assert isinstance(first, Downloaded)
    assert (first.cut, first.received_bytes, first.stored_bytes) == (True, comes, comes)
    second = download(transport, from_byte=comes)
    assert isinstance(second, Downloaded)
    assert (second.cut, second.received_bytes, second.stored_bytes) == (False, 100 - comes, 100)
    assert second.hashes["sha1"] == hashlib.sha1(b"x" * 100).hexdigest()


@pytest.mark.parametrize("status", [204, 404, 416, 503])
def test_only_files_are_stored(status: int) -> None:
    got = download(answering(Delivery(HttpResponse(status, (("Retry-After", "3"),), b"sorry"))))
    assert got == Downloaded(status, (("Retry-After", "3"),), 0, 0, {}, cut=False, after_s=ROUND_TRIP_US / 1e6)


def test_a_download_that_never_ends_is_left() -> None:
    got = download(answering(Delivery(HttpResponse(200, (), (b"x" * 60, b"y" * 60, b"z" * 60)))), at_most_bytes=100)
    assert isinstance(got, Downloaded)
    assert (got.stored_bytes, got.received_bytes, got.cut) == (120, 120, False)


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.RESET, Ending.CLOSED, Ending.SILENCE])
def test_a_download_without_an_answer(ending: Ending) -> None:
    got = download(answering(Delivery(None, ending)))
    assert isinstance(got, NoReply)
    assert got.why == ("timeout" if ending is Ending.SILENCE else ending.value)
