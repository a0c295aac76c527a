"""mosquitto's clients against our Hono: the commands of the fact sheet, section 9."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.peers.care import Care
from tests.peers.hono.serving import Operator, ServedHono, Shown, Workshop, run
from tests.peers.hono.test_curl import PASSWORD
from tests.peers.programs import Program, need_program, until

pytestmark = [pytest.mark.slow, pytest.mark.peer]

PACKAGE = "mosquitto-clients"
BAD_CREDENTIALS, NOT_AUTHORIZED = {"mqttv311": 4, "mqttv5": 0x86}, {"mqttv311": 5, "mqttv5": 0x87}
"""Exit codes: the CONNACK's."""
VERSIONS = pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])


def pub(*words: str) -> subprocess.CompletedProcess[str]:
    return run("mosquitto_pub", PACKAGE, "-q", "1", *words)


def plain(hono: ServedHono, tenant: str, password: str = "hono-secret") -> tuple[str, ...]:
    return "-h", "127.0.0.1", "-p", hono.port("mqtt"), "-u", f"sensor1@{tenant}", "-P", password


def secure(hono: ServedHono, device: Shown, server_ca: Path) -> tuple[str, ...]:
    files = ("--cafile", str(server_ca), "--cert", str(device.certificate), "--key", str(device.key))
    return "-h", "localhost", "-p", hono.port("mqtts"), *files


@pytest.fixture
def trusting(operator: Operator, ca: Shown, tenant: str) -> str:
    """A tenant whose authority's devices provision themselves."""
    operator.create_tenant(tenant, **{"trusted-ca": [{"cert": ca.base64, "auto-provisioning-enabled": True}]})
    return tenant


@pytest.fixture
def manual(operator: Operator, tenant: str) -> str:
    """A tenant with a device made by hand."""
    operator.create_tenant(tenant)
    operator.create_device(tenant, "4711", PASSWORD)
    return tenant


@VERSIONS
def test_a_password(hono: ServedHono, manual: str, version: str) -> None:
    sends = ("-V", version, "-t", "telemetry", "-m", '{"temp":5}')
    assert pub(*plain(hono, manual), *sends).returncode == 0
    assert pub(*plain(hono, manual, "wrong"), *sends).returncode == BAD_CREDENTIALS[version]


@VERSIONS
def test_first_contact_with_a_certificate(
    hono: ServedHono, operator: Operator, server_ca: Path, device: Shown, trusting: str, version: str
) -> None:
    sends = ("-V", version, "-t", "event", "-m", '{"alarm":1}')
    for _ in range(2):
        done = pub(*secure(hono, device, server_ca), *sends)
        assert done.returncode == 0, done.stderr
    ((name, made),) = operator.devices(trusting).items()
    assert made["status"]["auto-provisioned"] is True
    assert operator.auth_ids(trusting, name) == ["CN=device-1,OU=iot,O=ACME"]


@VERSIONS
def test_a_property_bag(hono: ServedHono, server_ca: Path, device: Shown, trusting: str, version: str) -> None:
    topic = "telemetry/?content-type=application%2Fjson"
    done = pub(*secure(hono, device, server_ca), "-V", version, "-t", topic, "-m", '{"temp":5}')
    assert done.returncode == 0, done.stderr


@VERSIONS
def test_a_tenant_that_is_disabled(
    hono: ServedHono, operator: Operator, server_ca: Path, ca: Shown, device: Shown, tenant: str, version: str
) -> None:
    trusts = {"trusted-ca": [{"cert": ca.base64, "auto-provisioning-enabled": True}]}
    operator.create_tenant(tenant, enabled=False, **trusts)
    done = pub(*secure(hono, device, server_ca), "-V", version, "-t", "event", "-m", "x")
    assert done.returncode == NOT_AUTHORIZED[version]
    assert operator.devices(tenant) == {}


def test_an_expired_certificate_ends_in_the_handshake(
    hono: ServedHono, operator: Operator, server_ca: Path, workshop: Workshop, ca: Shown, trusting: str
) -> None:
    expired = workshop.device("/O=ACME/OU=iot/CN=device-1", ca, "-days", "-1")
    done = pub(*secure(hono, expired, server_ca), "-t", "event", "-m", "x")
    assert done.returncode not in (0, 4, 5)
    assert operator.devices(trusting) == {}


def test_an_unknown_topic_ends_the_connection(hono: ServedHono, manual: str) -> None:
    assert pub(*plain(hono, manual), "-t", "nosuch", "-m", "x").returncode != 0


def test_a_device_listens_for_commands(
    hono: ServedHono, operator: Operator, server_ca: Path, device: Shown, trusting: str, care: Care, tmp_path: Path
) -> None:
    """That it does is told to applications: an empty notification with ttd -1."""
    words = ("-v", "-t", "command///req/#", *secure(hono, device, server_ca))
    command = [need_program("mosquitto_sub", PACKAGE), *words]
    listener = care.take(Program("mosquitto_sub", command, tmp_path / "heard", dict(os.environ)))

    def is_told() -> bool:
        return any(str(one["properties"].get("ttd")) == "-1" for one in operator.northbound(trusting))

    until("applications are told that it listens", is_told, listener)
