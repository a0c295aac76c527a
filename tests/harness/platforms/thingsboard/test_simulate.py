"""`fleetrig simulate thingsboard` against a ThingsBoard of ours: every transport and kind of credentials, what is left
afterwards, and what it says when nobody is let in."""

from __future__ import annotations

import itertools
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.report.exits import Exit
from tests.harness.command import Done, Running, fleetrig
from tests.peers.thingsboard.serving import KEY, SECRET, ServedThingsBoard, Tenant

pytestmark = pytest.mark.slow

ONCE = ("--messages", "1", "--spread", "0s", "--interval", "1s")
"""Devices leave after one message, so the command ends by itself."""
GIVEN = ("--provision-key", "env:KEY", "--provision-secret", "env:SECRET")
LIMIT_S = 60.0
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedThingsBoard]:
    with ServedThingsBoard(tmp_path_factory.mktemp("thingsboard")) as one:
        Tenant(one.url).let_devices_provision()
        yield one


@pytest.fixture
def tenant(served: ServedThingsBoard) -> Tenant:
    return Tenant(served.url)


@pytest.fixture
def server_file(served: ServedThingsBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KEY", KEY)
    monkeypatch.setenv("SECRET", SECRET)
    return written(served, tmp_path)


def written(served: ServedThingsBoard, folder: Path) -> str:
    listeners = [f"{name}: 127.0.0.1:{served.port(name)}" for name in ("mqtt", "mqtts", "coap", "coaps")]
    lines = ["platform: thingsboard", f"http: {served.url}", f"ca: {served.ca}", *listeners]
    (folder / "server.yaml").write_text("\n".join(lines) + "\n")
    return str(folder / "server.yaml")


def simulate(against: str, *options: str) -> Done:
    return fleetrig("simulate", "thingsboard", "--against", against, *options, cwd=Path.cwd())


def fresh_names() -> str:
    """Of devices that no other test has."""
    return f"D{next(_numbers)}-{{n}}"


def everything(tenant: Tenant) -> tuple[set[str], set[str]]:
    """Names of all devices and of all device profiles."""
    devices, profiles = (
        tenant.ask("GET", f"{path}?pageSize=1000&page=0")["data"] for path in ("/tenant/devices", "/deviceProfiles")
    )
    return {device["name"] for device in devices}, {profile["name"] for profile in profiles}


def stored(tenant: Tenant, name: str) -> Any:
    return tenant.credentials(name)["credentialsType"]


# Who is let in


@pytest.mark.parametrize(
    ("transport", "credentials", "kind"),
    [
        ("mqtt", "server_token", "ACCESS_TOKEN"),
        ("mqtts", "own_token", "ACCESS_TOKEN"),
        ("http", "server_token", "ACCESS_TOKEN"),
        ("coap", "own_token", "ACCESS_TOKEN"),
        ("coaps", "certificate", "X509_CERTIFICATE"),
        ("mqtt", "mqtt_basic", "MQTT_BASIC"),
        ("mqtts", "certificate", "X509_CERTIFICATE"),
    ],
)
def test_devices_with_a_given_key_provision_themselves_and_send(
    server_file: str, tenant: Tenant, transport: str, credentials: str, kind: str
) -> None:
    names = fresh_names()
    options = ("--transport", transport, "--credentials", credentials, "--serial", names, "--count", "2")
    done = simulate(server_file, *GIVEN, *ONCE, *options, "--telemetry", "temperature=4.5")
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert "2 of 2 devices came through; 2 messages, 0 failures\n" in done.stdout
    assert "after they were switched on p50 " in done.stdout
    first = names.format(n=1)
    assert f"the devices that were let in, such as {first}; without an account nothing is deleted" in done.stdout
    for name in (first, names.format(n=2)):
        assert (stored(tenant, name), tenant.temperature(name)) == (kind, "4.5")


@pytest.mark.parametrize(
    "options",
    [
        ("--transport", "mqtt"),
        ("--transport", "coap", "--strategy", "check"),
        ("--transport", "http", "--credentials", "own_token"),
        ("--transport", "mqtts", "--credentials", "certificate_chain"),
        ("--transport", "mqtt", "--children", "2"),
    ],
    ids=["allow", "check", "own-token", "chain", "gateways"],
)
def test_a_profile_of_its_own_is_gone_afterwards_with_all_its_devices(
    server_file: str, tenant: Tenant, options: tuple[str, ...], tmp_path: Path
) -> None:
    before, trace = everything(tenant), tmp_path / "trace.jsonl"
    done = simulate(server_file, "--register", *ONCE, "--count", "2", "--trace", str(trace), *options)
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert "2 of 2 devices came through; 2 messages, 0 failures\n" in done.stdout
    assert f"deleting {6 if '--children' in options else 2} devices" in done.stdout
    assert everything(tenant) == before
    assert trace.read_text().count('"name":"telemetry"') >= 4, "two were sent and two answered"


def test_children_are_devices_of_the_server(server_file: str, tenant: Tenant) -> None:
    names = fresh_names()
    done = simulate(server_file, *GIVEN, *ONCE, "--serial", names, "--count", "1", "--children", "2")
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert [tenant.temperature(f"{names.format(n=1)}-{child}") for child in (1, 2)] == ["21.5", "21.5"]


@pytest.mark.parametrize("transport", ["mqtt", "http", "coap"])
def test_no_secret_stands_in_a_trace(server_file: str, tenant: Tenant, tmp_path: Path, transport: str) -> None:
    names, trace = fresh_names(), tmp_path / "trace.jsonl"
    options = ("--transport", transport, "--serial", names, "--count", "1", "--trace", str(trace))
    assert simulate(server_file, *GIVEN, *ONCE, *options).returncode == Exit.PASSED
    text = trace.read_text()
    assert names.format(n=1) in text
    for secret in (KEY, SECRET, tenant.credentials(names.format(n=1))["credentialsId"]):
        assert secret not in text


# Who is not


@pytest.mark.parametrize("transport", ["mqtt", "http", "coap"])
def test_a_wrong_secret_is_told_and_ends_it(server_file: str, monkeypatch: pytest.MonkeyPatch, transport: str) -> None:
    monkeypatch.setenv("SECRET", "not-the-secret")
    done = simulate(server_file, *GIVEN, *ONCE, "--transport", transport, "--count", "2", "--serial", fresh_names())
    assert done.returncode == Exit.FAILED
    assert (
        "all devices heard NOT_FOUND: no device profile has this key and this secret, or its strategy is Disabled"
        in (done.stdout)
    )
    assert "0 of 2 devices came through; 0 messages, 2 failures\n" in done.stdout
    assert re.search(
        r"^never let in: 2 devices \(\S+, \S+\), the last answer was NOT_FOUND$", done.stdout, re.MULTILINE
    )
    assert "not-the-secret" not in done.stdout + done.stderr


def test_one_of_two_whose_name_is_taken_fails_it_with_the_reason(server_file: str, tenant: Tenant) -> None:
    names = fresh_names()
    tenant.ask("POST", "/device", {"name": names.format(n=1), "type": "default"})
    done = simulate(server_file, *GIVEN, *ONCE, "--serial", names, "--count", "2", "--for", "3s")
    assert done.returncode == Exit.FAILED, done.stdout
    assert "1 of 2 devices came through" in done.stdout
    assert re.search(r"never let in: 1 device \(\S+\), the last answer was FAILURE: a device of that name", done.stdout)


@pytest.mark.parametrize("strategy", ["allow", "check"])
def test_devices_that_exist_are_not_touched(
    served: ServedThingsBoard, server_file: str, tenant: Tenant, strategy: str
) -> None:
    names = fresh_names()
    tenant.ask("POST", "/device", {"name": names.format(n=2), "type": "default"})
    before = everything(tenant)
    done = simulate(server_file, "--register", "--strategy", strategy, *ONCE, "--serial", names, "--count", "3")
    assert done.returncode == Exit.WRONG_USAGE
    assert f"1 of these devices exist already on {served.url}, {names.format(n=2)} for one: delete them" in done.stderr
    assert everything(tenant) == before
    assert (tenant.device(names.format(n=2)) or {})["type"] == "default"


@pytest.mark.parametrize("scheme", ["mqtt", "http", "coap"])
def test_a_server_that_is_not_there_is_one_sentence(server_file: str, free_port: int, scheme: str) -> None:
    done = simulate(f"{scheme}://127.0.0.1:{free_port}", *GIVEN, *ONCE)
    assert done.returncode == Exit.BROKEN
    assert f"nobody listens at {scheme}://127.0.0.1:{free_port} (connection refused)" in done.stderr
    assert done.stderr.count("\n") == 1


def test_another_server_at_the_address_is_one_sentence(server_file: str, served: ServedThingsBoard) -> None:
    done = simulate(f"mqtt://127.0.0.1:{served.port('http')}", *GIVEN, *ONCE)
    assert done.returncode == Exit.BROKEN
    assert "does not answer MQTT" in done.stderr


def test_a_certificate_that_nobody_trusts_is_one_sentence(server_file: str, served: ServedThingsBoard) -> None:
    done = simulate(f"mqtts://127.0.0.1:{served.port('mqtts')}", *GIVEN, *ONCE)
    assert done.returncode == Exit.BROKEN
    assert "with a certificate nobody trusts: --ca FILE, or --insecure" in done.stderr


def test_a_wrong_account_is_told(
    served: ServedThingsBoard, server_file: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(tenant)
    monkeypatch.setenv("PASSWORD", "not-the-password")
    Path(server_file).write_text(
        Path(server_file).read_text() + "user: tenant@thingsboard.org\npassword: env:PASSWORD\n"
    )
    done = simulate(server_file, "--register", *ONCE)
    assert done.returncode == Exit.BROKEN
    assert "does not accept the account 'tenant@thingsboard.org': check user and password" in done.stderr
    assert "not-the-password" not in done.stdout + done.stderr
    assert everything(tenant) == before


# Stopped in the middle


@pytest.mark.parametrize(("strategy", "let_in"), [("allow", 0), ("allow", 9), ("check", 0), ("check", 9)])
def test_ctrl_c_leaves_nothing_behind(
    server_file: str, tenant: Tenant, tmp_path: Path, strategy: str, let_in: int
) -> None:
    """While devices start one after another, as soon as so many of them were let in."""
    before = everything(tenant)
    options = ("--register", "--strategy", strategy, "--count", "60", "--spread", "6s")
    running = Running("simulate", "thingsboard", "--against", server_file, *options, cwd=tmp_path)
    until_provisioned(tenant, let_in, running)
    assert running.interrupt() == Exit.INTERRUPTED, running.said()
    assert "interrupted after" in running.said()
    assert everything(tenant) == before


def until_provisioned(tenant: Tenant, count: int, running: Running) -> None:
    """Looks at the server, until the profile is there and so many of its devices have provisioned themselves."""
    pause = threading.Event()
    for _ in range(int(LIMIT_S / 0.02)):
        ours = next((name for name in everything(tenant)[1] if name.startswith("fleetrig-simulate-")), None)
        if ours is not None and provisioned(tenant, ours) >= count:
            return
        assert running.process.poll() is None, running.said()
        pause.wait(0.02)
    raise AssertionError(f"never so far:\n{running.said()}")


def provisioned(tenant: Tenant, profile: str) -> int:
    """How many devices of a profile have asked."""
    devices = tenant.ask("GET", f"/tenant/devices?pageSize=1000&page=0&type={profile}")["data"]
    path = "/plugins/telemetry/DEVICE/{}/values/attributes/SERVER_SCOPE?keys=provisionState"
    return sum(bool(tenant.ask("GET", path.format(device["id"]["id"]))) for device in devices)


def test_a_server_that_dies_is_told_with_what_is_left_on_it(tmp_path: Path) -> None:
    with ServedThingsBoard(tmp_path) as served:
        options = ("--register", "--count", "2", "--spread", "0s")
        running = Running("simulate", "thingsboard", "--against", written(served, tmp_path), *options, cwd=tmp_path)
        running.until_said("let in 2")
        os.kill(served.pid, signal.SIGKILL)
        assert running.interrupt() == Exit.BROKEN
    assert "left behind on mqtt://127.0.0.1:" in running.said()
    assert "the device profile fleetrig-simulate-" in running.said()
    assert "delete the devices of that profile, then the profile itself" in running.said()
