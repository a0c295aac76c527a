"""`fleetrig board prepare` and `firmware`: what boards that are not there consist of, and what they can boot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.run.interrupts import run_until_stopped, tell
from fleetrig.hil.emulated.gateway_image import gateway_firmware, gateway_parts, kept_gateway_parts
from fleetrig.simulator.contract.errors import UsageError, system_said

FirmwareFile = Annotated[Path, typer.Argument(metavar="FILE", help="Write it there.")]
BuildId = Annotated[str, typer.Option("--build", metavar="ID", help="What it says on the console that it is.")]
VendorFile = Annotated[
    Path | None, typer.Option("--vendor", metavar="PEM", help="The certificate by which it knows its vendor's updates.")
]


@examples(
    "fleetrig board prepare",
)
def prepare_command() -> None:
    """Build the image of the emulated gateway from Debian's packages; it is kept in ~/.cache/fleetrig."""
    if kept_gateway_parts() is None:
        tell("building the gateway's image from Debian's packages: a minute or two, and 62 MB over the network")
    parts = run_until_stopped(gateway_parts(), "stopping; what was fetched is kept")
    typer.echo(f"the emulated gateway is ready: {parts.system_disk.parent}")


@examples(
    "fleetrig board firmware gw.img --build 1.0",
)
def firmware_command(file: FirmwareFile, build: BuildId, vendor: VendorFile = None) -> None:
    """Write an image that the emulated gateway and fake boards boot; its build ID is seen on their consoles."""
    try:
        further = {} if vendor is None else {"etc/vendor.crt": vendor.read_bytes()}
        file.write_bytes(gateway_firmware(build, further))
    except OSError as wrong:
        raise UsageError(f"{wrong.filename}: {system_said(wrong)}") from None
    typer.echo(f"{file}: the gateway's firmware, build {build}")
