"""Flashing by SMP: smpclient over our port, against a server written from the protocol by hand."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fleetrig.hil.flasher import BoardState, FlashFailed, FlashProgress, Image, WrongBoard
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.smp import SmpFlasher, SmpPatience
from fleetrig.hil.ports.serial_port import SerialPort, open_port
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.hil.flashers.boards import run
from tests.hil.flashers.smp_server import SmpServer, mcuboot_image

IDENTITY = {"n": "gw-7"}
QUICK = SmpPatience(first_s=0.3, other_s=0.3)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    path = tmp_path / "image"
    path.write_bytes(mcuboot_image(random.Random(1).randbytes(5_000)))
    return read_image(path)


@asynccontextmanager
async def smp_board(folder: Path, **how: Any) -> AsyncIterator[tuple[SmpServer, SerialPort]]:
    server = SmpServer(folder, **how)
    port = await open_port(str(server.line.link), clock=WallClock())
    try:
        yield server, port
    finally:
        await port.close()
        server.line.unplug()


def test_an_image_is_uploaded_and_not_again_once_it_is_there(tmp_path, image):
    told: list[FlashProgress] = []

    async def story() -> None:
        async with smp_board(tmp_path) as (server, port):
            flasher = SmpFlasher(port, IDENTITY)
            flashed = await flasher.flash(image, told.append)
            assert server.slot == image.path.read_bytes()
            assert (flashed.written_bytes, flashed.repeated) == (image.size_bytes, 0)
            assert told[-1] == FlashProgress("written", image.size_bytes, image.size_bytes)
            assert flasher.left_in is BoardState.VERIFIED
            uploads = server.uploads
            assert (await SmpFlasher(port, IDENTITY).flash(image, told.append)).written_bytes == 0
            assert server.uploads == uploads

    run(story())


@pytest.mark.slow
def test_a_lost_chunk_is_taken_up_where_the_board_says(tmp_path, image):
    async def story() -> None:
        async with smp_board(tmp_path, loses=frozenset({4, 9})) as (server, port):
            flashed = await SmpFlasher(port, IDENTITY, patience=QUICK).flash(image, lambda _: None)
            assert server.slot == image.path.read_bytes()
            assert flashed.repeated == 2
            assert server.offsets == sorted(set(server.offsets))  # nothing was written twice

    run(story())


@pytest.mark.parametrize(
    ("how", "said", "state"),
    [
        pytest.param({"rc": 5}, "refuses the upload", "partly written", id="refused"),
        pytest.param({"loses": frozenset(range(99))}, "fell silent 5 times", "partly written", id="silent"),
    ],
)
@pytest.mark.slow
def test_an_upload_that_fails_is_named(tmp_path, image, how, said, state):
    async def story() -> None:
        async with smp_board(tmp_path, **how) as (_, port):
            flasher = SmpFlasher(port, IDENTITY, patience=QUICK)
            with pytest.raises(FlashFailed, match=said) as failed:
                await flasher.flash(image, lambda _: None)
            assert (failed.value.state, flasher.left_in) == (BoardState(state), BoardState(state))

    run(story())


def test_a_slot_that_has_another_hash_afterwards_is_not_taken_for_flashed(tmp_path, image):
    async def story() -> None:
        async with smp_board(tmp_path) as (server, port):
            server.keeps = False
            flasher = SmpFlasher(port, IDENTITY)
            with pytest.raises(
                FlashFailed, match=r"expected slot 0 to have the hash .*, it has .*written, not verified"
            ):
                await flasher.flash(image, lambda _: None)

    run(story())


def test_a_wrong_board_is_not_written_to_also_when_it_becomes_one_under_way(tmp_path, image):
    async def story() -> None:
        async with smp_board(tmp_path, name="gw-8") as (server, port):
            with pytest.raises(WrongBoard, match="to be n=gw-7, it says that it is n=gw-8"):
                await SmpFlasher(port, IDENTITY).flash(image, lambda _: None)
            server.name, server.becomes = "gw-7", "gw-9"
            with pytest.raises(WrongBoard, match="it says that it is n=gw-9"):
                await SmpFlasher(port, IDENTITY).flash(image, lambda _: None)
            assert (server.uploads, server.slot) == (0, b"")
            with pytest.raises(UsageError, match="no board is written to without being asked who it is"):
                SmpFlasher(port, {})

    run(story())


def test_what_is_no_mcuboot_image_is_refused(tmp_path):
    (tmp_path / "other").write_bytes(bytes(100))

    async def story() -> None:
        async with smp_board(tmp_path) as (server, port):
            with pytest.raises(UsageError, match="is no signed MCUboot image"):
                await SmpFlasher(port, IDENTITY).flash(read_image(tmp_path / "other"), lambda _: None)
            assert server.uploads == 0

    run(story())
