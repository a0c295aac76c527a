"""hawkBit through the front: the rows of its fact sheet that only show on a socket."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import PlatformOptions, ServerOptions
from tests.golden.replay import read_rows
from tests.reference_server.fronts.conftest import Loop, Noon
from tests.reference_server.fronts.peer import Answer, Peer
from tests.reference_server.fronts.test_malformed import mutated

pytestmark = pytest.mark.slow

ADMIN = "Basic " + base64.b64encode(b"admin:admin").decode()
RECORDINGS = Path(__file__).parents[2] / "golden" / "hawkbit" / "extra.jsonl"


@pytest.fixture
def server(loop: Loop) -> Iterator[ReferenceServer]:
    """A fresh server whose clock stands still."""
    hawkbit = PlatformOptions("hawkbit", partial(HawkbitPlatform, settings=Settings()))
    server = ReferenceServer(ServerOptions((hawkbit,)), clock=Noon())
    loop.run(server.__aenter__())
    yield server
    loop.run(server.stop())
    assert server.bugs == []


@pytest.fixture
def port(server: ReferenceServer) -> int:
    return server.addresses["hawkbit"]["http"].port


@pytest.fixture
def gateway(port: int) -> str:
    """The Authorization of all devices of the tenant."""
    keys = {"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": "gw"}
    assert mgmt(port, "PUT", "/rest/v1/system/configs", keys).status == 204
    return "GatewayToken gw"


def mgmt(port: int, method: str, path: str, body: object) -> Answer:
    text = json.dumps(body).encode()
    with Peer(port) as peer:
        peer.send(
            f"{method} {path} HTTP/1.1\r\nHost: h\r\nAuthorization: {ADMIN}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n".encode()
            + text
        )
        return peer.answer(method)


def test_s122_odd_paths_are_answered_as_recorded(port: int, gateway: str) -> None:
    rows = [exchange for exchange in read_rows(RECORDINGS)["S122"] if exchange.request["method"] == "GET"]
    assert len(rows) > 30
    for exchange in rows:
        path = exchange.request["path"].replace("${run}", "run")
        authorization = {"${basic.admin}": ADMIN, None: ""}.get(
            exchange.request.get("headers", {}).get("Authorization"), gateway
        )
        with Peer(port) as peer:
            peer.send(f"GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: {authorization}\r\n\r\n".encode())
            answer = peer.answer()
        expected = exchange.response
        assert answer.status == expected["status"], path
        assert answer.header("Content-Type") == expected["headers"]["Content-Type"], path
        assert (answer.header("Connection") == "close") == (answer.status == 400), path


@pytest.mark.parametrize("path", ["a<b", "a>b", 'a"b', "a|b", "a{b", "a^b", "a`b", "\xe4", "a%zz"])
def test_s122_bytes_that_no_url_may_hold_get_the_containers_page(port: int, gateway: str, path: str) -> None:
    with Peer(port) as peer:
        head = f"GET /DEFAULT/controller/v1/{path} HTTP/1.1\r\nHost: h\r\nAuthorization: {gateway}\r\n\r\n"
        peer.send(head.encode("latin-1"))
        answer = peer.answer()
    assert (answer.status, answer.header("Content-Type")) == (400, "text/html;charset=utf-8")


def test_s136_chunked_and_expected_bodies(port: int, gateway: str) -> None:
    head = (
        "PUT /DEFAULT/controller/v1/dev-1/configData HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        f"Authorization: {gateway}\r\n"
    ).encode()
    body = b'{"mode":"merge","data":{"a":"b"}}'
    with Peer(port) as peer:
        peer.send(f"GET /DEFAULT/controller/v1/dev-1 HTTP/1.1\r\nHost: h\r\nAuthorization: {gateway}\r\n\r\n".encode())
        assert peer.answer().status == 200
        peer.send(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        assert peer.answer().status == 200
        peer.send(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert peer.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        peer.send(body)
        assert peer.answer().status == 200
    assert json.loads(mgmt(port, "GET", "/rest/v1/targets/dev-1/attributes", None).body) == {"a": "b"}


def test_s136_http_1_0_without_host_has_links_to_localhost(port: int, gateway: str) -> None:
    with Peer(port) as peer:
        peer.send(f"GET /DEFAULT/controller/v1/dev-1 HTTP/1.0\r\nAuthorization: {gateway}\r\n\r\n".encode())
        answer = peer.answer()
    link = json.loads(answer.body)["_links"]["configData"]["href"]
    assert (answer.status, link) == (200, f"http://localhost:{port}/DEFAULT/controller/v1/dev-1/configData")


@pytest.mark.parametrize(("method", "status"), [("TRACE", 405), ("BREW", 400), ("PROPFIND", 400), ("CONNECT", 501)])
def test_s136_methods(port: int, method: str, status: int) -> None:
    with Peer(port) as peer:
        peer.send(f"{method} /DEFAULT/controller/v1/dev-1 HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert peer.answer().status == status


def test_s60_the_limiter_sees_the_forwarded_address(port: int, gateway: str) -> None:
    def poll(address: str) -> bytes:
        return (
            f"GET /DEFAULT/controller/v1/dev-1 HTTP/1.1\r\nHost: h\r\nAuthorization: {gateway}\r\n"
            f"X-Forwarded-For: {address}\r\n\r\n"
        ).encode()

    with Peer(port) as peer:
        for _ in range(202):
            peer.send(poll("203.0.113.7"))
            assert peer.answer().status == 200
        peer.send(poll("203.0.113.7"))
        refused = peer.answer()
        assert (refused.status, refused.body, refused.header("Retry-After")) == (429, b"", None)
        peer.send(poll("203.0.113.8"))
        assert peer.answer().status == 200


def test_mutated_requests_never_break_the_platform(port: int, gateway: str) -> None:
    rng = random.Random(122)
    for number in range(300):
        data = mutated(rng).replace(b"TargetToken 0123456789abcdef", gateway.encode())
        with Peer(port) as peer:
            peer.send(data)
            peer.say_no_more()
            answer = peer.rest()
        assert not answer.startswith(b"HTTP/1.1 500"), (number, data)
