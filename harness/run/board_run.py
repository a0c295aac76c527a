"""The boards that one run takes from its bench: found before anything starts, opened for it, their evidence kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from fleetrig.harness.bench.bench_file import Desk, read_bench
from fleetrig.harness.bench.board_bench import BoardBench, RunDesk
from fleetrig.harness.bench.emulated_desk import emulated_desk
from fleetrig.harness.bench.made_boards import missing_for
from fleetrig.harness.bench.role_matching import matched
from fleetrig.harness.bench.state_folder import board_folder
from fleetrig.harness.run.private_files import make_private_folder
from fleetrig.harness.run.run_boards import RunBoards
from fleetrig.harness.scenario_file.boards_block import Roles
from fleetrig.hil.desk.reservation import DESK_FOLDER
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.realtime import RealBench


def desk_for(bench: Path | None) -> Desk:
    """Raises UsageError, FileMistakes."""
    return emulated_desk() if bench is None else read_bench(bench)


def roles_on(roles: Roles, desk: Desk) -> dict[str, str]:
    """Role -> board. Raises NoFittingBoard, also for boards that this machine cannot emulate."""
    return matched(roles, desk, lambda name: missing_for(desk.known(name)))


@dataclass(slots=True)
class BoardRun:
    """`results` is where the run's records go. Boards that are emulated are new ones in each run."""

    desk: Desk
    roles: dict[str, str]
    results: Path
    secrets: Secrets
    run: str
    """The name of the run, for others who want its boards."""
    seed: int
    shared: Path | None = None
    """Where those who share real boards note who has which; None for the machine's usual place."""
    bench: BoardBench | None = None
    _folder: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="fleetrig-", ignore_cleanup_errors=True)
    )

    def open(self, real: RealBench) -> BoardBench:
        """For `async with`."""
        run_desk = RunDesk(self.desk, self.roles, self._folder_of, self._shared_by, f"run {self.run}")
        self.bench = BoardBench(real, run_desk, self.secrets)
        return self.bench

    def boards(self, bench: BoardBench, random_bytes: Callable[[int], bytes] = os.urandom) -> RunBoards:
        return RunBoards(bench, token_hex(4), self._temporary("made"), random_bytes, self.seed)

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """(role, board) for people: `fake-1, fake-board, FAKE-0001`."""
        specs = ((role, self.desk.board(name)) for role, name in self.roles.items())
        return tuple((role, ", ".join(filter(None, [spec.name, spec.type, spec.serial]))) for role, spec in specs)

    @property
    def conditions(self) -> str:
        """In what the boards are left, for a run that was broken off."""
        return "; ".join(self.bench.conditions) if self.bench is not None else ""

    def keep_evidence(self) -> None:
        """What went over the lines of the boards, beside the trace."""
        for board in self.bench.boards.values() if self.bench is not None else ():
            if board.opened.log.exists():
                make_private_folder(self.results)
                shutil.copyfile(board.opened.log, self.results / f"{board.name}.serial.jsonl")

    def close(self) -> None:
        self._folder.cleanup()

    def _folder_of(self, board: str) -> Path:
        return self._temporary(board) if self._is_emulated(board) else board_folder(board)

    def _shared_by(self, board: str) -> Path:
        """Nobody else can want a board that is made for this run."""
        return self._temporary("desk") if self._is_emulated(board) else self.shared or DESK_FOLDER

    def _is_emulated(self, board: str) -> bool:
        return self.desk.known(board).emulated is not None

    def _temporary(self, name: str) -> Path:
        folder = Path(self._folder.name) / name
        make_private_folder(folder)
        return folder
