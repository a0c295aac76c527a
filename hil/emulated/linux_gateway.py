"""An arm64 Linux gateway: U-Boot, Debian's kernel, busybox and swupdate. It is flashed over its serial line.

The host is 10.0.2.2 to it. Its own disk lies in `folder` and keeps firmware, identity and credentials without power.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from fleetrig.hil.emulated.gateway_image import GatewayParts
from fleetrig.hil.emulated.qemu import Machine, QemuBoard
from fleetrig.hil.emulated.uboot_board import SERIAL, identity_environment, mac_of, uboot_machine

HOST: Final = "10.0.2.2"
"""How the gateway reaches what listens on this machine's loopback interface."""
MEMORY_MIB: Final = 256
NETWORK_CARD: Final = "net0"
"""Its name for QMP's `set_link`, which pulls the cable."""


def linux_gateway(folder: Path, parts: GatewayParts, serial: str = SERIAL) -> QemuBoard:
    """A gateway that is off. Its disk is blank at first: it has a boot script, and no firmware."""
    disk = folder / "disk.img"
    if not disk.exists():
        shutil.copyfile(parts.blank_disk, disk)
    network = (
        "-netdev",
        "user,id=n0",
        "-device",
        f"virtio-net-pci,id={NETWORK_CARD},netdev=n0,romfile=,mac={mac_of(serial)}",
    )
    environment = identity_environment(folder, serial, boot_targets="virtio0", bootdelay="1")
    board = uboot_machine(disk, environment=environment, memory_mib=MEMORY_MIB, network=network)
    # The disk that is named last is U-Boot's first one.
    system = (
        "-drive", f"if=none,id=d1,format=raw,readonly=on,file={parts.system_disk}",
        "-device", "virtio-blk-device,drive=d1",
    )  # fmt: skip
    return QemuBoard(Machine(board.program, board.package, (*system, *board.arguments)), folder)
