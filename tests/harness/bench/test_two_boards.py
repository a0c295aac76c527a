"""Two boards on one desk, flashed by name a hundred times: never the wrong one."""

from __future__ import annotations

import asyncio
import random
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from fleetrig.harness.bench.emulated_desk import emulated_desk
from fleetrig.harness.bench.flashers import ready_flasher
from fleetrig.harness.bench.opened_board import OpenedBoard, opened_board
from fleetrig.hil.fakes.fake_gateway import FIRMWARE_BLOCK
from fleetrig.hil.fakes.fake_uboot import BLOCK_BYTES
from fleetrig.hil.flasher import Image
from fleetrig.hil.flashers.image import read_image
from fleetrig.simulator.drivers.wall_clock import WallClock

pytestmark = pytest.mark.slow

FLASHES = 100
IMAGE_BYTES = 2_048


def test_a_hundred_flashes_by_name_and_none_on_the_wrong_board(tmp_path: Path) -> None:
    asyncio.run(_flash_all(tmp_path, random.Random(7)))


async def _flash_all(folder: Path, chance: random.Random) -> None:
    latest: dict[str, bytes] = {}
    async with AsyncExitStack() as stack:
        boards = {name: await stack.enter_async_context(_opened(folder / name, name)) for name in ("fake-1", "fake-2")}
        for number in range(FLASHES):
            name = chance.choice(list(boards))
            latest[name] = chance.randbytes(IMAGE_BYTES)
            await _flash(boards[name], _image(folder / f"{number}.img", latest[name]))
            for other in latest:
                assert _disk_of(folder / other) == latest[other], f"flash {number} of {name} is wrong on {other}"
    assert len(latest) == 2


def _opened(folder: Path, name: str) -> AbstractAsyncContextManager[OpenedBoard]:
    """At U-Boot's prompt all the time: it is not started anew for each flash."""
    folder.mkdir()
    spec = emulated_desk().board(name)
    return opened_board(replace(spec, console=replace(spec.console, kind="uboot")), folder, WallClock())


async def _flash(board: OpenedBoard, image: Image) -> None:
    flasher = await ready_flasher(board, image.path.parent)
    await flasher.flash(image, lambda _: None)


def _image(path: Path, content: bytes) -> Image:
    path.write_bytes(content)
    return read_image(path)


def _disk_of(folder: Path) -> bytes:
    with (folder / "disk.img").open("rb") as disk:
        disk.seek(FIRMWARE_BLOCK * BLOCK_BYTES)
        return disk.read(IMAGE_BYTES)
