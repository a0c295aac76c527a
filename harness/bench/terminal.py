"""A board's line on this terminal: keys go to the board as they are, Ctrl-C too; what it says is shown as it is."""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from fleetrig.hil.board import ConsoleSpec
from fleetrig.hil.port import BoardPort

LEAVE_KEY: Final = "Ctrl-]"
LEAVE: Final = b"\x1d"
READ_BYTES: Final = 4_096
LOOK_S: Final = 1.0


async def on_terminal(port: BoardPort, spec: ConsoleSpec, keys: int, screen: int) -> None:
    """Until the leave key, or the end of the terminal. Both are descriptors. Raises PortLost."""
    typed: asyncio.Queue[bytes] = asyncio.Queue()
    with _raw(keys), _keys_into(typed, keys):
        tasks = [asyncio.create_task(_type(port, spec, typed)), asyncio.create_task(_show(port, screen))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _raw(keys: int) -> Iterator[None]:
    before = termios.tcgetattr(keys)
    tty.setraw(keys)
    try:
        yield
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)


@contextmanager
def _keys_into(typed: asyncio.Queue[bytes], keys: int) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            data = os.read(keys, READ_BYTES)
        except OSError:  # the terminal was closed
            data = b""
        typed.put_nowait(data or LEAVE)
        if not data:
            loop.remove_reader(keys)

    loop.add_reader(keys, read)
    try:
        yield
    finally:
        loop.remove_reader(keys)


async def _type(port: BoardPort, spec: ConsoleSpec, typed: asyncio.Queue[bytes]) -> None:
    """What is pasted goes no faster than the board can take it."""
    while True:
        data, leave, _ = (await typed.get()).partition(LEAVE)
        for at in range(0, len(data), spec.chunk_bytes):
            await port.write(data[at : at + spec.chunk_bytes])
            await asyncio.sleep(spec.chunk_pause_s)
        if leave:
            return


async def _show(port: BoardPort, screen: int) -> None:
    while True:
        data = await port.read(LOOK_S)
        with suppress(BlockingIOError):
            while data:
                data = data[os.write(screen, data) :]
