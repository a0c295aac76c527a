"""`fleetrig simulate hono` against a Hono of ours: every transport and kind of credentials, what is left afterwards,
and what it says when nobody is let in."""

from __future__ import annotations

import itertools
import os
import signal
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.platforms.hono.hono_run import hashed
from fleetrig.harness.report.exits import Exit
from tests.harness.command import Done, Running, fleetrig
from tests.peers.hono.serving import Operator, ServedHono, ask

pytestmark = pytest.mark.slow

ONCE = ("--messages", "1", "--spread", "0s", "--interval", "1s", "--timeout", "10s")
"""Devices leave after one message, so the command ends by itself."""
NO_SECRET = "not-the-secret"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHono]:
    with ServedHono(tmp_path_factory.mktemp("hono")) as one:
        yield one


@pytest.fixture
def operator(served: ServedHono) -> Operator:
    return Operator(served)


@pytest.fixture
def server_file(served: ServedHono, tmp_path: Path) -> str:
    return written(served, tmp_path)


@pytest.fixture
def tenant(operator: Operator) -> str:
    """One that stays, with two devices and their password."""
    name = f"line-{next(_numbers)}"
    operator.create_tenant(name)
    for serial in ("SIM-0001", "SIM-0002"):
        password = {"type": "hashed-password", "auth-id": serial, "secrets": [dict(hashed("hono-secret", serial))]}
        operator.create_device(name, serial, [password])
    return name


def written(served: ServedHono, folder: Path) -> str:
    places = [f"{name}: 127.0.0.1:{served.port(name)}" for name in ("mqtt", "mqtts", "coap", "coaps")]
    places += [f"{name}: {name}://127.0.0.1:{served.port(name)}" for name in ("http", "https")]
    lines = ["platform: hono", f"registry: http://127.0.0.1:{served.port('registry')}", f"ca: {served.ready['ca']}"]
    (folder / "server.yaml").write_text("\n".join([*lines, *places]) + "\n")
    return str(folder / "server.yaml")


def simulate(against: str, *options: str) -> Done:
    return fleetrig("simulate", "hono", "--against", against, *options, cwd=Path.cwd())


def tenants(served: ServedHono) -> set[str]:
    """All that are there."""
    try:
        found = ask("GET", f"http://127.0.0.1:{served.port('registry')}/v1/tenants?pageSize=200")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return set()
    return {one["id"] for one in found["result"]}


# Who is let in


@pytest.mark.parametrize(
    ("transport", "credentials", "more"),
    [
        ("https", "certificate", ()),
        ("mqtts", "certificate", ("--event",)),
        ("coaps", "certificate", ()),
        ("http", "password", ("--event",)),
        ("mqtt", "password", ("--at-most-once",)),
        ("mqtts", "password", ("--commands", "2s")),
        ("coaps", "psk", ()),
        ("https", "certificate", ("--edge", "2")),
        ("mqtt", "password", ("--edge", "2")),
        ("coaps", "psk", ("--edge", "1")),
    ],
)
def test_a_tenant_of_its_own_is_gone_afterwards_with_all_its_devices(
    served: ServedHono, server_file: str, tmp_path: Path, transport: str, credentials: str, more: tuple[str, ...]
) -> None:
    before, trace = tenants(served), tmp_path / "trace.jsonl"
    ways = ("--transport", transport, "--credentials", credentials, *more)
    done = simulate(server_file, "--register", *ONCE, *ways, "--count", "2", "--trace", str(trace))
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    noun = "events" if "--event" in more else "messages"
    assert f"2 of 2 devices came through; 2 {noun}, 0 failures\n" in done.stdout
    assert "requests   " in done.stdout
    assert "machine    fleetrig used" in done.stdout
    edge = int(more[1]) if "--edge" in more else 0
    assert f"deleting {2 * (1 + edge)} devices" in done.stdout
    assert tenants(served) == before
    assert "-----BEGIN" not in trace.read_text()


