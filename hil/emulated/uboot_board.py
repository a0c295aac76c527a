"""A board with Debian's own U-Boot: arm64, a disk that stands for its eMMC, and NOR flash that refuses writes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fleetrig.hil.emulated.qemu import Machine, QemuBoard
from fleetrig.simulator.contract.errors import BrokenBench

UBOOT: Final = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
DISK_BYTES: Final = 64 * 1024 * 1024


def uboot_machine(disk: Path, *, memory_mib: int = 128, network: str = "none") -> Machine:
    """`disk` is a raw image; `network` is what follows QEMU's `-nic`."""
    return Machine(
        "qemu-system-aarch64",
        "qemu-system-arm",
        (
            "-M", "virt", "-cpu", "cortex-a57", "-m", str(memory_mib), "-nic", network, "-bios", str(UBOOT),
            "-drive", f"if=none,id=d0,format=raw,file={disk}", "-device", "virtio-blk-device,drive=d0",
        ),
    )  # fmt: skip


def uboot_board(folder: Path, *, network: str = "none") -> QemuBoard:
    """A board whose disk lies in `folder`, empty at first. Raises BrokenBench without Debian's U-Boot."""
    if not UBOOT.exists():
        raise BrokenBench(f"{UBOOT} is not there: apt-get install u-boot-qemu")
    disk = folder / "disk.img"
    if not disk.exists():
        with disk.open("wb") as made:
            made.truncate(DISK_BYTES)
    return QemuBoard(uboot_machine(disk, network=network), folder)
