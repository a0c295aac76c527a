"""Who is refused is answered before the body comes; what happens to that body, as a real server does it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.settings import DosFilter, Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import PlatformOptions, ServerOptions
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest
from tests.reference_server.fronts.conftest import CONTAINER, FrontBench, Loop, Noon
from tests.reference_server.fronts.peer import Peer
from tests.reference_server.fronts.test_hawkbit_on_the_wire import ADMIN

JSON = "Content-Type: application/json\r\n"
FEEDBACK = "/DEFAULT/controller/v1/dev-1/deploymentBase/1/feedback"
FORM = "Content-Type: multipart/form-data; boundary=b\r\n"
MIB = 1024 * 1024


def running(loop: Loop, settings: Settings) -> Iterator[ReferenceServer]:
    hawkbit = PlatformOptions("hawkbit", partial(HawkbitPlatform, settings=settings))
    server = ReferenceServer(ServerOptions((hawkbit,)), clock=Noon())
    loop.run(server.__aenter__())
    yield server
    loop.run(server.stop())
    assert server.bugs == []


@pytest.fixture
def port(loop: Loop) -> Iterator[int]:
    for server in running(loop, Settings()):
        yield server.addresses["hawkbit"]["http"].port


@pytest.fixture
def limited_port(loop: Loop) -> Iterator[int]:
    for server in running(loop, Settings(dos=DosFilter(enabled=True, max_write=1, whitelist=""))):
        yield server.addresses["hawkbit"]["http"].port


def head(method: str, path: str, headers: str = "", *, admin: bool = True) -> bytes:
    credentials = f"Authorization: {ADMIN}\r\n" if admin else ""
    return f"{method} {path} HTTP/1.1\r\nHost: h\r\n{credentials}{headers}\r\n".encode()


@pytest.mark.parametrize(
    ("method", "path", "headers", "admin", "status"),
    [
        ("POST", "/rest/v1/targets", JSON, False, 401),
        ("POST", FEEDBACK, JSON, False, 401),
        ("POST", "/rest/v1/softwaremodules/1/artifacts", FORM, False, 401),
        ("POST", "/nope", JSON, False, 404),
        ("POST", "/rest/v1/nope", JSON, True, 404),
        ("POST", "/rest/v1/targets/x/attributes", JSON, True, 405),
        ("POST", "/rest/v1/targets", "Content-Type: text/plain\r\n", True, 415),
        ("POST", "/rest/v1/targets", JSON + "Accept: text/plain\r\n", True, 406),
        ("POST", "/rest//v1/targets", JSON, True, 400),
        ("PUT", "/rest/v1/distributionsets/x", JSON, True, 400),
        ("GET", "/rest/v1/targets", "", True, 200),
    ],
)  # fmt: skip
@pytest.mark.parametrize("framing", ["Content-Length: 2000\r\n", "Transfer-Encoding: chunked\r\n"])
def test_the_answer_does_not_wait_for_a_body_that_nobody_reads(
    port: int, method: str, path: str, headers: str, admin: bool, status: int, framing: str
) -> None:
    with Peer(port) as peer:
        peer.send(head(method, path, headers + framing, admin=admin))
        answer = peer.answer()
        assert answer.status == status
        if status != 400:
            assert answer.header("Connection") is None
            peer.send(b"x" * 2000 if "Length" in framing else b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n")
            peer.send(head("GET", "/rest/v1/system/configs/pollingTime"))
            assert peer.answer().status == 200


def test_a_request_that_waits_for_its_body_counts_once_against_the_limit(limited_port: int) -> None:
    """Two more than the limit pass, as for requests whose body came with them."""
    statuses = []
    for _ in range(4):
        with Peer(limited_port) as peer:
            peer.send(head("POST", "/rest/v1/targets", JSON + "Expect: 100-continue\r\nContent-Length: 2\r\n"))
            peer.until(b"100 Continue\r\n\r\n")
            peer.send(b"[]")
            statuses.append(peer.answer().status)
    assert statuses == [201, 201, 201, 429]


def test_a_small_unread_body_is_swallowed_and_a_large_one_ends_the_connection(port: int) -> None:
    with Peer(port) as peer:
        for length in (1, MIB, 2 * MIB):
            peer.send(head("POST", "/rest/v1/targets", f"Content-Length: {length}\r\n", admin=False))
            assert peer.answer().header("Connection") is None
            peer.send(b"x" * length)
        peer.send(head("POST", "/rest/v1/targets", f"Content-Length: {2 * MIB + 1}\r\n", admin=False))
        assert peer.answer().header("Connection") == "close"


def test_a_client_that_waits_for_100_continue_and_is_refused_sends_nothing_more(port: int) -> None:
    with Peer(port) as peer:
        peer.send(head("POST", "/rest/v1/targets", "Expect: 100-continue\r\nContent-Length: 9\r\n", admin=False))
        assert peer.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        answer = peer.answer()
        assert (answer.status, answer.header("Connection")) == (401, "close")
        assert peer.rest() == b""


@pytest.mark.parametrize(
    ("accept", "body"),
    [
        ("", {"timestamp": "2026-01-01T12:00:00.000Z", "status": 400, "error": "Bad Request"}),
        ("Accept: application/cbor\r\n", None),
    ],
)
def test_a_broken_chunk_gets_the_words_of_the_framework(port: int, accept: str, body: object) -> None:
    path = FEEDBACK if accept else "/rest/v1/targets"
    with Peer(port) as peer:
        peer.send(head("POST", path, f"{JSON}{accept}Transfer-Encoding: chunked\r\n") + b"zz\r\n[]\r\n0\r\n\r\n")
        answer = peer.answer()
        if body is None:  # no device token: refused before its chunks are looked at
            assert (answer.status, answer.header("Connection")) == (401, None)
        else:
            assert (answer.status, json.loads(answer.body)) == (400, body)
            assert answer.header("Content-Type") == "application/json"
            assert (answer.header("Connection"), answer.header("X-Frame-Options")) == ("close", None)
        assert peer.rest() == b""


def test_what_the_container_answers_by_itself(port: int) -> None:
    with Peer(port) as peer:
        peer.send(b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = peer.answer()
        assert (answer.status, answer.header("Allow")) == (200, "GET, HEAD, POST, PUT, DELETE, OPTIONS")
        peer.send(b"CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n")
        answer = peer.answer()
        assert (answer.status, answer.header("Connection")) == (501, "close")
        assert b"HTTP Status 501" in answer.body
        assert peer.rest() == b""


def test_who_asks_to_keep_the_connection_is_told_for_how_long(port: int) -> None:
    with Peer(port) as peer:
        peer.send(head("GET", "/rest/v1/targets", "Connection: keep-alive\r\n"))
        answer = peer.answer()
        assert (answer.header("Connection"), answer.header("Keep-Alive")) == ("keep-alive", "timeout=60")


def test_a_large_body_is_read_beside_the_loop(start_front: Callable[..., FrontBench]) -> None:
    threads = []

    def prepared(_: HttpRequest) -> bytes:
        threads.append(threading.current_thread())
        return b"prepared"

    bench = start_front(replace(CONTAINER, prepared_body=prepared))
    with bench.peer() as peer:
        for length in (32 * 1024, 32 * 1024 + 1):
            peer.send(head("PUT", "/", f"Content-Length: {length}\r\n") + b"x" * length)
            assert peer.answer().status == 200
    assert [body_bytes(request.body)[:9] for request in bench.seen] == [b"xxxxxxxxx", b"prepared"]
    assert len(threads) == 1
    assert threads[0] is not bench.loop.thread


def test_a_body_that_comes_late_is_read_by_every_route_that_changes_something(port: int) -> None:
    """Some handlers read a body that the table of routes does not name."""
    with Peer(port) as peer:
        for method, path in (
            ("DELETE", "/rest/v1/distributionsettags/9/assigned"),
            ("DELETE", "/rest/v1/actions"),
            ("DELETE", "/rest/v1/targets/x/actions"),
        ):
            peer.send(head(method, path, JSON + "Expect: 100-continue\r\nContent-Length: 3\r\n"))
            peer.until(b"100 Continue\r\n\r\n")
            peer.send(b"[9]")
            answer = peer.answer()
            assert b"rest.body.notReadable" not in answer.body
            assert answer.status in (204, 404), answer
