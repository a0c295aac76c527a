"""Flashing real U-Boot over its serial line, and every way in which that fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from fleetrig.hil.consoles.console import Console
from fleetrig.hil.flasher import BoardState, FlashFailed, FlashProgress, Image, WrongBoard
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.uboot_commands import UbootCommands
from fleetrig.hil.flashers.uboot_flashing import Load, OnLoaded, Ram, UbootFlasher
from fleetrig.hil.flashers.uboot_storage import BlockStorage, NorStorage, ReadBack, UbootStorage
from fleetrig.hil.flashers.uboot_xmodem import UbootXmodem, XmodemLoad
from fleetrig.hil.port import PortLost
from fleetrig.simulator.contract.errors import UsageError
from tests.hil.flashers.boards import MAC, AtPrompt, run, uboot_at_prompt

IDENTITY = {"ethaddr": MAC}
SMALL_BYTES = 5_001
"""No whole number of blocks, of the line's or of the disk's."""
PIECE = XmodemLoad(piece_bytes=4 * 1024)
EIGHT_KIB = XmodemLoad(piece_bytes=8 * 1024)

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def image_of(folder: Path, size_bytes: int = SMALL_BYTES, seed: int = 1) -> Image:
    path = folder / f"image-{size_bytes}-{seed}"
    path.write_bytes(random.Random(seed).randbytes(size_bytes))
    return read_image(path)


def deaf(_: FlashProgress) -> None:
    return None


async def prompt_is_usable(at: AtPrompt) -> None:
    assert (await at.console.run("echo usable")).output == "usable"


def test_an_image_is_written_in_pieces_and_not_sent_again_once_it_is_there(tmp_path):
    image = image_of(tmp_path, 10_001)
    told: list[FlashProgress] = []

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            flasher = UbootXmodem(at.console, IDENTITY, load=PIECE)
            flashed = await flasher.flash(image, told.append)
            assert flashed.written_bytes == image.size_bytes
            assert flasher.left_in is BoardState.VERIFIED
            assert at.disk(image.size_bytes) == image.path.read_bytes()
            assert [p.done_bytes for p in told if p.phase == "written"] == [4096, 8192, 10_001]
            assert [p.done_bytes for p in told if p.phase == "sent"][-1] == image.size_bytes
            again = await UbootXmodem(at.console, IDENTITY, load=PIECE).flash(image, deaf)
            assert again.written_bytes == 0

    run(story())


def test_a_cancelled_flash_leaves_a_usable_prompt_and_goes_on_where_it_stopped(tmp_path):
    image = image_of(tmp_path, 16 * 1024)

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            flasher = UbootXmodem(at.console, IDENTITY, load=EIGHT_KIB)
            flashing: asyncio.Task[Any]

            def cancel_in_the_second_piece(progress: FlashProgress) -> None:
                if progress.phase == "sent" and progress.done_bytes > 9 * 1024 and not flashing.cancelling():
                    flashing.cancel()

            flashing = asyncio.ensure_future(flasher.flash(image, cancel_in_the_second_piece))
            await asyncio.wait([flashing])
            assert flashing.cancelled()
            assert (flasher.left_in, flasher.prompt_is_back) == (BoardState.PARTLY_WRITTEN, True)
            await prompt_is_usable(at)
            rest = await UbootXmodem(at.console, IDENTITY, load=EIGHT_KIB).flash(image, deaf)
            assert rest.written_bytes == 8 * 1024
            assert at.disk(image.size_bytes) == image.path.read_bytes()

    run(story())


def test_a_board_that_answers_otherwise_is_not_written_to(tmp_path):
    image = image_of(tmp_path)

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            other = UbootXmodem(at.console, {"ethaddr": "52:54:00:00:00:02"})
            with pytest.raises(WrongBoard, match="to be ethaddr=52:54:00:00:00:02, it says that it is ethaddr=" + MAC):
                await other.flash(image, deaf)
            with pytest.raises(WrongBoard, match="serial#=SN-1, it says that it is ## Error"):
                await UbootXmodem(at.console, IDENTITY | {"serial#": "SN-1"}).flash(image, deaf)
            with pytest.raises(UsageError, match="no board is written to without being asked who it is"):
                await UbootXmodem(at.console, {}).flash(image, deaf)
            assert not any(at.disk(image.size_bytes))
            assert not any("loadx" in line for line in at.lines)

    run(story())


@dataclass(frozen=True)
class SwapsBoard:
    """Loads as it should; meanwhile somebody puts another board on the port."""

    inner: Load = PIECE
    title = "XMODEM-1K, swapped"
    piece_bytes = PIECE.piece_bytes

    async def prepare(self, board: UbootCommands) -> None:
        await self.inner.prepare(board)

    async def load(self, board: UbootCommands, piece: bytes, address: int, on_loaded: OnLoaded) -> int:
        repeated = await self.inner.load(board, piece, address, on_loaded)
        await board.must("setenv unit SN-0002")
        return repeated


def test_a_board_that_becomes_another_one_under_way_is_not_written_to(tmp_path):
    image = image_of(tmp_path)

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            await at.console.run("setenv unit SN-0001")
            flasher = UbootFlasher(at.console, {"unit": "SN-0001"}, SwapsBoard(), BlockStorage(), Ram())
            with pytest.raises(WrongBoard, match="unit=SN-0001, it says that it is unit=SN-0002"):
                await flasher.flash(image, deaf)
            assert any("Total Size" in line for line in at.lines)  # so it was asked again after loading
            assert flasher.left_in is BoardState.UNTOUCHED
            assert not any(at.disk(image.size_bytes))

    run(story())


def test_with_two_boards_each_gets_its_own_image(tmp_path):
    macs = {"a": "52:54:00:00:00:0a", "b": "52:54:00:00:00:0b"}
    images = {name: image_of(tmp_path, seed=seed) for seed, name in enumerate(macs)}

    async def story() -> None:
        async with (
            uboot_at_prompt(tmp_path / "a", macs["a"]) as a,
            uboot_at_prompt(tmp_path / "b", macs["b"]) as b,
        ):
            with pytest.raises(WrongBoard):
                await UbootXmodem(b.console, {"ethaddr": macs["a"]}).flash(images["a"], deaf)
            async with asyncio.TaskGroup() as both:
                for name, at in {"a": a, "b": b}.items():
                    both.create_task(UbootXmodem(at.console, {"ethaddr": macs[name]}).flash(images[name], deaf))
            for name, at in {"a": a, "b": b}.items():
                assert at.disk(SMALL_BYTES) == images[name].path.read_bytes()

    run(story())


RAM = Ram()
UNTOUCHED, PARTLY_WRITTEN = BoardState.UNTOUCHED, BoardState.PARTLY_WRITTEN
NOR = NorStorage(address=0x0410_0000, room=1024 * 1024)
"""The emulation's keeps nothing, and says that it does."""
ENVIRONMENT = NorStorage(address=0x0400_0000, room=256 * 1024)
"""U-Boot protects its own."""

