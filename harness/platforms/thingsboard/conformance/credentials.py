"""Credentials that a device brings with its request (docs/contracts/thingsboard.md §1.1)."""

from __future__ import annotations

import base64
import hashlib
import json
import textwrap
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import (
    FAILURE,
    ask,
    expect_refused,
    expect_token,
    expect_value,
)
from fleetrig.harness.platforms.thingsboard.conformance.logins import expect_login, expect_no_login, log_in
from fleetrig.harness.platforms.thingsboard.conformance.row_client import Profile, RowClient

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "credentials")
BASIC: Final = "MQTT_BASIC"
X509: Final = "X509_CERTIFICATE"
GATEWAY_CONNECT: Final = "v1/gateway/connect"


def issued(client: RowClient, kind: str, over: str = "http", **members: Any) -> Any:
    """The value of a SUCCESS of that kind, for a new name."""
    return expect_value(ask(client, over, client.profile("A").members(client.name(), **members)), kind)


def refused(client: RowClient, **members: Any) -> None:
    """FAILURE, and no device remains."""
    name = client.name()
    expect_refused(ask(client, "http", client.profile("A").members(name, **members)), FAILURE)
    expect("the device", None, client.device(name))


@ROWS.row("S16", "own-token", "A token of the device's own is echoed and works")
def own_token(client: RowClient) -> None:
    for over in client.transports:
        token = client.name("Tok")
        expect("the token", token, issued(client, "ACCESS_TOKEN", over, credentialsType="ACCESS_TOKEN", token=token))
        if "mqtt" in client.transports:
            expect_login(client, user_name=token)


@ROWS.row("S17", "token-untyped", "A token without credentialsType counts as an access token")
def token_untyped(client: RowClient) -> None:
    token = client.name("tok")
    expect("the token", token, issued(client, "ACCESS_TOKEN", token=token))


@ROWS.row("S18", "token-taken", "A token that is in use is FAILURE; no device remains, and another token works")
def token_taken(client: RowClient) -> None:
    token, name = client.name("tok"), client.name()
    issued(client, "ACCESS_TOKEN", token=token)
    expect_refused(ask(client, "http", client.profile("A").members(name, token=token)), FAILURE)
    expect("the device", None, client.device(name))
    other = client.name("tok")
    said = ask(client, "http", client.profile("A").members(name, token=other))
    expect("the token", other, expect_value(said, "ACCESS_TOKEN"))


def basic(client: RowClient) -> dict[str, str]:
    return {"clientId": client.name("c"), "username": client.name("u"), "password": "secret-1"}


def as_answered(given: dict[str, str]) -> dict[str, str]:
    """What the device did not send comes back empty, and the user name under another name."""
    return {"clientId": given.get("clientId", ""), "userName": given.get("username", ""),
            "password": given.get("password", "")}  # fmt: skip


@ROWS.row("S19", "basic", "Client id, user name and password are echoed")
def basic_all(client: RowClient) -> None:
    for over in client.transports:
        given = basic(client)
        expect("the value", as_answered(given), issued(client, BASIC, over, credentialsType=BASIC, **given))


@ROWS.row("S20", "basic-wrong", "MQTT_BASIC lets in who has all three parts right", needs=("mqtt",))
def basic_wrong(client: RowClient) -> None:
    given = basic(client)
    issued(client, BASIC, credentialsType=BASIC, **given)
    right: dict[str, Any] = {
        "client_id": given["clientId"],
        "user_name": given["username"],
        "password": given["password"],
    }
    expect_login(client, **right)
    expect_no_login(client, "5", "0x86", **{**right, "password": "wrong"})
    expect_no_login(client, "5", "0x86", **{**right, "client_id": "wrong"})


@ROWS.row("S21", "basic-user", "A user name alone is enough; the other parts come back empty")
def basic_user(client: RowClient) -> None:
    given = {"username": client.name("u")}
    expect("the value", as_answered(given), issued(client, BASIC, credentialsType=BASIC, **given))
    if "mqtt" in client.transports:
        expect_login(client, user_name=given["username"])


@ROWS.row("S22", "basic-client-id", "A client id alone is enough, and logs in without a user name")
def basic_client_id(client: RowClient) -> None:
    given = {"clientId": client.name("c")}
    expect("the value", as_answered(given), issued(client, BASIC, credentialsType=BASIC, **given))
    if "mqtt" in client.transports:
        expect_login(client, client_id=given["clientId"])


@ROWS.row("S23", "basic-no-user", "A client id with a password but no user name is FAILURE")
def basic_no_user(client: RowClient) -> None:
    refused(client, credentialsType=BASIC, clientId=client.name("c"), password="secret-1")


@ROWS.row("S24", "basic-nothing", "MQTT_BASIC without any part gives an access token")
def basic_nothing(client: RowClient) -> None:
    expect_token(ask(client, "http", client.profile("A").members(client.name(), credentialsType=BASIC)))


def stored_id(client: RowClient, certificate: str, value: str) -> None:
    """A certificate comes back as `value`, and is found by the SHA3-256 of it."""
    name = client.name()
    said = ask(client, "http", client.profile("A").members(name, credentialsType=X509, hash=certificate))
    expect("the value", value, expect_value(said, X509))
    digest = hashlib.sha3_256(value.encode()).hexdigest()
    expect("credentialsId", digest, client.credentials(client.existing(name))["credentialsId"])


@ROWS.row("S25", "certificate", "A certificate in PEM is kept without its armour and line ends")
def certificate(client: RowClient) -> None:
    text = base64.b64encode(client.name("certificate").encode() * 9).decode()
    lines = "\n".join(textwrap.wrap(text, 64))
    stored_id(client, f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n", text)


@ROWS.row("S26", "hash", "Any text does for a certificate: credentialsId is its SHA3-256")
def hash_text(client: RowClient) -> None:
    text = client.name("hash")
    stored_id(client, text, text)


@ROWS.row("S27", "token-missing", "A user name does not make up for the token of an access token")
def token_missing(client: RowClient) -> None:
    refused(client, credentialsType="ACCESS_TOKEN", username=client.name("u"))


def connecting(child: str, profile: Profile) -> bytes:
    """The document of v1/gateway/connect. With a type, else a renamed default profile would be made anew."""
    return json.dumps({"device": child, "type": profile.name}).encode()


@ROWS.row("S29", "gateway", "Who asks to be a gateway becomes one")
def gateway(client: RowClient) -> None:
    name, child = client.name(), client.name("child")
    token = expect_token(ask(client, "http", client.profile("A").members(name, gateway=True)))
    becomes_one = client.generation.has_gateway_flag
    flag = (client.existing(name)["additionalInfo"] or {}).get("gateway", False)
    expect("additionalInfo.gateway", becomes_one, flag)
    if "mqtt" in client.transports:
        client.forget_device(child)
        connection = log_in(client, user_name=token)
        connection.publish(GATEWAY_CONNECT, connecting(child, client.profile("A")))
        if becomes_one:
            connection.expect_heard("v1/gateway/connect of a gateway", "PUBACK")
            client.until(lambda: expect("the gateway's device", True, client.device(child) is not None))
        connection.expect_open("after v1/gateway/connect")


@ROWS.row("S97", "lwm2m", "LWM2M_CREDENTIALS without values gives an access token, with a token it is FAILURE")
def lwm2m(client: RowClient) -> None:
    kind = "LWM2M_CREDENTIALS"
    expect_token(ask(client, "http", client.profile("A").members(client.name(), credentialsType=kind)))
    refused(client, credentialsType=kind, token=client.name("tok"))
