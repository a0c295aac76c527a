"""`fleetrig doctor thingsboard`: why a ThingsBoard provisions no device or lets none in, on one page."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.option_groups import Sections
from fleetrig.harness.commands.options import Ca
from fleetrig.harness.doctor.options import account_to_look_with, curl_options, finish, in_shell
from fleetrig.harness.platforms.thingsboard.doctor import option_words as words
from fleetrig.harness.platforms.thingsboard.doctor.commands import TenantShell
from fleetrig.harness.platforms.thingsboard.doctor.gathering import DoctorRequest, gather
from fleetrig.harness.platforms.thingsboard.doctor.judging import judge
from fleetrig.harness.platforms.thingsboard.doctor.presenting import Given, Words, device_view, presented_by, way_of
from fleetrig.harness.platforms.thingsboard.doctor.way import JSON, PATH, REQUEST_TOPIC, RESPONSE_TOPIC
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

WITHIN_S: Final = 30.0
"""The server's internal time-out is 10 to 16 s, on a busy machine 20."""


SECTIONS: Final[Sections] = {
    "The server": ("--against", "--over", "--user", "--password", "--no-account", "--ca", "--insecure"),
    "A device that asks to be provisioned": (
        "--name", "--provision-key", "--provision-secret", "--request", "--gateway", "--claim", "--topic",
        "--response-topic", "--path", "--content-type", "--reads",
    ),
    "A device that logs in": (
        "--token", "--client-id", "--user-name", "--mqtt-password", "--cert", "--key",
    ),
    "How to look": ("--try", "--within", "--json"),
}  # fmt: skip


@examples(
    "fleetrig doctor thingsboard --against http://127.0.0.1:8080 --token env:TOKEN",
    "fleetrig doctor thingsboard --against SERVER.yaml --name gw-17 \\",
    "    --provision-key env:KEY --provision-secret env:SECRET",
    sections=SECTIONS,
)
def doctor_command(
    against: words.Against,
    over: words.OverUrl = "mqtt",
    name: words.Name = "",
    provision_key: words.ProvisionKey = None,
    provision_secret: words.ProvisionSecret = None,
    request: words.Request = None,
    token: words.Token = None,
    client_id: words.ClientId = "",
    user_name: words.UserName = None,
    mqtt_password: words.MqttPassword = None,
    cert: words.Cert = None,
    key: words.Key = None,
    gateway: words.Gateway = False,
    claim: words.Claim = False,
    topic: words.Topic = REQUEST_TOPIC,
    response_topic: words.ResponseTopic = RESPONSE_TOPIC,
    path: words.RequestPath = PATH,
    content_type: words.ContentType = JSON,
    reads: words.Reads = None,
    user: words.User = None,
    password: words.Password = None,
    no_account: words.NoAccount = False,
    try_: words.Try = False,
    within: words.Within = WITHIN_S,
    ca: Ca = None,
    insecure: words.Insecure = False,
    json_: words.Json = False,
) -> None:
    """Say why a ThingsBoard does not provision a device or let it in, and what to change.

    It asks as the device would, but provisions nobody: a request goes out under a name that no device can have, unless
    an account shows that nothing can come of it. A chain is shown whole only where it creates and replaces nothing.
    --try does more. With a tenant administrator's account the page knows the cause; without, what shows from outside.

    Exit codes: 0 let in, 1 refused, 3 the server cannot be used or the diagnosis is inconclusive, 4 wrong usage.
    """
    given = Given(
        name, provision_key, provision_secret, request, token, client_id, user_name, mqtt_password, cert, key, gateway,
        claim,
    )  # fmt: skip
    looks = Looks(user, password, no_account, try_, within, ca, insecure)
    words_of_device = Words(topic, response_topic, path, content_type, tuple(reads or ()))
    server = remote_server_from(against, "thingsboard", may_change_settings=False)
    finish("thingsboard", judge(gather(doctor_request(server, over, given, words_of_device, looks))), as_json=json_)


@dataclass(frozen=True, slots=True)
class Looks:
    """The options about who looks, and how."""

    user: str | None
    password: str | None
    no_account: bool
    tries: bool
    within_s: float
    ca: Path | None
    insecure: bool


def doctor_request(server: RemoteServer, over: str, given: Given, said: Words, looks: Looks) -> DoctorRequest:
    """Raises UsageError."""
    account = _account(server, given, looks)

    def verify() -> ssl.SSLContext | bool:
        return verify_with(looks.ca, insecure=looks.insecure, file_ca=server.ca)

    shell = TenantShell(
        server.url,
        account.user if account is not None else "USER",
        in_shell(looks.password) if looks.password is not None else "${TB_PASSWORD}",
        curl_options(server, looks.ca, insecure=looks.insecure),
    )
    return DoctorRequest(
        shell, presented_by(given), way_of(server, over, given, said), device_view(given, verify), account,
        context_of(verify()), looks.insecure, looks.tries, looks.within_s,
    )  # fmt: skip


def _account(server: RemoteServer, given: Given, looks: Looks) -> UserPassword | None:
    if looks.no_account:
        if looks.user is not None or looks.password is not None or looks.tries:
            raise UsageError("--no-account contradicts --user, --password and --try")
        return None
    account = account_to_look_with(server, looks.user, looks.password)
    if looks.tries and account is None and given.cert is None:
        raise UsageError("--try makes a device and removes it again: give --user NAME --password env:NAME")
    return account