MMC = BlockStorage("mmc", prepare=("mmc dev 0",))
FAR = BlockStorage(first_block=0x20000 - 8)


@dataclass(frozen=True)
class Misplaced:
    """Storage that reports success and has the bytes elsewhere."""

    inner: UbootStorage = field(default_factory=BlockStorage)
    title = "misplaced"
    unit_bytes = 512
    prepare = BlockStorage().prepare
    asks_capacity = ""

    def room_bytes(self, answer: str) -> int | None:
        return self.inner.room_bytes(answer)

    def write(self, ram: int, at: int, size_bytes: int) -> tuple[str, ...]:
        return self.inner.write(ram, at + 512, size_bytes)

    def read(self, ram: int, at: int, size_bytes: int) -> ReadBack:
        return self.inner.read(ram, at, size_bytes)


@dataclass(frozen=True)
class Damages:
    """A line that changes a byte unseen."""

    inner: Load = PIECE
    title = "XMODEM-1K, damaged"
    piece_bytes = PIECE.piece_bytes

    async def prepare(self, board: UbootCommands) -> None:
        await self.inner.prepare(board)

    async def load(self, board: UbootCommands, piece: bytes, address: int, on_loaded: OnLoaded) -> int:
        return await self.inner.load(board, bytes([piece[0] ^ 1]) + piece[1:], address, on_loaded)


@pytest.mark.parametrize(
    ("storage", "ram", "load", "said", "state"),
    [
        pytest.param(
            NOR, RAM, XmodemLoad(), "read back differs from what was written", PARTLY_WRITTEN, id="nor-says-it-is-done"
        ),
        pytest.param(MMC, RAM, PIECE, "Unknown command 'mmc'.*another storage", UNTOUCHED, id="unknown"),
        pytest.param(FAR, RAM, PIECE, "5,001 bytes, virtio has room for 4,096", UNTOUCHED, id="no-room"),
        pytest.param(
            BlockStorage(), Ram(received=0x4800_0000), PIECE,
            "4096 bytes at 0x48000000 are not in the board's RAM", UNTOUCHED, id="no-ram",
        ),
        pytest.param(
            Misplaced(), RAM, PIECE, "read back differs from what was written", PARTLY_WRITTEN, id="misplaced"
        ),
        pytest.param(BlockStorage(), RAM, Damages(), "arrived in RAM differs", UNTOUCHED, id="damaged"),
    ],
)  # fmt: skip
def test_what_the_board_refuses_is_told_with_its_condition(
    tmp_path: Path, storage: UbootStorage, ram: Ram, load: Load, said: str, state: BoardState
) -> None:
    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            flasher = UbootFlasher(at.console, IDENTITY, load, storage, ram)
            with pytest.raises(FlashFailed, match="(?s)" + said) as failed:
                await flasher.flash(image_of(tmp_path), deaf)
            assert (failed.value.state, flasher.left_in) == (state, state)
            assert f"the board is {state}: " in str(failed.value)
            assert flasher.prompt_is_back
            await prompt_is_usable(at)

    run(story())


