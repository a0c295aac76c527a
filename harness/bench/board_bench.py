"""A bench on which boards play some of the devices; the others are simulated by the real bench, in the same run.

Power of a device that a board plays is the board's. What goes on inside such a device is invisible: its device lane
shows only power, and the server lane of the trace what arrived. A restart that is seen on its console is a power cycle.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from fleetrig.harness.bench.bench_board import BenchBoard
from fleetrig.harness.bench.bench_file import Desk
from fleetrig.harness.bench.opened_board import opened_board
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench

HEARD: Final = ("line", "reset_seen")


@dataclass(frozen=True, slots=True)
class RunDesk:
    """The bench of a run, and where its boards keep what they keep."""

    desk: Desk
    roles: Mapping[str, str]
    """Role -> board."""
    folder_of: Callable[[str], Path]
    """A board's own folder, by its name."""
    shared_by: Callable[[str], Path]
    """Where those who share a board note who has it, by its name."""
    run: str
    """What the boards are used for, as others are told."""


class BoardBench:
    """Use as `async with` inside the real bench's. Leaving it switches its boards off."""

    def __init__(self, real: RealBench, run_desk: RunDesk, secrets: Secrets) -> None:
        self.trace: Trace = real.trace
        self.run_desk = run_desk
        self.secrets = secrets
        self.boards: dict[str, BenchBoard] = {}
        """By role."""
        self._real = real
        self._agents: dict[str, Agent] = {}
        """Role -> the device that it plays."""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises PortBusy, PortLost, BrokenBench."""
        async with AsyncExitStack() as stack:
            for role, name in self.run_desk.roles.items():
                self.boards[role] = await stack.enter_async_context(self._opened(role, name))
            stack.callback(self.trace.listen(self._hear, HEARD))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def _opened(self, role: str, name: str) -> AsyncIterator[BenchBoard]:
        """Held, open, and off where it can be."""
        desk = self.run_desk
        shared = desk.shared_by(name)
        opening = opened_board(
            desk.desk.board(name), desk.folder_of(name), self._real.clock, shared, self.trace, self.secrets
        )
        with Reservations(shared, self._real.clock).held(name, desk.run):
            async with opening as opened:
                board = BenchBoard(role, opened, self)
                if opened.can_be_switched_off:
                    await board.off()
                try:
                    yield board
                finally:
                    await asyncio.shield(board.close())

    def play(self, role: str, agent: Agent) -> None:
        """From now on the board is this device."""
        self._agents[role] = agent

    @property
    def operator(self) -> RealBench:
        """The operator's connection to the server, which trusts whom the run trusts."""
        return self._real

    @property
    def conditions(self) -> tuple[str, ...]:
        """In what each board is at the moment, one sentence each."""
        return tuple(board.condition for board in self.boards.values())

    # As a director's driver

    def now_us(self) -> int:
        return self._real.now_us()

    def power_on(self, agent: Agent, *, after_s: float = 0.0, trigger: PowerCutTrigger | None = None) -> None:
        """See `Driver`."""
        board = self._playing(agent)
        if board is None:
            self._real.power_on(agent, after_s=after_s, trigger=trigger)
            return
        if trigger is not None:
            raise BrokenBench("nobody can look into a board, so its power cannot be cut at a point of its life")
        if not agent.is_on:
            agent.power_on()

            async def later() -> None:
                await asyncio.sleep(after_s)
                await board.on()

            board.soon(later, self._real.fail)

    def power_cut(self, agent: Agent) -> None:
        """See `Driver`."""
        board = self._playing(agent)
        if board is None:
            self._real.power_cut(agent)
        else:
            agent.power_cut()
            board.soon(board.off, self._real.fail)

    def _playing(self, agent: Agent) -> BenchBoard | None:
        return next((self.boards[role] for role, one in self._agents.items() if one is agent), None)

    # What boards tell of themselves

    def came_on(self, board: BenchBoard) -> None:
        if (agent := self._agents.get(board.role)) is not None:
            if not agent.is_on:
                agent.power_on()
            self._tell(agent, "power_on", board.name)

    def went_off(self, board: BenchBoard) -> None:
        if (agent := self._agents.get(board.role)) is not None:
            agent.power_cut()
            self._tell(agent, "power_cut", board.name)

    def _tell(self, agent: Agent, kind: str, reason: str) -> None:
        self.trace.emit(self.now_us(), Lane.DEVICE, kind, agent.identity.serial, reason=reason)

    def _hear(self, event: TraceEvent) -> None:
        """Starts that nobody asked for: seen by whoever works at the console, or else here."""
        if event.lane is not Lane.BOARD:
            return
        board = next((one for one in self.boards.values() if one.name == event.device), None)
        if board is None or not board.is_on:
            return
        if event.kind == "reset_seen":
            asyncio.get_running_loop().call_soon(self._restarted, board)
        elif not board.is_worked_on and (notice := board.starts.hear(event.reason)) is not None:
            asyncio.get_running_loop().call_soon(board.opened.tell, notice)
            if notice.what != "panicked":
                board.started()

    def _restarted(self, board: BenchBoard) -> None:
        """It was off for a moment, as far as its server can tell."""
        if board.is_on:
            board.restarted()
            self.went_off(board)
            self.came_on(board)
