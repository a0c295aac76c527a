"""How far a flash has come: a bar on a terminal, a line for each phase elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

OnBytes = Callable[[str, int, int, int], None]
"""(phase, bytes done, bytes in all, blocks repeated)"""


@contextmanager
def flash_progress(console: Console) -> Iterator[OnBytes]:
    """What the block is given is told how far it is."""
    if not console.is_terminal:
        yield _in_lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task("flash", total=None)

        def show(phase: str, done_bytes: int, total_bytes: int, repeated: int) -> None:
            more = f", {repeated} blocks repeated" if repeated else ""
            bar.update(task, description=f"{phase}{more}", completed=done_bytes, total=total_bytes)

        yield show


def _in_lines(console: Console) -> OnBytes:
    told: set[str] = set()

    def show(phase: str, done_bytes: int, total_bytes: int, repeated: int) -> None:
        if done_bytes == total_bytes and phase not in told:
            told.add(phase)
            console.print(f"{phase}: {done_bytes:,} bytes" + (f", {repeated} blocks repeated" if repeated else ""))

    return show
