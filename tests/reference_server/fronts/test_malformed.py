"""What no platform will ever see: an answer of the 400 kind, a closed connection, and a server that lives on."""

from __future__ import annotations

import gc
import logging
import random
import socket
import struct

import pytest

from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.http import HttpResponse
from tests.reference_server.fronts.conftest import FrontBench

pytestmark = pytest.mark.slow

H = b"Host: h\r\n"
CORPUS = {
    "nothing but noise": (b"\x00\xff\xfe garbage\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x7f" * 40, 400),
    "HTTP/2": (b"GET / HTTP/2.0\r\n" + H + b"\r\n", 505),
    "odd version": (b"GET / HTTP/9.9\r\n" + H + b"\r\n", 505),
    "no such protocol": (b"GET / SIP/2.0\r\n" + H + b"\r\n", 400),
    "method with a control character": (b"G\x01T / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "method without end": (b"A" * 70_000, 400),
    "target without slash": (b"GET a HTTP/1.1\r\n" + H + b"\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\n" + H + b"Host: i\r\n\r\n", 400),
    "host with a path": (b"GET / HTTP/1.1\r\nHost: h/evil\r\n\r\n", 400),
    "host with a blank": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "host with nine groups": (b"GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8:9]\r\n\r\n", 400),
    "host with three colons": (b"GET / HTTP/1.1\r\nHost: [:::]:80\r\n\r\n", 400),
    "host with IPv4 in brackets": (b"GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n", 400),
    "host with bytes": (b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", 400),
    "blank before colon": (b"GET / HTTP/1.1\r\n" + H + b"X : y\r\n\r\n", 400),
    "header without colon": (b"GET / HTTP/1.1\r\n" + H + b"nonsense\r\n\r\n", 400),
    "header without name": (b"GET / HTTP/1.1\r\n" + H + b": y\r\n\r\n", 400),
    "folded first line": (b"GET / HTTP/1.1\r\n X: a\r\n" + H + b"\r\n", 400),
    "NUL in a header": (b"GET / HTTP/1.1\r\n" + H + b"X: a\0b\r\n\r\n", 400),
    "101 headers": (b"GET / HTTP/1.1\r\n" + H + b"X: y\r\n" * 100 + b"\r\n", 400),
    "very many headers": (b"GET / HTTP/1.1\r\n" + H + b"X: y\r\n" * 30_000 + b"\r\n", 400),
    "long path": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + H + b"\r\n", 400),
    "long header": (b"GET / HTTP/1.1\r\n" + H + b"X: " + b"a" * 9_000 + b"\r\n\r\n", 400),
    "long header name": (b"GET / HTTP/1.1\r\n" + H + b"X" * 9_000 + b": a\r\n\r\n", 400),
    "negative length": (b"PUT / HTTP/1.1\r\n" + H + b"Content-Length: -1\r\n\r\n", 400),
    "length in words": (b"PUT / HTTP/1.1\r\n" + H + b"Content-Length: ten\r\n\r\n", 400),
    "endless length": (b"PUT / HTTP/1.1\r\n" + H + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", 400),
    "two lengths": (b"PUT / HTTP/1.1\r\n" + H + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "underscore in a host": (b"GET / HTTP/1.1\r\nHost: a_b\r\n\r\n", 400),
    "URL of another host": (b"GET http://other:99/ HTTP/1.1\r\n" + H + b"\r\n", 400),
    "chunks in HTTP/1.0": (b"PUT / HTTP/1.0\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "one byte too many": (b"GET / HTTP/1.1\r\n" + H + b"X: " + b"a" * (8193 - 32) + b"\r\n\r\n", 400),
    "unknown expectation": (b"GET / HTTP/1.1\r\n" + H + b"Expect: foo\r\n\r\n", 417),
    "empty expectation": (b"GET / HTTP/1.1\r\n" + H + b"Expect: \r\n\r\n", 417),
    "unknown coding": (b"PUT / HTTP/1.1\r\n" + H + b"Transfer-Encoding: rot13\r\n\r\nabc", 501),
}  # fmt: skip
SAYS_NOTHING = {417, 505}
"""The real server closes after these, but does not say so."""
CHUNKED = b"PUT / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN_BODIES = {
    "size in words": b"ten\r\nx",
    "no size": b"\r\nx\r\n",
    "negative size": b"-2\r\nab\r\n0\r\n\r\n",
    "size of nine digits": b"000000002\r\nab\r\n0\r\n\r\n",
    "blank after the size": b"2 \r\nab\r\n0\r\n\r\n",
    "bare LF": b"2\nab\n0\n\n",
    "longer than said": b"1\r\nabcdef\r\n",
    "endless": b"f" * 40 + b"\r\n",
    "control character in an extension": b"2;\x01\r\nab\r\n0\r\n\r\n",
    "extension that is no ASCII": b"2;\xff\r\nab\r\n0\r\n\r\n",
    "long extension": b"2;a=" + b"b" * 9000 + b"\r\nab\r\n0\r\n\r\n",
    "long extensions together": b"1;" + b"b" * 5000 + b"\r\na\r\n1;" + b"b" * 5000 + b"\r\na\r\n0\r\n\r\n",
    "no trailer": b"0\r\nX T\r\n\r\n",
    "long trailer": b"0\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("data", CORPUS)
def test_malformed_requests(bench: FrontBench, data: str, caplog: pytest.LogCaptureFixture) -> None:
    sent, status = CORPUS[data]
    with caplog.at_level(logging.INFO), bench.peer() as peer:
        peer.send(sent)
        answer = peer.answer()
        assert answer.status == status
        assert answer.header("Connection") == (None if status in SAYS_NOTHING else "close")
        assert answer.header("Content-Type") == "text/html;charset=utf-8"
        assert peer.rest() == b""
        assert f"HTTP Status {status}".encode() in answer.body
    assert bench.seen == []
    assert (bench.bugs, caplog.records) == ([], [])
    assert [event.kind for event in bench.events] == ["malformed"]
    assert bench.events[0].reason
    with bench.peer() as peer:
        assert peer.get().status == 200


@pytest.mark.parametrize("body", BROKEN_BODIES)
def test_malformed_chunks(bench: FrontBench, body: str) -> None:
    """A handler has the request already, so it is not the container that answers."""
    with bench.peer() as peer:
        peer.send(CHUNKED + BROKEN_BODIES[body])
        answer = peer.answer()
        assert (answer.status, answer.body) == (400, b"400 Bad Request\n")
        assert peer.rest() == b""
    assert (bench.seen, bench.bugs) == ([], [])
    assert [event.kind for event in bench.events] == ["malformed"]


def test_a_client_of_http_2_is_left_without_a_word(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert peer.rest() == b""
    assert [event.kind for event in bench.events] == ["malformed"]


def test_head_has_no_body_even_when_it_is_refused(bench: FrontBench) -> None:
    for head in (b"X: " + b"a" * 9000, b"Expect: foo", b"Transfer-Encoding: rot13"):
        with bench.peer() as peer:
            peer.send(b"HEAD / HTTP/1.1\r\n" + H + head + b"\r\n\r\n")
            assert peer.rest().endswith(b"\r\n\r\n")


def test_what_is_odd_and_read_all_the_same(bench: FrontBench) -> None:
    bench.reply = lambda request: Delivery(HttpResponse(200, body=(request.header("X") or "").encode()))
    heads = {
        b"GET / HTTP/1.1\nHost: h\nX: a\n\n": b"a",
        b"GET / HTTP/1.1\r\n" + H + b"X: a\n\r\n": b"a",
        b"GET\t/ \t HTTP/1.1\r\n" + H + b"X:\t a \r\n\r\n": b"a",
        b"\r\n\nGET / HTTP/1.1\r\n" + H + b"X: a\r\n\r\n": b"a",
        b"GET / HTTP/1.1\r\n" + H + b"X: a\r\n \t b\r\n\tc\r\n\r\n": b"a b\tc",
        b"GET / HTTP/1.1\r\n" + H + b"X: " + b"a" * (8192 - 32) + b"\r\n\r\n": b"a" * (8192 - 32),
        b"GET http://u:p@H/ HTTP/1.1\r\n" + H + b"X: a\r\n\r\n": b"a",
    }  # fmt: skip
    with bench.peer() as peer:
        for head, said in heads.items():
            peer.send(head)
            assert peer.answer().body == said, head


def test_chunks_win_over_a_length_and_end_the_connection(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\n") + b"2\r\nab\r\n0\r\n\r\n")
        answer = peer.answer()
        assert (answer.status, answer.header("Connection")) == (200, "close")
        assert peer.rest() == b""
    assert bench.seen[0].body == b"ab"


def test_http_0_9_is_answered_without_a_head(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, (("X", "y"),), b"nothing else"))
    with bench.peer() as peer:
        peer.send(b"GET /old\r\n")
        assert peer.rest() == b"nothing else"
    assert bench.seen[0].target == "/old"


def test_a_body_may_break_in_a_later_packet(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"PUT / HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.until(b"\r\n\r\n")
        peer.send(b"3\r\nabc\r\n")
        peer.send(b"broken")
        assert peer.answer().status == 400
    assert bench.seen == []


def test_a_malformed_request_after_good_ones(bench: FrontBench) -> None:
    with bench.peer() as peer:
        assert peer.get("/1").status == 200
        assert peer.get("/2").status == 200
        peer.send(b"GET \x01 HTTP/1.1\r\n\r\n")
        assert peer.rest().startswith(b"HTTP/1.1 400 ")
    assert [request.target for request in bench.seen] == ["/1", "/2"]


def test_a_body_is_never_taken_for_a_request(bench: FrontBench) -> None:
    """The rest of a body may look like a request that only a second look would read."""
    with bench.peer() as peer:
        peer.send(b"PUT /real HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\nContent-Length: 30\r\n\r\n")
        peer.until(b"\r\n\r\n")
        peer.send(b"BREW /smuggled HTTP/1.1\r\n" + H + b"\r\n" + b"\x01 and what follows it is noise\r\n\r\n")
        assert peer.answer().status == 200
        assert b"HTTP Status 400" in peer.rest()
    assert [request.target for request in bench.seen] == ["/real"]


def mutated(rng: random.Random) -> bytes:
    """A valid request with some of its bytes changed, doubled or left out."""
    data = bytearray(
        b"POST /DEFAULT/controller/v1/dev-1/configData?a=b HTTP/1.1\r\nHost: localhost:8080\r\nAccept: */*\r\n"
        b"Authorization: TargetToken 0123456789abcdef\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{ } \r\n0\r\n\r\n"
    )
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 20)]
            case 2:
                data[at:at] = data[at : at + rng.randint(1, 20)]
            case 3:
                data[at:at] = rng.choice([b"\r\n", b"\0", b" ", b"\xff", b"%", b"\r", b"\n", b":", b"A" * 9000])
    return bytes(data)


def test_mutated_requests_get_an_answer_or_a_closed_connection(bench: FrontBench) -> None:
    rng = random.Random(20)
    bench.reply = lambda request: Delivery(HttpResponse(200, body=request.method.encode()))
    for number in range(400):
        data = mutated(rng)
        with bench.peer() as peer:
            peer.send(data)
            peer.say_no_more()
            answer = peer.rest()
        assert not answer.startswith(b"HTTP/1.1 500"), (number, data)
    assert bench.bugs == []


def test_malformed_requests_leave_nothing_behind(bench: FrontBench) -> None:
    def corpus() -> int:
        for data in [*(data for data, _ in CORPUS.values()), *(CHUNKED + body for body in BROKEN_BODIES.values())]:
            with bench.peer() as peer:
                peer.send(data)
                peer.answer()
        bench.seen.clear()
        bench.events.clear()
        bench.loop.call(lambda: None)
        gc.collect()
        return len(gc.get_objects())

    corpus()
    before = corpus()
    after = [corpus() for _ in range(5)][-1]
    assert after - before < 10 * (len(CORPUS) + len(BROKEN_BODIES)), "objects pile up"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization Basic %b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization : TargetToken %b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: user:%b@h\r\n\r\n",
        b"GET http://user:%b@other/ HTTP/1.1\r\nHost: h\r\n\r\n",
        b"TargetToken: %b\r\n\r\n",
    ],
)
def test_a_reason_shows_no_credential_of_a_malformed_head(bench: FrontBench, head: bytes) -> None:
    with bench.peer() as peer:
        peer.send(head % b"opensesame")
        assert peer.answer().status == 400
    assert "opensesame" not in bench.events[0].reason
    assert len(bench.events[0].reason) > len("no header: ")


@pytest.mark.parametrize("host", [b"[::1]", b"[::]:", b"[1:2:3:4:5:6:7::]", b"[::ffff:1.2.3.4]:80"])
def test_an_address_of_version_6_is_a_host(bench: FrontBench, host: bytes) -> None:
    with bench.peer() as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert peer.answer().status == 200


def test_a_client_that_is_gone_before_its_goodbye_is_no_failure(bench: FrontBench) -> None:
    """It reset the connection between the answer and the end of our half, as one does that speaks something else."""
    peer = bench.peer()
    peer.get()

    def reset_and_end() -> None:
        [connection] = bench.front._connections.open.values()
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.socket.close()
        connection.end()
        assert connection.transport.is_closing()

    bench.loop.call(reset_and_end)
