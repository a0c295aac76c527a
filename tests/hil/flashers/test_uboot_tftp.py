"""Flashing real U-Boot over the network, from QEMU's own TFTP server."""

from __future__ import annotations

import random

import pytest

from fleetrig.hil.flasher import BoardState, FlashFailed
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.uboot_tftp import TftpLoad, UbootTftp
from fleetrig.simulator.contract.errors import BrokenBench
from tests.hil.flashers.boards import MAC, run, uboot_at_prompt

IDENTITY = {"ethaddr": MAC}
PIECE_BYTES = 512 * 1024

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def test_an_image_comes_over_the_network_in_pieces_and_not_again_once_it_is_there(tmp_path):
    (tmp_path / "image").write_bytes(random.Random(1).randbytes(PIECE_BYTES + 4_321))
    image = read_image(tmp_path / "image")
    served = tmp_path / "served"
    served.mkdir()

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board", network=f",tftp={served}") as at:
            flasher = UbootTftp(at.console, IDENTITY, TftpLoad(served, piece_bytes=PIECE_BYTES))
            flashed = await flasher.flash(image, lambda _: None)
            assert flashed.written_bytes == image.size_bytes
            assert at.disk(image.size_bytes) == image.path.read_bytes()
            assert flasher.left_in is BoardState.VERIFIED
            assert list(served.iterdir()) == []
            again = await flasher.flash(image, lambda _: None)
            assert again.written_bytes == 0

    run(story())


def test_a_server_that_does_not_have_it_is_named(tmp_path):
    (tmp_path / "image").write_bytes(b"image")
    image = read_image(tmp_path / "image")
    for folder in ("served", "other"):
        (tmp_path / folder).mkdir()

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board", network=f",tftp={tmp_path / 'served'}") as at:
            flasher = UbootTftp(at.console, IDENTITY, TftpLoad(tmp_path / "other"))
            with pytest.raises(
                FlashFailed, match=r"(?s)tftpboot .* failed with 1: .*the board is untouched: is the folder"
            ):
                await flasher.flash(image, lambda _: None)
            missing = UbootTftp(at.console, IDENTITY, TftpLoad(tmp_path / "missing"))
            with pytest.raises(BrokenBench, match=r"missing/fleetrig-.*: No such file or directory"):
                await missing.flash(image, lambda _: None)
            assert not any(at.disk(512))

    run(story())
