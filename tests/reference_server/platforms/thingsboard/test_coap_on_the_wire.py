"""CoAP of devices over sockets: repeated and unconfirmed requests, a body in blocks, an answer that takes long."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.coap.bench import NON, POST, con, line, message
from tests.coap.peer import CoapPeer
from tests.golden.thingsboard_player.asking import ask_http
from tests.golden.thingsboard_player.served import Served, served

KEY, SECRET = "a-key", "a-secret"
PATH = "api/v1/provision"


@pytest.fixture
def server() -> Iterator[Served]:
    """With one profile that creates devices."""
    with served() as one:
        body = {
            "name": "A",
            "type": "DEFAULT",
            "transportType": "DEFAULT",
            "provisionType": "ALLOW_CREATE_NEW_DEVICES",
            "provisionDeviceKey": KEY,
            "profileData": {
                "configuration": {"type": "DEFAULT"},
                "transportConfiguration": {"type": "DEFAULT"},
                "provisionConfiguration": {"type": "ALLOW_CREATE_NEW_DEVICES", "provisionDeviceSecret": SECRET},
            },
        }
        assert operator(one, "POST", "/api/deviceProfile", body)["status"] == 200
        yield one


def operator(server: Served, method: str, path: str, body: object = None) -> dict:
    account = {"username": "tenant@thingsboard.org", "password": "tenant"}
    login = ask_http(server.port("http"), {"method": "POST", "path": "/api/auth/login", "body": account})
    headers = {"X-Authorization": f"Bearer {login['body']['token']}"}
    return ask_http(server.port("http"), {"method": method, "path": path, "headers": headers, "body": body})


def devices(server: Served) -> list[str]:
    found = operator(server, "GET", "/api/tenant/devices?pageSize=10&page=0")
    return [device["name"] for device in found["body"]["data"]]


def request(name: str = "", **more: str) -> bytes:
    named = {"deviceName": name} if name else {}
    return json.dumps({**named, "provisionDeviceKey": KEY, "provisionDeviceSecret": SECRET, **more}).encode()


def test_a_repeated_message_gets_the_same_answer_and_makes_one_device(server: Served) -> None:
    """S99."""
    with CoapPeer(server.port("coap")) as peer:
        answers = []
        for _ in range(3):
            peer.say(con(PATH, 7, POST, payload=request()))
            answers.append(peer.hear())
    assert len(set(answers)) == 1
    assert line(answers[0]) == "ACK 2.01 #7 t"
    assert len(devices(server)) == 1


def test_what_is_unconfirmed_gets_an_unconfirmed_answer(server: Served) -> None:
    """S99."""
    with CoapPeer(server.port("coap")) as peer:
        assert peer.ask(message(NON, POST, 7, uri=PATH, payload=request("n1"))).startswith("NON 2.01")


def test_a_request_in_blocks(server: Served) -> None:
    """A certificate is longer than a datagram should be."""
    body = request("b1", credentialsType="X509_CERTIFICATE", hash="M" * 1_500)
    first, rest = body[:1_024], body[1_024:]
    with CoapPeer(server.port("coap")) as peer:
        assert peer.ask(con(PATH, 1, POST, payload=first, block1=(0, True, 6))).startswith("ACK 2.31")
        answer = peer.read(con(PATH, 2, POST, payload=rest, block1=(1, False, 6)))
    assert answer.code.dotted == "2.01"
    assert devices(server) == ["b1"]


def test_a_request_without_a_decision_ends_by_the_servers_clock(server: Served) -> None:
    """S81: an empty acknowledgement first, and 5.00 in a message of its own once the server has given up."""
    found = operator(server, "GET", "/api/deviceProfiles?pageSize=10&page=0")
    (profile,) = [one for one in found["body"]["data"] if one["name"] == "A"]
    answer = operator(server, "POST", "/api/deviceProfile", {**profile, "provisionType": "X509_CERTIFICATE_CHAIN"})
    assert answer["status"] == 200, answer
    with CoapPeer(server.port("coap")) as peer:
        assert peer.ask(con(PATH, 7, POST, payload=request("c1"))) == "ACK 0.00 #7"
        server.wait(16)
        assert line(peer.hear()).startswith("CON 5.00")
    assert devices(server) == []
