"""Asking the person at the terminal to do something with their hands."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final

from fleetrig.harness.run.interrupts import tell

READ_BYTES: Final = 1_024


async def ask_person(sentence: str) -> bool:
    """Shows it and waits for Enter; False when nobody sits there, or they say anything else. Can be cancelled."""
    if not sys.stdin.isatty():
        return False
    tell(f"{sentence} Enter when it is done, n when it cannot be.")
    loop, keys = asyncio.get_running_loop(), sys.stdin.fileno()
    answered: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        loop.remove_reader(keys)
        answered.set_result(os.read(keys, READ_BYTES))

    loop.add_reader(keys, read)
    try:
        return (await answered) == b"\n"
    finally:
        loop.remove_reader(keys)
