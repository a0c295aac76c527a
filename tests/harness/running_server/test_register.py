"""A device that a test makes known is let in with what it is given, on each platform."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.running_server.platform_part import DeviceCredentials
from fleetrig.harness.running_server.server import RunningServer
from fleetrig.harness.running_server.starting import SharedServer
from fleetrig.simulator.contract.errors import UsageError
from tests.golden.mqtt_client import MqttClient
from tests.harness.running_server.asking import status_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=PLATFORMS)
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    one = SharedServer(request.param, lambda: tmp_path_factory.mktemp(request.param))
    yield one
    one.close()


@pytest.fixture
def server(servers: SharedServer) -> Iterator[RunningServer]:
    with servers.for_test() as one:
        yield one


def is_let_in(server: RunningServer, device: DeviceCredentials) -> bool:
    """As a device of that platform would come first."""
    match server.platform:
        case "hawkbit":
            return status_of(device.url, device.headers) == 200
        case "thingsboard":
            return status_of(f"{device.url}/api/v1/{device.token}/telemetry", body=b'{"a":1}') == 200
        case "hono":
            return status_of(f"{device.url}/telemetry", {**device.headers, "hono-ttd": "0"}, b'{"a":1}') == 202
        case _:
            return connack(device) == 0


def connack(device: DeviceCredentials) -> int:
    client = MqttClient(int(device.url.rpartition(":")[2]))
    client.connect({"client_id": device.client_id, "username": device.user, "password": device.password})
    code: int = client.hear_one()["connack"]
    client.close()
    return code


def test_each_test_has_a_tenant_in_which_a_name_is_free(server: RunningServer) -> None:
    assert is_let_in(server, server.register("gw-7"))


def test_the_next_test_finds_none_of_it(servers: SharedServer) -> None:
    found = []
    for _ in range(2):
        with servers.for_test() as server:
            device = server.register("gw-7", "aA1!-s3cret-of-gw-7-aA1!" if server.platform != "thingsboard" else None)
            assert device.tenant == server.tenant
            found.append((server.pid, device.tenant))
    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1]


def test_a_name_that_is_taken_is_told(server: RunningServer) -> None:
    server.register("gw-7")
    with pytest.raises(UsageError, match=r"register\('gw-7'\): the server knows gw-7 already"):
        server.register("gw-7")


def test_what_was_registered_can_be_removed(server: RunningServer) -> None:
    device = server.register("gw-7")
    server.clean_up()
    assert not is_let_in(server, device)


def test_secrets_are_not_printed(server: RunningServer) -> None:
    device = server.register("gw-7")
    secrets = [secret for secret in (device.token, device.password) if secret]
    assert secrets
    assert not any(secret in repr(device) for secret in secrets)


def makes_first_contact(server: RunningServer, device: DeviceCredentials, folder: Path) -> bool:
    """As a device does that the server does not know yet."""
    match server.platform:
        case "hawkbit":
            return status_of(device.url, device.headers) == 200
        case "thingsboard":
            keys = {"provisionDeviceKey": device.provision_key, "provisionDeviceSecret": device.provision_secret}
            body = json.dumps({"deviceName": device.id, **keys}).encode()
            return status_of(f"{device.url}/api/v1/provision", body=body) == 200
        case "hono":
            return status_of(f"{device.url}/telemetry", body=b'{"a":1}', tls=tls_of(server, device, folder)) == 202
        case _:
            return connack(device) == 0


def tls_of(server: RunningServer, device: DeviceCredentials, folder: Path) -> ssl.SSLContext:
    assert server.ca is not None
    files = {"device.pem": device.certificate_pem, "device-key.pem": device.key_pem}
    for name, pem in files.items():
        (folder / name).write_bytes(pem)
    context = ssl.create_default_context(cafile=str(server.ca))
    context.load_cert_chain(folder / "device.pem", folder / "device-key.pem")
    return context


def test_a_device_that_is_let_in_makes_first_contact(server: RunningServer, tmp_path: Path) -> None:
    first, second = server.let_in("gw-7"), server.let_in("gw-8")
    assert makes_first_contact(server, first, tmp_path)
    assert makes_first_contact(server, second, tmp_path)
    for one in (first.provision_secret, first.activation_key):
        assert not one or one not in repr(first)


def test_what_applications_get_and_say(server: RunningServer) -> None:
    match server.platform:
        case "hawkbit" | "thingsboard":
            with pytest.raises(UsageError, match="no platform of this server hands messages on"):
                server.messages()
            return
        case "kura":
            assert server.messages() == ()
            return
    device = server.register("gw-7")
    assert is_let_in(server, device)
    (message,) = server.messages()
    assert (message.topic, message.payload) == (f"hono.telemetry.{server.tenant}", b'{"a":1}')
    assert server.for_test().messages() == ()
    with pytest.raises(UsageError, match="gw-7"):
        server.command("gw-7", "blink")


def test_a_program_finds_what_it_needs_in_its_environment(server: RunningServer) -> None:
    device = server.register("gw-7")
    assert device.environ["FLEETRIG_ID"] == device.id == "gw-7"
    assert set(device.environ.values()) >= {secret for secret in (device.token, device.password) if secret}


def test_what_an_operator_does_is_nothing_that_a_device_did(server: RunningServer) -> None:
    device = server.register("gw-7")
    assert (server.trace(), server.reasons()) == ((), ())
    assert server.trace(operators=True)
    assert is_let_in(server, device)
    events = server.trace(device="gw-7")
    assert server.wait_for("received", device="gw-7") == next(event for event in events if event.kind == "received")
    assert server.wait_for("answered", device="gw-7").number > server.wait_for("received", device="gw-7").number
    assert server.wait_for(device="*", operators=True).number < events[0].number
