"""`fleetrig board scan`: a bench file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.bench.draft import draft
from fleetrig.harness.commands.editor_schema import SchemaKind, modeline, schema_place, write_schema
from fleetrig.harness.commands.help_page import examples
from fleetrig.hil.ports.port_list import found_ports
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

DraftFile = Annotated[Path | None, typer.Option(metavar="F", help="Write it there; a file that exists is left alone.")]


@examples(
    "fleetrig board scan --out bench.yaml",
)
def scan_command(out: DraftFile = None) -> None:
    """Write a bench file of the serial ports of this machine, by names that stay. It chooses none of them."""
    ports = found_ports()
    if not ports:
        raise BrokenBench(
            "this machine has no serial port: plug the adapter in; in a container, pass /dev/serial and the device on"
        )
    text = draft(ports) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    schema = schema_place(out, SchemaKind.BENCH)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(modeline(out, schema) + text)
    except FileExistsError:
        raise UsageError(f"{out} exists already; choose another name") from None
    except OSError as wrong:
        raise UsageError(f"cannot write {out}: {system_said(wrong)}") from None
    beside = f", and {schema} for editors" if write_schema(schema, SchemaKind.BENCH) else ""
    how_many = "1 port" if len(ports) == 1 else f"{len(ports)} ports"
    typer.echo(f"wrote {out} with {how_many}{beside}: fill in what is marked TODO")
