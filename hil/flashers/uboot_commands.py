"""What a flasher types at a U-Boot prompt, with every failure as a `FlashFailed` that knows the board's condition."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.console_text import as_text
from fleetrig.hil.flasher import BoardState, FlashFailed, WrongBoard
from fleetrig.hil.flashers.xmodem_sending import CANCEL
from fleetrig.simulator.contract.errors import UsageError

RUNS_WITHIN_S: Final = 60.0
QUIET_S: Final = 0.5
SETTLES_WITHIN_S: Final = 20.0
"""U-Boot waits two seconds for each byte of a block that has begun, and cancels only between blocks."""
CRC: Final = re.compile(r"==> ([0-9a-f]{8})")
AGAIN: Final = "flash it again: what is verified on the board already is not sent again"
RESTART: Final = "switch it off and on, then " + AGAIN
REFUSED: Final = (
    (re.compile(r"Unknown command"), "this U-Boot has no such command: name another storage or flasher"),
    (re.compile(r"TFTP error"), "is the folder the one that the TFTP server serves, and may it read there?"),
    (re.compile(r"Retry count exceeded|No ethernet|not set|Abort", re.IGNORECASE), "check cable and TFTP server"),
    (re.compile(r"protected", re.IGNORECASE), "the storage is protected: take the protection off, on purpose"),
    (
        re.compile(r"timeout|I/O error|write error", re.IGNORECASE),
        "the storage does not work: " + AGAIN + ", or replace the board",
    ),
)
"""What is said of a command that was refused, by what it printed."""


class UbootCommands:
    """`left_in` is kept by whoever writes to the board."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.left_in = BoardState.UNTOUCHED

    async def must(self, command: str, within_s: float | None = None) -> str:
        """The output of a command that must succeed. Raises FlashFailed, PortLost."""
        status, said = await self.result(command, within_s)
        if status:
            advice = next((advice for pattern, advice in REFUSED if pattern.search(said)), "see what it says")
            printed = said.strip() or "it printed nothing"
            raise FlashFailed(f"`{command}` failed with {status}: {printed}", self.left_in, advice)
        return said

    async def result(self, command: str, within_s: float | None = None) -> tuple[int, str]:
        """Exit status and output."""
        try:
            result = await self.console.run(command, within_s or RUNS_WITHIN_S)
        except ConsoleFailed as failed:
            raise FlashFailed(str(failed), self.left_in, RESTART) from None
        return result.status, result.output

    async def crc(self, address: int, size_bytes: int) -> int:
        said = await self.must(f"crc32 {address:x} {size_bytes:x}")
        found = CRC.search(said)
        if found is None:
            raise FlashFailed(f"expected a CRC from `crc32`, got {said!r}", self.left_in, "has this U-Boot `crc32`?")
        return int(found.group(1), 16)

    async def check_identity(self, identity: Mapping[str, str]) -> None:
        """Asks the board for each variable, each time anew: ports are swapped under way. Raises WrongBoard."""
        if not identity:
            raise UsageError(
                "no board is written to without being asked who it is: "
                "give it an `identity` in the bench file, as `ethaddr: 52:54:00:12:34:56` (see the board's `printenv`)"
            )
        for variable, expected in identity.items():
            status, said = await self.result(f"printenv {variable}")
            _, _, got = said.strip().partition("=")
            if status or got != expected:
                answer = said.strip() or "nothing"
                raise WrongBoard(f"{variable}={expected}", answer, self.left_in)

    async def settle(self) -> bool:
        """Ends whatever the board is at, and returns whether its prompt is back. A transfer that has just been
        cancelled may take what is sent for the rest of a block, so it is told until it is quiet.
        """
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + SETTLES_WITHIN_S
        with suppress(ConsoleFailed):
            while loop.time() < deadline_s:
                await self.console.port.write(CANCEL)
                if self.console.dialect.prompt.search(await self._last_line()):
                    await self.console.run("true")
                    return True
        return False

    async def _last_line(self) -> str:
        """What stands there when it is quiet."""
        port, last = self.console.port, b""
        self.console.take_rest()  # what stood there before says nothing
        while heard := await port.read(QUIET_S):
            last = (last + heard).rpartition(b"\n")[2]
        return as_text(last)
