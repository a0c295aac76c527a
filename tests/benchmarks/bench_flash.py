"""What flashing costs beside its line: a whole flash by XMODEM beside a bare transfer, and 100 MiB by TFTP.

Seconds on the wall, since the emulated line is the measure of both; they take turns, and medians are shown.
"""

from __future__ import annotations

import asyncio
import io
import random
import time
from pathlib import Path

import serial
from xmodem import XMODEM1k

from fleetrig.hil.flasher import Flashed, Flasher
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.uboot_tftp import TftpLoad, UbootTftp
from fleetrig.hil.flashers.uboot_xmodem import UbootXmodem
from tests.benchmarks.measure import median, show
from tests.hil.flashers.boards import MAC, AtPrompt, uboot_at_prompt

IDENTITY = {"ethaddr": MAC}
SERIAL_BYTES = 1024 * 1024
NETWORK_BYTES = 100 * 1024 * 1024
DISK_BYTES = 160 * 1024 * 1024
ROUNDS = 3


def bare_s(device: str, data: bytes) -> float:
    """The library alone, on a port of pyserial's: only the transfer is timed."""
    with serial.Serial(device, timeout=10) as port:
        port.write(b"loadx 41000000\n")
        port.read_until(b"bps...")

        def get(size: int, timeout: float = 1.0) -> bytes | None:
            port.timeout = timeout
            return port.read(size) or None

        def put(sent: bytes, timeout: float = 1.0) -> int | None:
            del timeout
            return port.write(sent)

        began_s = time.monotonic()
        assert XMODEM1k(get, put).send(io.BytesIO(data), timeout=10)
        took_s = time.monotonic() - began_s
        port.read_until(b"=> ")
    return took_s


async def flashed(flasher: Flasher, folder: Path, data: bytes) -> Flashed:
    image = folder / "image"
    image.write_bytes(data)
    done = await flasher.flash(read_image(image), lambda _: None)
    assert done.written_bytes == len(data)
    return done


def bench_flash_by_xmodem(tmp_path: Path) -> None:
    async def story() -> tuple[list[float], list[float]]:
        ours, bare = [], []
        for number in range(ROUNDS):
            data = random.Random(number).randbytes(SERIAL_BYTES)
            async with uboot_at_prompt(tmp_path / "board") as at:
                ours.append((await flashed(UbootXmodem(at.console, IDENTITY), tmp_path, data)).took_s)
                bare.append(await bare_on(at, data))
        return ours, bare

    ours, bare = asyncio.run(story())
    print()
    show("bare xmodem library, 1 MiB into RAM", f"{SERIAL_BYTES / 1024 / median(bare):.0f} KiB/s")
    show("a whole flash, 1 MiB: asked, sent, written, read back", f"{SERIAL_BYTES / 1024 / median(ours):.0f} KiB/s")
    show("a whole flash beside the bare library", f"{100 * median(bare) / median(ours):.0f} %", "80 %")


async def bare_on(at: AtPrompt, data: bytes) -> float:
    await at.port.close()
    return await asyncio.to_thread(bare_s, at.board.port, data)


def bench_flash_by_tftp(tmp_path: Path) -> None:
    (tmp_path / "tftp").mkdir()
    (tmp_path / "board").mkdir()
    with (tmp_path / "board" / "disk.img").open("wb") as disk:
        disk.truncate(DISK_BYTES)

    async def story() -> float:
        async with uboot_at_prompt(tmp_path / "board", network=f",tftp={tmp_path}/tftp") as at:
            flasher = UbootTftp(at.console, IDENTITY, TftpLoad(tmp_path / "tftp"))
            return (await flashed(flasher, tmp_path, random.Random(1).randbytes(NETWORK_BYTES))).took_s

    took_s = asyncio.run(story())
    print()
    show("a whole flash over the network, 100 MiB", f"{took_s:.0f} s")
    show("the same, each second", f"{NETWORK_BYTES / 1024**2 / took_s:.1f} MiB/s")
