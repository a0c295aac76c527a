"""What every doctor command makes of its options: the account to look with, TLS as the device does it, curl's words."""

from __future__ import annotations

import json
import shlex
import ssl
from pathlib import Path
from typing import NoReturn

import typer

from fleetrig.harness.doctor.diagnosis import Judgement
from fleetrig.harness.doctor.page import as_document, show
from fleetrig.harness.report.console import make_console
from fleetrig.harness.servers.address import host_of, is_loopback, name_in_url
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.secrets import checked_account, secret_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword


def account_to_look_with(server: RemoteServer, user: str | None, password: str | None) -> UserPassword | None:
    """What the options say, else what the SERVER.yaml says, else the well-known account, but that on loopback only.

    Raises UsageError.
    """
    if user is not None and password is None:
        raise UsageError("--user needs --password env:NAME")
    if password is not None:
        secret = secret_from(password, "--password")
        return checked_account(user or server.account.user, secret, "--user and --password")
    if not server.is_file and not is_loopback(host_of(server.url)):
        return None
    return server.account


def tls_as_device(
    server: RemoteServer, ca: Path | None, cert: Path | None, key: Path | None, *, insecure: bool
) -> ssl.SSLContext | None:
    """How TLS is done; with a key as the device does it. None: the system's authorities. Raises UsageError."""
    context = context_of(verify_with(ca, insecure=insecure, file_ca=server.ca))
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


def curl_options(server: RemoteServer, ca: Path | None, *, insecure: bool) -> tuple[str, ...]:
    """The same trust in curl's words."""
    if insecure:
        return ("-k",)
    trusted = ca or server.ca
    return () if trusted is None else ("--cacert", shlex.quote(str(trusted)))


def in_shell(reference: str) -> str:
    """How a shell finds a secret that an option refers to: `${NAME}`, or what the file holds."""
    if reference.startswith("env:"):
        return f"${{{reference.removeprefix('env:')}}}"
    return f"$(cat {shlex.quote(reference)})"


def filled(text: str, option: str) -> str:
    """The value of an option that must not be empty. Raises UsageError."""
    if not text:
        raise UsageError(f"{option} is empty")
    return name_in_url(text, option)


def finish(platform: str, judgement: Judgement, *, as_json: bool) -> NoReturn:
    """Shows the page, or its document for machines, and ends the command with the exit code of the judgement."""
    if as_json:
        typer.echo(json.dumps({"platform": platform, **as_document(judgement)}, indent=2, ensure_ascii=False))
    else:
        show(make_console(), judgement)
    raise typer.Exit(judgement.exit)
