"""Flashing real U-Boot by YMODEM, which tells it the size."""

from __future__ import annotations

import random

import pytest

from fleetrig.hil.flasher import BoardState
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.uboot_xmodem import YMODEM, UbootXmodem
from tests.hil.flashers.boards import MAC, run, uboot_at_prompt

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def test_an_image_is_written_and_its_size_is_told(tmp_path):
    (tmp_path / "image").write_bytes(random.Random(1).randbytes(5_001))
    image = read_image(tmp_path / "image")

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            flasher = UbootXmodem(at.console, {"ethaddr": MAC}, load=YMODEM)
            assert (await flasher.flash(image, lambda _: None)).written_bytes == image.size_bytes
            assert flasher.left_in is BoardState.VERIFIED
            assert at.disk(image.size_bytes) == image.path.read_bytes()
            assert (await at.console.run("printenv filesize")).output == f"filesize={image.size_bytes:x}"

    run(story())
