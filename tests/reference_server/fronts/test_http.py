"""What goes over the wire, byte by byte: requests as the platform sees them, answers as the client sees them."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.simulator.contract.bodies import body_blocks
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.http import Body, FileSlice, HttpRequest, HttpResponse, Repeated
from tests.reference_server.fronts.conftest import DATE, FrontBench
from tests.reference_server.fronts.peer import Peer

MIB = 1024 * 1024


def echo_body(request: HttpRequest) -> Delivery:
    """The hash and the form of the body, read as the platforms read it."""
    digest = hashlib.sha256()
    for block in body_blocks(request.body):
        digest.update(block)
    return Delivery(HttpResponse(200, body=f"{type(request.body).__name__} {digest.hexdigest()}".encode()))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    "target",
    [
        "/", "//", "/a//b/../c/./d", "/%2e%2E/%2f%5c%00%FF", "/a;v=1", "/a\\b", "/a+b%20c", "/?", "/a?b=c?d&e#f",
        "/\"<>[]^`{|}", "/a%zz", "/" + "x" * 8000,
    ],
)  # fmt: skip
def test_a_path_arrives_as_it_was_sent(bench: FrontBench, target: str) -> None:
    with bench.peer() as peer:
        assert peer.get(target).status == 200
    assert bench.seen[0].target == target


def test_bytes_that_no_url_may_hold_arrive_too(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"GET /\xc3\xa4\xff HTTP/1.1\r\nHost: h\r\n\r\n")
        assert peer.answer().status == 200
    assert bench.seen[0].target.encode("utf-8", "surrogateescape") == b"/\xc3\xa4\xff"


def test_the_envelope_is_the_request_and_the_session_the_connection(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(
            b"PUT /x?y HTTP/1.1\r\nHost: fleet.example:81\r\ncharsets: utf-8\r\nchArsets:utf-8\r\nX-Odd:  a\xe4 \r\n"
            b"Content-Length: 4\r\n\r\nbody"
        )
        assert peer.answer().status == 200
        own_port = peer.socket.getsockname()[1]
    headers = (
        ("Host", "fleet.example:81"), ("charsets", "utf-8"), ("chArsets", "utf-8"), ("X-Odd", "aä"),
        ("Content-Length", "4"),
    )  # fmt: skip
    assert bench.seen == [HttpRequest("PUT", "http://fleet.example:81", "/x?y", headers, b"body")]
    assert (bench.sessions[0].peer, bench.sessions[0].local_port) == ("127.0.0.1", bench.port)
    assert own_port != bench.port


@pytest.mark.parametrize(
    ("request_line", "host", "origin"),
    [
        ("GET / HTTP/1.0", "", "http://localhost:{port}"),
        ("GET / HTTP/1.1", "Host:\r\n", "http://localhost:{port}"),
        ("GET / HTTP/1.1", "Host: h\r\n", "http://h"),
        ("GET / HTTP/1.1", "Host: [::1]:8080\r\n", "http://[::1]:8080"),
        ("GET http://h:99/ HTTP/1.1", "Host: h:99\r\n", "http://h:99"),
        ("GET https://h/ HTTP/1.1", "Host: h\r\n", "http://h"),
        ("GET http://other:99/ HTTP/1.0", "Host: h\r\n", "http://other:99"),
    ],
)
def test_the_origin_is_what_links_are_made_from(bench: FrontBench, request_line: str, host: str, origin: str) -> None:
    with bench.peer() as peer:
        peer.send(f"{request_line}\r\n{host}\r\n".encode())
        assert peer.answer().status == 200
    assert (bench.seen[0].origin, bench.seen[0].target) == (origin.format(port=bench.port), "/")


def test_an_answer_has_the_platforms_headers_and_what_http_needs(bench: FrontBench) -> None:
    bench.answers(HttpResponse(201, (("X-One", "1"), ("ETag", '"0a"'), ("X-One", "2")), b"made"))
    with bench.peer() as peer:
        peer.send(b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert peer.rest() == (
            b'HTTP/1.1 201 Created\r\nX-One: 1\r\nETag: "0a"\r\nX-One: 2\r\nContent-Length: 4\r\n' + DATE
            + b"\r\nConnection: close\r\n\r\nmade"
        )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (200, (), b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"),
        (204, (), b"", b"HTTP/1.1 204 No Content\r\n"),
        (304, (("ETag", "x"),), b"", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n"),
        (299, (), b"", b"HTTP/1.1 299 \r\nContent-Length: 0\r\n"),
        (200, (("content-length", "77"), ("Date", "never"), ("Transfer-Encoding", "chunked")), b"x",
         b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"),
        (200, (("X-Name", "a\r\nSet-Cookie: b\0"),), b"",
         b"HTTP/1.1 200 OK\r\nX-Name: a  Set-Cookie: b \r\nContent-Length: 0\r\n"),
        (200, (("X-Name", "ä €"),), b"", b"HTTP/1.1 200 OK\r\nX-Name: \xe4 ?\r\nContent-Length: 0\r\n"),
    ],
)  # fmt: skip
def test_the_head_of_an_answer(
    bench: FrontBench, status: int, headers: tuple[tuple[str, str], ...], body: bytes, expected: bytes
) -> None:
    bench.answers(HttpResponse(status, headers, body))
    with bench.peer() as peer:
        assert peer.get().head == expected + DATE + b"\r\n\r\n"
        assert peer.get().body == body


def test_head_has_the_length_and_no_body(bench: FrontBench, image: Path) -> None:
    replies = iter(
        [HttpResponse(200, body=b"12345"), HttpResponse(200, (("Content-Length", "99"),)),
         HttpResponse(200, body=FileSlice(str(image), 0, 1000)), HttpResponse(200, body=b"end")]
    )  # fmt: skip
    bench.reply = lambda request: Delivery(next(replies))
    with bench.peer() as peer:
        for length in ("5", "99", "1000"):
            peer.send(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert peer.answer("HEAD").header("Content-Length") == length
        assert peer.get().body == b"end"


def test_the_method_is_whatever_the_client_says(bench: FrontBench) -> None:
    for method in ("TRACE", "PATCH", "PROPFIND", "BREW", "get"):
        with bench.peer() as peer:
            peer.send(f"{method} /a HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            assert peer.answer().status == 200
    assert [request.method for request in bench.seen] == ["TRACE", "PATCH", "PROPFIND", "BREW", "get"]
    assert {request.target for request in bench.seen} == {"/a"}


def test_an_unknown_method_after_a_body(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
        assert peer.answer().status == 200
        peer.send(b"BREW /2 HTTP/1.1\r\nHost: h\r\n\r\n")
        assert peer.answer().status == 200
    assert [(request.method, request.target) for request in bench.seen] == [("PUT", "/1"), ("BREW", "/2")]


def test_a_header_given_twice_is_tolerated_where_it_does_not_frame(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(
            b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Type: a/c\r\nContent-Length: 2\r\n\r\nhi"
        )
        answer = peer.answer()
    assert (answer.status, answer.header("Connection")) == (200, None)
    assert (bench.seen[0].header("Content-Type"), bench.seen[0].body) == ("a/b", b"hi")


def test_a_thousand_requests_on_one_connection(bench: FrontBench) -> None:
    bench.reply = lambda request: Delivery(HttpResponse(200, body=request.target.encode()))
    with bench.peer() as peer:
        assert all(peer.get(f"/{n}").body == f"/{n}".encode() for n in range(1000))


def test_pipelined_requests_are_answered_in_order(bench: FrontBench) -> None:
    bench.reply = lambda request: Delivery(HttpResponse(200, body=request.target.encode()))
    with bench.peer() as peer:
        peer.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(200)))
        assert [peer.answer().body for _ in range(200)] == [b"/%d" % n for n in range(200)]


def test_a_request_may_come_byte_by_byte(bench: FrontBench) -> None:
    with bench.peer() as peer:
        for byte in b"PUT /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc":
            peer.send(bytes([byte]))
        assert peer.answer().status == 200
    assert (bench.seen[0].target, bench.seen[0].body) == ("/slow", b"abc")


def test_a_client_may_close_its_sending_half_and_still_get_its_answers(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
        peer.say_no_more()
        assert peer.rest().count(b"HTTP/1.1 200 OK") == 2


def test_a_client_that_closes_its_sending_half_late_gets_the_rest_of_its_answer(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, body=Repeated(bytes(MIB), 0, 40 * MIB)))
    with bench.peer() as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        peer.until(b"\r\n\r\n")
        peer.say_no_more()
        came = len(peer._read)
        while data := peer.socket.recv(MIB):
            came += len(data)
        assert came == 40 * MIB


def test_who_does_not_read_answers_is_not_answered_on(bench: FrontBench) -> None:
    bench.reply = lambda request: Delivery(HttpResponse(200, body=bytes(MIB) if request.target == "/large" else b""))
    with bench.peer() as greedy:
        greedy.send(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n" * 40)
        with bench.peer() as other:
            assert [other.get().status for _ in range(100)] == [200] * 100
        assert sum(request.target == "/large" for request in bench.seen) < 30
        assert [len(greedy.answer().body) for _ in range(40)] == [MIB] * 40


@pytest.mark.parametrize(
    ("version", "connection", "lives"),
    [("1.1", "", True), ("1.1", "close", False), ("1.0", "", False), ("1.0", "keep-alive", True)],
)
def test_who_keeps_the_connection(bench: FrontBench, version: str, connection: str, lives: bool) -> None:
    header = f"Connection: {connection}\r\n" if connection else ""
    with bench.peer() as peer:
        peer.send(f"GET / HTTP/{version}\r\nHost: h\r\n{header}\r\n".encode())
        said = peer.answer().header("Connection")
        if lives:
            assert peer.get().status == 200
        else:
            assert peer.rest() == b""
    assert said == {True: {"1.1": None, "1.0": "keep-alive"}[version], False: "close"}[lives]


@pytest.mark.parametrize(("status", "lives"), [(400, False), (401, True), (404, True), (429, True), (503, True)])
def test_a_400_closes_the_connection_and_the_others_do_not(bench: FrontBench, status: int, lives: bool) -> None:
    bench.answers(HttpResponse(status))
    with bench.peer() as peer:
        answer = peer.get()
        assert (answer.status, answer.header("Connection")) == (status, None if lives else "close")
        if lives:
            assert peer.get().status == status
        else:
            assert peer.rest() == b""


def test_chunked_bodies(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        peer.send(b"a;x=y\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n")
        assert peer.answer().status == 200
        assert peer.get().status == 200
    assert bench.seen[0].body == b"abc0123456789"


def test_a_compressed_body_is_left_as_it_is(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x00")
        assert peer.answer().status == 200
    assert bench.seen[0].body == b"\x1f\x8b\x00"


def test_100_continue_comes_before_the_body_is_sent(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n")
        assert peer.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.send(b"abc")
        assert peer.answer().status == 200
    assert bench.seen[0].body == b"abc"


def test_an_unknown_expectation_fails(bench: FrontBench) -> None:
    with bench.peer() as peer:
        peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: miracles\r\n\r\nabc")
        assert peer.rest().startswith(b"HTTP/1.1 417 ")
    assert bench.seen == []


def test_an_upgrade_is_declined_by_answering(bench: FrontBench) -> None:
    for wanted in (b"h2c", b"websocket"):
        with bench.peer() as peer:
            peer.send(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: " + wanted + b"\r\n\r\n")
            assert peer.answer().status == 200
            assert peer.get("/next").status == 200


def test_bodies_out_of_files(bench: FrontBench, image: Path) -> None:
    whole = image.read_bytes()
    bodies: dict[str, Body] = {
        "/whole": FileSlice(str(image), 0, len(whole)),
        "/small": FileSlice(str(image), 10, 100),
        "/range": FileSlice(str(image), 1_000_001, 1_500_000),
        "/parts": (b"--a\r\n", FileSlice(str(image), 5, 7), b"\r\n--a--", FileSlice(str(image), 0, 200_000)),
    }
    bench.reply = lambda request: Delivery(HttpResponse(206, body=bodies[request.target]))
    with bench.peer() as peer:
        assert peer.get("/whole").body == whole
        assert peer.get("/small").body == whole[10:110]
        assert peer.get("/range").body == whole[1_000_001:2_500_001]
        assert peer.get("/parts").body == b"--a\r\n" + whole[5:12] + b"\r\n--a--" + whole[:200_000]


def test_a_file_shorter_than_promised_ends_the_connection(bench: FrontBench, image: Path) -> None:
    for length in (4_000_000, 10):
        bench.answers(HttpResponse(200, body=FileSlice(str(image), 2_999_995, length)))
        with bench.peer() as peer:
            peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert len(peer.rest().partition(b"\r\n\r\n")[2]) <= 5
    assert [type(bug).__name__ for bug in bench.bugs] == ["ShortFile", "ShortFile"]


def test_a_large_upload_goes_to_a_file_and_leaves_none(bench: FrontBench) -> None:
    bench.reply = echo_body
    body = os.urandom(300_000)
    files_before = open_files()
    with bench.peer() as peer:
        for n in (0, 1, 65_536, 65_537, 300_000):
            peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % n + body[:n])
            form = "bytes" if n <= 65_536 else "FileSlice"
            assert peer.answer().body == f"{form} {hashlib.sha256(body[:n]).hexdigest()}".encode()
    bench.loop.run(bench.front.close())
    assert open_files() <= files_before


def test_an_upload_takes_no_memory(bench: FrontBench) -> None:
    bench.reply = lambda request: Delivery(HttpResponse(200, body=b"%d" % len(request.body)))
    bench.keeps_requests = False
    block = bytes(MIB)
    with bench.peer() as peer:
        peer.get()
        tracemalloc.start()
        try:
            peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data\r\nContent-Length: %d\r\n\r\n"
                      % (64 * MIB))  # fmt: skip
            for _ in range(64):
                peer.send(block)
            assert peer.answer().body == b"%d" % (64 * MIB)
            assert tracemalloc.get_traced_memory()[1] < 8 * MIB
        finally:
            tracemalloc.stop()


def send_in_parts(peer: Peer, data: bytes) -> None:
    """Until the server will have no more of it."""
    try:
        for start in range(0, len(data), 4096):
            peer.send(data[start : start + 4096])
    except (BrokenPipeError, ConnectionResetError):
        pass


@pytest.mark.parametrize(
    ("content_type", "framing", "status"),
    [
        ("application/json", "Content-Length: 1001", 413),
        ("application/json", "Content-Length: 1000", 200),
        ("multipart/form-data", "Content-Length: 2000", 200),
        ("multipart/form-data", "Content-Length: 2001", 413),
        ("text/plain", "Transfer-Encoding: chunked", 413),
    ],
)
def test_bodies_have_limits(
    start_front: Callable[..., FrontBench], content_type: str, framing: str, status: int
) -> None:
    bench = start_front(HttpContainerRules(upload_bytes=2000), body_bytes=1000)
    length = int(framing.partition(": ")[2]) if "Length" in framing else 1500
    chunk = b"x" * length if "Length" in framing else b"%x\r\n%b\r\n0\r\n\r\n" % (length, b"x" * length)
    with bench.peer() as peer:
        peer.send(f"PUT / HTTP/1.1\r\nHost: h\r\nContent-Type: {content_type}\r\n{framing}\r\n\r\n".encode())
        send_in_parts(peer, chunk)
        assert peer.answer().status == status
    assert len(bench.seen) == (status == 200)


def test_a_body_that_is_too_large_is_not_even_asked_for(start_front: Callable[..., FrontBench]) -> None:
    bench = start_front(body_bytes=1000)
    with bench.peer() as peer:
        peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
        assert peer.until(b"\r\n").startswith(b"HTTP/1.1 413 ")


def test_a_body_that_stops_coming_is_given_up(start_front: Callable[..., FrontBench]) -> None:
    bench = start_front(idle_s=0.05)
    with bench.peer() as peer:
        peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")
        assert peer.answer().status == 408
    assert bench.seen == []


def test_a_bug_of_ours_is_a_500_and_the_server_lives_on(bench: FrontBench) -> None:
    def broken(request: HttpRequest) -> Delivery:
        raise LookupError("ours")

    bench.reply = broken
    with bench.peer() as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert peer.rest().startswith(b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain")
    bench.answers(HttpResponse(200))
    with bench.peer() as peer:
        assert peer.get().status == 200
    assert [str(bug) for bug in bench.bugs] == ["ours"]


def test_a_client_that_leaves_in_mid_body_is_forgotten(bench: FrontBench) -> None:
    for _ in range(3):
        with bench.peer() as peer:
            peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")
            peer.say_no_more()
            assert peer.rest() == b""
    assert (bench.seen, bench.bugs, bench.events) == ([], [], [])


def test_a_client_that_leaves_in_mid_download_is_no_bug(bench: FrontBench, image: Path) -> None:
    part = FileSlice(str(image), 0, 3_000_000)
    bench.answers(HttpResponse(200, body=(part,) * 20))
    for reads in (0, 1_000_000):
        with bench.peer() as peer:
            peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            peer.until(b"\r\n\r\n")
            while len(peer._read) < reads:
                peer._more()
    bench.answers(HttpResponse(200))
    with bench.peer() as peer:
        assert peer.get().status == 200
    bench.loop.run(bench.front.close())
    assert bench.bugs == []
