"""curl against our Hono: the commands of the fact sheet, section 9."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.peers.hono.serving import Operator, ServedHono, Shown, Workshop, run

pytestmark = [pytest.mark.slow, pytest.mark.peer]

JSON = ("-H", "content-type: application/json")
TELEMETRY = (*JSON, "--data-binary", '{"temp":5}')
PASSWORD = [{"type": "hashed-password", "auth-id": "sensor1", "secrets": [{"pwd-plain": "hono-secret"}]}]


def curl(*words: str) -> subprocess.CompletedProcess[str]:
    return run("curl", "curl", "-sS", "-i", *words)


def status_of(done: subprocess.CompletedProcess[str]) -> int:
    """Raises AssertionError when no answer came."""
    found = re.match(r"HTTP/1\.1 (\d+)", done.stdout)
    assert found, done.stderr
    return int(found[1])


def shown(device: Shown, server_ca: Path) -> tuple[str, ...]:
    return "--cacert", str(server_ca), "--cert", str(device.certificate), "--key", str(device.key)


def test_a_tenant_and_a_device_by_hand(hono: ServedHono, ca: Shown, tenant: str) -> None:
    registry = f"http://127.0.0.1:{hono.port('registry')}/v1"
    trusted = f'{{"trusted-ca":[{{"cert":"{ca.base64}","auto-provisioning-enabled":true}}]}}'
    made = curl("-X", "POST", *JSON, "--data", trusted, f"{registry}/tenants/{tenant}")
    assert status_of(made) == 201
    assert f"location: /v1/tenants/{tenant}" in made.stdout.lower()
    assert status_of(curl("-X", "POST", f"{registry}/devices/{tenant}/4711")) == 201
    credentials = '[{"type":"hashed-password","auth-id":"sensor1","secrets":[{"pwd-plain":"hono-secret"}]}]'
    assert status_of(curl("-X", "PUT", *JSON, "--data", credentials, f"{registry}/credentials/{tenant}/4711")) == 204

    assert status_of(curl("-u", f"sensor1@{tenant}:hono-secret", *TELEMETRY, hono.url("http", "/telemetry"))) == 202


@pytest.mark.parametrize(
    ("user", "status", "error"),
    [
        (("-u", "sensor1@{tenant}:wrong"), 401, "bad credentials"),
        (("-u", "sensor1:hono-secret"), 401, "malformed credentials"),
        ((), 401, "Unauthorized"),
    ],
    ids=["password", "no-tenant", "nothing"],
)
def test_who_is_not_let_in(
    hono: ServedHono, operator: Operator, tenant: str, user: tuple[str, ...], status: int, error: str
) -> None:
    operator.create_tenant(tenant)
    operator.create_device(tenant, "4711", PASSWORD)
    done = curl(*(word.format(tenant=tenant) for word in user), *TELEMETRY, hono.url("http", "/telemetry"))
    assert status_of(done) == status
    assert error in done.stdout
    challenges = re.findall(r"(?im)^www-authenticate: (\w+) realm=\"Hono\"\r?$", done.stdout)
    assert sorted(challenges) == ([] if user else ["Basic", "Bearer"])


def test_first_contact_and_again(
    hono: ServedHono, operator: Operator, server_ca: Path, ca: Shown, device: Shown, tenant: str
) -> None:
    operator.create_tenant(tenant, **{"trusted-ca": [{"cert": ca.base64, "auto-provisioning-enabled": True}]})
    for _ in range(2):
        done = curl(*shown(device, server_ca), *TELEMETRY, hono.url("https", "/telemetry", "localhost"))
        assert status_of(done) == 202, done.stdout
    ((name, made),) = operator.devices(tenant).items()
    assert made["status"]["auto-provisioned"] is True
    assert operator.auth_ids(tenant, name) == ["CN=device-1,OU=iot,O=ACME"]


@pytest.mark.parametrize("names", ["id", "alias"])
def test_the_tenant_is_named_by_sni(
    hono: ServedHono, operator: Operator, server_ca: Path, ca: Shown, device: Shown, tenant: str, names: str
) -> None:
    """Two tenants trust the same authority: the name that is asked for tells which is meant."""
    trusts = {"trusted-ca": [{"cert": ca.base64, "auto-provisioning-enabled": True}], "trust-anchor-group": tenant}
    host = {"id": "sni-one", "alias": "sni-two"}[names]
    meant = host if names == "id" else f"{tenant}-aliased"
    operator.create_tenant(f"{tenant}-other", **trusts)
    operator.create_tenant(meant, **trusts, **({"alias": host} if names == "alias" else {}))
    port = hono.port("https")
    place = ("--resolve", f"{host}.localhost:{port}:127.0.0.1")
    sends = ("--data-binary", "x", "-H", "content-type: text/plain")
    done = curl(*shown(device, server_ca), *place, *sends, f"https://{host}.localhost:{port}/event")
    assert status_of(done) == 202, done.stdout
    assert len(operator.devices(meant)) == 1
    assert operator.devices(f"{tenant}-other") == {}


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 404), ("localhost", 400)])
def test_a_stranger(
    hono: ServedHono, server_ca: Path, device: Shown, operator: Operator, tenant: str, host: str, status: int
) -> None:
    """curl sends no SNI for an address, and one of a single label for localhost."""
    operator.create_tenant(tenant)
    done = curl(*shown(device, server_ca), *TELEMETRY, hono.url("https", "/telemetry", host))
    assert status_of(done) == status, done.stdout


@pytest.mark.parametrize("version", ["--tls-max", "--tlsv1.3"])
def test_an_expired_certificate_ends_in_the_handshake(
    hono: ServedHono, operator: Operator, server_ca: Path, workshop: Workshop, ca: Shown, tenant: str, version: str
) -> None:
    operator.create_tenant(tenant, **{"trusted-ca": [{"cert": ca.base64, "auto-provisioning-enabled": True}]})
    expired = workshop.device("/O=ACME/OU=iot/CN=device-1", ca, "-days", "-1")
    speaks = (version, "1.2") if version == "--tls-max" else (version,)
    done = curl(*shown(expired, server_ca), *speaks, *TELEMETRY, hono.url("https", "/telemetry", "localhost"))
    assert done.returncode != 0
    assert "alert certificate unknown" in done.stderr
    assert operator.devices(tenant) == {}


def test_a_gateway_brings_its_edge_device(hono: ServedHono, operator: Operator, tenant: str) -> None:
    """curl keeps the double slash of the short path."""
    operator.create_tenant(tenant)
    operator.create_device(tenant, "gw", [{**PASSWORD[0], "auth-id": "gw"}], authorities=["auto-provisioning-enabled"])
    url = hono.url("http", "/telemetry//4712")
    done = curl("-X", "PUT", "-u", f"gw@{tenant}:hono-secret", *TELEMETRY, url)
    assert status_of(done) == 202, done.stdout
    assert operator.devices(tenant)["4712"]["via"] == ["gw"]
