"""X509_CERTIFICATE_CHAIN: a device is provisioned in the handshake (docs/contracts/thingsboard.md §2.4)."""

from __future__ import annotations

import base64
import time
from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import (
    PROVISION,
    ask_mqtt,
    expect_token,
)
from fleetrig.harness.platforms.thingsboard.conformance.chains import (
    authority,
    chain_profile,
    expect_in,
    expect_out,
    followed_by,
    leaf_alone,
    shown,
)
from fleetrig.harness.platforms.thingsboard.conformance.logins import MEASURED, TELEMETRY
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient
from fleetrig.harness.platforms.thingsboard.conformance.time_outs import expect_given_up
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.certificates.profile import Validity

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "chain")
NEEDS: Final = ("mqtts", "certificate_chain")


@ROWS.row("S75", "first-contact", "A chain up to a profile's authority makes the device that its CN names", needs=NEEDS)
def first_contact(client: RowClient) -> None:
    ca, name = authority(), client.name()
    profile = chain_profile(client, ca)
    leaf = followed_by(ca.issue_client(name), ca)
    connection = expect_in(client, leaf)
    connection.publish(TELEMETRY, MEASURED)
    connection.expect_heard("telemetry of the device", "PUBACK")
    device = client.existing(name)
    expect("the device's profile", profile.name, device["type"])
    client.expect_state(device, "provisioned")
    stored = client.credentials(device)["credentialsValue"]
    expect("the stored certificate", base64.b64encode(leaf.chain[0]).decode(), stored)
    expect_in(client, leaf_alone(leaf), 5)


@ROWS.row("S76", "renewed", "A new leaf of the same CN replaces the old one, and the old one alone is refused",
          needs=NEEDS)  # fmt: skip
def renewed(client: RowClient) -> None:
    ca, name = authority(), client.name()
    chain_profile(client, ca, authority())
    old, new = (followed_by(ca.issue_client(name), ca) for _ in range(2))
    expect_in(client, old)
    expect_in(client, new)
    expect_out(client, leaf_alone(old))
    expect_in(client, old)
    expect_out(client, leaf_alone(new))


@ROWS.row("S77", "no-creation", "Where devices are not created, an unknown CN is refused after the handshake",
          needs=NEEDS)  # fmt: skip
def no_creation(client: RowClient) -> None:
    ca, name = authority(), client.name()
    chain_profile(client, ca, creates=False)
    expect_out(client, followed_by(ca.issue_client(name), ca))
    expect("the device", None, client.device(name))


@ROWS.row("S78", "leaf-alone", "An unknown leaf without its authority is refused", needs=NEEDS)
def unknown_leaf_alone(client: RowClient) -> None:
    ca, name = authority(), client.name()
    chain_profile(client, ca)
    expect_out(client, leaf_alone(ca.issue_client(name)))
    expect("the device", None, client.device(name))


@ROWS.row("S79", "not-signed", "A leaf that the next certificate has not signed fails the handshake", needs=NEEDS)
def not_signed(client: RowClient) -> None:
    ca, name = authority(), client.name()
    chain_profile(client, ca)
    for next_one in (ca, authority(KeyKind.ED25519)):
        try:
            connection = shown(client, followed_by(authority().issue_client(name), next_one))
        except HandshakeRefused:
            got = "refused"
        else:
            got = f"accepted, then {connection.connect()}"
        expect("the handshake", "refused", got)
    expect("the device", None, client.device(name))


@ROWS.row("S80", "pattern", "The name is the first group that the pattern finds in the CN; no match is refused",
          needs=NEEDS)  # fmt: skip
def pattern(client: RowClient) -> None:
    ca, name, other = authority(), client.name(), client.name()
    chain_profile(client, ca, pattern="(.*)@acme")
    expect_in(client, followed_by(ca.issue_client(f"{name}@acme"), ca))
    client.existing(name)
    expect_out(client, followed_by(ca.issue_client(f"{other}@other"), ca))
    expect("the device", None, client.device(other))


@ROWS.row("S81", "request", "A request with the key of such a profile finds no answer but an error after 10 to 16 s",
          needs=("certificate_chain",))  # fmt: skip
def request(client: RowClient) -> None:
    ca, name = authority(), client.name()
    profile = chain_profile(client, ca)
    expect_given_up(client, dict.fromkeys(client.transports, profile.members(name)))
    expect("the device", None, client.device(name))


@ROWS.row("S107", "token-holder", "A device of that name that holds an access token keeps it, and the chain is refused",
          needs=NEEDS)  # fmt: skip
def token_holder(client: RowClient) -> None:
    ca, token = authority(), client.name("tok")
    device = client.imported(chain_profile(client, ca), token)
    expect_out(client, followed_by(ca.issue_client(device["name"]), ca))
    expect("the stored token", token, client.credentials(device)["credentialsId"])


@ROWS.row("S108", "expired", "An expired leaf is refused, and one that is not valid yet", needs=NEEDS)
def expired(client: RowClient) -> None:
    ca = authority()
    chain_profile(client, ca)
    expect_out(client, followed_by(ca.issue_client(client.name(), expired=True), ca))
    tomorrow = Validity.later(time.time_ns() // 1000)
    expect_out(client, followed_by(ca.issue_client(client.name(), validity=tomorrow), ca))


@ROWS.row("S109", "provision-session", "A provision session with a chain makes the chain's device; its request is "
          "answered on its own merits", needs=NEEDS)  # fmt: skip
def provision_session(client: RowClient) -> None:
    ca, name, asked = authority(), client.name(), client.name()
    profile = chain_profile(client, ca)
    connection = expect_in(client, followed_by(ca.issue_client(name), ca), user_name=PROVISION)
    expect("the profile of the chain's device", profile.name, client.existing(name)["type"])
    token = expect_token(ask_mqtt(connection, client.profile("A").members(asked)))
    expect_that(token == client.credentials(client.existing(asked))["credentialsId"], "the asked device's token", token)


@ROWS.row("S110", "other-parts", "User name, password and client id beside a certificate are ignored", needs=NEEDS)
def other_parts(client: RowClient) -> None:
    ca, name = authority(), client.name()
    chain_profile(client, ca)
    leaf = followed_by(ca.issue_client(name), ca)
    expect_in(client, leaf, client_id="any", user_name="some", password="thing")
    client.existing(name)
