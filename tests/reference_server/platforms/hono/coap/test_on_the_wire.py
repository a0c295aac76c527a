"""CoAP over sockets: answers that take long, repeated requests, bodies in blocks, what the library does by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from tests.coap.bench import GET, NON, PUT, con, line, message
from tests.coap.peer import CoapPeer
from tests.golden.hono_player.served import HonoServed, served

PATH = "telemetry/acme/dev"


@pytest.fixture
def server() -> Iterator[HonoServed]:
    with served(Profile.CURRENT, "memory:") as one:
        for path in ("tenants/acme", "devices/acme/dev"):
            assert one.answered(lambda path=path: post(one, path)) == 201  # type: ignore[misc]
        yield one


def post(server: HonoServed, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", server.port("registry"))
    connection.request("POST", f"/v1/{path}", json.dumps({}), {"Content-Type": "application/json"})
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_who_waits_for_a_command_hears_that_it_was_heard(server: HonoServed) -> None:
    with CoapPeer(server.port("coap")) as peer:
        asked = con(f"{PATH}?hono-ttd=5", 7, PUT, payload=b"{}")
        assert peer.ask(asked) == "ACK 0.00 #7"
        server.wait(5)
        assert line(peer.hear()).startswith("CON 2.04")


def test_a_repeated_message_is_forwarded_once(server: HonoServed) -> None:
    with CoapPeer(server.port("coap")) as peer:
        answers = []
        for _ in range(3):
            peer.say(con(PATH, 7, PUT, payload=b"{}"))
            answers.append(peer.hear())
    assert len(set(answers)) == 1
    assert line(answers[0]) == "ACK 2.04 #7 t"
    assert server.records()["hono.northbound"] == 1


def test_what_is_unconfirmed_gets_an_unconfirmed_answer(server: HonoServed) -> None:
    with CoapPeer(server.port("coap")) as peer:
        assert peer.ask(message(NON, PUT, 7, uri=PATH, payload=b"{}")).startswith("NON 2.04")


@pytest.mark.parametrize(("size", "codes"), [(2_048, ["2.31", "2.04"]), (2_049, ["2.31", "2.31", "4.13"])])
def test_a_body_in_blocks_has_a_limit(server: HonoServed, size: int, codes: list[str]) -> None:
    heard = []
    with CoapPeer(server.port("coap")) as peer:
        for number in range(-(-size // 1_024)):
            part = b"x" * min(1_024, size - number * 1_024)
            block = (number, (number + 1) * 1_024 < size, 6)
            heard.append(peer.read(con(PATH, number + 1, PUT, payload=part, block1=block)).code.dotted)
    assert heard == codes


def test_a_body_in_one_datagram_has_none(server: HonoServed) -> None:
    with CoapPeer(server.port("coap")) as peer:
        assert peer.ask(con(PATH, 7, PUT, payload=b"x" * 2_049)) == "ACK 2.04 #7 t"


def test_discovery_and_pings(server: HonoServed) -> None:
    with CoapPeer(server.port("coap")) as peer:
        assert peer.read(con(".well-known/core", 7, GET)).payload.startswith(b"</command_response>")
        assert peer.ask(b"\x40\x00\x00\x63") == "RST 0.00 #99"
