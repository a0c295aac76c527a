"""A board with a prompt like U-Boot's: RAM, block storage, `loadx`, `crc32`, an environment. Enough to be flashed.

What survives a power cut is `disk` and `environment`, which are handed in; RAM is new at each start.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from mmap import mmap
from typing import Final

from fleetrig.hil.fakes.fake_board import Brain, Hear, Say
from fleetrig.hil.fakes.fake_brains import BANNER
from fleetrig.hil.fakes.fake_prompt import Prompt
from fleetrig.hil.fakes.fake_shell import commands, replaced
from fleetrig.hil.fakes.xmodem_receiving import XmodemReceiving

RAM_AT: Final = 0x4000_0000
RAM_BYTES: Final = 0x0400_0000
BLOCK_BYTES: Final = 512
CHARACTER_WITHIN_S: Final = 2.0
"""U-Boot's own time-out for a character of XMODEM."""
TRIES: Final = 20

CommandRun = Generator[Say | Hear, bytes, int]
"""A command at work; it ends with its status."""


NO_SYSTEM: Final = b"** No bootable image **\r\n"

FakeSystem = Generator[Say | Hear, bytes, bool]
"""What boots; it ends with whether the board starts again (`reboot`). If not, U-Boot's prompt comes."""


def no_system(_disk: bytes) -> FakeSystem:
    """Nothing that could be booted."""
    yield Say(NO_SYSTEM)
    return False


@dataclass
class FakeUboot:
    """Make one for each board; `brain` is one start of it.

    `refuses_writes` is a storage under write protection; `asked` may answer a `printenv` otherwise than the environment
    does (a board that was swapped under way, or lies); `system` is what boots when nobody stops it.
    """

    disk: bytearray | mmap = field(default_factory=lambda: bytearray(16 * 1024 * 1024))
    environment: dict[str, str] = field(default_factory=lambda: {"ethaddr": "52:52:52:52:52:52", "serial#": "SN-0001"})
    storage: str = "virtio"
    refuses_writes: bool = False
    asked: Callable[[str, str], str] = lambda _name, value: value
    system: Callable[[bytes], FakeSystem] = no_system
    autoboot_s: float = 2.0
    """0: it looks for no key, as with `bootdelay=-2`."""
    commands_run: list[str] = field(default_factory=list)
    """The command lines that it was given, in their order, over all starts."""

    def brain(self) -> Brain:
        """One start: banner, autoboot, then the prompt or the system."""
        while True:
            yield Say(BANNER)
            yield Say(b"Hit any key to stop autoboot:  2 ")
            if not self.autoboot_s or not (yield Hear(self.autoboot_s)):
                yield Say(b"\b\b\b 0 \r\n")
                if (yield from self.system(bytes(self.disk))):
                    continue
            else:
                yield Say(b"\r\n")
            yield from _Start(self).prompt()  # until `reset`


class _Start:
    """What it holds until its power goes."""

    def __init__(self, board: FakeUboot) -> None:
        self.board = board
        self.ram = bytearray(RAM_BYTES)
        self.variables = dict(board.environment) | {"?": "0"}
        self.prompt_line = Prompt("=> ")

    def prompt(self) -> Generator[Say | Hear, bytes, None]:
        last = ""
        while True:
            line = yield from self.prompt_line.line()
            last = line or last  # an empty line repeats the last command
            self.board.commands_run.append(last)
            for parts in commands(last):
                command = replaced(parts, self.variables)
                if command.words == ["reset"]:
                    yield Say(b"resetting ...\r\n")
                    return
                if command.words == ["boot"]:
                    if (yield from self.board.system(bytes(self.board.disk))):
                        return
                    continue
                if command.words:
                    self.variables["?"] = str((yield from self.run(command.words)))

    def run(self, words: list[str]) -> CommandRun:
        match words:
            case ["echo", *said]:
                return (yield from self._say(" ".join(said)))
            case ["version"]:
                return (yield from self._say("U-Boot 2023.01+dfsg-2 (fake)"))
            case ["printenv", *names]:
                return (yield from self._printenv(names))
            case ["setenv", name, *value]:
                self.variables[name] = " ".join(value)
                return 0
            case ["saveenv"]:
                self.board.environment.update({k: v for k, v in self.variables.items() if k != "?"})
                return (yield from self._say("Saving Environment to Flash... OK"))
            case ["loadx", address]:
                return (yield from self._loadx(int(address, 16)))
            case ["crc32", address, size]:
                return (yield from self._crc32(int(address, 16), int(size, 16)))
            case [storage, "scan"] | [storage, "dev", _] if storage == self.board.storage:
                return 0
            case [storage, ("read" | "write") as way, *numbers] if storage == self.board.storage and len(numbers) == 3:
                return (yield from self._block_command(way, *(int(number, 16) for number in numbers)))
        yield Say(f"Unknown command '{words[0]}' - try 'help'\r\n".encode())
        return 1

    def _say(self, text: str) -> CommandRun:
        yield Say(f"{text}\r\n".encode())
        return 0

    def _printenv(self, names: list[str]) -> CommandRun:
        known: Mapping[str, str] = {name: value for name, value in self.variables.items() if name != "?"}
        status = 0
        for name in names or sorted(known):
            if name in known:
                yield Say(f"{name}={self.board.asked(name, known[name])}\r\n".encode())
            else:
                yield Say(f'## Error: "{name}" not defined\r\n'.encode())
                status = 1
        return status

    def _crc32(self, address: int, size: int) -> CommandRun:
        found = zlib.crc32(self.ram[address - RAM_AT : address - RAM_AT + size])
        return (yield from self._say(f"crc32 for {address:08x} ... {address + size - 1:08x} ==> {found:08x}"))

    def _block_command(self, way: str, address: int, first: int, count: int) -> CommandRun:
        yield Say(f"\r\n{self.board.storage} {way}: device 0 block # {first}, count {count} ... ".encode())
        at, begin, size = address - RAM_AT, first * BLOCK_BYTES, count * BLOCK_BYTES
        is_refused = way == "write" and self.board.refuses_writes
        if is_refused or begin + size > len(self.board.disk) or not 0 <= at <= RAM_BYTES - size:
            yield Say(f"0 blocks {way}: ERROR\r\n".encode())
            return 1
        if way == "write":
            self.board.disk[begin : begin + size] = self.ram[at : at + size]
        else:
            self.ram[at : at + size] = self.board.disk[begin : begin + size]
        yield Say(f"{count} blocks {way}: OK\r\n".encode())
        return 0

    def _loadx(self, address: int) -> CommandRun:
        yield Say(f"## Ready for binary (xmodem) download to 0x{address:08X} at 115200 bps...\r\n".encode())
        receiving = XmodemReceiving()
        heard, self.prompt_line.held = self.prompt_line.held, b""
        silent = 0
        while silent < TRIES:
            answer = receiving.feed(heard) if heard else receiving.nothing_came()
            silent = 0 if heard else silent + 1
            if answer:
                yield Say(answer)
            if receiving.has_ended:
                break
            heard = yield Hear(CHARACTER_WITHIN_S)
        self.prompt_line.held = receiving.rest
        if not receiving.is_whole:
            yield Say(b"\r\n## Binary (xmodem) download aborted\r\n")
            return 1
        at, size = address - RAM_AT, len(receiving.data)
        self.ram[at : at + size] = receiving.data
        self.variables["filesize"] = f"{size:x}"
        return (yield from self._say(f"## Total Size      = 0x{size:08x} = {size} Bytes"))