def test_flash_memory_is_not_written_in_pieces_of_less_than_a_sector():
    with pytest.raises(UsageError, match=r"pieces of 4096 bytes are no multiple of .*NOR flash .*131072"):
        UbootFlasher(cast(Console, None), IDENTITY, PIECE, NOR, RAM)


def test_the_two_places_in_memory_do_not_overlap():
    with pytest.raises(UsageError, match="the two places in RAM overlap: 0x1000 bytes must lie between them"):
        UbootFlasher(cast(Console, None), IDENTITY, PIECE, BlockStorage(), Ram(0x4100_0000, 0x4100_0800))


def test_protected_flash_is_told_as_protected(tmp_path):
    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            with pytest.raises(FlashFailed, match=r"(?s)protected Flash sectors.*take the protection off"):
                await UbootXmodem(at.console, IDENTITY, ENVIRONMENT).flash(image_of(tmp_path), deaf)

    run(story())


async def unplug(at: AtPrompt) -> None:
    at.board.line.unplug()


async def reset(at: AtPrompt) -> None:
    await at.board.reset()


async def hang(at: AtPrompt) -> None:
    await at.board.hang()


async def flash_and(
    at: AtPrompt, flasher: UbootXmodem, image: Image, does: Callable[[AtPrompt], Coroutine[Any, Any, None]]
) -> None:
    """Flashes; something happens once the first blocks are through."""
    begun: list[asyncio.Task[None]] = []

    def on_progress(progress: FlashProgress) -> None:
        if not begun and progress.phase == "sent" and progress.done_bytes > 8 * 1024:
            begun.append(asyncio.ensure_future(does(at)))

    try:
        await flasher.flash(image, on_progress)
    finally:
        assert begun, "it never happened"
        await begun[0]


@pytest.mark.parametrize(
    ("does", "error", "said", "is_back"),
    [
        pytest.param(unplug, PortLost, "console: ", False, id="unplugged"),
        pytest.param(reset, FlashFailed, "restarted in mid-transfer; the board is untouched", True, id="reset"),
        pytest.param(hang, FlashFailed, "fell silent after .* blocks .*; the board is untouched", False, id="hung"),
    ],
)
def test_what_happens_in_mid_transfer_is_named(tmp_path, does, error, said, is_back, monkeypatch):
    monkeypatch.setattr("fleetrig.hil.flashers.uboot_commands.SETTLES_WITHIN_S", 20.0 if is_back else 1.0)

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            flasher = UbootXmodem(at.console, IDENTITY, load=XmodemLoad(answer_within_s=2.5))
            with pytest.raises(error, match=said):
                await flash_and(at, flasher, image_of(tmp_path, 256 * 1024), does)
            assert (flasher.left_in, flasher.prompt_is_back) == (BoardState.UNTOUCHED, is_back)
            assert not any(at.disk(4096))

    run(story())


def test_an_image_that_is_no_longer_what_it_was_is_not_sent(tmp_path):
    image = image_of(tmp_path)

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            image.path.write_bytes(b"short")
            with pytest.raises(UsageError, match="expected SHA-256 " + image.sha256):
                await UbootXmodem(at.console, IDENTITY).flash(image, deaf)

    run(story())


def test_a_silent_board_is_told_as_silent(tmp_path, monkeypatch):
    for name in ("RUNS_WITHIN_S", "SETTLES_WITHIN_S"):
        monkeypatch.setattr(f"fleetrig.hil.flashers.uboot_commands.{name}", 1.0)

    async def story() -> None:
        async with uboot_at_prompt(tmp_path / "board") as at:
            await at.board.off()
            flasher = UbootXmodem(at.console, IDENTITY)
            with pytest.raises(FlashFailed, match=r"printenv ethaddr did not .*is untouched: switch it off and on"):
                await flasher.flash(image_of(tmp_path), deaf)
            assert not flasher.prompt_is_back

    run(story())
