"""Devices, their connections and the coupling of users (spec 2.2, 5.1, 5.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleetrig.reference_server.platforms.kura.state.accounts import account_by_name, set_account_settings
from fleetrig.reference_server.platforms.kura.state.connections import (
    connected,
    connection_by_client,
    disconnected,
)
from fleetrig.reference_server.platforms.kura.state.device_records import (
    CONNECTION,
    ConnectionStatus,
    DeviceConnection,
    DeviceEvent,
)
from fleetrig.reference_server.platforms.kura.state.devices import apps_changed, born, device_by_client
from fleetrig.reference_server.platforms.kura.state.errors import LoginRefused, Refused
from fleetrig.reference_server.platforms.kura.state.events import events_of, record_event
from fleetrig.reference_server.platforms.kura.state.provision_requests import request_by_id
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord, CouplingMode, User
from fleetrig.reference_server.platforms.kura.state.settings import Profile, Settings
from fleetrig.reference_server.platforms.kura.state.target_users import bind_if_tight, issue_target_user
from fleetrig.reference_server.platforms.kura.state.users import user_by_name
from tests.reference_server.platforms.kura.rest_rig import ACCOUNT, RestRig

STRICT, LOOSE, INHERITED = CouplingMode.STRICT, CouplingMode.LOOSE, CouplingMode.INHERITED


def account(rig: RestRig) -> AccountRecord:
    found = account_by_name(rig.registry, "acct")
    assert found is not None
    return found


def users(rig: RestRig) -> dict[str, User]:
    for name in ("u-1", "u-2"):
        rig.user(name)
    found = {name: user_by_name(rig.registry, f"u-{name}") for name in "12"}
    return {name: user for name, user in found.items() if user is not None}


def connect(rig: RestRig, client_id: str, user: User) -> DeviceConnection:
    return connected(rig.registry, account(rig), client_id, user, "127.0.0.1", "MQTT", rig.now_us)


CASES: list[tuple[str, CouplingMode, dict[str, Any] | None, bool, bool]] = [
    # rule of 5.4; mode; the connection that is known (None: none); u is reserved elsewhere; whether u may come
    ("STRICT, none yet", STRICT, None, False, True),
    ("STRICT, none yet", STRICT, None, True, False),
    ("STRICT, nobody reserved, the last user", STRICT, {"user_id": "u"}, False, True),
    ("STRICT, nobody reserved, the last user", STRICT, {"user_id": "u"}, True, False),
    ("STRICT, nobody reserved, another user", STRICT, {"user_id": "other"}, False, False),
    ("STRICT, another user is allowed once", STRICT, {"user_id": "other", "allow_user_change": True}, False, True),
    ("STRICT, allowed, but reserved elsewhere", STRICT, {"user_id": "other", "allow_user_change": True}, True, False),
    ("STRICT, reserved for u", STRICT, {"user_id": "other", "reserved_user_id": "u"}, False, True),
    ("STRICT, reserved for another", STRICT, {"user_id": "u", "reserved_user_id": "other"}, False, False),
    ("LOOSE, none yet", LOOSE, None, False, True),
    ("LOOSE, none yet", LOOSE, None, True, False),
    ("LOOSE, nobody reserved", LOOSE, {"user_id": "other"}, False, True),
    ("LOOSE, nobody reserved", LOOSE, {"user_id": "other"}, True, False),
    ("LOOSE, reserved for u", LOOSE, {"user_id": "other", "reserved_user_id": "u"}, False, True),
    ("LOOSE, reserved for another", LOOSE, {"user_id": "u", "reserved_user_id": "other"}, False, False),
]


@pytest.mark.parametrize("is_own", [True, False], ids=["of the connection", "of the account"])
@pytest.mark.parametrize(("name", "mode", "known", "is_reserved", "may"), CASES)
def test_coupling(
    name: str, mode: CouplingMode, known: dict[str, Any] | None, is_reserved: bool, may: bool, is_own: bool
) -> None:
    """The table of 5.4, row by row."""
    rig = RestRig()
    ids = {key: user.id for key, user in zip(("u", "other"), users(rig).values(), strict=True)}
    is_own = is_own and known is not None  # a connection that is not there has no mode of its own
    settings = replace(account(rig).settings, coupling=LOOSE if is_own else mode)
    set_account_settings(rig.registry, account(rig), settings)
    if known is not None:
        members = {key: ids.get(value, value) for key, value in known.items()}
        mode_kept = mode if is_own else INHERITED
        rig.store.put(
            CONNECTION, rig.scope(), DeviceConnection("c", rig.scope(), "gw", user_coupling_mode=mode_kept, **members)
        )
    if is_reserved:
        rig.store.put(
            CONNECTION, rig.scope(), DeviceConnection("d", rig.scope(), "else", "x", reserved_user_id=ids["u"])
        )
    user = user_by_name(rig.registry, "u-1")
    assert user is not None

    if may:
        assert connect(rig, "gw", user).user_id == ids["u"]
    else:
        with pytest.raises(LoginRefused):
            connect(rig, "gw", user)


def test_a_permit_is_for_one_time() -> None:
    """S-38."""
    rig = RestRig()
    first, second = users(rig).values()
    set_account_settings(rig.registry, account(rig), replace(account(rig).settings, coupling=STRICT))
    connection = connect(rig, "gw", first)
    path = f"/v1/{rig.scope()}/deviceconnections/{connection.id}/options"
    with pytest.raises(LoginRefused, match="allowUserChange"):
        connect(rig, "gw", second)
    options = rig.done("GET", path)
    rig.done("PUT", path, {**options, "allowUserChange": True})

    assert not connect(rig, "gw", second).allow_user_change
    with pytest.raises(LoginRefused):
        connect(rig, "gw", first)


@pytest.mark.parametrize("is_tight", [True, False])
def test_tight_credentials_bind_the_client_id_to_its_new_user(is_tight: bool) -> None:
    """Without them an operator has to permit the change of a user (5.4)."""
    rig = RestRig()
    old = users(rig)["1"]
    set_account_settings(rig.registry, account(rig), replace(account(rig).settings, coupling=STRICT))
    connect(rig, "gw-1", old)
    made = rig.request("gw-1", deviceCredentialsTight=is_tight)
    request = request_by_id(rig.registry, made["id"])
    assert request is not None
    user, _ = issue_target_user(rig.registry, request, rig.now_us)
    bind_if_tight(rig.registry, request, user.id, rig.now_us)
    refused, admitted = (old, user) if is_tight else (user, old)

    assert connect(rig, "gw-1", admitted).reserved_user_id == (user.id if is_tight else "")
    with pytest.raises(LoginRefused):
        connect(rig, "gw-1", refused)


class TestConnections:
    def test_from_connect_to_end(self) -> None:
        rig = RestRig()
        user = users(rig)["1"]
        connection = connect(rig, "gw", user)

        assert disconnected(rig.registry, connection, ConnectionStatus.MISSING, rig.now_us)
        found = connection_by_client(rig.registry, rig.scope(), "gw")
        assert found is not None
        assert found.status is ConnectionStatus.MISSING

    def test_the_end_of_an_older_session_says_nothing(self) -> None:
        """S-31: the will of the connection that was taken over does not mark the device missing."""
        rig = RestRig()
        user = users(rig)["1"]
        older = connect(rig, "gw", user)
        rig.later(1)
        newer = connect(rig, "gw", user)

        assert not disconnected(rig.registry, older, ConnectionStatus.MISSING, rig.now_us)
        assert connection_by_client(rig.registry, rig.scope(), "gw") == newer

    def test_equal_ids_in_two_accounts_do_not_meet(self) -> None:
        rig = RestRig()
        connect(rig, "gw", users(rig)["1"])

        assert connection_by_client(rig.registry, "AQ", "gw") is None

    @pytest.mark.parametrize(("profile", "is_let_in"), [(Profile.OPEN, False), (Profile.KAPUA_LAX, True)])
    def test_a_disabled_device(self, profile: Profile, is_let_in: bool) -> None:
        """Section 6, row 12."""
        rig = RestRig(Settings(profile, accounts=(ACCOUNT,)))
        user = users(rig)["1"]
        device_id = rig.connect("gw")
        shown = rig.done("GET", f"/v1/{rig.scope()}/devices/{device_id}")
        rig.done("PUT", f"/v1/{rig.scope()}/devices/{device_id}", {**shown, "status": "DISABLED"})

        if is_let_in:
            connect(rig, "gw", user)
        else:
            with pytest.raises(LoginRefused, match="DISABLED"):
                connect(rig, "gw", user)


class TestBirth:
    def test_registers_and_updates(self) -> None:
        rig = RestRig()
        born(rig.registry, rig.scope(), "gw", {"displayName": "one", "modelId": "m"}, 5, rig.now_us)
        again = born(rig.registry, rig.scope(), "gw", {"displayName": "", "modelId": "n"}, 6, rig.now_us)

        assert again.document == {"displayName": "one", "modelId": "n"}

    def test_an_older_one_changes_nothing(self) -> None:
        """2.2: order by the payload's time, not by arrival."""
        rig = RestRig()
        newest = born(rig.registry, rig.scope(), "gw", {"modelId": "new"}, 9, rig.now_us)

        assert born(rig.registry, rig.scope(), "gw", {"modelId": "old"}, 8, rig.now_us) == newest
        same = born(rig.registry, rig.scope(), "gw", {"modelId": "same"}, 9, rig.now_us)
        assert same.document == {"modelId": "same"}
        assert apps_changed(rig.registry, rig.scope(), "gw", {"applicationIdentifiers": "A"}, 8, rig.now_us) == same

    def test_apps_needs_a_device(self) -> None:
        rig = RestRig()
        with pytest.raises(Refused):
            apps_changed(rig.registry, rig.scope(), "gw", {}, None, rig.now_us)

    def test_the_registration_limit(self) -> None:
        """5.1: Kapua's own default is none."""
        rig = RestRig()
        limited = replace(account(rig).settings, infinite_devices=False, max_devices=1)
        set_account_settings(rig.registry, account(rig), limited)
        born(rig.registry, rig.scope(), "gw", {}, None, rig.now_us)

        with pytest.raises(Refused) as refused:
            born(rig.registry, rig.scope(), "other", {}, None, rig.now_us)
        assert (refused.value.status, refused.value.code) == (403, "MAX_NUMBER_OF_ITEMS_REACHED")
        born(rig.registry, rig.scope(), "gw", {}, None, rig.now_us)

    def test_an_account_that_takes_provisioned_devices_only(self) -> None:
        rig = RestRig()
        closed = replace(account(rig).settings, allows_unprovisioned=False)
        set_account_settings(rig.registry, account(rig), closed)

        with pytest.raises(Refused, match="create a provision request"):
            born(rig.registry, rig.scope(), "gw", {}, None, rig.now_us)
        made = born(rig.registry, rig.scope(), "gw", {}, None, rig.now_us, is_provisioned=True)
        assert made == device_by_client(rig.registry, rig.scope(), "gw")

    def test_events_are_kept_in_order(self) -> None:
        rig = RestRig()
        device = born(rig.registry, rig.scope(), "gw", {}, None, rig.now_us)
        for resource in ("BIRTH", "APPLICATION", "DEATH"):
            device = record_event(rig.registry, device, DeviceEvent(0, "", "", rig.now_us, resource))

        found = events_of(rig.registry, rig.scope(), device.id)
        assert [one.resource for one in found] == ["BIRTH", "APPLICATION", "DEATH"]
        assert device.last_event_id == found[-1].number
        stored = device_by_client(rig.registry, rig.scope(), "gw")
        assert stored == device
