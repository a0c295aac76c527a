"""Start-up properties and options of the ThingsBoard that `fleetrig serve` starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.commands.serve_platform import PlatformArgs
from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin
from fleetrig.harness.platforms.thingsboard.serve import configure, settings_from
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import IpGuardSettings
from fleetrig.simulator.contract.errors import UsageError

LIMIT = "transportDeviceTelemetryMsgRateLimit"
HERE = {"http": Address("127.0.0.1", 8080)}


def test_its_profiles_are_those_of_the_server() -> None:
    assert SERVER.profiles == tuple(Profile)


def test_properties_of_the_real_server_are_taken() -> None:
    given = {"maxDevices": "5", "security.claim.allowClaimingByDefault": "false", LIMIT: "5:60"}
    settings = settings_from(given, "4.2")
    assert settings.tenant_configuration == {"maxDevices": 5, LIMIT: "5:60"}
    assert (settings.claiming_by_default, settings.profile) == (False, Profile.PREVIOUS)


def test_the_guard_of_addresses_is_switched_on_as_on_the_real_server() -> None:
    limits = "transport.rate_limits"
    given = {f"{limits}.ip_limits_enabled": "true", f"{limits}.max_wrong_credentials_per_ip": "3"}
    assert settings_from(given, "4.3").ip_guard == IpGuardSettings(True, 3, 60_000)
    with pytest.raises(ValueError, match="expected true or false, got '1'"):
        settings_from({f"{limits}.ip_limits_enabled": "1"}, "4.3")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (PlatformArgs(HERE, "4.3", ("maxDevices=x",)), "expected a number, got 'x'"),
        (PlatformArgs(HERE, "4.3", (f"{LIMIT}=5",)), "invalid literal"),
        (PlatformArgs(HERE, "4.3", ("maxDevice=1",)), "there is no property 'maxDevice'"),
        (PlatformArgs(HERE, "4.3", ("maxDevices",)), "expected KEY=VALUE"),
        (PlatformArgs(HERE, "4.4"), "there is no profile '4.4' of ThingsBoard"),
        (PlatformArgs({"mqtt": Address("0.0.0.0", 1883)}, "4.3"), "a password that not everybody knows"),
        (PlatformArgs(HERE, "4.3", accounts=Path("f.yaml")), "demo tenant only"),
        (PlatformArgs(HERE, "4.3", client_ca=(Path("ca.pem"),)), "device profiles name"),
    ],
)
def test_what_cannot_be_served(args: PlatformArgs, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        configure(args)


def test_the_demo_tenants_password_is_no_secret_and_spoils_no_path() -> None:
    assert configure(PlatformArgs(HERE, "4.3")).secrets == ()
    assert list(ThingsBoardAdmin("http://h", SERVER.account, "Tenant").secrets()) == []


def test_a_password_of_ones_own_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN", "not-everybodys")
    config = configure(PlatformArgs({"mqtt": Address("0.0.0.0", 1883)}, "4.3", admin_password="env:OWN"))
    assert "not-everybodys" not in str(config.accounts)
    assert config.secrets == (("password", "not-everybodys"),)
    assert "sysadmin@thingsboard.org   (password as given)" in str(config.accounts), "no door stays open"
