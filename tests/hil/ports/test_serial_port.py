"""Ports over real pseudo-terminals, TCP and RFC 2217: bytes, their order, and every way in which a port is lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import serial

from fleetrig.hil.port import BoardPort, PortBusy, PortBytes, PortLost, Way
from fleetrig.hil.ports.port_lock import lock_name
from fleetrig.hil.ports.serial_port import SerialPort, open_port
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from tests.hil.lines import PATIENCE_S, FarEnd, WallClock, read_until, rfc2217_server, until
from tests.peers.programs import need_program

pytestmark = pytest.mark.slow

ALL_BYTES = bytes(range(256)) * 64


@asynccontextmanager
async def opened(url: str, **options: object) -> AsyncIterator[SerialPort]:
    port = await open_port(url, clock=WallClock(), **options)  # type: ignore[arg-type]
    try:
        yield port
    finally:
        await port.close()


def test_every_byte_goes_both_ways_over_a_pseudo_terminal(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        async with opened(far.url) as port:
            await port.write(ALL_BYTES)
            await far.until_typed(ALL_BYTES)
            far.line.say(ALL_BYTES + b"end")
            assert await read_until(port, b"end") == ALL_BYTES + b"end"
        far.line.unplug()

    asyncio.run(story())


@pytest.mark.slow  # pyserial's client asks for its settings every half second
def test_every_byte_goes_both_ways_over_rfc_2217() -> None:
    """0xFF is doubled on its way; nothing of that is seen here. The speed can change, RTS and break reach the port."""

    async def story(url: str) -> None:
        async with opened(url) as port:
            await port.write(ALL_BYTES + b"end")
            assert await read_until(port, b"end") == ALL_BYTES + b"end"
            await port.set_speed(9_600)
            await port.set_lines(rts=False, dtr=True)
            await port.send_break(0.01)
            await port.write(b"still here")
            assert await read_until(port, b"here") == b"still here"

    with rfc2217_server() as url:
        asyncio.run(story(url))


def test_a_tcp_port_is_lost_when_its_server_ends() -> None:
    async def story() -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(1)  # what is said before the port is open is lost
            writer.write(b"hello")
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        host, tcp_port = server.sockets[0].getsockname()
        async with server, opened(f"socket://{host}:{tcp_port}") as port:
            await port.write(b"?")
            assert await read_until(port, b"hello") == b"hello"
            with pytest.raises(PortLost, match="the other side has closed the line"):
                await port.read(PATIENCE_S)

    asyncio.run(story())


def test_a_looped_back_port_works_without_a_descriptor() -> None:
    async def story() -> None:
        async with opened("loop://") as port:
            await port.write(b"round")
            assert await read_until(port, b"round") == b"round"

    asyncio.run(story())


def test_watchers_hear_the_question_before_its_answer(tmp_path: Path) -> None:
    """An echo comes from another thread than the one that sends."""

    async def story() -> list[PortBytes]:
        heard: list[PortBytes] = []
        far = FarEnd(tmp_path / "port")
        async with opened(far.url) as port:
            stop = port.watch(heard.append)
            for number in range(50):
                await port.write(b"%02d" % number)
                await far.until_typed(b"%02d" % number)
                far.line.say(bytes(far.typed))
                far.typed.clear()
                await port.read(PATIENCE_S)
            stop()
            await port.write(b"unheard")
            await far.until_typed(b"unheard")
        far.line.unplug()
        return heard

    heard = asyncio.run(story())
    assert [(one.way, one.data) for one in heard] == [
        (way, b"%02d" % number) for number in range(50) for way in (Way.TO_BOARD, Way.FROM_BOARD)
    ]
    assert [one.at_us for one in heard] == sorted(one.at_us for one in heard)


async def _read(port: BoardPort) -> object:
    return await port.read(PATIENCE_S)


async def _write(port: BoardPort) -> None:
    await until(lambda: port._buffer.lost is not None)  # type: ignore[attr-defined]
    await port.write(b"x")


async def _thread_read(port: BoardPort) -> object:
    return await asyncio.to_thread(port.in_thread().read, 1, PATIENCE_S)


async def _thread_write(port: BoardPort) -> object:
    await until(lambda: port._buffer.lost is not None)  # type: ignore[attr-defined]
    return await asyncio.to_thread(port.in_thread().write, b"x", PATIENCE_S)


async def _speed(port: BoardPort) -> None:
    await port.set_speed(9_600)


@pytest.mark.parametrize("use", [_read, _write, _thread_read, _thread_write], ids=lambda use: use.__name__[1:])
def test_whatever_is_asked_of_an_unplugged_port_it_is_lost_with_one_cause(tmp_path: Path, use: object) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        async with opened(far.url) as port:
            asyncio.get_running_loop().call_later(0.05, far.line.unplug)
            with pytest.raises(PortLost, match=r"unplugged.*another program reads") as lost:
                await use(port)  # type: ignore[operator]
            for again in (_read, _write, _thread_read, _thread_write, _speed):
                with pytest.raises(PortLost) as repeated:
                    await again(port)
                assert repeated.value.cause == lost.value.cause

    asyncio.run(story())


def test_what_came_before_the_loss_can_still_be_read(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        async with opened(far.url) as port:
            heard: list[PortBytes] = []
            port.watch(heard.append)
            far.line.say(b"last words")
            await until(lambda: bool(heard))
            far.line.unplug()
            assert await port.read(PATIENCE_S) == b"last words"
            with pytest.raises(PortLost):
                await port.read(PATIENCE_S)

    asyncio.run(story())


def test_a_line_that_takes_nothing_is_a_lost_port_and_not_a_hang() -> None:
    """Nobody reads the other end, as with a board that said XOFF."""

    async def story() -> None:
        board, ours = os.openpty()
        try:
            async with opened(os.ttyname(ours)) as port:
                with pytest.raises(PortLost, match=r"took no bytes for 0\.1 s: flow control, or a board that hangs"):
                    await port.write(b"x" * 1_000_000, within_s=0.1)
        finally:
            os.close(board)
            os.close(ours)

    asyncio.run(story())


def test_closing_ends_a_write_that_is_stuck_and_may_be_repeated() -> None:
    async def story() -> None:
        board, ours = os.openpty()
        try:
            port = await open_port(os.ttyname(ours), clock=WallClock())
            stuck = asyncio.create_task(port.write(b"x" * 1_000_000, within_s=1_000.0))
            await asyncio.sleep(0)
            async with asyncio.timeout(PATIENCE_S):
                await port.close()
                await port.close()
            with pytest.raises(PortLost, match="closed"):
                await stuck
            with pytest.raises(PortLost, match="closed"):
                await port.write(b"x")
        finally:
            os.close(board)
            os.close(ours)

    asyncio.run(story())


def test_a_missing_port_says_what_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(PortLost, match=r"there is no such port: is the adapter plugged in\?"):
        asyncio.run(open_port(str(tmp_path / "ttyUSB0"), clock=WallClock()))


def test_a_port_without_permission_names_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may open everything, so the system's answer is given in its place."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("serial.serial_for_url", refused)
    with pytest.raises(
        BrokenBench, match=r"group dialout: `sudo usermod -aG dialout \$USER`, then log in again"
    ) as said:
        asyncio.run(open_port(str(tmp_path / "ttyUSB0"), clock=WallClock()))
    assert said.value.exit_code == 3


def test_a_url_of_no_known_kind_is_the_callers_mistake() -> None:
    with pytest.raises(UsageError, match=r"expected a device's path, rfc2217://HOST:PORT or socket://HOST:PORT"):
        asyncio.run(open_port("nowhere://x", clock=WallClock()))


def test_nobody_listens_at_a_network_port(free_port: int) -> None:
    for scheme in ("socket", "rfc2217"):
        with pytest.raises(PortLost, match=r"nobody answers there \([Cc]onnection refused.*\): is the address right"):
            asyncio.run(open_port(f"{scheme}://127.0.0.1:{free_port}", clock=WallClock()))


def test_a_port_in_use_is_told_with_its_owner_under_each_of_its_names(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "by-id")
        device = str((tmp_path / "by-id").readlink())
        async with opened(far.url, lock_folder=tmp_path / "locks"):
            with pytest.raises(PortBusy, match=f"is busy: .*process {os.getpid()}: `has the port open`"):
                await open_port(device, clock=WallClock(), lock_folder=tmp_path / "locks")
            with pytest.raises(PortBusy, match=f"another program has it open; `fuser -v {device}`"):
                await open_port(device, clock=WallClock())
        async with opened(device, lock_folder=tmp_path / "locks"):
            pass
        far.line.unplug()

    asyncio.run(story())


def test_an_opening_that_fails_leaves_no_lock(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(PortLost):
            await open_port(str(tmp_path / "port"), clock=WallClock(), lock_folder=tmp_path / "locks")
        far = FarEnd(tmp_path / "port")
        async with opened(far.url, lock_folder=tmp_path / "locks"):
            pass
        far.line.unplug()

    asyncio.run(story())


def test_an_opening_that_is_cancelled_leaves_neither_port_nor_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread cannot be stopped: it opens the port later, and somebody has to close it."""
    may_open = threading.Event()
    devices = []
    really = serial.serial_for_url

    def slowly(*arguments: object, **options: object) -> object:
        may_open.wait(PATIENCE_S)
        devices.append(really(*arguments, **options))  # type: ignore[arg-type]
        return devices[0]

    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        monkeypatch.setattr("serial.serial_for_url", slowly)
        opening = asyncio.create_task(open_port(far.url, clock=WallClock(), lock_folder=tmp_path))
        await until(lambda: bool(list(tmp_path.glob("*.port"))))
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        may_open.set()
        await until(lambda: bool(devices) and not devices[0].is_open)
        monkeypatch.undo()
        async with opened(far.url, lock_folder=tmp_path):
            pass
        far.line.unplug()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "name"),
    [("rfc2217://lab:2217?poll_modem", "rfc2217-lab-2217"), ("/dev/null", "dev-null")],
    ids=["network", "device"],
)
def test_lock_names(url: str, name: str) -> None:
    assert lock_name(url) == name


