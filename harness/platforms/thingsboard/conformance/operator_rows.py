"""What an operator does, and what devices see of it (docs/contracts/thingsboard.md §2, §3, §4)."""

from __future__ import annotations

from functools import partial
from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import FAILURE, NOT_FOUND, ask, expect_refused
from fleetrig.harness.platforms.thingsboard.conformance.credentials import GATEWAY_CONNECT, connecting
from fleetrig.harness.platforms.thingsboard.conformance.logins import (
    MEASURED,
    TELEMETRY,
    expect_login,
    expect_no_login,
    http_status,
    log_in,
)
from fleetrig.harness.platforms.thingsboard.conformance.own_attributes import expect_kept, say
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient
from fleetrig.harness.verdict import Severity

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "operator")
MQTT: Final = ("mqtt",)
ENDINGS: Final = ((4, ["closed"]), (5, ["DISCONNECT 0x98", "closed"]))
COLUMNS: Final = [{"type": "NAME"}, {"type": "TYPE"}, {"type": "SERVER_ATTRIBUTE", "key": "batch"}]
MAPPING: Final = {"columns": COLUMNS, "delimiter": ",", "update": True, "header": True}


@ROWS.row("S83", "leaks", "No refusal shows a secret or a token of another device")
def leaks(client: RowClient) -> None:
    profile, token = client.profile("C"), client.name("tok")
    device = client.imported(profile, token)
    client.set_provision_state(device, "x")
    requests = (
        profile.members(device["name"]),
        {**profile.members(device["name"]), "provisionDeviceSecret": "wrong"},
        {**client.profile("A").members(device["name"])},
    )
    for over in client.transports:
        for members in requests:
            said = ask(client, over, members)
            expect_refused(said, NOT_FOUND if members["provisionDeviceSecret"] == "wrong" else FAILURE)
            told = said.body.decode("utf-8", "replace") + str(said.headers)
            for secret in (token, profile.secret):
                expect_that(secret not in told, "no secret in a refusal", "it is there")


@ROWS.row("S84", "bulk-import", "A list with one bad line imports the others and names the line")
def bulk_import(client: RowClient) -> None:
    profile, first, second, short = client.profile("C"), client.name(), client.name(), client.name()
    lines = ["name,type,batch", *(f'{name},"{profile.name}",b1' for name in (first, f"<b>{first}</b>", second)), short]
    client.forget_device(short)
    answer = client.asked("POST", "/device/bulk_import", {"file": "\n".join(lines) + "\n", "mapping": MAPPING})
    counts = (answer["created"], answer["updated"], answer["errors"])
    expect("created, updated, errors", (3, 0, 1), counts)
    expect_that(answer["errorsList"][0].startswith("Line 3: "), "the bad line is named", answer["errorsList"])
    expect("devices", sorted([first, second]), sorted(one["name"] for one in client.devices_of(profile.name)))
    for name in (first, second):
        client.expect_attribute(client.existing(name), "batch", "b1")
    default = client.asked("GET", "/deviceProfileInfo/default")["name"]
    expect("the profile of a device whose line ends after the name", default, client.existing(short)["type"])


@ROWS.row("S85", "deleted-live", "Deleting a device ends its session, and its token is refused", needs=MQTT)
def deleted_live(client: RowClient) -> None:
    for level, lines in ENDINGS:
        token = client.name("tok")
        device = client.imported(client.profile("A"), token)
        connection = log_in(client, level, user_name=token)
        connection.publish(TELEMETRY, MEASURED)  # The session is known to the server once this is acknowledged.
        connection.expect_heard("telemetry", "PUBACK")
        client.under_test.settle()
        client.delete_device(device)
        connection.expect_heard("after the device was deleted", *client.generation.ending(*lines))
        expect_no_login(client, "5", "0x86", user_name=token)


@ROWS.row("S104", "new-token", "A new token ends the session of the old one, which is refused from then on", needs=MQTT)
def new_token(client: RowClient) -> None:
    for level, lines in ENDINGS:
        old, new = client.name("tok"), client.name("tok")
        device = client.imported(client.profile("A"), old)
        connection = log_in(client, level, user_name=old)
        connection.publish(TELEMETRY, MEASURED)
        connection.expect_heard("telemetry", "PUBACK")
        client.under_test.settle()
        client.save_credentials({**client.credentials(device), "credentialsId": new})
        connection.expect_heard("after the token was changed", *client.generation.ending(*lines))
        expect_no_login(client, "5", "0x86", user_name=old)
        expect_login(client, user_name=new)


@ROWS.row("S100", "empty-name", "A line of a list without a name is an error, and touches nothing",
          severity=Severity.WARNING, needs=("sane_import",))  # fmt: skip
def empty_name(client: RowClient) -> None:
    profile = client.profile("C")
    device = client.imported(profile)
    body = {"file": f"name,type,batch\n,{profile.name},b1\n", "mapping": MAPPING}
    answer = client.asked("POST", "/device/bulk_import", body)
    expect("created, updated, errors", (0, 0, 1), (answer["created"], answer["updated"], answer["errors"]))
    expect("the device's profile", profile.name, client.existing(device["name"])["type"])


@ROWS.row("S102", "numbers", "Text that looks like a number is stored as one")
def numbers(client: RowClient) -> None:
    said = {"fw": "1.0", "serial": "007", "hw": "1.0b", "exponent": "1e3", "word": "true"}
    for over in client.transports:
        token = client.name("tok")
        client.imported(client.profile("A"), token)
        say(client, over, token, said)
        client.until(partial(expect_kept, client, over, token, {**said, "fw": 1.0, "serial": 7}))


@ROWS.row("S103", "no-gateway", "v1/gateway/connect of who is no gateway is not even acknowledged", needs=MQTT)
def no_gateway(client: RowClient) -> None:
    token = client.name("tok")
    client.imported(client.profile("A"), token)
    connection = log_in(client, user_name=token)
    child = client.name("child")
    client.forget_device(child)
    connection.publish(GATEWAY_CONNECT, connecting(child, client.profile("A")))
    connection.expect_open("after v1/gateway/connect")
    expect("telemetry over HTTP", 200, http_status(client, token))
