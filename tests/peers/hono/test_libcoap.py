"""libcoap's client against our Hono: the commands of the fact sheet, section 9. It ends with 0 whatever comes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.peers.hono.serving import Operator, ServedHono, Shown, Workshop, run

pytestmark = [pytest.mark.slow, pytest.mark.peer]

PROGRAM, PACKAGE = "coap-client-openssl", "libcoap3-bin"
KEY = [{"type": "psk", "auth-id": "sensor1", "secrets": [{"key": "aG9uby1zZWNyZXQ="}]}]
JSON = ("-m", "post", "-t", "application/json", "-e", '{"temp":5}')


def coap(hono: ServedHono, path: str, *words: str, host: str = "127.0.0.1") -> str:
    """The code that came; else all that the client says."""
    done = run(PROGRAM, PACKAGE, "-v", "7", *words, hono.url("coaps", path, host))
    said = done.stdout + done.stderr
    codes = [code for code in re.findall(r"c:(\d\.\d\d)", said) if code != "0.00"]
    return codes[-1] if codes else said


@pytest.fixture
def manual(operator: Operator, tenant: str) -> str:
    operator.create_tenant(tenant)
    operator.create_device(tenant, "4711", KEY)
    return tenant


@pytest.mark.parametrize(
    ("path", "words", "code"),
    [
        ("/telemetry", JSON, "2.04"),
        ("/t", ("-N", "-m", "post", "-t", "50", "-e", '{"temp":5}'), "2.04"),
        ("/event", JSON, "2.04"),
        ("/event", ("-N", *JSON), "4.00"),
        ("/telemetry", ("-m", "post"), "4.00"),
        ("/nosuch", JSON, "4.04"),
    ],
)
def test_a_key(hono: ServedHono, manual: str, path: str, words: tuple[str, ...], code: str) -> None:
    assert coap(hono, path, "-B", "5", "-u", f"sensor1@{manual}", "-k", "hono-secret", *words) == code


@pytest.mark.parametrize(("user", "key"), [("sensor1", "wrong"), ("nobody", "hono-secret")])
def test_a_wrong_key_or_name_hears_nothing(hono: ServedHono, manual: str, user: str, key: str) -> None:
    said = coap(hono, "/telemetry", "-B", "1", "-u", f"{user}@{manual}", "-k", key, *JSON)
    assert "alert" not in said.lower()
    assert not re.search(r"c:[245]\.\d\d", said)


def test_first_contact_with_a_certificate(
    hono: ServedHono, operator: Operator, server_ca: Path, ca: Shown, device: Shown, tenant: str
) -> None:
    operator.create_tenant(tenant, **{"trusted-ca": [{"cert": ca.base64, "auto-provisioning-enabled": True}]})
    shows = ("-c", str(device.certificate), "-j", str(device.key), "-R", str(server_ca))
    for _ in range(2):
        assert coap(hono, "/telemetry", "-B", "5", *shows, *JSON, host="localhost") == "2.04"
    ((name, made),) = operator.devices(tenant).items()
    assert made["status"]["auto-provisioned"] is True
    assert operator.auth_ids(tenant, name) == ["CN=device-1,OU=iot,O=ACME"]


def test_an_expired_certificate_ends_in_the_handshake(
    hono: ServedHono, operator: Operator, server_ca: Path, workshop: Workshop, ca: Shown, tenant: str
) -> None:
    operator.create_tenant(tenant, **{"trusted-ca": [{"cert": ca.base64, "auto-provisioning-enabled": True}]})
    expired = workshop.device("/O=ACME/OU=iot/CN=device-1", ca, "-days", "-1")
    shows = ("-c", str(expired.certificate), "-j", str(expired.key), "-R", str(server_ca))
    said = coap(hono, "/telemetry", "-B", "5", *shows, *JSON, host="localhost")
    assert "bad certificate" in said
    assert operator.devices(tenant) == {}
