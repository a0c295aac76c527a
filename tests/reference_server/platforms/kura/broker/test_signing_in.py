"""CONNECT: credentials, provision requests, coupling, lockout, and what is on record (S-01 to S-05, S-37 to S-39)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.platforms.kura.broker.topics import REQUESTER
from fleetrig.reference_server.platforms.kura.state.accounts import set_account_settings
from fleetrig.reference_server.platforms.kura.state.credentials import credentials_of
from fleetrig.reference_server.platforms.kura.state.device_records import CONNECTION, DEVICE, DeviceStatus
from fleetrig.reference_server.platforms.kura.state.events import audit_of
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus
from fleetrig.reference_server.platforms.kura.state.records import CouplingMode, Permission
from fleetrig.reference_server.platforms.kura.state.settings import Account, Profile, Settings
from fleetrig.simulator.contract.mqtt import MqttVersion
from tests.reference_server.platforms.kura.broker_rig import (
    ACCOUNT,
    BOOTSTRAP,
    GATEWAY,
    PASSWORD,
    PROVISION,
    WRONG,
    BrokerRig,
)

BAD = ["1 CONNACK 4", "1 closed"]
DENIED = ["1 CONNACK 5", "1 closed"]


# Provisioning


def test_without_a_request_nobody_is_let_in() -> None:
    rig = BrokerRig()
    assert rig.join(user=BOOTSTRAP) == BAD
    assert rig.audited() == [("connect", GATEWAY, f"there is no user '{BOOTSTRAP}'")]


def test_with_a_request_its_device_is_let_in() -> None:
    rig = BrokerRig()
    rig.request()
    assert rig.join(user=BOOTSTRAP) == ["1 CONNACK 0"]
    assert rig.steps() == ["request_found"]
    assert rig.job().status is JobStatus.CREATED


@pytest.mark.parametrize("user", [BOOTSTRAP.lower(), f"{BOOTSTRAP} ", f" {BOOTSTRAP}"])
def test_a_user_name_is_compared_letter_by_letter(user: str) -> None:
    rig = BrokerRig()
    rig.request()
    assert rig.join(user=user) == BAD


def test_a_wrong_password_leaves_the_job_as_it_was_and_is_on_record() -> None:
    rig = BrokerRig()
    rig.request()
    assert rig.join(user=BOOTSTRAP, password=WRONG) == BAD
    assert rig.job().status is JobStatus.CREATED
    ((stage, client_id, reason),) = rig.audited()
    assert (stage, client_id) == ("connect", GATEWAY)
    assert WRONG not in reason


@pytest.mark.parametrize("client_id", ["gw-2", "GW-1", "gw-1 "])
def test_another_client_id_does_not_come_in_with_the_credentials_of_a_request(client_id: str) -> None:
    rig = BrokerRig()
    rig.request()
    assert rig.join(client_id=client_id, user=BOOTSTRAP) == BAD


def test_each_request_of_one_user_has_its_own_password() -> None:
    rig = BrokerRig()
    rig.request("gw-1")
    rig.request("gw-2", password=WRONG)
    assert rig.join(1, "gw-1", BOOTSTRAP, WRONG) == BAD
    assert rig.join(2, "gw-2", BOOTSTRAP, WRONG) == ["2 CONNACK 0"]


def test_a_record_says_who_when_and_where_and_no_secret() -> None:
    rig = BrokerRig()
    rig.request()
    rig.join(user=BOOTSTRAP, password=WRONG)
    rig.join(2, "gw-9", None, None)
    first, second = audit_of(rig.registry)
    assert (first.at_us, first.username, first.remote_address) == (rig.now_us, BOOTSTRAP, "10.0.0.1")
    assert second.reason == "the CONNECT needs a user name and a password"
    assert PASSWORD not in repr((first, second))


def test_three_wrong_passwords_lock_it_and_retries_do_not_lengthen_that() -> None:
    rig = BrokerRig()
    rig.request()
    for session in (1, 2, 3):
        assert rig.join(session, user=BOOTSTRAP, password=WRONG)[0] == f"{session} CONNACK 4"
    assert rig.join(4, user=BOOTSTRAP)[0] == "4 CONNACK 5"
    rig.later(10_799)
    assert rig.join(5, user=BOOTSTRAP, password=WRONG)[0] == "5 CONNACK 5"
    rig.later(2)
    assert rig.join(6, user=BOOTSTRAP)[0] == "6 CONNACK 0"


# Devices of an account


def test_a_device_connects_with_the_user_of_its_account() -> None:
    rig = BrokerRig()
    user = rig.user()
    assert rig.join() == ["1 CONNACK 0"]
    assert (rig.connection().status, rig.connection().user_id) == ("CONNECTED", user.id)
    assert not rig.has_device()


def test_who_may_not_connect_is_not_let_in() -> None:
    rig = BrokerRig()
    scope_id = rig.account().id
    rig.user("reader", ACCOUNT, Permission("device", "read", scope_id))
    assert rig.join(user="reader") == DENIED
    (reason,) = rig.reasons()
    assert "broker:connect" in reason


@pytest.mark.parametrize("client_id", ["a/b", "a::b", "gw+", "+", "#", REQUESTER, "g" * 256])
def test_a_client_id_that_would_widen_rights_is_rejected(client_id: str) -> None:
    rig = BrokerRig()
    rig.user()
    assert rig.join(client_id=client_id) == ["1 CONNACK 2", "1 closed"]


def test_who_does_not_name_itself_is_named_and_has_the_rights_of_that_name() -> None:
    rig = BrokerRig()
    rig.user()
    assert rig.join(client_id="") == ["1 CONNACK 0"]
    assert rig.hears(1, f"$EDC/{ACCOUNT}//#") == ["1 SUBACK 128"]


def test_mqtt_3_1_is_spoken_too() -> None:
    rig = BrokerRig()
    rig.user()
    assert rig.join(version=MqttVersion.V31) == ["1 CONNACK 0"]


def test_equal_client_ids_of_two_accounts_do_not_meet() -> None:
    accounts = (Account(ACCOUNT, "acct-admin", PASSWORD), Account("other", "other-admin", PASSWORD))
    rig = BrokerRig(settings=Settings(accounts=accounts))
    rig.user()
    rig.user("dev-2", "other")
    assert rig.join(1) == ["1 CONNACK 0"]
    assert rig.join(2, user="dev-2") == ["2 CONNACK 0"]
    assert rig.connection().status == rig.connection(account="other").status == "CONNECTED"


def test_a_device_that_is_disabled_is_let_in_by_the_lax_profile_only() -> None:
    for profile, said in ((Profile.OPEN, DENIED), (Profile.KAPUA_LAX, ["1 CONNACK 0"])):
        rig = BrokerRig(settings=Settings(profile, accounts=(Account(ACCOUNT, "acct-admin", PASSWORD),)))
        rig.user()
        rig.join()
        rig.birth()
        rig.leaves()
        rig.store.put(DEVICE, rig.account().id, replace(rig.device(), status=DeviceStatus.DISABLED))
        assert rig.join() == said


def test_when_there_are_too_many_the_next_one_is_shed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetrig.reference_server.platforms.kura.broker.broker.MOST_CLIENTS", 1)
    rig = BrokerRig()
    rig.user()
    assert rig.join(1) == ["1 CONNACK 0"]
    assert rig.join(2, "gw-2") == ["2 CONNACK 3", "2 closed"]
    rig.leaves(1)
    assert rig.join(3, "gw-2") == ["3 CONNACK 0"]


# S-38: whose client id it is


def test_under_strict_coupling_another_user_is_let_in_once_if_that_is_allowed() -> None:
    rig = BrokerRig()
    rig.user("first")
    second = rig.user("second")
    settings = replace(rig.account().settings, coupling=CouplingMode.STRICT)
    set_account_settings(rig.registry, rig.account(), settings)
    rig.join(user="first")
    rig.leaves()
    assert rig.join(user="second") == DENIED
    rig.store.put(CONNECTION, rig.account().id, replace(rig.connection(), allow_user_change=True))
    assert rig.join(user="second") == ["1 CONNACK 0"]
    assert (rig.connection().user_id, rig.connection().allow_user_change) == (second.id, False)
    rig.leaves()
    assert rig.join(user="first") == DENIED


def test_a_refused_user_does_not_use_the_permit_up() -> None:
    rig = BrokerRig()
    rig.user("first")
    rig.user("second")
    set_account_settings(rig.registry, rig.account(), replace(rig.account().settings, coupling=CouplingMode.STRICT))
    rig.join(user="first")
    rig.leaves()
    rig.store.put(CONNECTION, rig.account().id, replace(rig.connection(), allow_user_change=True))
    assert rig.join(user="second", password=WRONG) == BAD
    assert rig.join(user="second") == ["1 CONNACK 0"]


def test_the_password_of_a_request_is_no_password_of_an_account() -> None:
    """The provisioning account has no other devices than those of requests."""
    rig = BrokerRig()
    request = rig.request()
    assert all(one.request_id for one in credentials_of(rig.registry, request.provision_user_id))
    rig.join(user=BOOTSTRAP)
    assert rig.hears(1, f"{PROVISION}/{GATEWAY}/#", f"$EDC/{PROVISION}/{GATEWAY}/#") == ["1 SUBACK 128 1"]
