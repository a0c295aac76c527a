"""What the emulated gateway is made of: a system disk from Debian's packages, made once and kept, and its firmware.

The system disk is the vendor's part and is never written to: kernel, busybox with modules, swupdate with its libraries.
The firmware is what gets flashed and updated: a few files with a build id, behind a header that U-Boot checks.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from fleetrig.hil.emulated.archive_writing import (
    FOLDER,
    MULTI,
    SCRIPT,
    ArchiveEntry,
    compressed,
    cpio,
    program,
    uboot_image,
)
from fleetrig.hil.emulated.disk_image import BLOCK_BYTES, MIB, Partition, make_disk
from fleetrig.hil.emulated.foreign_packages import unpack_packages
from fleetrig.simulator.contract.errors import BrokenBench, UsageError

PACKAGES: Final = ("busybox-static", "linux-image-cloud-arm64", "swupdate")
MODULES: Final = (
    "virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_mmio",
    "failover", "net_failover", "virtio_net", "virtio_blk",
)  # fmt: skip
LIBRARIES: Final = "aarch64-linux-gnu"

KERNEL_AT_BYTES: Final = 1 * MIB
BASE_AT_BYTES: Final = 48 * MIB
SYSTEM: Final = Partition(64 * MIB, 192 * MIB)
SYSTEM_DISK_BYTES: Final = 256 * MIB

BOOT: Final = Partition(32 * MIB, 8 * MIB, "boot", is_bootable=True, kind="ext2")
DATA: Final = Partition(64 * MIB, 32 * MIB, "data")
SLOT_A: Final = Partition(0x800 * BLOCK_BYTES, 8 * MIB)
SLOT_B: Final = Partition(0x8000 * BLOCK_BYTES, 8 * MIB)
OWN_DISK_BYTES: Final = 96 * MIB
RAMDISK_AT: Final = 0x4400_0000

BUILD_ID: Final = re.compile(r"[A-Za-z0-9._+-]{1,24}")
"""It stands in U-Boot's header, which has room for 32 characters."""

RECIPE: Final = ("archive_writing.py", "disk_image.py", "foreign_packages.py", "gateway_boot.cmd", "gateway_image.py")


class GatewayParts(NamedTuple):
    """Files in the cache: the system disk, shared by all gateways, and the blank own disk of one."""

    system_disk: Path
    blank_disk: Path


