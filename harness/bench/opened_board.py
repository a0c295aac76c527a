"""A board that is held, powered where the bench can, with its line open and written down from the first byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

from fleetrig.harness.bench.made_boards import MadeBoard, made_board
from fleetrig.harness.bench.powers import power_of
from fleetrig.hil.board import BoardSpec, ConsoleKind, ConsoleSpec
from fleetrig.hil.consoles.boot_watch import Notice
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.console_opening import console_of
from fleetrig.hil.consoles.console_trace import ConsoleTrace, LineTelling
from fleetrig.hil.port import BoardPort, PortBytes, PortLost
from fleetrig.hil.ports.board_line import BoardLine
from fleetrig.hil.ports.evidence import PortEvidence
from fleetrig.hil.ports.faulty_line import FaultyLine
from fleetrig.hil.ports.faulty_port import FaultyPort
from fleetrig.hil.ports.line_faults import LineFault
from fleetrig.hil.power import Power
from fleetrig.hil.powers.told_power import ToldPower
from fleetrig.simulator.contract.clock import US_PER_S, Clock
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace

COMES_BACK_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Faults:
    """Line faults that are on, and the line through them."""

    faulty: FaultyLine
    line: BoardLine


class OpenedBoard:
    """Make it with `opened_board`. What its console says, its port and its power are told in the board lane."""

    def __init__(self, spec: BoardSpec, line: BoardLine, made: MadeBoard | None, told: ConsoleTrace, log: Path) -> None:
        self.spec = spec
        self.log = log
        """Where all that goes over its line is written."""
        self.is_starting = made is not None
        """It was switched on or reset, and has not been seen at a prompt since."""
        self._line = line
        self._made = made
        self._told = told
        self._telling = LineTelling(told)
        self._faults: _Faults | None = None
        self._last_console: Console | None = None
        """It may have read a prompt that the next one waits for."""
        self._coming_back: asyncio.TimerHandle | None = None
        line.watcher = self._heard_unspoilt

    @property
    def secrets(self) -> Secrets:
        """What is learnt here is masked in the evidence and in the sentences of its consoles."""
        return self._told.secrets

    @property
    def port(self) -> BoardPort:
        """The one that is open now: another one after `reopened`, and while there are line faults."""
        own = self._line.port
        return own if self._faults is None else FaultyPort(self._faults.line.port, own)

    @property
    def power(self) -> Power | None:
        """None where the bench cannot switch the board."""
        power = self._made or power_of(self.spec, self._line.port)
        return (
            None
            if power is None
            else ToldPower(power, self.spec.name, self._told.trace, self._told.clock, self._starts)
        )

    @property
    def can_be_switched_off(self) -> bool:
        """A reset line resets, and no more."""
        return self._made is not None or (self.spec.power is not None and self.spec.power.kind != "rts_dtr")

    def console(self, kind: ConsoleKind | None = None) -> Console:
        """A new one, with marks of its own; of another kind than the file says if `kind` is given.

        Raises UsageError for a board that the file gives none.
        """
        spec = self.spec.console if kind in (None, self.spec.console.kind) else _other_console(self.spec, kind)
        console = console_of(self.spec.name, spec, self.port, f"m{token_hex(3)}", self._told, self.secrets)
        if self._last_console is not None:
            console.begin_with(self._last_console.take_rest())
        self._last_console = console
        return console

    def tell(self, notice: Notice) -> None:
        """What was seen on its console while nobody worked there."""
        self._told.notice(notice)

    async def reopened(self, lost: PortLost, within_s: float = COMES_BACK_WITHIN_S) -> BoardPort:
        """The port after it was lost, looked up by its stable name until it is back. Consoles are made anew.

        Raises BrokenBench after `within_s`.
        """
        self._last_console = None
        await self._line_in_use.reopen(lost, within_s)
        return self.port

    def unplug(self, for_s: float) -> None:
        """Its port vanishes, and comes back as another device. Whoever uses it sees it lost.

        Raises BrokenBench for a real board without line faults in between: nobody here can pull its cable.
        """
        if self._faults is not None:
            self._faults.faulty.unplug(for_s)
        elif self._made is not None:
            self._made.line.unplug()
            self._coming_back = asyncio.get_running_loop().call_later(for_s, self._made.line.plug_in)
        else:
            raise BrokenBench(f"{self.spec.name} is a real board: it is unplugged by hand, or through line faults")

    @asynccontextmanager
    async def line_faults(self, faults: Sequence[LineFault], seed: int) -> AsyncIterator[FaultyLine]:
        """Everybody who uses the port meanwhile uses it through the faults. `unfired()` of what is given says which
        of them have not bitten; each that did is told in the trace. The evidence has what the board itself said.
        """
        if self._faults is not None:
            raise BrokenBench(f"{self.spec.name} has line faults already: end those first")
        name, clock, trace = self.spec.name, self._told.clock, self._told.trace
        faulty = FaultyLine(self._line.port, self.log.with_name("faulty"), faults, seed, name, trace, clock)
        line = BoardLine(name, faulty.url, clock, trace, baud=self.spec.baud, watcher=self._telling.hear)
        try:
            await line.open()
            self._faults = _Faults(faulty, line)
            yield faulty
        finally:
            self._faults = None
            await asyncio.shield(_all_closed(line, faulty))

    async def lend_port(self) -> None:
        """Closes it, so that a program can open it; what goes over it meanwhile is not seen here."""
        await self._line_in_use.close()

    async def take_back_port(self) -> None:
        """Raises what opening raises."""
        await self._line_in_use.open()

    def end(self) -> None:
        """What was unplugged for a while stays so: the board is given back."""
        if self._coming_back is not None:
            self._coming_back.cancel()

    @property
    def _line_in_use(self) -> BoardLine:
        return self._line if self._faults is None else self._faults.line

    def _starts(self) -> None:
        self.is_starting, self._last_console = True, None

    def _heard_unspoilt(self, heard: PortBytes) -> None:
        if self._faults is None:
            self._telling.hear(heard)


async def _all_closed(line: BoardLine, faulty: FaultyLine) -> None:
    await line.close()
    await faulty.close()


def _other_console(spec: BoardSpec, kind: ConsoleKind | None) -> ConsoleSpec:
    """The prompt in the file is that of its own kind."""
    return replace(spec.console, kind=kind or spec.console.kind, prompt="")


@asynccontextmanager
async def opened_board(
    spec: BoardSpec,
    folder: Path,
    clock: Clock,
    lock_folder: Path | None = None,
    trace: Trace | None = None,
    secrets: Secrets | None = None,
) -> AsyncIterator[OpenedBoard]:
    """`folder` is the board's own (`state_folder`). An emulated one is started, and ends with the block.

    Raises PortBusy, PortLost, BrokenBench.
    """
    told = ConsoleTrace(trace or Trace(), clock, spec.name, secrets or Secrets())
    if spec.console.password:
        told.secrets.learn("password", spec.console.password)
    made = made_board(spec.emulated, folder) if spec.emulated is not None else None
    try:
        evidence = _evidence(folder, told)
        line = BoardLine(
            spec.name, made.port if made else spec.port, clock, told.trace, evidence, spec.baud, lock_folder=lock_folder
        )
        board = OpenedBoard(spec, line, made, told, evidence.path)
        try:
            await line.open()
            if made is not None:
                await made.on()
            yield board
        finally:
            board.end()
            await asyncio.shield(line.close())
            evidence.close()
    finally:
        if made is not None:
            await asyncio.shield(made.close())
    if evidence.failed is not None:
        raise evidence.failed


def _evidence(folder: Path, told: ConsoleTrace) -> PortEvidence:
    """What is secret is masked in it."""
    at = datetime.fromtimestamp(told.clock.now_us() // US_PER_S, UTC)
    return PortEvidence(folder / f"serial-{at:%Y%m%dT%H%M%SZ}.jsonl", told.secrets.hide)
