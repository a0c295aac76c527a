"""A board that is held, powered where the bench can, with its line open and written down from the first byte."""

from __future__ import annotations

import asyncio
import secrets as chance
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleetrig.harness.bench.powers import power_of
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.console_opening import console_of
from fleetrig.hil.emulated.qemu import QemuBoard
from fleetrig.hil.emulated.uboot_board import uboot_board
from fleetrig.hil.port import BoardPort
from fleetrig.hil.ports.evidence import PortEvidence
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.hil.power import Power
from fleetrig.hil.powers.rts_dtr import RtsDtrPower
from fleetrig.simulator.contract.clock import US_PER_S, Clock
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.masking import Secrets


@dataclass(frozen=True, slots=True)
class OpenedBoard:
    """`power` is None where the bench cannot switch the board."""

    spec: BoardSpec
    port: BoardPort
    power: Power | None
    log: Path
    """Where all that goes over its line is written."""

    @property
    def can_be_switched_off(self) -> bool:
        """A reset line resets, and no more."""
        return self.power is not None and not isinstance(self.power, RtsDtrPower)

    def console(self) -> Console:
        """A new one, with marks of its own. Raises UsageError for a board that the file gives none."""
        return console_of(self.spec.name, self.spec.console, self.port, f"m{chance.token_hex(3)}")


@asynccontextmanager
async def opened_board(
    spec: BoardSpec, folder: Path, clock: Clock, lock_folder: Path | None = None, *, secrets: Secrets | None = None
) -> AsyncIterator[OpenedBoard]:
    """`folder` is the board's own (`state_folder`). An emulated one is started, and ends with the block.

    What `secrets` knows, or learns meanwhile, is masked in the evidence.

    Raises PortBusy, PortLost, BrokenBench.
    """
    emulated = _emulated(spec, folder)
    try:
        url = emulated.port if emulated else spec.port
        port = await open_port(url, baud=spec.baud, clock=clock, lock_folder=lock_folder)
        evidence = _evidence(spec, folder, clock, secrets or Secrets())
        evidence.attach(port)
        try:
            if emulated is not None:
                await emulated.on()
            yield OpenedBoard(spec, port, emulated or power_of(spec, port), evidence.path)
        finally:
            await asyncio.shield(port.close())
            evidence.close()
    finally:
        if emulated is not None:
            await asyncio.shield(emulated.close())
    if evidence.failed is not None:
        raise evidence.failed


def _evidence(spec: BoardSpec, folder: Path, clock: Clock, known: Secrets) -> PortEvidence:
    """The console's password is masked in it."""
    known.learn("password", spec.console.password)
    at = datetime.fromtimestamp(clock.now_us() // US_PER_S, UTC)
    return PortEvidence(folder / f"serial-{at:%Y%m%dT%H%M%SZ}.jsonl", known.hide)


def _emulated(spec: BoardSpec, folder: Path) -> QemuBoard | None:
    match spec.emulated:
        case None:
            return None
        case made if made.kind == "uboot":
            return uboot_board(folder)
        case made:
            raise ModelError(f"the bench file knows {made.kind}, and nothing here makes it")
