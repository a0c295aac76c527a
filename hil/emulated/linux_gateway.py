"""An arm64 Linux gateway: U-Boot, Debian's kernel, busybox and swupdate. It is flashed over its serial line.

The host is 10.0.2.2 to it. Its own disk lies in `folder` and keeps firmware, identity and credentials without power.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from fleetrig.hil.emulated.gateway_image import GatewayParts
from fleetrig.hil.emulated.qemu import Machine, QemuBoard
from fleetrig.hil.emulated.uboot_board import uboot_machine

HOST: str = "10.0.2.2"
"""How the gateway reaches what listens on this machine's loopback interface."""
MEMORY_MIB: int = 256


def gateway_machine(disk: Path, parts: GatewayParts) -> Machine:
    board = uboot_machine(disk, memory_mib=MEMORY_MIB)
    network = ("-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,romfile=")
    # The disk that is named last is U-Boot's first one.
    system = (
        "-drive", f"if=none,id=d1,format=raw,readonly=on,file={parts.system_disk}",
        "-device", "virtio-blk-device,drive=d1",
    )  # fmt: skip
    return Machine(board.program, board.package, (*system, *board.arguments, *network))


def linux_gateway(folder: Path, parts: GatewayParts) -> QemuBoard:
    """A gateway that is off. Its disk is blank at first: it has a boot script, and no firmware."""
    disk = folder / "disk.img"
    if not disk.exists():
        shutil.copyfile(parts.blank_disk, disk)
    return QemuBoard(gateway_machine(disk, parts), folder)
