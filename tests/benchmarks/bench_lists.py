"""What lists cost as the registry grows: server CPU for each, and how long a good device waits while one runs.

`make bench PEER=http://127.0.0.1:8080,PID` asks a running hawkBit (admin/admin) for the same; what is made there stays.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tests.benchmarks.measure import cpu_s, hammer, median, raw_request, read_answer, show
from tests.benchmarks.request_work import ADMIN, Side, device, registered, sides

SIZES: Final = (1_000, 10_000, 100_000)
PAGES: Final = 40
"""Of those that cost the page: so many for each figure, since clocks of processes tick in hundredths."""
ROUNDS: Final = 3

BY_KEY: Final = {
    "page of 50": "/targets?limit=50",
    "page of 50, from the middle": "/targets?limit=50&offset={middle}",
    "page of 50, from the end": "/targets?limit=50&sort=controllerId:DESC",
    "page of 50, actions": "/actions?limit=50",
}
LOOKING: Final = {
    "q=name==*9-99*": f"/targets?limit=50&q={quote('name==*9-99*')}",
    "q=updateStatus==pending": f"/targets?limit=50&q={quote('updateStatus==pending')}",
    "sort=name:DESC": "/targets?limit=50&sort=name:DESC",
    "sort=createdAt:ASC, from the middle": "/targets?limit=50&sort=createdAt:ASC&offset={middle}",
    "actions, sort=status:ASC": "/actions?limit=50&sort=status:ASC",
}


@dataclass
class Waits:
    """A device that polls all the time, over a connection of its own."""

    address: str
    poll: bytes
    waits_s: list[float] = field(default_factory=list)

    async def during(self, asked: bytes) -> float:
        """Asks for a list meanwhile. How long the longest poll took (s)."""
        host, _, port = self.address.rpartition(":")
        polling = asyncio.create_task(self._poll(host, int(port)))
        await asyncio.sleep(0.05)
        self.waits_s.clear()
        await _ask(host, int(port), asked)
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
        return max(self.waits_s, default=0.0)

    async def _poll(self, host: str, port: int) -> None:
        while True:
            reader, writer = await asyncio.open_connection(host, port)
            try:
                while await self._one_poll(reader, writer):
                    pass
            finally:
                writer.close()
                await writer.wait_closed()

    async def _one_poll(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        began_s = time.monotonic()
        writer.write(self.poll)
        try:
            return await read_answer(reader)
        finally:
            self.waits_s.append(time.monotonic() - began_s)


async def _ask(host: str, port: int, asked: bytes) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(asked)
    await read_answer(reader)
    writer.close()
    await writer.wait_closed()


def asked_for(path: str, size: int) -> bytes:
    return raw_request("GET", "/rest/v1" + path.format(middle=size // 2), ADMIN)


def cpu_ms(side: Side, asked: bytes, count: int) -> float:
    """Server CPU of one."""
    before_s = cpu_s(side.pid)
    hammer(side.address, [asked] * count, connections=1)
    return (cpu_s(side.pid) - before_s) / count * 1_000


def growing(side: Side) -> Iterator[tuple[int, bytes]]:
    """The sizes, and the poll of a device that was there from the beginning."""
    there, poll = 0, b""
    for size in SIZES:
        made = registered(side.address, size - there)
        if not poll:
            name, token = next(iter(made.items()))
            poll = device("GET", name, token)
        there = size
        yield size, poll


def bench_lists(tmp_path: Path) -> None:
    with sides(tmp_path) as measured:
        for side in measured:
            _measure(side)


def _measure(side: Side) -> None:
    figures: dict[str, list[float]] = {}
    waits: dict[str, list[float]] = {}
    for size, poll in growing(side):
        hammer(side.address, [asked_for("/targets?limit=50", size)])
        for name, path in BY_KEY.items():
            asked = asked_for(path, size)
            figures.setdefault(name, []).append(median([cpu_ms(side, asked, PAGES) for _ in range(ROUNDS)]))
        for name, path in LOOKING.items():
            figures.setdefault(name, []).append(cpu_ms(side, asked_for(path, size), max(1, 10_000 // size)))
        for name, path in (*BY_KEY.items(), *LOOKING.items()):
            took_s = asyncio.run(Waits(side.address, poll).during(asked_for(path, size)))
            waits.setdefault(name, []).append(took_s * 1_000)
    print(f"\n  {side.name}: lists of {', '.join(f'{size:,}' for size in SIZES)} targets")
    for name, found in figures.items():
        aim = "largest 3 times the smallest" if name in BY_KEY else ""
        values = " · ".join(f"{one:.3g}" for one in found)
        show(f"CPU, {name}", f"{values} ms", f"{aim}: {found[-1] / found[0]:.2f}" if aim else "")
    for name, found in waits.items():
        show(f"longest poll meanwhile, {name}", f"{' · '.join(f'{one:.3g}' for one in found)} ms", "50 ms")
