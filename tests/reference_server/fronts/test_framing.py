"""Answers in other forms, slow ones, and heads that say what a fault wants: as a plain socket sees them."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path

import pytest

from fleetrig.simulator.contract.delivery import Framing
from fleetrig.simulator.contract.http import FileSlice, HttpResponse
from tests.reference_server.fronts.conftest import DATE, FrontBench

BODY = b"0123456789"


def whole(bench: FrontBench, request: bytes = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n") -> tuple[list[bytes], bytes]:
    """Lines of the head and everything after it, until the server closes."""
    with bench.peer() as peer:
        peer.send(request)
        head, _, body = peer.rest().partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


def test_chunks_and_the_connection_lives_on(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, (("X", "y"),), BODY), framing=Framing.CHUNKED)
    with bench.peer() as peer:
        for _ in range(2):
            peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            head = peer.until(b"\r\n\r\n")
            assert head == b"HTTP/1.1 200 OK\r\nX: y\r\n" + DATE + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
            assert peer.until(b"0\r\n\r\n") == b"4\r\n0123\r\n4\r\n4567\r\n2\r\n89\r\n0\r\n\r\n"


def test_a_client_of_http_1_0_gets_no_chunks(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, (), BODY), framing=Framing.CHUNKED)
    head, body = whole(bench, b"GET / HTTP/1.0\r\n\r\n")
    assert head == [b"HTTP/1.0 200 OK", DATE, b"Connection: close"]
    assert body == BODY


def test_closed_by_the_server(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, (), BODY), framing=Framing.CLOSE)
    head, body = whole(bench)
    assert head == [b"HTTP/1.1 200 OK", DATE, b"Connection: close", b"Content-Length: 10"]
    assert body == BODY


def test_http_1_0_ends_with_the_connection(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, (), BODY), framing=Framing.HTTP10)
    head, body = whole(bench)
    assert head == [b"HTTP/1.0 200 OK", DATE, b"Connection: close"]
    assert body == BODY


@pytest.mark.parametrize("framing", [Framing.CHUNKED, Framing.CLOSE, Framing.HTTP10])
def test_a_library_reads_a_file_in_every_form(bench: FrontBench, image: Path, framing: Framing) -> None:
    bench.answers(HttpResponse(200, (), FileSlice(str(image), 4, 300_000)), framing=framing)
    connection = HTTPConnection("127.0.0.1", bench.port, timeout=20)
    connection.request("GET", "/")
    assert connection.getresponse().read() == image.read_bytes()[4:300_004]
    connection.close()


@pytest.mark.parametrize("framing", [Framing.CHUNKED, Framing.HTTP10])
def test_nothing_follows_where_http_forbids_it(bench: FrontBench, framing: Framing) -> None:
    bench.answers(HttpResponse(204), framing=framing)
    head, body = whole(bench, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert not any(line.startswith((b"Content-Length", b"Transfer-Encoding")) for line in head)
    assert body == b""


def test_drops_add_up(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, (), BODY), bytes_per_s=500.0)
    with bench.peer() as peer:
        for _ in range(2):
            assert peer.get().body == BODY


def test_who_leaves_in_mid_drip_is_no_bug(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, (), BODY), bytes_per_s=1.0)
    with bench.peer() as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        peer.until(b"\r\n\r\n0")
    bench.loop.run(bench.front.close())
    assert bench.bugs == []


@pytest.mark.parametrize("length", ["5", "abc"])
def test_a_length_as_the_fault_wants_it(bench: FrontBench, length: str) -> None:
    bench.answers(HttpResponse(200, (("Content-Length", length),), BODY), as_given=frozenset({"content-length"}))
    head, body = whole(bench)
    assert head == [b"HTTP/1.1 200 OK", b"Content-Length: " + length.encode(), DATE, b"Connection: close"]
    assert body == BODY


def test_a_date_as_the_fault_wants_it(bench: FrontBench) -> None:
    date = "Fri, 01 Jan 1999 00:00:00 GMT"
    bench.answers(HttpResponse(200, (("Date", date),), BODY), as_given=frozenset({"date"}))
    with bench.peer() as peer:
        for _ in range(2):
            answer = peer.get()
            assert (answer.header("Date"), answer.body) == (date, BODY)
            assert answer.head.count(b"Date:") == 1


def test_nothing_given_can_begin_another_line(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, (("Date", "a\r\nX-Evil: 1"),), BODY), as_given=frozenset({"date"}))
    with bench.peer() as peer:
        assert peer.get().header("X-Evil") is None
