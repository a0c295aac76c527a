"""`fleetrig deploy`: files given to devices, and what they make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.desk_options import OperatorPassword, OperatorUser, PlatformIfGiven
from fleetrig.harness.commands.fleet_options import seconds
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.option_groups import Sections
from fleetrig.harness.commands.options import Against, Ca, Insecure
from fleetrig.harness.desk.deploying import deploying_of
from fleetrig.harness.desk.deployment import DeployOrder, carry_out
from fleetrig.harness.desk.operated_server import OperatedServerOptions, operated_server
from fleetrig.harness.desk.update_files import update_files
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import run_until_stopped
from fleetrig.reference_server.address import Address, parse_address
from fleetrig.simulator.contract.errors import UsageError

STOPPED: Final = "stopped; an update that was assigned stays so, and --remove takes it back"

UpdatePaths = Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="What the devices get.")]
ToDevices = Annotated[
    list[str] | None, typer.Option("--to", metavar="ID", help="A device, or a glob over their names; repeatable.")
]
UpdateName = Annotated[str, typer.Option(metavar="TEXT", help="What it is called.  [default: as the first file]")]
UpdateVersion = Annotated[
    str, typer.Option(metavar="TEXT", help="Its version.  [default: made of what is in the files]")
]
UpdateKind = Annotated[
    str, typer.Option("--type", metavar="WORD", help="os, application, firmware, software …, as the platform has it.")
]
SoftUpdate = Annotated[bool, typer.Option("--soft", help="Devices may install it when it suits them.")]
DownloadedOnly = Annotated[bool, typer.Option("--download-only", help="Devices download it and install nothing.")]
WaitForDevices = Annotated[bool, typer.Option("--wait", help="Show what the devices tell until all have done with it.")]
WaitWithin = Annotated[str | None, typer.Option(metavar="TIME", help="With --wait: no longer than that, such as 10m.")]
RemoveUpdate = Annotated[
    bool, typer.Option("--remove", help="Call the update off and delete it, in place of deploying it.")
]
ServeAt = Annotated[
    str,
    typer.Option(metavar="HOST:PORT", help="Where devices fetch the file if the server keeps none; port 0 is any."),
]


SECTIONS: Final[Sections] = {
    "The update": ("--to", "--name", "--version", "--type", "--soft", "--download-only", "--remove", "--serve-at"),
    "What is awaited": ("--wait", "--within"),
    "The server": ("--against", "--platform", "--user", "--password", "--ca", "--insecure"),
}


@examples(
    "fleetrig deploy image.swu --to gateway-7 --against http://127.0.0.1:8080",
    "fleetrig deploy image.swu --to 'gw-*' --against SERVER.yaml --within 10m",
    "fleetrig deploy image.swu --against http://127.0.0.1:8080 --remove",
    sections=SECTIONS,
)
def deploy_command(
    against: Against,
    files: UpdatePaths = None,
    to: ToDevices = None,
    name: UpdateName = "",
    version: UpdateVersion = "",
    kind: UpdateKind = "",
    soft: SoftUpdate = False,
    download_only: DownloadedOnly = False,
    wait: WaitForDevices = False,
    within: WaitWithin = None,
    remove: RemoveUpdate = False,
    serve_at: ServeAt = "127.0.0.1:0",
    platform: PlatformIfGiven = None,
    user: OperatorUser = None,
    password: OperatorPassword = None,
    ca: Ca = None,
    insecure: Insecure = False,
) -> None:
    """Give files to devices, as an update of the server's own kind.

    The same files are the same update, so that the command may be repeated, for further devices too, and --remove in
    its place takes back what it did. If anything goes wrong, what was made so far is removed.

    With --wait it shows what devices tell. Ctrl-C ends only that: the update stays assigned.

    Exit codes: 0 assigned, with --wait installed by all; 1 a device failed, or had not done --within the time;
    2 interrupted; 3 the server cannot be used; 4 wrong usage.
    """
    if not remove and not files:
        raise UsageError("what are the devices to get? Give one FILE or more")
    if not remove and not to:
        raise UsageError("who is to get it? Name devices by --to ID, or all of them by --to '*'")
    if soft and download_only:
        raise UsageError("--soft and --download-only contradict each other: give one of them")
    within_s = None if within is None else seconds(within, "--within", least_s=0.001)
    urgency = "soft" if soft else "download-only" if download_only else ""
    order = DeployOrder(
        update_files(files or []), to or [], name, version, kind, urgency, wait or within_s is not None, within_s,
        _address(serve_at),
    )  # fmt: skip
    options = OperatedServerOptions(against, platform, user, password, ca, insecure)

    async def work() -> Exit:
        operated = await operated_server(options)
        return await carry_out(operated, deploying_of(operated.platform), order, typer.echo, removes=remove)

    raise typer.Exit(run_until_stopped(work(), STOPPED))


def _address(text: str) -> Address:
    """Raises UsageError for an address that devices could not be told."""
    address = parse_address(text)
    if address.is_wildcard:
        raise UsageError(f"--serve-at {text}: devices are told this address, so name the one that they reach")
    return address
