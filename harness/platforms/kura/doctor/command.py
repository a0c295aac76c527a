"""`fleetrig doctor kura`: why a gateway is not provisioned or not connected, and what is wrong with a message to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.option_groups import Sections
from fleetrig.harness.doctor.options import account_to_look_with, curl_options, finish
from fleetrig.harness.platforms.kura.doctor import option_words as words
from fleetrig.harness.platforms.kura.doctor.asking import WITHIN_S
from fleetrig.harness.platforms.kura.doctor.commands import RestShell
from fleetrig.harness.platforms.kura.doctor.facts import PROVISIONING_ACCOUNT, Facts
from fleetrig.harness.platforms.kura.doctor.gathering import DoctorRequest, gather
from fleetrig.harness.platforms.kura.doctor.judging import judge
from fleetrig.harness.platforms.kura.doctor.presenting import (
    Given,
    configuration_of,
    gateway_of,
    material_of,
    message_of,
    purpose_of,
)
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

NOTHING_GIVEN: Final = (
    "say what is to be looked at: --configuration FILE, or --client-id and --login (or --mac and --serial), or --chain "
    "FILE, or --topic TOPIC with --payload"
)


SECTIONS: Final[Sections] = {
    "The gateway": (
        "--configuration", "--connection", "--for", "--broker-url", "--account", "--login", "--secret",
        "--client-id", "--activation-key", "--mac", "--serial", "--provisioned", "--provision-account",
    ),
    "Certificates and messages": (
        "--chain", "--trust", "--no-ca-authentication", "--keystore", "--signer", "--topic", "--payload",
    ),
    "The server": ("--against", "--user", "--password", "--ca", "--insecure"),
    "How to look": ("--connect", "--within", "--json"),
}  # fmt: skip


@examples(
    "fleetrig doctor kura --configuration snapshot.xml",
    "fleetrig doctor kura --chain broker.pem --trust ca.pem",
    "fleetrig doctor kura --against SERVER.yaml --account ec-provisioning",
    sections=SECTIONS,
)
def doctor_command(
    configuration: words.ConfigurationFile = None,
    connection: words.ConnectionName = "",
    purpose: words.For = None,
    broker_url: words.BrokerUrl = "",
    account: words.Account = "",
    login: words.Login = "",
    secret: words.Secret = None,
    client_id: words.ClientId = "",
    activation_key: words.ActivationKey = None,
    mac: words.Mac = "",
    serial: words.Serial = "",
    provisioned: words.Provisioned = False,
    provision_account: words.ProvisionAccount = PROVISIONING_ACCOUNT,
    chain: words.Chain = None,
    trust: words.Trust = None,
    no_ca_authentication: words.NoCaAuthentication = False,
    keystore: words.Keystore = None,
    signer: words.Signer = None,
    topic: words.Topic = "",
    payload: words.Payload = None,
    against: words.Against = None,
    user: words.User = None,
    password: words.Password = None,
    connect: words.Connect = False,
    within: words.Within = WITHIN_S,
    ca: words.Ca = None,
    insecure: words.Insecure = False,
    json_: words.Json = False,
) -> None:
    """Say why a gateway of the Kura namespace is not provisioned or does not connect, and what is wrong with a message.

    Its configuration, a certificate chain or a message are looked at as files; with --against the server is looked at,
    too. It never asks to be provisioned. With --connect it asks the broker by a CONNECT, where that harms nobody.

    Exit codes: 0 nothing in the way, 1 something is, 3 the server cannot be used or it cannot be told, 4 wrong usage.
    """
    given = Given(
        configuration, connection, purpose, broker_url, account, login, secret, client_id, activation_key, mac, serial,
        provision_account, chain, tuple(trust or ()), no_ca_authentication, keystore, signer, topic, payload,
    )  # fmt: skip
    looks = Looks(against, user, password, connect, within, ca, insecure, provisioned)
    finish("kura", judge(gather(doctor_request(given, looks))), as_json=json_)


@dataclass(frozen=True, slots=True)
class Looks:
    """The options about who looks, and how."""

    against: str | None
    user: str | None
    password: str | None
    connects: bool
    within_s: float
    ca: Path | None
    insecure: bool
    is_provisioned: bool


def doctor_request(given: Given, looks: Looks) -> DoctorRequest:
    """Raises UsageError."""
    server = None if looks.against is None else remote_server_from(looks.against, "kura", may_change_settings=False)
    configuration, connection = configuration_of(given)
    purpose = purpose_of(given, connection)
    account = None if server is None else account_to_look_with(server, looks.user, looks.password)
    facts = Facts(
        _shell(server, account, looks),
        gateway_of(given, connection, purpose),
        purpose,
        datetime.now(UTC),
        given.provision_account,
        configuration,
        connection,
        material_of(given, connection),
        message_of(given),
        is_signed_expected=looks.is_provisioned,
    )
    if not facts.calls and facts.message is None and facts.material.chain is None and configuration is None:
        raise UsageError(NOTHING_GIVEN)
    verify = context_of(verify_with(looks.ca, insecure=looks.insecure, file_ca=None if server is None else server.ca))
    url = "" if server is None else server.url
    reaches = bool(given.broker_url)
    return DoctorRequest(facts, url, account, verify, reaches, looks.connects, looks.insecure, looks.within_s)


def _shell(server: RemoteServer | None, account: UserPassword | None, looks: Looks) -> RestShell:
    if server is None:
        return RestShell()
    options = curl_options(server, looks.ca, insecure=looks.insecure) if server.url.startswith("https:") else ()
    return RestShell(server.url, "" if account is None else account.user, options)
