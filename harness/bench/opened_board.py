"""A board that is held, powered where the bench can, with its line open and written down from the first byte."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fleetrig.harness.bench.serial_log import serial_log
from fleetrig.hil.board import BoardSpec, ConsoleSpec
from fleetrig.hil.console import Console, Typing
from fleetrig.hil.emulated.qemu import QemuBoard
from fleetrig.hil.emulated.uboot_board import uboot_board
from fleetrig.hil.port import BoardPort
from fleetrig.hil.power import Power
from fleetrig.hil.serial_port import open_port
from fleetrig.hil.shell_dialect import LINUX, UBOOT, ShellDialect
from fleetrig.simulator.contract.clock import US_PER_S, Clock
from fleetrig.simulator.contract.errors import ModelError, UsageError

DIALECTS: Final = {"uboot": UBOOT, "linux": LINUX}


@dataclass(frozen=True, slots=True)
class OpenedBoard:
    """`power` is None where the bench cannot switch the board."""

    spec: BoardSpec
    port: BoardPort
    power: Power | None
    log: Path
    """Where all that goes over its line is written."""

    def console(self) -> Console:
        """A new one, with marks of its own. Raises UsageError for a board that the file gives none."""
        spec = self.spec.console
        typing = Typing(spec.chunk_bytes, spec.chunk_pause_s)
        return Console(self.port, _dialect(self.spec.name, spec), f"m{secrets.token_hex(3)}", typing=typing)


@asynccontextmanager
async def opened_board(spec: BoardSpec, folder: Path, clock: Clock) -> AsyncIterator[OpenedBoard]:
    """`folder` is the board's own (`state_folder`). An emulated one is started, and ends with the block.

    Raises PortBusy, PortLost, BrokenBench.
    """
    emulated = _emulated(spec, folder)
    try:
        port = await open_port(emulated.port if emulated else spec.port, baud=spec.baud, clock=clock)
        try:
            log = folder / f"serial-{datetime.fromtimestamp(clock.now_us() // US_PER_S, UTC):%Y%m%dT%H%M%SZ}.jsonl"
            with serial_log(log, port, spec.console.password):
                if emulated is not None:
                    await emulated.on()
                yield OpenedBoard(spec, port, emulated, log)
        finally:
            await asyncio.shield(port.close())
    finally:
        if emulated is not None:
            await asyncio.shield(emulated.close())


def _emulated(spec: BoardSpec, folder: Path) -> QemuBoard | None:
    match spec.emulated:
        case None:
            return None
        case made if made.kind == "uboot":
            return uboot_board(folder)
        case made:
            raise ModelError(f"the bench file knows {made.kind}, and nothing here makes it")


def _dialect(name: str, spec: ConsoleSpec) -> ShellDialect:
    if spec.kind not in DIALECTS:
        raise UsageError(f"{name} has no console: say `console: {{kind: uboot}}` or linux in the bench file")
    dialect = DIALECTS[spec.kind]
    return replace(dialect, prompt=re.compile(f"(?:{spec.prompt})$")) if spec.prompt else dialect
