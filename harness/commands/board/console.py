"""`fleetrig board console`: a board's console on this terminal, or commands on it for scripts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.bench.console_ready import ready_console
from fleetrig.harness.bench.terminal import LEAVE_KEY, on_terminal
from fleetrig.harness.commands.board.options import DESK, Bench, Board, DeskFolder, desk_of, held_board, judged
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import tell
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.command_reading import CommandResult
from fleetrig.hil.consoles.console import Console
from fleetrig.simulator.contract.errors import UsageError

Run = Annotated[
    list[str] | None,
    typer.Option(
        "--run", metavar="CMD", help="Run this and print what it says; repeatable, ends at the first failure."
    ),
]
Within = Annotated[float, typer.Option(metavar="S", min=0.1, help="How long each command of --run may take.")]
STOPPED = "stopping; the board goes on with what it was doing"


@examples(
    "fleetrig board console left --bench bench.yaml",
    "fleetrig board console emulated-uboot --run 'printenv board' --run version",
)
def console_command(
    name: Board, run: Run = None, within: Within = 30.0, bench: Bench = None, desk: DeskFolder = DESK
) -> None:
    """Talk to a board on this terminal; Ctrl-] leaves. With --run, run commands: exit code 1 when one fails."""
    spec = desk_of(bench).board(name)
    if not run and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("board console needs a terminal; in scripts use --run CMD")
    work = _commands(spec, desk, run, within) if run else _terminal(spec, desk)
    raise typer.Exit(judged(work, STOPPED))


async def _commands(spec: BoardSpec, desk: Path, commands: list[str], within_s: float) -> int:
    async with held_board(spec, desk, "board console", for_s=within_s * len(commands)) as board:
        console = await ready_console(board)
        for command in commands:
            result = await _run(console, spec.name, command, within_s)
            if result.output:
                typer.echo(result.output)
            if result.status:
                tell(f"{spec.name}: `{command}` ended with {result.status}; all that was said: {board.log}")
                return Exit.FAILED
    return Exit.PASSED


async def _run(console: Console, name: str, command: str, within_s: float) -> CommandResult:
    try:
        return await console.run(command, within_s)
    except ConsoleFailed as failed:
        raise ConsoleFailed(f"{name}: {failed}; --within gives it more time", failed.partial) from None


async def _terminal(spec: BoardSpec, desk: Path) -> int:
    async with held_board(spec, desk, "board console") as board:
        tell(f"{spec.name}, {board.port.url} at {spec.baud}; {LEAVE_KEY} leaves")
        await on_terminal(board.port, board.spec.console, sys.stdin.fileno(), sys.stdout.fileno())
        tell(f"\nleft {spec.name} as it is; all that was said: {board.log}")
    return Exit.PASSED
