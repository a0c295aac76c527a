"""`fleetrig doctor hawkbit`: why a hawkBit refuses a device, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.option_groups import Sections
from fleetrig.harness.commands.options import Ca
from fleetrig.harness.doctor.certificates import read_certificate
from fleetrig.harness.doctor.diagnosis import Shell
from fleetrig.harness.doctor.options import (
    account_to_look_with,
    curl_options,
    filled,
    finish,
    in_shell,
    tls_as_device,
)
from fleetrig.harness.platforms.hawkbit.doctor.facts import Kind, Presented
from fleetrig.harness.platforms.hawkbit.doctor.gathering import DoctorRequest, gather
from fleetrig.harness.platforms.hawkbit.doctor.judging import judge
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.simulator.contract.errors import UsageError

SECTIONS: Final[Sections] = {
    "The device": ("--id", "--target-token", "--gateway-token", "--cert", "--key", "--authority"),
    "The server": ("--against", "--tenant", "--user", "--password", "--ca", "--insecure"),
    "How to look": ("--try", "--json"),
}  # fmt: skip


@examples(
    "fleetrig doctor hawkbit --against http://127.0.0.1:8080 --id gateway-7",
    "fleetrig doctor hawkbit --against SERVER.yaml --id gw-7 --gateway-token env:T",
    sections=SECTIONS,
)
def doctor_command(
    against: Annotated[str, typer.Option(metavar="URL|SERVER.yaml", help="The server, as the device addresses it.")],
    controller_id: Annotated[str, typer.Option("--id", metavar="ID", help="The device's controllerId.")],
    tenant: Annotated[
        str | None, typer.Option(metavar="NAME", help="The device's tenant.  [default: from SERVER.yaml, else DEFAULT]")
    ] = None,
    target_token: Annotated[str | None, typer.Option(metavar="env:NAME", help="The device's own token.")] = None,
    gateway_token: Annotated[str | None, typer.Option(metavar="env:NAME", help="The token of its tenant.")] = None,
    cert: Annotated[Path | None, typer.Option(metavar="F", help="The device's certificate (PEM or DER).")] = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="F", help="Its key; used for the TLS handshake, as the device would."),
    ] = None,
    authority: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Issuer value sent by the reverse proxy, if it is fixed.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Admin account used for the diagnosis.  [default: from SERVER.yaml, else admin/admin on loopback]",
        ),
    ] = None,
    password: Annotated[str | None, typer.Option(metavar="env:NAME", help="Its password.")] = None,
    try_: Annotated[bool, typer.Option("--try", help="Poll even if that registers the device.")] = False,
    ca: Ca = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Accept any certificate, but say what is wrong with it.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Say why a hawkBit server refuses a device, and what to change.

    It asks as the device would. For a known target that counts as a poll. A gateway token or a certificate would
    register an unknown one: then it asks for what no device has, which registers nobody; --try polls all the same.

    Exit codes: 0 let in, 1 refused, 3 the server cannot be used or the diagnosis is inconclusive, 4 wrong usage.
    """
    server = remote_server_from(against, "hawkbit", may_change_settings=False)
    presented, shell_secret = _presented(target_token, gateway_token, cert, key, authority)
    account = account_to_look_with(server, user, password)
    shell = Shell(
        server.url,
        account.user if account is not None else "USER",
        shell_secret,
        curl_options(server, ca, insecure=insecure),
    )
    request = DoctorRequest(
        shell,
        filled(server.tenant if tenant is None else tenant, "--tenant"),
        filled(controller_id, "--id"),
        presented,
        account,
        tls_as_device(server, ca, cert, key, insecure=insecure),
        insecure,
        try_,
    )
    finish("hawkbit", judge(gather(request)), as_json=json_)


def _presented(
    target_token: str | None, gateway_token: str | None, cert: Path | None, key: Path | None, authority: str | None
) -> tuple[Presented, str]:
    """The credential, and how a shell finds its secret."""
    if sum(given is not None for given in (target_token, gateway_token, cert)) > 1:
        raise UsageError("a device has one credential here: give --target-token, --gateway-token or --cert")
    if cert is None and (key is not None or authority is not None):
        raise UsageError("--key and --authority belong to --cert FILE, which is missing")
    if cert is not None:
        own = read_certificate(cert)
        return Presented(Kind.CERTIFICATE, certificate=own, authority=authority, has_key=key is not None), ""
    if target_token is not None:
        return Presented(Kind.TARGET_TOKEN, secret_from(target_token, "--target-token")), in_shell(target_token)
    if gateway_token is not None:
        return Presented(Kind.GATEWAY_TOKEN, secret_from(gateway_token, "--gateway-token")), in_shell(gateway_token)
    return Presented(Kind.NOTHING), ""