def cache_folder() -> Path:
    """Where what was built is kept: `$XDG_CACHE_HOME/fleetrig`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleetrig"


async def gateway_parts(cache: Path | None = None) -> GatewayParts:
    """Makes them if they are not there: a minute with the network, nothing afterwards. Raises BrokenBench."""
    kept = _kept(cache)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with _one_builder(kept.parent / "gateway-arm64.lock"):
            if not kept.exists():
                await _make(kept, kept.parent / "packages-arm64")
    return _parts(kept)


def kept_gateway_parts(cache: Path | None = None) -> GatewayParts | None:
    """Those that were made already, for whoever must not wait for the network."""
    kept = _kept(cache)
    return _parts(kept) if kept.exists() else None


def _kept(cache: Path | None) -> Path:
    return (cache or cache_folder()) / f"gateway-arm64-{_recipe()}"


def _parts(kept: Path) -> GatewayParts:
    return GatewayParts(kept / "system.img", kept / "blank.img")


def gateway_firmware(build_id: str, further: dict[str, bytes] | None = None) -> bytes:
    """An image to be flashed or sent as an update: it boots as `build_id`. Of `further` files one is known:
    `etc/vendor.crt`, whose updates it takes; others only make it larger.

    Raises UsageError for a build ID that its header has no room for.
    """
    if not BUILD_ID.fullmatch(build_id):
        raise UsageError(f"a build ID is up to 24 letters, digits and . _ + -, got {build_id!r}")
    entries = {"init": program(_source("gateway_init.sh")), "etc": FOLDER, "etc/build": ArchiveEntry(build_id.encode())}
    for name in ("agent", "update_done", "leased"):
        entries[f"bin/{name.replace('_', '-')}"] = program(_source(f"gateway_{name}.sh"))
    entries |= {name: ArchiveEntry(data) for name, data in (further or {}).items()}
    return uboot_image(MULTI, f"gateway {build_id}", compressed(cpio(entries)))


def _source(name: str) -> bytes:
    return files("fleetrig.hil.emulated").joinpath(name).read_bytes()


def _recipe() -> str:
    return hashlib.sha256(b"".join(_source(name) for name in RECIPE)).hexdigest()[:16]


@contextmanager
def _one_builder(lock: Path) -> Iterator[None]:
    """Others wait for it, and find what it has made."""
    with lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


async def _make(kept: Path, packages: Path) -> None:
    root = await unpack_packages(PACKAGES, "arm64", packages)
    draft = kept.with_name(f"{kept.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        await asyncio.to_thread(_make_disks, root, draft)
        draft.rename(kept)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(root)


def _make_disks(root: Path, draft: Path) -> None:
    kernel = _one(root / "boot", "vmlinuz-*").read_bytes()
    base = _base(root)
    _keep_system(root, draft / "content")
    system = SYSTEM._replace(label="system", content=draft / "content")
    make_disk(draft / "system.img", SYSTEM_DISK_BYTES, [system])
    with (draft / "system.img").open("r+b") as disk:
        for at, data in ((KERNEL_AT_BYTES, kernel), (BASE_AT_BYTES, base)):
            disk.seek(at)
            disk.write(data)
    shutil.rmtree(draft / "content")
    (draft / "boot").mkdir()
    (draft / "boot" / "boot.scr").write_bytes(_boot_script(len(kernel), len(base)))
    boot = BOOT._replace(content=draft / "boot")
    make_disk(draft / "blank.img", OWN_DISK_BYTES, [boot, DATA, SLOT_A, SLOT_B])
    shutil.rmtree(draft / "boot")


def _base(root: Path) -> bytes:
    """The archive that the kernel unpacks before the firmware's: busybox and modules."""
    entries = {"bin": FOLDER, "lib": FOLDER, "lib/modules": FOLDER}
    entries["bin/busybox"] = program((root / "bin/busybox").read_bytes())
    for name in MODULES:
        entries[f"lib/modules/{name}.ko"] = ArchiveEntry(_one(root / "lib/modules", f"**/{name}.ko").read_bytes())
    archive = cpio(entries)
    return archive + bytes(-len(archive) % BLOCK_BYTES)


def _keep_system(root: Path, content: Path) -> None:
    """swupdate and shared libraries, without what else came along."""
    for place in ("lib", "usr/lib"):
        target = content / place / LIBRARIES
        target.mkdir(parents=True)
        for library in sorted((root / place / LIBRARIES).glob("*.so*")):
            shutil.copy2(library, target / library.name, follow_symlinks=False)
    shutil.copy2(root / "lib/ld-linux-aarch64.so.1", content / "lib", follow_symlinks=False)
    (content / "usr/bin").mkdir()
    shutil.copy2(root / "usr/bin/swupdate", content / "usr/bin")


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise BrokenBench(f"Debian's packages hold no {pattern}: this fleetrig knows those of Debian 12")
    return found[-1]


def _boot_script(kernel_bytes: int, base_bytes: int) -> bytes:
    text = _source("gateway_boot.cmd").decode()
    for name, number in (
        ("KERNEL_BLOCK", KERNEL_AT_BYTES // BLOCK_BYTES),
        ("KERNEL_BLOCKS", -(-kernel_bytes // BLOCK_BYTES)),
        ("BASE_BLOCK", BASE_AT_BYTES // BLOCK_BYTES),
        ("BASE_BLOCKS", base_bytes // BLOCK_BYTES),
        ("BASE_BYTES", base_bytes),
        ("FIRMWARE_AT", RAMDISK_AT + base_bytes),
    ):
        text = text.replace(f"@{name}@", f"{number:x}")
    return uboot_image(SCRIPT, "gateway boot", text.encode())


if __name__ == "__main__":  # `make gateway`
    sys.stdout.write(f"{asyncio.run(gateway_parts()).system_disk.parent}\n")