def test_a_pseudo_terminal_has_no_modem_lines(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        async with opened(far.url) as port:
            with pytest.raises(BrokenBench, match="has no line RTS: it is no serial adapter"):
                await port.set_lines(rts=True)
            await port.write(b"fine")
            await far.until_typed(b"fine")
        far.line.unplug()

    asyncio.run(story())


def test_dropped_input_stays_in_the_evidence(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        async with opened(far.url) as port:
            heard: list[PortBytes] = []
            port.watch(heard.append)
            far.line.say(b"stray")
            await until(lambda: bool(heard))
            await port.drop_input()
            assert await port.read(0) == b""
            assert heard[0].data == b"stray"
        far.line.unplug()

    asyncio.run(story())


def test_a_thread_reads_what_it_asked_for_and_leaves_the_rest(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        async with opened(far.url) as port:
            far.line.say(b"C\x06rest")
            line = port.in_thread()
            assert await asyncio.to_thread(line.read, 2, PATIENCE_S) == b"C\x06"
            assert await asyncio.to_thread(line.write, b"block", PATIENCE_S) == 5
            await far.until_typed(b"block")
            assert await read_until(port, b"rest") == b"rest"
            assert await asyncio.to_thread(line.read, 1, 0.01) == b""
        far.line.unplug()

    asyncio.run(story())


def test_a_port_with_a_high_descriptor_works(tmp_path: Path) -> None:
    """Beside many simulated devices its number is above 1,023, which `select` does not know."""

    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        files = [os.dup(0) for _ in range(1_100)]
        try:
            async with opened(far.url) as port:
                assert port._device.fileno() > 1_023
                await port.write(b"high")
                await far.until_typed(b"high")
                far.line.say(b"answer")
                assert await read_until(port, b"answer") == b"answer"
        finally:
            for descriptor in files:
                os.close(descriptor)
        far.line.unplug()

    asyncio.run(story())


@pytest.mark.peer
def test_a_port_behind_socat_is_lost_when_socat_is_killed(tmp_path: Path) -> None:
    async def story() -> None:
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        program = need_program("socat", "socat")
        ends = [f"pty,raw,echo=0,link={end}" for end in (ours, theirs)]
        socat = subprocess.Popen([program, *ends])  # noqa: ASYNC220
        try:
            await until(lambda: ours.exists() and theirs.exists())
            async with opened(str(ours)) as port, opened(str(theirs)) as other:
                await other.write(b"through socat")
                assert await read_until(port, b"socat") == b"through socat"
                socat.kill()
                with pytest.raises(PortLost, match="unplugged"):
                    await port.read(PATIENCE_S)
        finally:
            socat.kill()
            socat.wait()

    asyncio.run(story())
