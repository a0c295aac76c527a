"""New devices by key and secret, and whom the server refuses (docs/contracts/thingsboard.md §1.3, §2.2)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import (
    FAILURE,
    NOT_FOUND,
    WORD,
    as_bytes,
    ask,
    expect_refused,
    expect_token,
)
from fleetrig.harness.platforms.thingsboard.conformance.logins import (
    coap_code,
    expect_login,
    expect_no_login,
    http_status,
)
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import id_of
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, without

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "create")
LENIENT: Final = b""", 'many':['a',"b"],'none':{}, bare:word, 'text':'it\\'s \\u0041\\n'}"""
"""The end of a request whose further members are no JSON, but what the server takes for it (1.1)."""


@ROWS.row("S01", "new-device", "Key and secret of a profile make a device with a token of 20 letters and digits")
def new_device(client: RowClient) -> None:
    profile = client.profile("A")
    for over in client.transports:
        name = client.name()
        token = expect_token(ask(client, over, profile.members(name)))
        device = client.existing(name)
        expect("the device's profile", profile.name, device["type"])
        expect("the stored token", token, client.credentials(device)["credentialsId"])


@ROWS.row("S02", "state", "A created device has the server attribute provisionState = provisioned")
def state(client: RowClient) -> None:
    name = client.name()
    expect_token(ask(client, "http", client.profile("A").members(name)))
    client.expect_state(client.existing(name), "provisioned")


@ROWS.row("S03", "login", "The token that was issued works on all transports, and telemetry is kept")
def login(client: RowClient) -> None:
    name = client.name()
    token = expect_token(ask(client, "http", client.profile("A").members(name)))
    expect("telemetry over HTTP", 200, http_status(client, token, b'{"http":1}'))
    if "mqtt" in client.transports:
        expect_login(client, b'[{"ts":1700000000000,"values":{"mqtt":1}}]', user_name=token)
    if "coap" in client.transports:
        expect("telemetry over CoAP", "2.01", coap_code(client, token, b'{"coap":1}'))
    device, kept = client.existing(name), dict.fromkeys(client.transports, "1")
    client.until(lambda: expect("telemetry that is kept", kept, client.telemetry(device, client.transports)))


@ROWS.row("S04", "again", "A second request for the same name fails and changes nothing")
def again(client: RowClient) -> None:
    profile, name = client.profile("A"), client.name()
    token = expect_token(ask(client, "http", profile.members(name)))
    for over in client.transports:
        expect_refused(ask(client, over, profile.members(name)), FAILURE)
    expect("the stored token", token, client.credentials(client.existing(name))["credentialsId"])


@ROWS.row("S05", "nameless", "A request without a name makes a device with a random name of 20 letters and digits")
def nameless(client: RowClient) -> None:
    profile = client.profile("A")
    expect_token(ask(client, "http", profile.members()))
    names = [device["name"] for device in client.devices_of(profile.name)]
    expect_that(len(names) == 1 and WORD.fullmatch(names[0]), "one device with a name of 20 letters and digits", names)


@ROWS.row("S06", "nameless-twice", "Each nameless request makes a device of its own")
def nameless_twice(client: RowClient) -> None:
    profile = client.profile("A")
    tokens = {expect_token(ask(client, "http", profile.members())) for _ in range(2)}
    expect("distinct tokens", 2, len(tokens))
    expect("devices", 2, len(client.devices_of(profile.name)))


@ROWS.row("S07", "trimmed", "Blanks around a name are dropped")
def trimmed(client: RowClient) -> None:
    name = client.name()
    expect_token(ask(client, "http", client.profile("A").members(f"  {name} ")))
    client.existing(name)


@ROWS.row("S08", "blank-name", "A name of blanks is FAILURE, even with an unknown key")
def blank_name(client: RowClient) -> None:
    members = {"deviceName": "   ", "provisionDeviceKey": client.name("k"), "provisionDeviceSecret": "x"}
    for over in client.transports:
        expect_refused(ask(client, over, members), FAILURE)


@ROWS.row("S09", "empty-name", "An empty name counts as none")
def empty_name(client: RowClient) -> None:
    profile = client.profile("A")
    expect_token(ask(client, "http", profile.members("")))
    expect("devices", 1, len(client.devices_of(profile.name)))


@ROWS.row("S10", "unknown-key", "An unknown key is NOT_FOUND")
def unknown_key(client: RowClient) -> None:
    members = {"deviceName": client.name(), "provisionDeviceKey": client.name("k"), "provisionDeviceSecret": "x"}
    for over in client.transports:
        expect_refused(ask(client, over, members), NOT_FOUND)


