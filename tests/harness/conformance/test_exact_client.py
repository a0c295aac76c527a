"""What the exact client sends, byte for byte, and the one sentence it has for servers that do not answer."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.servers.trust import verify_with
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.conformance.raw_server import Talk, always, answer, raw_server, requests

QUICKLY_S = 0.3
"""For answers that never become whole."""


@contextlib.contextmanager
def client_of(talk: Talk, within_s: float = 30.0) -> Iterator[ExactClient]:
    with raw_server(talk) as url, contextlib.closing(ExactClient(url, within_s=within_s)) as client:
        yield client


def broken(talk: Talk, within_s: float = 30.0) -> str:
    """The sentence about this server."""
    with client_of(talk, within_s) as client, pytest.raises(BrokenBench) as error:
        client.call("GET", "/x")
    return str(error.value).replace(client.url, "URL")


def heard(method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> bytes:
    """What arrives at a server for one call, up to its end."""
    came: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        data = b""
        while not data.endswith(b"\r\n\r\n" + (body or b"")):
            data += connection.recv(1)
        came.append(data)
        connection.sendall(answer(200))

    with client_of(talk) as client:
        client.call(method, path, headers, body)
        return came[0].replace(client.netloc.encode(), b"HOST")


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    assert heard("GET", "/a") == b"GET /a HTTP/1.1\r\nHost: HOST\r\n\r\n"
    sent = heard("PUT", "/a", {"X-Odd": "1", "x-odd": "2"}, b"{}")
    assert sent == b"PUT /a HTTP/1.1\r\nHost: HOST\r\nX-Odd: 1\r\nx-odd: 2\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    "path", ["/a//b", "/a/../b", "/a/./b", "/%2e%2E/x", "/a;b=1", "/%7Ex/%zz", "/x?q=name==a*;b=='c'", "/a%20b", "*"]
)
def test_paths_go_out_as_they_are(path: str) -> None:
    assert heard("GET", path).split(b"\r\n")[0] == f"GET {path} HTTP/1.1".encode()


def test_headers_that_are_given_take_the_place_of_our_own() -> None:
    assert heard("GET", "/a", {"Host": "elsewhere"}) == b"GET /a HTTP/1.1\r\nHost: elsewhere\r\n\r\n"
    sent = heard("POST", "/a", {"Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n")
    assert b"Content-Length" not in sent


def test_the_path_of_a_proxy_comes_before_every_path() -> None:
    with raw_server(echo) as url, contextlib.closing(ExactClient(f"{url}/hawkbit/")) as client:
        assert client.call("GET", "/rest").text == "GET /hawkbit/rest"


def echo(connection: socket.socket) -> None:
    for request in requests(connection):
        connection.sendall(answer(200, f"{request.method} {request.path}", "text/plain"))


def test_an_answer_is_kept_as_it_came() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-a: 1\r\nx-A: 2\r\nLocation: /else\r\nContent-Length: 4\r\n\r\n\xff\xfe{}"
    with client_of(always(raw)) as client:
        got = client.call("GET", "/x")
    assert got.headers == (("X-a", "1"), ("x-A", "2"), ("Location", "/else"), ("Content-Length", "4"))
    assert (got.header("X-A"), got.header("nothing"), got.request) == ("1", None, "GET /x")
    assert got.text == "��{}"
    with pytest.raises(Mismatch, match="GET /x: a JSON body"):
        got.json()


def test_redirects_are_not_followed() -> None:
    with client_of(always(answer(302, Location="http://127.0.0.1:1/"))) as client:
        assert client.call("GET", "/x").status == 302


def test_a_connection_is_kept_and_one_that_the_server_closed_is_opened_anew() -> None:
    connections: list[int] = []

    def two_answers(connection: socket.socket) -> None:
        connections.append(0)
        for _, _ in zip(range(2), requests(connection), strict=False):
            connections[-1] += 1
            connection.sendall(answer(200))

    with client_of(two_answers) as client:
        assert [client.call("GET", "/x").status for _ in range(5)] == [200] * 5
    assert connections == [2, 2, 1]


def test_an_answer_without_length_ends_with_its_connection() -> None:
    def talk(connection: socket.socket) -> None:
        next(requests(connection))
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nall of it")

    with client_of(talk) as client:
        assert [client.call("GET", "/x").text for _ in range(2)] == ["all of it"] * 2


def test_nobody_listens(free_port: int) -> None:
    said = f"^nobody listens at http://127.0.0.1:{free_port}: start the server, or check"
    with pytest.raises(BrokenBench, match=said):
        ExactClient(f"http://127.0.0.1:{free_port}").call("GET", "/x")


def test_closed_at_once() -> None:
    assert broken(lambda _: None) == "URL closed the connection without an answer to GET /x"


def test_closed_in_the_middle() -> None:
    def half(connection: socket.socket) -> None:
        next(requests(connection))
        connection.sendall(answer(200, "x" * 100)[:-50])

    assert broken(half) == "URL broke off in the middle of its answer to GET /x"


def test_closed_in_the_middle_of_a_chunk() -> None:
    def half(connection: socket.socket) -> None:
        next(requests(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf")

    assert broken(half) == "URL broke off in the middle of its answer to GET /x"


def test_no_http() -> None:
    assert broken(lambda connection: connection.sendall(b"220 mail ready\r\n")) == (
        "URL does not answer in HTTP: is it https, not http?"
    )


def test_silence() -> None:
    def silent(connection: socket.socket) -> None:
        for _ in requests(connection):
            pass

    assert broken(silent, QUICKLY_S) == "URL gave no whole answer to GET /x within 0.3 s"


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"])
def test_a_drip_in_head_or_body_is_no_answer(start: bytes) -> None:
    """Each byte comes well within the limit, so that only a limit for the whole finds it."""
    enough = threading.Event()

    def drip(connection: socket.socket) -> None:
        next(requests(connection))
        connection.sendall(start)
        while not enough.wait(QUICKLY_S / 10):
            connection.sendall(b"x")

    try:
        assert broken(drip, QUICKLY_S) == "URL gave no whole answer to GET /x within 0.3 s"
    finally:
        enough.set()


@pytest.mark.slow
def test_a_slow_answer_does_not_shorten_the_time_of_the_next() -> None:
    """The limit counts anew for each answer of one connection."""
    pause = threading.Event()

    def slow(connection: socket.socket) -> None:
        for _ in requests(connection):
            pause.wait(0.26)
            connection.sendall(answer(200))

    with client_of(slow, within_s=1.5) as client:
        assert [client.call("GET", "/x").status for _ in range(6)] == [200] * 6


def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next_one() -> None:
    """Ctrl-C while a request is under way, and then the requests that clean up."""
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(connection: socket.socket) -> None:
        for request in requests(connection):
            if request.path == "/first":
                signal.pthread_kill(main, signal.SIGINT)
            else:
                connection.sendall(answer(200, request.path, "text/plain"))

    with client_of(interrupt) as client:
        with pytest.raises(KeyboardInterrupt):
            client.call("GET", "/first")
        assert client.call("GET", "/second").text == "/second"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def https(authority: trustme.CA) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with raw_server(always(answer(200, {"ok": True})), context) as url:
        yield url


def call_over(url: str, verify: ssl.SSLContext | None) -> Answer:
    with contextlib.closing(ExactClient(url, verify)) as client:
        return client.call("GET", "/x")


def test_a_private_authority_is_trusted_when_given(https: str, authority: trustme.CA) -> None:
    with authority.cert_pem.tempfile() as pem:
        trusting = ssl.create_default_context(cafile=pem)
    assert call_over(https, trusting).json() == {"ok": True}


def test_a_certificate_of_an_unknown_authority_is_refused(https: str) -> None:
    with pytest.raises(BrokenBench, match=r"is not trusted \(.*\): give its CA with --ca, or say --insecure$"):
        call_over(https, None)


def test_insecure_takes_any_certificate(https: str) -> None:
    anything = verify_with(None, insecure=True)
    assert isinstance(anything, ssl.SSLContext)
    assert call_over(https, anything).status == 200


def test_a_certificate_for_another_host_is_refused(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    with authority.cert_pem.tempfile() as pem:
        trusting = ssl.create_default_context(cafile=pem)
    with raw_server(always(answer(200)), context) as url, pytest.raises(BrokenBench, match="is not trusted"):
        call_over(url, trusting)


def test_https_where_http_is_spoken(authority: trustme.CA) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(answer(400))

    with raw_server(refuse) as url, pytest.raises(BrokenBench, match="is it http, not https"):
        call_over(url.replace("http:", "https:"), None)
