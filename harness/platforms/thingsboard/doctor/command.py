"""`fleetrig doctor thingsboard`: why a ThingsBoard provisions no device or lets none in, on one page."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.options import Ca
from fleetrig.harness.doctor.options import account_to_look_with, curl_options, finish, in_shell
from fleetrig.harness.platforms.thingsboard.doctor.asking import DeviceView
from fleetrig.harness.platforms.thingsboard.doctor.commands import TenantShell
from fleetrig.harness.platforms.thingsboard.doctor.gathering import DoctorRequest, gather
from fleetrig.harness.platforms.thingsboard.doctor.judging import judge
from fleetrig.harness.platforms.thingsboard.doctor.presenting import Given, device_view, presented_by, way_of
from fleetrig.harness.platforms.thingsboard.doctor.way import JSON, PATH, REQUEST_TOPIC, RESPONSE_TOPIC
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError

WITHIN_S: Final = 30.0
"""The server's internal time-out is 10 to 16 s, on a busy machine 20."""


def doctor_command(
    against: Annotated[str, typer.Option(metavar="URL|SERVER.yaml", help="The server's REST API.")],
    over: Annotated[
        str, typer.Option(metavar="URL|WORD", help="What the device calls: mqtts://HOST:8883, or mqtt, http, coap …")
    ] = "mqtt",
    name: Annotated[str, typer.Option(metavar="NAME", help="The device's name.")] = "",
    provision_key: Annotated[
        str | None, typer.Option(metavar="env:NAME", help="Key of its profile: it asks to be provisioned.")
    ] = None,
    provision_secret: Annotated[str | None, typer.Option(metavar="env:NAME", help="The profile's secret.")] = None,
    request: Annotated[
        Path | None, typer.Option(metavar="F", help="The whole request as the device sends it, instead.")
    ] = None,
    token: Annotated[str | None, typer.Option(metavar="env:NAME", help="Its access token: it logs in.")] = None,
    client_id: Annotated[str, typer.Option(metavar="ID", help="Its MQTT client id.")] = "",
    user_name: Annotated[str | None, typer.Option(metavar="NAME", help="Its MQTT user name.")] = None,
    mqtt_password: Annotated[str | None, typer.Option(metavar="env:NAME", help="Its MQTT password.")] = None,
    cert: Annotated[
        Path | None, typer.Option(metavar="F", help="Its certificate and the chain behind it (PEM).")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="F", help="The certificate's key, to do TLS as the device does.")
    ] = None,
    gateway: Annotated[bool, typer.Option("--gateway", help="It is to be a gateway.")] = False,
    claim: Annotated[bool, typer.Option("--claim", help="It offers itself to be claimed.")] = False,
    topic: Annotated[str, typer.Option(metavar="T", help="Where it publishes its request.")] = REQUEST_TOPIC,
    response_topic: Annotated[str, typer.Option(metavar="T", help="What it subscribes to.")] = RESPONSE_TOPIC,
    path: Annotated[str, typer.Option(metavar="P", help="Where it posts its request, over HTTP and CoAP.")] = PATH,
    content_type: Annotated[str, typer.Option(metavar="TYPE", help="Its request's, over HTTP.")] = JSON,
    reads: Annotated[
        list[str] | None, typer.Option(metavar="MEMBER", help="A member of the reply that it looks at; repeatable.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Tenant administrator to look with.  [default: from SERVER.yaml, else the demo tenant's on loopback]",
        ),
    ] = None,
    password: Annotated[str | None, typer.Option(metavar="env:NAME", help="Its password.")] = None,
    no_account: Annotated[
        bool, typer.Option("--no-account", help="See what the device can see, nothing else.")
    ] = False,
    try_: Annotated[
        bool,
        typer.Option("--try", help="Provision a throw-away device and remove it; show a chain even if that creates."),
    ] = False,
    within: Annotated[
        float, typer.Option(metavar="S", min=0.1, max=120.0, help="How long to wait for an answer.")
    ] = WITHIN_S,
    ca: Ca = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Accept any certificate, but say what is wrong with it.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
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
    server = remote_server_from(against, "thingsboard", may_change_settings=False)
    if no_account and (user is not None or password is not None or try_):
        raise UsageError("--no-account contradicts --user, --password and --try")
    account = None if no_account else account_to_look_with(server, user, password)
    if try_ and account is None and cert is None:
        raise UsageError("--try makes a device and removes it again: give --user NAME --password env:NAME")
    presented = presented_by(given)
    way = way_of(server, over, given, topic, response_topic, path, content_type, tuple(reads or ()))

    def new_verify() -> ssl.SSLContext | bool:
        return verify_with(ca, insecure=insecure, file_ca=server.ca)

    shell = TenantShell(
        server.url,
        account.user if account is not None else "USER",
        in_shell(password) if password is not None else "${TB_PASSWORD}",
        curl_options(server, ca, insecure=insecure),
    )
    view: DeviceView = device_view(given, new_verify)
    finish(
        "thingsboard",
        judge(gather(DoctorRequest(
            shell, presented, way, view, account, context_of(verify_with(ca, insecure=insecure, file_ca=server.ca)),
            insecure, try_, within,
        ))),
        as_json=json_,
    )  # fmt: skip