@pytest.mark.parametrize("transport", ["http", "mqtt"])
def test_devices_that_are_there_send_with_their_password(
    served: ServedHono, operator: Operator, server_file: str, tenant: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, transport: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("SECRET", "hono-secret")
    have = ("--credentials", "password", "--tenant", tenant, "--secret", "env:SECRET", "--transport", transport)
    trace = tmp_path / "trace.jsonl"
    done = simulate(server_file, *ONCE, *have, "--count", "2", "--telemetry", "a=1", "--trace", str(trace))
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert "left behind" not in done.stdout
    bodies = [one["payload"] for one in operator.northbound(tenant)]
    assert bodies.count('{"a":1,"n":1}') == 2
    assert "hono-secret" not in trace.read_text()


def test_an_adapter_alone_is_enough_for_who_has_certificates(
    served: ServedHono, operator: Operator, tmp_path: Path
) -> None:
    """Of an authority that a tenant trusts; what they provision stays, and that is said."""
    made = fleetrig("ca", "new", "authority", cwd=tmp_path)
    assert made.returncode == Exit.PASSED, made.stderr
    name = f"line-{next(_numbers)}"
    operator.create_tenant(
        name, **{"trusted-ca": [{"cert": der_of(tmp_path / "authority"), "auto-provisioning-enabled": True}]}
    )
    url = f"mqtts://127.0.0.1:{served.port('mqtts')}"
    options = ("--certificates", str(tmp_path / "authority"), "--ca", str(served.ready["ca"]), "--count", "2")
    done = simulate(url, *ONCE, *options)
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert f"left behind on {url}: the devices that were provisioned; without a registry" in done.stdout
    assert len(operator.devices(name)) == 2


@pytest.mark.parametrize("scheme", ["https", "mqtts", "coaps"])
def test_a_name_in_the_address_says_whose_devices_they_are(
    served: ServedHono, operator: Operator, tmp_path: Path, scheme: str
) -> None:
    """Two tenants trust one authority; the host's first label, which the handshake has (SNI), names one of them."""
    number = next(_numbers)
    authority = tmp_path / f"authority-{number}"
    assert fleetrig("ca", "new", str(authority), cwd=tmp_path).returncode == Exit.PASSED
    trusted = {"cert": der_of(authority), "auto-provisioning-enabled": True}
    for name in (f"one-{number}", f"two-{number}"):
        members = {"trust-anchor-group": f"group-{number}", "trusted-ca": [trusted]}
        operator.create_tenant(name, **members)
    url = f"{scheme}://two-{number}.sni.localhost:{served.port(scheme)}"
    options = ("--certificates", str(authority), "--ca", str(served.ready["ca"]), "--count", "2")
    done = simulate(url, *ONCE, *options)
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert [len(operator.devices(f"{name}-{number}")) for name in ("one", "two")] == [0, 2]


def der_of(folder: Path) -> str:
    """As the management API takes it."""
    pem = (folder / "ca.pem").read_text()
    return "".join(pem.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0].split())


# Who is not


@pytest.mark.parametrize(
    ("transport", "answer", "advice"),
    [("http", "HTTP 401", "user names are SERIAL@line-"), ("mqtt", "CONNACK 4", "user names are SERIAL@line-")],
)
def test_a_wrong_password_is_told(
    server_file: str, tenant: str, monkeypatch: pytest.MonkeyPatch, transport: str, answer: str, advice: str
) -> None:
    monkeypatch.setenv("SECRET", NO_SECRET)
    have = ("--credentials", "password", "--tenant", tenant, "--secret", "env:SECRET", "--transport", transport)
    done = simulate(server_file, *ONCE, *have, "--count", "2", "--for", "3s")
    assert done.returncode == Exit.FAILED
    assert f"all devices heard {answer}: {advice}" in done.stdout
    assert "0 of 2 devices came through" in done.stdout
    assert NO_SECRET not in done.stdout + done.stderr


def test_certificates_that_no_tenant_trusts_are_told(served: ServedHono, tmp_path: Path) -> None:
    assert fleetrig("ca", "new", "stranger", cwd=tmp_path).returncode == Exit.PASSED
    options = ("--certificates", str(tmp_path / "stranger"), "--ca", str(served.ready["ca"]), "--count", "2")
    done = simulate(f"https://127.0.0.1:{served.port('https')}", *ONCE, *options, "--for", "3s")
    assert done.returncode == Exit.FAILED, done.stdout + done.stderr
    assert "all devices heard HTTP 404: no tenant trusts the issuer of this certificate" in done.stdout


def test_a_registry_that_is_not_there_is_one_sentence(tmp_path: Path, free_port: int) -> None:
    (tmp_path / "server.yaml").write_text(
        f"platform: hono\nregistry: http://127.0.0.1:{free_port}\nhttps: https://127.0.0.1:{free_port}\n"
    )
    done = simulate(str(tmp_path / "server.yaml"), "--register", *ONCE)
    assert done.returncode == Exit.BROKEN
    assert done.stderr.count("\n") == 1, done.stderr


def test_an_adapter_that_is_not_there_is_one_sentence(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", NO_SECRET)
    have = ("--credentials", "password", "--tenant", "t", "--secret", "env:SECRET")
    done = simulate(f"mqtt://127.0.0.1:{free_port}", *ONCE, *have)
    assert done.returncode == Exit.BROKEN
    assert f"nobody listens at mqtt://127.0.0.1:{free_port} (connection refused)" in done.stderr


# Stopped in the middle


@pytest.mark.parametrize("credentials", ["certificate", "password"])
def test_ctrl_c_leaves_nothing_behind(served: ServedHono, server_file: str, tmp_path: Path, credentials: str) -> None:
    before = tenants(served)
    options = ("--register", "--credentials", credentials, "--count", "40", "--spread", "6s")
    running = Running("simulate", "hono", "--against", server_file, *options, cwd=tmp_path)
    running.until_said("let in ")
    assert running.interrupt() == Exit.INTERRUPTED, running.said()
    assert "interrupted after" in running.said()
    assert tenants(served) == before


def test_a_server_that_dies_is_told_with_what_is_left_on_it(tmp_path: Path) -> None:
    with ServedHono(tmp_path) as served:
        options = ("--register", "--count", "2", "--spread", "0s")
        running = Running("simulate", "hono", "--against", written(served, tmp_path), *options, cwd=tmp_path)
        running.until_said("let in 2")
        os.kill(served.pid, signal.SIGKILL)
        assert running.interrupt() == Exit.BROKEN
    assert "left behind on https://127.0.0.1:" in running.said()
    assert "the tenant fleetrig-simulate-" in running.said()
    assert "DELETE http://127.0.0.1:" in running.said()