@ROWS.row("S11", "wrong-secret", "A wrong secret is NOT_FOUND, and no device is made")
def wrong_secret(client: RowClient) -> None:
    name = client.name()
    members = {**client.profile("A").members(name), "provisionDeviceSecret": "wrong"}
    for over in client.transports:
        expect_refused(ask(client, over, members), NOT_FOUND)
    expect("the device", None, client.device(name))


@ROWS.row("S12", "wrong-secret-existing", "A wrong secret is NOT_FOUND also for a name that exists")
def wrong_secret_existing(client: RowClient) -> None:
    members = client.profile("A").members(client.name())
    expect_token(ask(client, "http", members))
    expect_refused(ask(client, "http", {**members, "provisionDeviceSecret": "wrong"}), NOT_FOUND)


@ROWS.row("S13", "foreign-secret", "The secret of another profile is NOT_FOUND")
def foreign_secret(client: RowClient) -> None:
    members = {**client.profile("A").members(client.name()), "provisionDeviceSecret": client.profile("A2").secret}
    expect_refused(ask(client, "http", members), NOT_FOUND)


@ROWS.row("S14", "empty-secret", "An empty key or secret is NOT_FOUND")
def empty_secret(client: RowClient) -> None:
    for name in ("provisionDeviceKey", "provisionDeviceSecret"):
        for over in client.transports:
            members = {**client.profile("A").members(client.name()), name: ""}
            expect_refused(ask(client, over, members), NOT_FOUND)


@ROWS.row("S15", "disabled", "Where provisioning is disabled, key and secret are NOT_FOUND")
def disabled(client: RowClient) -> None:
    for over in client.transports:
        expect_refused(ask(client, over, client.profile("N").members(client.name())), NOT_FOUND)


@ROWS.row("S30", "extra-members", "Members that nobody knows are ignored")
def extra_members(client: RowClient) -> None:
    profile = client.profile("A")
    expect_token(ask(client, "http", profile.members(client.name(), colour="red", nested={"a": [1]})))
    expect_token(ask(client, "http", as_bytes(profile.members(client.name()))[:-1] + LENIENT))


@ROWS.row("S31", "number-name", "A number as a name is its text")
def number_name(client: RowClient) -> None:
    number = int.from_bytes(client.under_test.prefix.encode()) * 1000 + next(client.under_test.numbers)
    members = without(client.profile("A").members(), "deviceName")
    expect_token(ask(client, "http", {**members, "deviceName": number}))
    client.existing(str(number))


@ROWS.row("S47", "name-taken", "A name that another profile has is FAILURE")
def name_taken(client: RowClient) -> None:
    taken = client.imported(client.profile("N"))["name"]
    for over in client.transports:
        expect_refused(ask(client, over, client.profile("A").members(taken)), FAILURE)


@ROWS.row("S48", "deleted", "After its device was deleted a name may be provisioned anew; the old token is refused")
def deleted(client: RowClient) -> None:
    members = client.profile("A").members(client.name())
    old = expect_token(ask(client, "http", members))
    before = client.existing(members["deviceName"])
    client.delete_device(before)
    new = expect_token(ask(client, "http", members))
    expect_that(new != old, "a new token", "the old one")
    after = client.existing(members["deviceName"])
    expect_that(after["id"] != before["id"], "a new id", before["id"])
    statuses = [client.api("GET", f"/device/{id_of(one)}").status for one in (before, after)]
    expect("what GET /api/device/{id} says of the old id and of the new one", [404, 200], statuses)
    expect("telemetry with the old token", 401, http_status(client, old))
    if "mqtt" in client.transports:
        expect_no_login(client, "5", "0x86", user_name=old)


@ROWS.row("S96", "bad-name", "A name that is too long or holds markup is FAILURE, and no device is made")
def bad_name(client: RowClient) -> None:
    for name in (client.name("x" * 300), f"<b>{client.name()}</b>"):
        expect_refused(ask(client, "http", client.profile("A").members(name)), FAILURE)
    expect("devices", [], client.devices_of(client.profile("A").name))


@ROWS.row("S106", "switched", "A strategy that was switched off, and a new secret, hold from the next request on")
def switched(client: RowClient) -> None:
    profile = client.profile("A")
    expect_token(ask(client, "http", profile.members(client.name())))
    client.save_profile(profile, "ALLOW_CREATE_NEW_DEVICES", "another-secret")
    expect_refused(ask(client, "http", profile.members(client.name())), NOT_FOUND)
    members = {**profile.members(client.name()), "provisionDeviceSecret": "another-secret"}
    expect_token(ask(client, "http", members))
    client.save_profile(profile, "DISABLED", "another-secret")
    expect_refused(ask(client, "http", {**members, "deviceName": client.name()}), NOT_FOUND)
