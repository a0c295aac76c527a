"""`fleetrig doctor hono`: which tenant, auth-id and device-id a device gets, and why it would be refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.option_groups import Sections
from fleetrig.harness.doctor.options import curl_options, finish
from fleetrig.harness.platforms.hono.doctor import option_words as words
from fleetrig.harness.platforms.hono.doctor.asking import WITHIN_S, DeviceView
from fleetrig.harness.platforms.hono.doctor.commands import RegistryShell
from fleetrig.harness.platforms.hono.doctor.facts import Facts
from fleetrig.harness.platforms.hono.doctor.gathering import DoctorRequest, gather
from fleetrig.harness.platforms.hono.doctor.judging import judge
from fleetrig.harness.platforms.hono.doctor.presenting import (
    Given,
    client_certificate,
    files_of,
    presented_by,
    scheme_of,
)
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.secrets import checked_account, secret_from
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import context_of, verify_with
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.loopback_names import server_name_in

JSON_TYPE: Final = "application/json"
USUAL_OVER: Final = "mqtts"


SECTIONS: Final[Sections] = {
    "The device": ("--cert", "--key", "--login", "--secret", "--client-id", "--for", "--device-id"),
    "Its tenant": (
        "--ca", "--tenant", "--tenant-file", "--credentials", "--auth-id-template", "--device-id-template",
        "--if-match", "--content-type",
    ),
    "The server": (
        "--against", "--user", "--password", "--over", "--server-name", "--server-ca", "--insecure",
    ),
    "How to look": ("--first-contact", "--within", "--json"),
}  # fmt: skip


@examples(
    "fleetrig doctor hono --cert device.pem --ca ca.pem",
    "fleetrig doctor hono --against SERVER.yaml --login gw-7@plant --secret env:PW",
    sections=SECTIONS,
)
def doctor_command(
    cert: words.Cert = None,
    key: words.Key = None,
    login: words.Login = "",
    secret: words.Secret = None,
    client_id: words.ClientId = "",
    acts_for: words.ActsFor = "",
    ca: words.Ca = None,
    tenant: words.Tenant = None,
    tenant_file: words.TenantFile = None,
    credentials: words.CredentialsFile = None,
    auth_id_template: words.AuthIdTemplate = None,
    device_id_template: words.DeviceIdTemplate = None,
    if_match: words.IfMatch = "",
    content_type: words.ContentType = JSON_TYPE,
    over: words.Over = USUAL_OVER,
    server_name: words.ServerName = None,
    against: words.Against = None,
    device_id: words.Device = "",
    user: words.User = None,
    password: words.Password = None,
    first_contact: words.FirstContact = False,
    within: words.Within = WITHIN_S,
    server_ca: words.ServerCa = None,
    insecure: words.Insecure = False,
    json_: words.Json = False,
) -> None:
    """Say which tenant, auth-id and device-id a device gets from a Hono, and why it would be refused.

    Files are enough: the device's certificate and the authority, or the tenant and the credentials as JSON. With
    --against it looks into a registry, and where --over is an address it asks the adapter as the device would, as far
    as that changes nothing: a certificate that would be provisioned is shown with --first-contact only.

    Exit codes: 0 let in, 1 refused, 3 the server cannot be used or the diagnosis is inconclusive, 4 wrong usage.
    """
    given = Given(
        cert, key, login, secret, client_id, acts_for, tuple(ca or ()), tenant, tenant_file, credentials,
        auth_id_template, device_id_template, if_match, content_type,
    )  # fmt: skip
    looks = Looks(against, device_id, user, password, first_contact, within, server_ca, insecure)
    finish("hono", judge(gather(doctor_request(given, over, server_name, looks))), as_json=json_)


@dataclass(frozen=True, slots=True)
class Looks:
    """The options about who looks, and how."""

    against: str | None
    device_id: str
    user: str | None
    password: str | None
    first_contact: bool
    within_s: float
    server_ca: Path | None
    insecure: bool


def doctor_request(given: Given, over: str, server_name: str | None, looks: Looks) -> DoctorRequest:
    """Raises UsageError."""
    server = None if looks.against is None else remote_server_from(looks.against, "hono", may_change_settings=False)
    scheme = scheme_of(over)
    url = _url(server, over, scheme)
    presented = presented_by(given, scheme)
    files = files_of(given, presented)
    if server is not None and given.tenant_file is not None:
        raise UsageError("--tenant-file is what is to be, --against what is: give one of them")
    account = _account(server, looks)
    verify = verify_with(looks.server_ca, insecure=looks.insecure, file_ca=None if server is None else server.ca)
    facts = Facts(
        _shell(server, account, looks), presented, scheme, url,
        server_name if server_name is not None else server_name_in(url), datetime.now(UTC),
        tenant_named=given.tenant or "",
        form=files.causes, authorities=files.authorities,
        tenants=(files.tenant,) if files.tenant is not None and server is None else (),
        is_offline=server is None,
        devices=None if files.device is None else (files.device,),
    )  # fmt: skip
    view = DeviceView(ClientTls(verify), client_certificate(given, presented))
    return DoctorRequest(
        facts, "" if server is None else server.url, account, context_of(verify), view, looks.device_id,
        looks.first_contact, looks.insecure, looks.within_s,
    )  # fmt: skip


def _url(server: RemoteServer | None, over: str, scheme: str) -> str:
    """An address, that of the SERVER.yaml, or nothing."""
    named = over if "://" in over else "" if server is None else server.listeners.get(scheme, "")
    url = named if "://" in named or not named else f"{scheme}://{named}"
    if url and not _is_whole(url):
        raise UsageError(f"--over {over!r} is no address; write for instance mqtts://127.0.0.1:8883")
    return url.rstrip("/")


def _is_whole(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0) and parts.path in ("", "/")
    except ValueError:
        return False


def _account(server: RemoteServer | None, looks: Looks) -> UserPassword | None:
    if looks.user is not None or looks.password is not None:
        if looks.user is None or looks.password is None:
            raise UsageError("--user NAME and --password env:NAME belong together")
        return checked_account(looks.user, secret_from(looks.password, "--password"), "--user and --password")
    return server.account if server is not None and server.is_file else None


def _shell(server: RemoteServer | None, account: UserPassword | None, looks: Looks) -> RegistryShell:
    if server is None:
        return RegistryShell()
    options = curl_options(server, None, insecure=looks.insecure) if server.url.startswith("https:") else ()
    return RegistryShell(server.url, "" if account is None else account.user, options)
