"""`fleetrig register`: a device is let in, and its author told how it gets in."""

from __future__ import annotations

import secrets as chance
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.desk_options import OperatorPassword, OperatorUser, PlatformIfGiven
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.option_groups import Sections
from fleetrig.harness.commands.options import Against, Ca, ChangeTenantSettings, Insecure
from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.desk.admitting import DeviceFile, DevicesToAdmit, admit, remove
from fleetrig.harness.desk.operated_server import OperatedServer, OperatedServerOptions, operated_server
from fleetrig.harness.desk.registering import Registering, RegisterSite, registering_of
from fleetrig.harness.external.command import folder_name
from fleetrig.harness.run.interrupts import run_until_stopped
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.secrets import checked_token, secret_from
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.fleet import check_serial

SECRET_BYTES: Final = 16
ENDING: Final = ".env"
PRINTED: Final = Path("-")

DeviceIds = Annotated[list[str], typer.Argument(metavar="ID", help="What the devices are called.")]
CredentialWord = Annotated[
    str,
    typer.Option(
        metavar="WORD",
        help="token, password (as the platform has it), or provision: it asks for the rest itself.  "
        "[default: the usual one]",
    ),
]
ChosenSecret = Annotated[
    str | None,
    typer.Option(metavar="env:NAME|FILE", help="Its token or password.  [default: a new one, at random]"),
]
DeviceGroup = Annotated[str, typer.Option(metavar="NAME", help="Its tenant, device profile or account.")]
EnvFile = Annotated[
    Path | None,
    typer.Option("--env", metavar="F", help="Write what it needs, as variables, here; - prints it.  [default: ID.env]"),
]
NewSecret = Annotated[bool, typer.Option("--again", help="Give a device that is known already a new secret.")]
RemoveDevices = Annotated[bool, typer.Option("--remove", help="Delete the devices and what they could sign in with.")]


SECTIONS: Final[Sections] = {
    "The device": ("--credential", "--secret", "--group", "--env", "--again", "--remove"),
    "The server": (
        "--against", "--platform", "--user", "--password", "--change-tenant-settings", "--ca", "--insecure",
    ),
}  # fmt: skip


@examples(
    "fleetrig register gateway-7 --against http://127.0.0.1:8080",
    "fleetrig register gateway-7 --against SERVER.yaml --secret env:TOKEN",
    "fleetrig register gateway-7 --against http://127.0.0.1:8080 --remove",
    sections=SECTIONS,
)
def register_command(
    devices: DeviceIds,
    against: Against,
    platform: PlatformIfGiven = None,
    credential: CredentialWord = "",
    secret: ChosenSecret = None,
    group: DeviceGroup = "",
    env: EnvFile = None,
    again: NewSecret = False,
    remove_: RemoveDevices = False,
    user: OperatorUser = None,
    password: OperatorPassword = None,
    change_tenant_settings: ChangeTenantSettings = False,
    ca: Ca = None,
    insecure: Insecure = False,
) -> None:
    """Let a device in, and say how it gets in.

    The device is made known to the server with a secret of its own. What it needs is written to ID.env, which only you
    can read; the commands that are printed use it.
    """
    files = [_file_of(device, env, len(devices), is_checked=not remove_, again=again) for device in _checked(devices)]
    options = OperatedServerOptions(against, platform, user, password, ca, insecure, change_tenant_settings)

    async def work() -> None:
        operated = await operated_server(options)
        offered = registering_of(operated.platform)
        site = _site(operated, offered, options, credential, secret, group)
        _check_names(devices, offered)
        registrar = offered.registrar(site)
        async with operated.bench() as bench:
            if remove_:
                await remove(bench, registrar, devices, typer.echo)
            else:
                await admit(bench, registrar, DevicesToAdmit(files, again=again), typer.echo)

    run_until_stopped(work())


def _checked(devices: Sequence[str]) -> Sequence[str]:
    """Raises UsageError for a name that no device can have, and for one that stands there twice."""
    for number, device in enumerate(devices):
        try:
            check_serial(device)
        except ValueError as wrong:
            raise UsageError(f"{device!r}: {wrong}") from None
        if device in devices[:number]:
            raise UsageError(f"{device!r} is named twice")
    return devices


def _check_names(devices: Sequence[str], offered: Registering) -> None:
    for device in devices:
        if why := offered.why_no_name(device):
            raise UsageError(f"{device!r}: {why}")


def _file_of(device: str, env: Path | None, count: int, *, is_checked: bool, again: bool) -> DeviceFile:
    if env is not None and count > 1:
        raise UsageError("--env is one file, and each device has its own: leave it away, or register one device")
    if env == PRINTED:
        return DeviceFile(device, None)
    path = env or Path(folder_name(device) + ENDING)
    if is_checked:
        check_file("--env", path)
        if env is None and path.exists() and not path.is_file():
            raise UsageError(f"{path} is there and is no file: name another place by --env F")
        if path.is_file() and not again:
            raise UsageError(
                f"{path} is there already and would be lost: name another file by --env F, or say --again for a new "
                "secret in its place"
            )
    return DeviceFile(device, path)


def _site(
    operated: OperatedServer,
    offered: Registering,
    options: OperatedServerOptions,
    credential: str,
    secret: str | None,
    group: str,
) -> RegisterSite:
    """Raises UsageError for words that the platform does not know, and secrets that nobody can send."""
    known = offered.credentials
    if credential and credential not in known:
        raise UsageError(f"--credential {credential!r}: {expected(credential, known)} on {operated.platform}")
    if secret is not None and credential not in ("", known[0]):
        raise UsageError(f"--secret belongs to --credential {known[0]}: the server makes what the others ask with")
    if group and not offered.group:
        raise UsageError(f"--group: {operated.platform} has none; the tenant is named in a SERVER.yaml")
    new_secret = _new_secret(offered.secret_begins, secret)
    return RegisterSite(
        operated.server, options.against, Secrets(), new_secret, credential or known[0], group
    )  # fmt: skip


def _new_secret(begins: str, given: str | None) -> Callable[[], str]:
    if given is None:
        return lambda: begins + chance.token_hex(SECRET_BYTES)
    own = checked_token(secret_from(given, "--secret"), "--secret")
    return lambda: own
