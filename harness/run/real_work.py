"""Work that takes real time, for directors: it is awaited, and what a board gets wrong is raised in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fleetrig.harness.run.context import RunContext
from fleetrig.harness.run.run_boards import RunBoards
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.simulator.drivers.director import Director, RealWork

T = TypeVar("T")


def boards_of(context: RunContext) -> RunBoards:
    assert context.boards is not None, "a file whose words are about boards has some, or it was refused"
    return context.boards


def really(work: Callable[[], Awaitable[T]]) -> Director[T]:
    """Its result. Raises BoardFailed here, where the phase can judge it; all else ends the run."""
    came: list[T] = []
    failed: list[BoardFailed] = []

    async def perform() -> None:
        try:
            came.append(await work())
        except BoardFailed as failure:
            failed.append(failure)

    yield RealWork(perform)
    if failed:
        raise failed[0]
    return came[0]
