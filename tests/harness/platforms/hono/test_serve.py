"""Configuration and options of the Hono that `fleetrig serve` starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.commands.serve_platform import PlatformArgs
from fleetrig.harness.platforms.hono.own_server import OWN_SERVER
from fleetrig.harness.platforms.hono.serve import configure, settings_from
from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.simulator.contract.errors import UsageError

HERE = {"registry": Address("127.0.0.1", 28080)}
EVERYWHERE = {"registry": Address("0.0.0.0", 28080)}


def test_its_profiles_are_those_of_the_server() -> None:
    assert SERVER.profiles == tuple(Profile)


def test_without_anything_it_is_the_hono_of_the_examples() -> None:
    assert settings_from({}, "2") == Settings()
    assert settings_from({}, "1").devices_per_tenant == 100


def test_properties_of_the_real_components_are_taken() -> None:
    given = {
        "hono.registry.http.maxPayloadSize": "16000",
        "hono.mqtt.maxPayloadSize": "4096",
        "hono.registry.svc.maxBcryptCostFactor": "4",
        "hono.registry.svc.maxDevicesPerTenant": "-1",
        "hono.registry.svc.hashAlgorithmsAllowList": "bcrypt, sha-256",
        "hono.registry.http.corsAllowedOrigin": "http://a.b",
    }
    assert settings_from(given, "2-jdbc") == Settings(
        profile=Profile.JDBC,
        registry_body_bytes=16_000,
        payload_bytes=4_096,
        max_bcrypt_cost=4,
        hash_functions=("bcrypt", "sha-256"),
        cors_allowed_origin="http://a.b",
    )


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (PlatformArgs(HERE, "2", ("hono.http.maxPayloadSize=x",)), "expected a number, got 'x'"),
        (PlatformArgs(HERE, "2", ("hono.registry.svc.maxBcryptCostFactor=3",)), "expected 4 to 31, got '3'"),
        (PlatformArgs(HERE, "2", ("hono.registry.http.corsAllowedOrigin=(",)), "no regular expression"),
        (PlatformArgs(HERE, "2", ("maxDevices=1",)), "there is no property 'maxDevices'"),
        (PlatformArgs(HERE, "2", ("maxDevices",)), "expected KEY=VALUE"),
        (PlatformArgs(HERE, "2.7"), "there is no profile '2.7' of Hono; there are 2, 2-jdbc, 2-mongodb, 1"),
        (PlatformArgs(HERE, "2", client_ca=(Path("ca.pem"),)), "the authorities that its tenants name"),
        (PlatformArgs(EVERYWHERE, "2"), "the registry needs an account there"),
    ],
)
def test_what_cannot_be_served(args: PlatformArgs, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        configure(args)


def test_adapters_may_be_reached_from_everywhere() -> None:
    config = configure(PlatformArgs({**HERE, "http": Address("0.0.0.0", 8080)}, "2"))
    assert config.accounts == ("none: everybody who can reach the registry may change it",)
    assert config.asks_for_certificates


def test_accounts_are_not_shown_with_their_passwords(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OWN", "not-everybodys")
    file = tmp_path / "accounts.yaml"
    file.write_text("- {user: line, password: also-secret}\n- {user: other, password: env:OWN}\n", encoding="utf-8")
    config = configure(PlatformArgs(EVERYWHERE, "2", accounts=file, admin_password="env:OWN"))
    assert [line.split()[0] for line in config.accounts] == ["admin", "line", "other"]
    assert not any("secret" in line or "everybodys" in line for line in config.accounts)
    assert len(config.secrets) == 3


def test_an_account_that_http_basic_cannot_carry(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text("- {user: 'a:b', password: x}\n", encoding="utf-8")
    with pytest.raises(Exception, match="HTTP Basic"):
        configure(PlatformArgs(HERE, "2", accounts=file))


def test_a_run_has_all_listeners() -> None:
    assert OWN_SERVER.proxied is not None
    assert {*OWN_SERVER.listeners, *OWN_SERVER.proxied.listeners} == set(SERVER.listeners)
    assert next(iter(OWN_SERVER.listeners)) == SERVER.admin
