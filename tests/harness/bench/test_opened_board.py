"""Boards as a run opens them: fakes of the emulated desk, flashed, booted, cut, unplugged and behind bad lines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fleetrig.harness.bench.console_ready import ready_console, ready_uboot
from fleetrig.harness.bench.emulated_desk import emulated_desk
from fleetrig.harness.bench.flashers import ready_flasher
from fleetrig.harness.bench.made_boards import missing_for
from fleetrig.harness.bench.opened_board import OpenedBoard, opened_board
from fleetrig.hil.board import ConsoleSpec
from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.console_entry import to_prompt
from fleetrig.hil.consoles.identity_over_console import write_files, write_variables
from fleetrig.hil.emulated.gateway_image import gateway_firmware
from fleetrig.hil.fakes.fake_gateway import FakeGateway, fake_gateway
from fleetrig.hil.flasher import FlashFailed, Image, WrongBoard
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.port import PortLost, Way
from fleetrig.hil.ports.line_faults import LineFault, LineFaultKind
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.wall_clock import WallClock

pytestmark = pytest.mark.slow

WITHIN_S = 60.0
READY = re.compile(r"^GATEWAY-READY build=(\S+) ")


class Told:
    """What the trace was told of one board."""

    def __init__(self) -> None:
        self.trace = Trace()
        self.events: list[TraceEvent] = []
        self.trace.listen(self.events.append)

    def kinds(self) -> list[str]:
        assert {event.lane for event in self.events} == {Lane.BOARD}
        return [event.kind for event in self.events if event.kind != "line"]

    def lines(self) -> list[str]:
        return [event.reason for event in self.events if event.kind == "line"]


@asynccontextmanager
async def fake(folder: Path, name: str = "fake-1", told: Told | None = None) -> AsyncIterator[OpenedBoard]:
    trace = told.trace if told else None
    async with opened_board(emulated_desk().board(name), folder, WallClock(), None, trace, Secrets()) as board:
        yield board


@pytest.fixture
def image(tmp_path: Path) -> Image:
    path = tmp_path / "firmware"
    path.write_bytes(gateway_firmware("build-7"))
    return read_image(path)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(WITHIN_S):
            await story()

    asyncio.run(bounded())


async def flash(board: OpenedBoard, image: Image) -> None:
    flasher = await ready_flasher(board, Path())
    await flasher.flash(image, lambda _: None)


async def booted(board: OpenedBoard) -> str:
    """The build ID that it says when it starts."""
    assert board.power is not None
    await board.port.drop_input()
    await board.power.reset()
    found = READY.search(await board.console().wait_for(READY, WITHIN_S))
    assert found is not None
    return found[1]


def test_a_board_boots_what_was_flashed_and_keeps_what_it_was_given(tmp_path, image):
    told = Told()

    async def story() -> None:
        async with fake(tmp_path, told=told) as board:
            await flash(board, image)
            assert await booted(board) == "build-7"
            console = await ready_console(board)
            await write_files(console, {"/data/token": b"geheim-genug\n"})
            assert (await console.run("cat /etc/build")).output == "build-7"
            uboot = await ready_uboot(board)
            await write_variables(uboot, {"fleetrig_id": "GW-1"}, frozenset())
            power = board.power
            assert power is not None
            await power.off()
            await power.on()
            assert (await (await ready_console(board)).run("cat /data/token")).output == "geheim-genug"
        async with fake(tmp_path) as board:  # another run, another process
            assert (await (await ready_console(board)).run("cat /data/token")).output == "geheim-genug"
            assert (await (await ready_uboot(board)).run("printenv fleetrig_id")).output == "fleetrig_id=GW-1"

    run(story)
    kinds = told.kinds()
    assert kinds[0] == "port_opened"
    assert {"reset", "ran", "booted", "power_off", "power_on"} <= set(kinds)
    assert kinds.index("power_off") < kinds.index("power_on")
    assert "GATEWAY-READY build=build-7 uptime_s=0.50" in told.lines()
    assert {event.device for event in told.events} == {"fake-1"}


def test_a_board_that_boots_before_it_is_stopped_is_not_taken_for_u_boot(tmp_path, image):
    async def story() -> None:
        async with fake(tmp_path) as board:
            await flash(board, image)
            made = board._made
            assert isinstance(made, FakeGateway)
            made.uboot.autoboot_s = 0.0
            with pytest.raises(ConsoleFailed, match=r"fake-1 was not stopped in U-Boot: .*`stop_autoboot`"):
                await ready_flasher(board, Path())

    run(story)


def test_lines_are_told_when_they_come_and_not_when_somebody_reads(tmp_path):
    told = Told()

    async def story() -> None:
        said = asyncio.Event()
        told.trace.listen(lambda event: said.set() if "No bootable image" in event.reason else None)
        async with fake(tmp_path, told=told):
            await said.wait()

    run(story)


def test_a_secret_is_masked_in_what_is_kept_of_the_line(tmp_path):
    async def story() -> Path:
        async with fake(tmp_path) as board:
            board.secrets.learn("token", "geheim-genug")
            await (await ready_uboot(board)).run("echo geheim-genug")
            return board.log

    log = asyncio.run(story())
    assert "echo" in log.read_text()
    assert "geheim-genug" not in log.read_text()


def test_a_port_that_was_unplugged_comes_back_as_another_device(tmp_path):
    told = Told()

    async def story() -> None:
        async with fake(tmp_path, told=told) as board:
            console = await ready_uboot(board)
            board.unplug(0.05)
            with pytest.raises(PortLost) as lost:
                await console.run("echo nobody hears this")
            await board.reopened(lost.value)
            assert (await (await ready_uboot(board)).run("echo here")).output == "here"

    run(story)
    assert [kind for kind in told.kinds() if kind.startswith("port_")] == ["port_opened", "port_lost", "port_opened"]


def test_a_board_that_is_given_back_unplugged_leaves_no_port(tmp_path):
    async def story() -> None:
        async with fake(tmp_path) as board:
            board.unplug(3_600)
        assert board._coming_back is not None
        assert board._coming_back.cancelled()

    run(story)


def test_a_real_port_has_line_faults_and_is_unplugged_only_through_them(tmp_path):
    """A board that the bench cannot switch, behind a port that it did not make."""
    told = Told()

    async def story() -> None:
        there = fake_gateway(tmp_path)
        spec = replace(emulated_desk().board("fake-1"), emulated=None, port=there.port, serial="")
        try:
            async with opened_board(spec, tmp_path, WallClock(), tmp_path, told.trace) as board:
                assert (board.power, board.can_be_switched_off) == (None, False)
                with pytest.raises(BrokenBench, match="by hand"):
                    board.unplug(1.0)
                await there.on()
                async with board.line_faults((NEVER,), 1):
                    console = await ready_uboot_by_its_countdown(board)
                    board.unplug(0.05)
                    with pytest.raises(PortLost) as lost:
                        await talk(console)
                    await board.reopened(lost.value)
                    assert (await board.console("uboot").run("echo here")).output == "here"
                assert (await board.console("uboot").run("echo its own port again")).status == 0
        finally:
            await there.close()

    run(story)
    assert "line_fault" not in told.kinds()


async def ready_uboot_by_its_countdown(board: OpenedBoard) -> Console:
    console = board.console("uboot")
    await to_prompt(console, ConsoleSpec("uboot"))
    return console


FLIPPED = LineFault(LineFaultKind.BIT_ERROR, Way.TO_BOARD, at=(1_000,))
NEVER = LineFault(LineFaultKind.DROP, Way.TO_BOARD, at=(10_000_000,))


def test_line_faults_bite_between_harness_and_board_and_are_proved(tmp_path, image):
    told = Told()

    async def story() -> None:
        async with fake(tmp_path, told=told) as board:
            async with board.line_faults((FLIPPED, NEVER), seed=1) as faults:
                with pytest.raises(BrokenBench, match="line faults already"):
                    await board.line_faults((), 1).__aenter__()
                flasher = await ready_flasher(board, Path())
                flashed = await flasher.flash(image, lambda _: None)
            assert faults.unfired() == [NEVER]
            assert flashed.repeated == 1
            assert await booted(board) == "build-7"

    run(story)
    (proof,) = [event for event in told.events if event.kind == "line_fault"]
    assert (proof.fault, proof.device) == ("bit_error", "fake-1")


async def talk(console: Console) -> None:
    for _ in range(20):
        await console.run("echo 0123456789")


def test_behind_line_faults_a_board_is_unplugged_and_comes_back(tmp_path):
    async def story() -> None:
        unplugged = LineFault(LineFaultKind.UNPLUG, Way.TO_BOARD, at=(400,), for_s=0.05)
        async with fake(tmp_path) as board, board.line_faults((unplugged,), seed=1) as faults:
            console = await ready_uboot(board)
            with pytest.raises(PortLost) as lost:
                await talk(console)
            await board.reopened(lost.value)
            assert not faults.unfired()
            assert (await (await ready_uboot(board)).run("echo here")).output == "here"

    run(story)


BAD = {
    "fake-bad": (FlashFailed, "`virtio write .* failed with 1: .* 0 blocks write: ERROR"),
    "fake-other": (WrongBoard, "expected the board to be serial#=FAKE-0008, it says that it is serial#=NOT-FAKE-0008"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_board_is_not_flashed(name, tmp_path, image):
    kind, said = BAD[name]

    async def story() -> None:
        async with fake(tmp_path, name) as board:
            with pytest.raises(kind, match=f"(?s){said}"):
                await flash(board, image)

    run(story)
    assert not any((tmp_path / "disk.img").read_bytes())


def test_a_silent_board_has_no_prompt(tmp_path):
    async def story() -> None:
        async with fake(tmp_path, "fake-silent") as board:
            board.is_starting = False
            says = r"^fake-silent: no prompt within .*: a prompt or a question did not come .* it said nothing at all"
            with pytest.raises(ConsoleFailed, match=says):
                await ready_console(board, 0.1)

    run(story)


@pytest.mark.parametrize(("name", "kind"), [("fake-panics", "panicked"), ("fake-loops", "reset_seen")])
def test_a_board_that_does_not_come_up_is_seen(name, kind, tmp_path, image):
    told = Told()

    async def story() -> None:
        async with fake(tmp_path, name, told) as board:
            await flash(board, image)
            assert board.power is not None
            await board.power.reset()
            with pytest.raises(ConsoleFailed):
                await board.console().wait_for(READY, 20.0)

    run(story)
    assert kind in told.kinds()


def test_what_the_machine_lacks_is_told_before_anything_starts(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    desk = emulated_desk()
    assert missing_for(desk.known("fake-1")) == ""
    assert "qemu-system-aarch64 is not there: apt-get install qemu-system-arm" in missing_for(
        desk.known("emulated-uboot")
    )
    assert "`fleetrig board prepare` builds it" in missing_for(desk.known("emulated-gateway"))

    async def story() -> None:
        async with opened_board(desk.board("emulated-gateway"), tmp_path, WallClock()):
            raise AssertionError("it has no emulator")

    with pytest.raises(BrokenBench, match="qemu-system-aarch64 is not there"):
        run(story)
