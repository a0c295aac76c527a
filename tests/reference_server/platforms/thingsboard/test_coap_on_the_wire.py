"""CoAP of devices over sockets: repeated and unconfirmed requests, a body in blocks, an answer that takes long."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator

import pytest

from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.coap import open_coap
from tests.coap.bench import NON, POST, con, line, message
from tests.coap.peer import CoapPeer
from tests.golden.served import Served
from tests.golden.thingsboard_player.asking import ask_http
from tests.golden.thingsboard_player.served import served

KEY, SECRET = "a-key", "a-secret"
PATH = "api/v1/provision"
LIMIT_S = 30


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


def test_a_device_is_answered_in_a_message_of_its_own(server: Served) -> None:
    """Never piggybacked and without an empty acknowledgement before, however soon; a refusal is piggybacked."""
    token = "a-token-of-a-device"
    operator(server, "POST", f"/api/device?accessToken={token}", {"name": "d"})
    with CoapPeer(server.port("coap")) as peer:
        answer = peer.ask(con(f"api/v1/{token}/telemetry", 7, POST, payload=b'{"a":1}'))
        assert answer.startswith("CON 2.01 #")
        assert "#7 " not in answer
        assert peer.ask(con(f"api/v1/{token}/telemetry", 8, POST, payload=b"{")) == "ACK 4.00 #8 t"
        unconfirmed = message(NON, POST, 9, uri=f"api/v1/{token}/telemetry", payload=b'{"a":1}')
        assert peer.ask(unconfirmed).startswith("NON 2.01")


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


def over_dtls(server: Served, shown: ClientCertificate | None, *requests: tuple[str, bytes]) -> list[str]:
    """POST after POST on one association, by our own device; the codes of the answers."""

    async def told() -> list[str]:
        codes = []
        url = f"coaps://127.0.0.1:{server.port('coaps')}"
        wire = await open_coap(url, ClientTls(verify=False).of(shown))
        try:
            async with asyncio.timeout(LIMIT_S):
                for number, (target, payload) in enumerate(requests):
                    await wire.send(CoapRequest("POST", url, target, payload, token=number.to_bytes(4, "big")))
                    answer = await wire.receive()
                    assert isinstance(answer, CoapResponse)
                    codes.append(answer.code)
        finally:
            await wire.close()
        return codes

    return asyncio.run(told())


def test_dtls_needs_no_certificate_of_the_device(server: Served) -> None:
    asked = request("s1", token="own-token")
    codes = over_dtls(server, None, (f"/{PATH}", asked), ("/api/v1/own-token/telemetry", b'{"a":1}'))
    assert codes == ["2.01", "2.01"]
    assert devices(server) == ["s1"]


def test_over_dtls_a_certificate_stands_for_a_token(server: Served) -> None:
    """And makes no device, whatever its chain is: that is MQTT's way alone (2.4)."""
    shown = CertificateAuthority("plant", server.now_us).issue_client("c1")
    text = b64encode(shown.chain[0]).decode()
    asked = request("c1", credentialsType="X509_CERTIFICATE", hash=text)
    posted = ("/api/v1/telemetry", b'{"a":1}')
    assert over_dtls(server, shown, posted, (f"/{PATH}", asked), posted) == ["4.01", "2.01", "2.01"]
    assert devices(server) == ["c1"]
