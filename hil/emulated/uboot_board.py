"""A board with Debian's own U-Boot: arm64, a disk that stands for its eMMC, and NOR flash that refuses writes.

Its identity (`serial#`, `ethaddr`) stands in its environment, as at a board that has gone through its first station.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

from fleetrig.hil.emulated.qemu import Machine, QemuBoard
from fleetrig.hil.emulated.uboot_environment import ENVIRONMENT_AT, write_environment
from fleetrig.simulator.contract.errors import BrokenBench

UBOOT: Final = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
DISK_BYTES: Final = 64 * 1024 * 1024
SERIAL: Final = "EMU-0001"
OWN_MACS: Final = "52:54:00"
"""The first half of the MACs that emulated boards have, which QEMU uses too."""


def mac_of(serial: str) -> str:
    """The MAC address of the emulated board with this serial number."""
    tail = zlib.crc32(serial.encode()) & 0xFF_FFFF
    return f"{OWN_MACS}:{tail >> 16:02x}:{tail >> 8 & 0xFF:02x}:{tail & 0xFF:02x}"


def uboot_machine(
    disk: Path, *, environment: Path | None = None, memory_mib: int = 128, network: tuple[str, ...] = ("-nic", "none")
) -> Machine:
    """`disk` and `environment` (put into flash at each start) are raw images; `network` are QEMU's arguments."""
    kept = () if environment is None else (f"loader,file={environment},addr={ENVIRONMENT_AT:#x},force-raw=on",)
    return Machine(
        "qemu-system-aarch64",
        "qemu-system-arm",
        (
            "-M", "virt", "-cpu", "cortex-a57", "-m", str(memory_mib), "-bios", str(UBOOT),
            "-drive", f"if=none,id=d0,format=raw,file={disk}", "-device", "virtio-blk-device,drive=d0",
            *(word for device in kept for word in ("-device", device)), *network,
        ),
    )  # fmt: skip


def uboot_board(folder: Path, serial: str = SERIAL) -> QemuBoard:
    """A board whose disk lies in `folder`, empty at first. Raises BrokenBench without Debian's U-Boot."""
    environment = identity_environment(folder, serial)
    disk = folder / "disk.img"
    if not disk.exists():
        with disk.open("wb") as made:
            made.truncate(DISK_BYTES)
    return QemuBoard(uboot_machine(disk, environment=environment), folder)


def identity_environment(folder: Path, serial: str, **further: str) -> Path:
    """The environment of the board in `folder`, made for `serial` if it is not there.

    `further` are other variables of U-Boot.

    Raises BrokenBench.
    """
    if not UBOOT.exists():
        raise BrokenBench(f"{UBOOT} is not there: apt-get install u-boot-qemu")
    environment = folder / "environment.img"
    if not environment.exists():
        write_environment(environment, UBOOT, {"serial#": serial, "ethaddr": mac_of(serial), **further})
    return environment
