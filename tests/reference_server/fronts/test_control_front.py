"""The control interface over sockets: a change has happened when it is answered; the trace as it happens."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.trace import Trace
from tests.reference_server.echo import ServerBench, get, port_of, running, until
from tests.reference_server.fronts.peer import LIMIT_S, Peer, is_refused

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def bench() -> Iterator[ServerBench]:
    with running() as bench:
        yield bench


@pytest.fixture
def server(bench: ServerBench) -> ReferenceServer:
    return bench.start(control=ANY_LOOPBACK_PORT)


def control(server: ReferenceServer) -> int:
    assert server.control_address is not None
    return server.control_address.port


def ask(server: ReferenceServer, method: str, path: str, body: object = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", control(server), timeout=LIMIT_S)
    connection.request(method, path, None if body is None else json.dumps(body), JSON)
    answer = connection.getresponse()
    said = json.loads(answer.read())
    connection.close()
    return answer.status, said


@contextmanager
def following(server: ReferenceServer, query: str = "") -> Iterator[http.client.HTTPResponse]:
    """The answer's head has come when this is entered: all later events are in the stream."""
    connection = http.client.HTTPConnection("127.0.0.1", control(server), timeout=LIMIT_S)
    connection.request("GET", f"/trace?follow=true{query}")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Content-Type")) == (200, "application/x-ndjson")
    try:
        yield answer
    finally:
        answer.close()
        connection.close()


def line(answer: http.client.HTTPResponse) -> Any:
    return json.loads(answer.readline())


def test_it_has_an_address_of_its_own(server: ReferenceServer) -> None:
    assert server.control_url == f"http://127.0.0.1:{control(server)}"
    assert get(server, "/faults") == (200, b"1"), "on the platform's port this is the platform's path"
    said = ask(server, "GET", "/")[1]
    assert said["urls"] == {"echo": {"http": server.url("echo")}, "control": server.control_url}
    assert (said["platforms"], said["records"]) == (["echo"], {"visit": 1})


def test_without_an_address_there_is_none(bench: ServerBench) -> None:
    server = bench.start()
    assert server.control_address is None
    with pytest.raises(KeyError):
        _ = server.control_url


