"""Properties and options of the server that `fleetrig serve --platform kura` starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.commands.serve_platform import PlatformArgs
from fleetrig.harness.platforms.kura.serve import KNOWN, configure, settings_from
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.platforms.kura.state.settings import Profile, Settings
from fleetrig.simulator.contract.errors import FleetrigError, UsageError

HERE = {"http": Address("127.0.0.1", 8081)}
EVERYWHERE = {**HERE, "mqtts": Address("0.0.0.0", 8883)}
GIVEN = {
    "kura.profile": "kapua-lax",
    "kura.strict-errors": "true",
    "kura.target-broker-url": "mqtts://target.test:8883/",
    "kura.provision-account": "provisioning",
    "kura.provision-app-id": "PROV-X1",
    "kura.job-timeout-s": "60",
    "kura.call-timeout-s": "5",
    "kura.birth-wait-s": "0",
    "kura.password-min-length": "8",
    "kura.token-s": "10",
    "kura.max-payload-bytes": "65536",
}


def test_its_profiles_are_those_of_the_server() -> None:
    assert SERVER.profiles == tuple(Profile)
    assert settings_from({}, "open") == Settings()


def test_each_property_changes_its_setting() -> None:
    assert GIVEN.keys() == set(KNOWN)
    assert settings_from(GIVEN, "open") == Settings(
        profile=Profile.KAPUA_LAX,
        strict_errors=True,
        target_broker_url="mqtts://target.test:8883",
        provision_account="provisioning",
        provision_app_id="PROV-X1",
        job_timeout_s=60,
        call_timeout_s=5,
        birth_wait_s=0,
        password_min_length=8,
        token_s=10,
        payload_bytes=65_536,
    )


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (PlatformArgs(HERE, "open", ("kura.profile=lax",)), "expected open or kapua-lax, got 'lax'"),
        (PlatformArgs(HERE, "open", ("kura.strict-errors=1",)), "expected true or false, got '1'"),
        (PlatformArgs(HERE, "open", ("kura.job-timeout-s=0",)), "expected a number of at least 1, got '0'"),
        (PlatformArgs(HERE, "open", ("kura.token-s=x",)), "expected a number of at least 1, got 'x'"),
        (PlatformArgs(HERE, "open", ("kura.target-broker-url=http://h",)), "expected an address such as mqtt://"),
        (PlatformArgs(HERE, "open", ("kura.provision-account=a/b",)), "letters, digits, _ and -"),
        (PlatformArgs(HERE, "open", ("kura.profil=open",)), "there is no property 'kura.profil'"),
        (PlatformArgs(HERE, "open", ("kura.profile",)), "expected KEY=VALUE"),
        (PlatformArgs(HERE, "esf"), "there is no profile 'esf' of Kura; there are open, kapua-lax"),
        (PlatformArgs(HERE, "open", client_ca=(Path("ca.pem"),)), "gateways sign in to Kura with user and password"),
        (PlatformArgs(EVERYWHERE, "open"), "0.0.0.0:8883 can be reached from outside this machine"),
    ],
)
def test_what_cannot_be_served(args: PlatformArgs, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        configure(args)


def test_everybody_may_reach_it_who_knows_a_password_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "not-well-known")
    monkeypatch.setenv("OTHER", "of-acme")
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text("- {account: acme, user: anna, password: env:OTHER}\n")
    config = configure(PlatformArgs(EVERYWHERE, "open", accounts=accounts, admin_password="env:PASSWORD"))
    assert config.secrets == (("password", "not-well-known"), ("password", "of-acme"))
    assert config.accounts == (
        "kapua-sys   (password as given)   administers all accounts",
        "kapua-broker   (password as given)   may connect to the broker, in all accounts",
        "anna   (password as given)   account acme",
    )


def test_a_store_that_is_kept_may_have_another_password_than_that_of_a_new_one() -> None:
    shown = [configure(PlatformArgs(HERE, "open", is_kept=is_kept)).accounts[0] for is_kept in (False, True)]
    assert shown == [
        "kapua-sys / kapua-password   administers all accounts",
        "kapua-sys / kapua-password   (unless the store has another)   administers all accounts",
    ]


@pytest.mark.parametrize(
    ("users", "sentence"),
    [(["kapua-sys"], "is there already"), (["kapua-broker"], "is there already"), (["anna", "anna"], "twice")],
)
def test_a_password_that_would_not_count_is_refused(users: list[str], sentence: str, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text("".join(f"- {{account: acme, user: {user}, password: Acme-1234567!}}\n" for user in users))
    with pytest.raises(UsageError, match=sentence):
        configure(PlatformArgs(HERE, "open", accounts=accounts))


def test_an_account_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text("- {account: acme, user: anna, password: x}\n- {account: a b, user: anna, password: x}\n")
    with pytest.raises(FleetrigError, match=r"accounts.yaml:2:\d+: .*letters, digits, _ and -"):
        configure(PlatformArgs(HERE, "open", accounts=accounts))
