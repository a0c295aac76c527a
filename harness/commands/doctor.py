"""`fleetrig doctor`: why a server refuses a device, on one page."""

from __future__ import annotations

import json
import shlex
import ssl
from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetrig.harness.doctor.certificates import read_certificate
from fleetrig.harness.doctor.diagnosis import Shell
from fleetrig.harness.doctor.page import as_document, show
from fleetrig.harness.platforms.hawkbit.conformance.suite import verify_context
from fleetrig.harness.platforms.hawkbit.doctor.facts import Kind, Presented
from fleetrig.harness.platforms.hawkbit.doctor.gathering import Question, gather
from fleetrig.harness.platforms.hawkbit.doctor.judging import judge
from fleetrig.harness.platforms.hawkbit.vocabulary import VOCABULARY
from fleetrig.harness.report.console import make_console
from fleetrig.harness.servers.foreign import foreign_server, host_of, is_loopback, verify_with
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword


def doctor_command(
    platform: Annotated[Literal["hawkbit"], typer.Argument(help="What the server is.")],
    against: Annotated[str, typer.Option(metavar="URL|SERVER.yaml", help="The server, as the device addresses it.")],
    controller_id: Annotated[str, typer.Option("--id", help="The device's controllerId.")],
    tenant: Annotated[str | None, typer.Option(help="The device's tenant; DEFAULT if not given.")] = None,
    target_token: Annotated[str | None, typer.Option(metavar="env:NAME", help="The device's own token.")] = None,
    gateway_token: Annotated[str | None, typer.Option(metavar="env:NAME", help="The token of its tenant.")] = None,
    cert: Annotated[Path | None, typer.Option(metavar="F", help="The device's certificate (PEM or DER).")] = None,
    key: Annotated[Path | None, typer.Option(metavar="F", help="Its key: TLS is then done as the device.")] = None,
    authority: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the proxy passes on as authority, if it is a fixed text.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Account to look with; admin/admin on loopback.")] = None,
    password: Annotated[str | None, typer.Option(metavar="env:NAME", help="Its password.")] = None,
    try_: Annotated[bool, typer.Option("--try", help="Poll even if that registers the device.")] = False,
    ca: Annotated[Path | None, typer.Option(help="Trust this CA (PEM).")] = None,
    insecure: Annotated[bool, typer.Option(help="Accept any certificate, but say what is wrong with it.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Says what a server would do with a device, why, and what to change.

    Asks as the device would. That counts as a poll of a target that is known; one that is not known would be registered
    by a gateway token or a certificate, so then it is not asked without --try. Exit: 0 let in, 1 refused, 3 the server
    cannot be used or it cannot be told, 4 wrong usage.
    """
    server = foreign_server(against, may_change_settings=False)
    presented, shell_secret = _presented(target_token, gateway_token, cert, key, authority)
    account = _account(against, server, user, password)
    shell = Shell(
        server.url, account.user if account is not None else "USER", shell_secret, _curl_options(ca, insecure)
    )
    asked_tenant = (server.tenant or VOCABULARY.tenant) if tenant is None else tenant
    question = Question(
        shell, _word(asked_tenant, "--tenant"), _word(controller_id, "--id"), presented, account,
        _verify(ca, cert, key, insecure=insecure), insecure, try_,
    )  # fmt: skip
    judgement = judge(gather(question))
    if json_:
        typer.echo(json.dumps({"platform": platform, **as_document(judgement)}, indent=2, ensure_ascii=False))
    else:
        show(make_console(), judgement)
    raise typer.Exit(judgement.exit)


def _presented(
    target_token: str | None, gateway_token: str | None, cert: Path | None, key: Path | None, authority: str | None
) -> tuple[Presented, str]:
    """The credential, and how a shell finds its secret."""
    if sum(given is not None for given in (target_token, gateway_token, cert)) > 1:
        raise UsageError("a device is asked about with one credential: --target-token, --gateway-token or --cert")
    if cert is None and (key or authority):
        raise UsageError("--key and --authority belong to --cert FILE, which is missing")
    if cert is not None:
        own = read_certificate(cert)
        return Presented(Kind.CERTIFICATE, certificate=own, authority=authority or "", has_key=key is not None), ""
    if target_token is not None:
        return Presented(Kind.TARGET_TOKEN, secret_from(target_token, "--target-token")), _in_shell(target_token)
    if gateway_token is not None:
        return Presented(Kind.GATEWAY_TOKEN, secret_from(gateway_token, "--gateway-token")), _in_shell(gateway_token)
    return Presented(Kind.NOTHING), ""


def _in_shell(reference: str) -> str:
    if reference.startswith("env:"):
        return f"${{{reference.removeprefix('env:')}}}"
    return f"$(cat {shlex.quote(reference)})"


def _account(against: str, server: RemoteServer, user: str | None, password: str | None) -> UserPassword | None:
    """What the options say, else what the file says, else the well-known one, but that on loopback only."""
    if user is not None and password is None:
        raise UsageError("--user needs --password env:NAME")
    if password is not None:
        return UserPassword(user or server.account.user, secret_from(password, "--password"))
    if "://" in against and not is_loopback(host_of(server.url)):
        return None
    return server.account


def _verify(ca: Path | None, cert: Path | None, key: Path | None, *, insecure: bool) -> ssl.SSLContext | None:
    """How TLS is done; with a key as the device does it."""
    context = verify_context(verify_with(ca, insecure=insecure))
    if cert is None or key is None:
        return context
    context = context or ssl.create_default_context()
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise UsageError(f"{cert} and {key} are no PEM certificate and its unprotected key: {why}") from None
    return context


def _no_password() -> str:
    raise ValueError("it is protected by a password")


def _curl_options(ca: Path | None, insecure: bool) -> tuple[str, ...]:
    return ("--cacert", shlex.quote(str(ca))) if ca is not None else ("-k",) * insecure


def _word(text: str, what: str) -> str:
    if not text:
        raise UsageError(f"{what} is empty")
    return text