def test_its_port_in_use_leaves_nothing_behind(bench: ServerBench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(BrokenBench, match="in use"):
        bench.start(control=Address("127.0.0.1", other.getsockname()[1]))


def test_an_outage_has_begun_when_it_is_answered_and_has_ended_when_that_is(server: ReferenceServer) -> None:
    for _ in range(20):
        status, fault = ask(server, "POST", "/faults", {"fault": "outage"})
        assert (status, is_refused(port_of(server))) == (201, True)
        assert ask(server, "DELETE", f"/faults/{fault['id']}")[0] == 200
        assert not is_refused(port_of(server))
    assert get(server, "/a") == (200, b"1")


def test_bites_are_counted(server: ReferenceServer) -> None:
    ask(server, "POST", "/faults", {"fault": "overload", "status": 429, "times": 2, "hits": "GET /a"})
    assert [get(server, path)[0] for path in ("/a", "/b", "/a", "/a")] == [429, 200, 429, 200]
    [fault] = ask(server, "DELETE", "/faults")[1]["removed"]
    assert (fault["bites"], fault["state"]) == (2, "over")


def test_what_a_skip_makes_due_has_happened_when_it_is_answered(bench: ServerBench, server: ReferenceServer) -> None:
    assert get(server, f"/alarm?{to_us(3_000)}")[0] == 200
    assert not bench.echo.rang.is_set()
    status, said = ask(server, "POST", "/clock", {"skip_s": 3_600})
    assert (status, said["skipped_s"]) == (200, 3_600)
    assert bench.echo.rang.is_set()
    assert abs(bench.echo.rang_at_us[0] - said["now_us"]) < to_us(LIMIT_S)
    with Peer(port_of(server)) as peer:
        date = peer.get("/a").header("Date")
    assert date is not None
    assert server.clock.now_us() >= said["now_us"]


def test_a_skip_ends_an_outage(server: ReferenceServer) -> None:
    ask(server, "POST", "/faults", {"fault": "outage", "for": "1h"})
    assert is_refused(port_of(server))
    ask(server, "POST", "/clock", {"skip_s": 3_600})
    assert get(server, "/a") == (200, b"1")


def test_a_bug_in_what_becomes_due_is_told_and_answered(bench: ServerBench, server: ReferenceServer) -> None:
    get(server, f"/alarm?{to_us(3_000)}")
    bench.echo.fails = True
    assert ask(server, "POST", "/clock", {"skip_s": 3_600})[0] == 200
    assert [type(bug) for bug in server.bugs] == [LookupError]


def test_the_trace_as_it_happens(server: ReferenceServer) -> None:
    get(server, "/before")
    with following(server) as everything, following(server, "&kind=refused") as refusals:
        get(server, "/a")
        get(server, "/no")
        seen = [line(everything) for _ in range(4)]
        assert [event["kind"] for event in seen] == ["received", "answered", "received", "refused"]
        assert [event["number"] for event in seen] == [3, 4, 5, 6]
        assert line(refusals) == seen[3]


def test_waiting_for_one_event(server: ReferenceServer) -> None:
    with following(server, "&kind=refused&limit=1") as refusals:
        get(server, "/a")
        get(server, "/no")
        assert [json.loads(text)["reason"] for text in refusals] == ["nobody may"]


def test_the_trace_of_the_past_ends(server: ReferenceServer) -> None:
    get(server, "/a")
    connection = http.client.HTTPConnection("127.0.0.1", control(server), timeout=LIMIT_S)
    for _ in range(2):  # the connection lives on
        connection.request("GET", "/trace?since=0")
        answer = connection.getresponse()
        lines = answer.read().splitlines()
        assert answer.getheader("Trace-Last") == "2"
        assert [json.loads(text)["kind"] for text in lines] == ["received", "answered"]
    connection.request("HEAD", "/trace?follow=true")
    assert connection.getresponse().read() == b""
    connection.close()


def test_a_client_that_leaves_is_forgotten(bench: ServerBench) -> None:
    trace = Trace()
    server = bench.start(trace, control=ANY_LOOPBACK_PORT)
    before = len(trace._listeners)
    with following(server), following(server):
        assert len(trace._listeners) == before + 2
    until(lambda: len(trace._listeners) == before)


def test_only_so_many_can_follow(server: ReferenceServer) -> None:
    peers = [Peer(control(server)) for _ in range(33)]
    try:
        heads = []
        for peer in peers:
            peer.send(b"GET /trace?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
            heads.append(peer.until(b"\r\n\r\n").split()[1])
        assert heads == [b"200"] * 32 + [b"429"]
    finally:
        for peer in peers:
            peer.socket.close()


def test_a_stop_ends_the_stream_in_good_order(bench: ServerBench, server: ReferenceServer) -> None:
    with following(server) as answer:
        bench.stop(server)
        assert answer.read() == b""
    assert is_refused(control(server))


def test_an_old_client_gets_the_trace_until_the_connection_ends(server: ReferenceServer) -> None:
    get(server, "/a")
    with Peer(control(server)) as peer:
        peer.send(b"GET /trace HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert peer.rest().count(b'{"number":') == 2


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"rubbish\r\n\r\n", b"400"),
        (b"GET / HTTP/1.0\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"403"),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"POST /faults HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n", b"413"),
        (b"POST /faults HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
          b"10000\r\n" + b"x" * 65_536 + b"\r\n1\r\nx\r\n0\r\n\r\n", b"413"),
        (b"OPTIONS /faults HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", b"405"),
    ],
    ids=["rubbish", "no host", "rebound", "absolute", "large", "large chunked", "preflight"],
)  # fmt: skip
def test_what_is_refused(server: ReferenceServer, sent: bytes, status: bytes) -> None:
    with Peer(control(server)) as peer:
        peer.send(sent)
        head = peer.until(b"\r\n\r\n")
    assert head.split()[1] == status
    assert b"access-control-allow" not in head.lower()
    assert b"application/json" in head
    assert ask(server, "GET", "/faults") == (200, {"faults": []})
    assert server.bugs == []
