"""Devices of a list: CHECK_PRE_PROVISIONED_DEVICES (docs/contracts/thingsboard.md §1.3, §2.3)."""

from __future__ import annotations

import json
from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import FAILURE, ask, expect_refused, expect_value
from fleetrig.harness.platforms.thingsboard.conformance.crowd import ask_at_once
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "listed")
TOKEN: Final = "ACCESS_TOKEN"


@ROWS.row("S38", "first", "A listed device gets the credentials that it has")
def first(client: RowClient) -> None:
    profile = client.profile("C")
    for over in client.transports:
        token = client.name("tok")
        device = client.imported(profile, token)
        client.expect_state(device, None)
        expect("the token", token, expect_value(ask(client, over, profile.members(device["name"])), TOKEN))
        client.expect_state(device, "provisioned")
        expect("the stored token", token, client.credentials(device)["credentialsId"])


def provisioned(client: RowClient) -> tuple[dict[str, str], str]:
    """A listed device that has asked once: its request, its token."""
    profile, token = client.profile("C"), client.name("tok")
    members = profile.members(client.imported(profile, token)["name"])
    expect("the token", token, expect_value(ask(client, "http", members), TOKEN))
    return members, token


@ROWS.row("S39", "again", "A listed device that asks again is refused, and stays as it is", needs=("answers_once",))
def again(client: RowClient) -> None:
    members, token = provisioned(client)
    for over in client.transports:
        expect_refused(ask(client, over, members), FAILURE)
    device = client.existing(members["deviceName"])
    client.expect_state(device, "provisioned")
    expect("the stored token", token, client.credentials(device)["credentialsId"])


@ROWS.row("S40", "again-older", "Up to 4.2.1 a listed device is answered as often as it asks",
          needs=("answers_again",))  # fmt: skip
def again_older(client: RowClient) -> None:
    members, token = provisioned(client)
    expect("the token", token, expect_value(ask(client, "http", members), TOKEN))


@ROWS.row("S41", "reset", "Once its provisionState is deleted, a listed device is answered again")
def reset(client: RowClient) -> None:
    members, token = provisioned(client)
    client.delete_provision_state(client.existing(members["deviceName"]))
    expect("the token", token, expect_value(ask(client, "http", members), TOKEN))


@ROWS.row("S42", "odd-state", "Any other provisionState is FAILURE")
def odd_state(client: RowClient) -> None:
    profile = client.profile("C")
    device = client.imported(profile)
    client.set_provision_state(device, "x")
    expect_refused(ask(client, "http", profile.members(device["name"])), FAILURE)
    client.expect_state(device, "x")


@ROWS.row("S43", "not-listed", "A name that is not on the list, and no name, are FAILURE")
def not_listed(client: RowClient) -> None:
    profile, name = client.profile("C"), client.name()
    for over in client.transports:
        expect_refused(ask(client, over, profile.members(name)), FAILURE)
        expect_refused(ask(client, over, profile.members()), FAILURE)
    expect("devices", [], client.devices_of(profile.name))


@ROWS.row("S44", "other-profile", "A name that is listed in another profile is FAILURE")
def other_profile(client: RowClient) -> None:
    device = client.imported(client.profile("C2"))
    expect_refused(ask(client, "http", client.profile("C").members(device["name"])), FAILURE)


@ROWS.row("S45", "own-token", "A token that a listed device brings is ignored")
def own_token(client: RowClient) -> None:
    profile, token = client.profile("C"), client.name("tok")
    device = client.imported(profile, token)
    members = profile.members(device["name"], token=client.name("other"))
    expect("the token", token, expect_value(ask(client, "http", members), TOKEN))
    expect("the stored token", token, client.credentials(device)["credentialsId"])


@ROWS.row("S46", "other-kinds", "A listed device gets MQTT_BASIC or a certificate in the form of that kind")
def other_kinds(client: RowClient) -> None:
    basic = {"clientId": client.name("c"), "userName": client.name("u"), "password": "secret-1"}
    certificate = client.name("certificate")
    profile = client.profile("C")
    for kind, stored, answered in (
        ("MQTT_BASIC", json.dumps(basic), basic),
        ("X509_CERTIFICATE", certificate, certificate),
    ):
        given = {"credentialsType": kind, "credentialsValue": stored}
        if kind == "MQTT_BASIC":
            device = client.imported(profile)
            client.save_credentials({**client.credentials(device), **given, "credentialsId": None})
        else:
            made = {"device": {"name": client.name("i"), "type": profile.name}, "credentials": given}
            device = client.asked("POST", "/device-with-credentials", made)
        said = ask(client, "http", profile.members(device["name"]))
        expect(f"the value of {kind}", answered, expect_value(said, kind))


@ROWS.row("S86", "at-once", "Requests at once for one listed device give nobody other credentials; then it is FAILURE")
def at_once(client: RowClient) -> None:
    profile, token = client.profile("C"), client.name("tok")
    members = profile.members(client.imported(profile, token)["name"])
    answers = ask_at_once(client, [members] * 20)
    given = [answer for answer in answers if answer.status == "SUCCESS"]
    expect_that(given, "at least one SUCCESS", [answer.status for answer in answers])
    for answer in answers:
        if answer in given:
            expect("the token", token, expect_value(answer, TOKEN))
        else:
            expect_refused(answer, FAILURE)
    after = ask(client, "http", members)
    if client.generation.answers_once:
        expect_refused(after, FAILURE)
    else:
        expect("the token", token, expect_value(after, TOKEN))
