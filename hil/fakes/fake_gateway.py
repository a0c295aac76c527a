"""A whole gateway that is no more than a program: U-Boot that is flashed, and a Linux that boots what was flashed.

It boots the firmware of the emulated gateway (`gateway_firmware`), which it knows by the header that U-Boot checks.
Disk, environment and files outlive its power; between two runs they lie in its folder.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import struct
import zlib
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol

from fleetrig.hil.emulated.archive_writing import UBOOT_MAGIC
from fleetrig.hil.emulated.uboot_board import mac_of
from fleetrig.hil.fakes.fake_board import Brain, FakeBoard, Hear, Say, Sleep
from fleetrig.hil.fakes.fake_brains import mute, panicking
from fleetrig.hil.fakes.fake_linux import FakeLinux
from fleetrig.hil.fakes.fake_uboot import BLOCK_BYTES, NO_SYSTEM, FakeUboot

FakeFault = Literal["none", "protected_storage", "silent", "panics", "boot_loop", "wrong_identity"]
"""What is wrong with a fake board: its storage takes no writes, it says nothing, what was flashed panics, or starts
again and again, or it says that it is another board."""

SERIAL: Final = "FAKE-0001"
DISK_BYTES: Final = 16 * 1024 * 1024
FIRMWARE_BLOCK: Final = 0x800
AUTOBOOT_S: Final = 2.0
"""As U-Boot has it: enough for a bench on a busy machine."""
UPTIME_S: Final = 0.5
HEAD: Final = struct.Struct(">7I4B32s")
HEAD_CRC: Final = slice(4, 8)


class FoundFirmware(NamedTuple):
    """What lies on a disk: the name in its header, such as `gateway 1.2`."""

    title: str

    @property
    def build_id(self) -> str:
        return self.title.removeprefix("gateway ")


def firmware_on(disk: bytes) -> FoundFirmware | None:
    """What could be booted of a disk; None without a header, and when it is damaged, as U-Boot sees it."""
    at = FIRMWARE_BLOCK * BLOCK_BYTES
    head = bytearray(disk[at : at + HEAD.size])
    magic, head_crc, _, size_bytes, _, _, body_crc, *_, title = HEAD.unpack(head)
    head[HEAD_CRC] = bytes(4)
    body = disk[at + HEAD.size : at + HEAD.size + size_bytes]
    if magic != UBOOT_MAGIC or zlib.crc32(head) != head_crc or zlib.crc32(body) != body_crc:
        return None
    return FoundFirmware(title.rstrip(b"\0").decode("ascii", "replace"))


class BoardAgent(Protocol):
    """What the board runs by itself when it is up, such as a client of a server."""

    def hear(self, stored: Mapping[str, bytes] | None) -> None:
        """What is stored on the board, which is up; None when it goes down."""

    async def close(self) -> None: ...


def fake_gateway(
    folder: Path,
    serial: str = SERIAL,
    fault: FakeFault = "none",
    sleep: Sleep = asyncio.sleep,
    agent: BoardAgent | None = None,
) -> FakeGateway:
    """A board that is off. What it keeps lies in `folder`."""
    return FakeGateway(folder, _Inside(folder, serial, fault), sleep, agent)


class FakeGateway(FakeBoard):
    """See `fake_gateway`, which makes one."""

    title = "fake gateway"

    def __init__(self, folder: Path, inside: _Inside, sleep: Sleep, agent: BoardAgent | None = None) -> None:
        super().__init__(folder, inside.brain, sleep)
        self._agent = agent
        if agent is not None:
            inside.linux.on_stored = agent.hear
        self.uboot = inside.uboot
        self.linux = inside.linux
        self._inside = inside

    async def off(self) -> None:
        await super().off()
        if self._agent is not None:
            self._agent.hear(None)
        self._inside.keep()

    async def close(self) -> None:
        await super().close()
        if self._agent is not None:
            await self._agent.close()


class _Inside:
    """What the board consists of, and what of it outlives its power."""

    def __init__(self, folder: Path, serial: str, fault: FakeFault) -> None:
        self._kept = folder / "kept.json"
        self._fault = fault
        kept = json.loads(self._kept.read_text(encoding="utf-8")) if self._kept.exists() else {}
        self.linux = FakeLinux(stored={path: text.encode("latin-1") for path, text in kept.get("files", {}).items()})
        self.uboot = FakeUboot(
            disk=_disk(folder / "disk.img"),
            environment=kept.get("environment", {}) | {"serial#": serial, "board": "fake-gateway"},
            refuses_writes=fault == "protected_storage",
            asked=_lies if fault == "wrong_identity" else lambda _name, value: value,
            system=self._system,
            autoboot_s=AUTOBOOT_S,
        )
        self.uboot.environment.setdefault("ethaddr", mac_of(serial))

    def brain(self) -> Brain:
        return mute() if self._fault == "silent" else self.uboot.brain()

    def keep(self) -> None:
        files = {path: data.decode("latin-1") for path, data in self.linux.stored.items()}
        self._kept.write_text(json.dumps({"environment": self.uboot.environment, "files": files}), encoding="utf-8")

    def _system(self, disk: bytes) -> Generator[Say | Hear, bytes, bool]:
        found = firmware_on(disk)
        if found is None:
            yield Say(NO_SYSTEM)
            return False
        yield Say(b"Starting kernel ...\r\n\r\n")
        match self._fault:
            case "panics":
                yield from panicking()
            case "boot_loop":
                return True
        self.linux.rom = {"/etc/build": found.build_id.encode()}
        self.linux.says = f"GATEWAY-READY build={found.build_id} uptime_s={UPTIME_S:.2f}\r\n".encode()
        yield from self.linux.start()
        return True


def _lies(name: str, value: str) -> str:
    """Of another board of the same kind."""
    return {"serial#": f"NOT-{value}", "ethaddr": mac_of(f"NOT-{value}")}.get(name, value)


def _disk(path: Path) -> mmap.mmap:
    """What is written to it is in the file at once, whatever becomes of this process."""
    with path.open("ab") as made:
        made.truncate(max(DISK_BYTES, made.tell()))
    with path.open("r+b") as opened:
        return mmap.mmap(opened.fileno(), 0)
