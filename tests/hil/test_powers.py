"""Each way to switch a board, against a real program, a real HTTP server, a real line or a person."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from fleetrig.hil.emulated.uboot_board import UBOOT, uboot_board
from fleetrig.hil.port import BoardPort
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.hil.power import Power
from fleetrig.hil.powers.by_hand import ByHandPower
from fleetrig.hil.powers.command_line import CommandLinePower, run_command
from fleetrig.hil.powers.qmp import QmpPower
from fleetrig.hil.powers.relay_url import RelayCall, RelayUrlPower, shown_url
from fleetrig.hil.powers.rts_dtr import ModemLine, RtsDtrPower
from fleetrig.hil.powers.usb_hub import usb_hub_power
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from tests.hil.lines import FarEnd, WallClock, read_until
from tests.peers.programs import need_program

pytestmark = pytest.mark.slow


def use(power: Power) -> None:
    """Off, on, reset."""

    async def story() -> None:
        await power.off()
        await power.on()
        await power.reset()

    asyncio.run(story())


def test_commands_are_run_without_a_shell(tmp_path: Path) -> None:
    log = tmp_path / "it's a log"
    script = tmp_path / "switch"
    script.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\n', encoding="utf-8")
    script.chmod(0o755)
    use(CommandLinePower(f"{script} on '$HOME; true'", f"{script} off", off_s=0))
    assert log.read_text(encoding="utf-8") == "off\non $HOME; true\noff\non $HOME; true\n"
    log.unlink()
    use(CommandLinePower(f"{script} on", f"{script} off", f"{script} reset"))
    assert log.read_text(encoding="utf-8") == "off\non\nreset\n"


@pytest.mark.parametrize(
    ("command", "kind", "said"),
    [
        ("sh -c 'echo no such outlet; exit 3' --token=abc", BrokenBench, r"^sh failed \(3\): no such outlet$"),
        ("false", BrokenBench, r"^false failed \(1\): it said nothing$"),
        ("no-such-program-here on", BrokenBench, "^no-such-program-here: No such file"),
        ("", UsageError, "an empty command line"),
        ("switch 'on", UsageError, "cannot be read"),
    ],
    ids=["status", "silent", "missing", "empty", "quote"],
)
def test_a_command_that_does_not_switch_is_told(command: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        asyncio.run(CommandLinePower(command, command).on())


def test_a_command_that_hangs_is_killed() -> None:
    with pytest.raises(BrokenBench, match=r"sleep did not end in 0\.1 s: the board's power is not known now"):
        asyncio.run(run_command("sleep 1000", 0.1))


def test_a_usb_hub_is_switched_by_uhubctl(tmp_path: Path) -> None:
    """The program itself needs such a hub; a script in its place writes down how it was called."""
    log = tmp_path / "log"
    uhubctl = tmp_path / "uhubctl"
    uhubctl.write_text(f'#!/bin/sh\necho "$*" >> {log}\n', encoding="utf-8")
    uhubctl.chmod(0o755)
    power = usb_hub_power("1-1.4", 2, off_s=0, program=str(uhubctl))
    use(power)
    off, on = "-l 1-1.4 -p 2 -a off\n", "-l 1-1.4 -p 2 -a on\n"
    assert log.read_text(encoding="utf-8") == off + on + off + on
    assert power.title == "USB hub 1-1.4, port 2 (uhubctl)"


class Relay(http.server.BaseHTTPRequestHandler):
    """Writes down who asked for what; `/broken` fails, `/login` sends elsewhere."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.asked.append(f"{self.command} {self.path} {body} {self.headers.get('Authorization', '')}".strip())
        status = {"/broken": 500, "/login": 302}.get(self.path.partition("?")[0], 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def relay() -> Iterator[str]:
    Relay.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_relay_is_switched_by_its_url() -> None:
    with relay() as host:
        on, off = RelayCall(f"http://u:p%40ss@{host}/1?state=on"), RelayCall(f"http://{host}/1", b"state=off")
        power = RelayUrlPower(on, off, off_s=0)
        use(power)
    assert Relay.asked == ["POST /1 state=off", "GET /1?state=on  Basic dTpwQHNz"] * 2
    assert power.title == f"relay http://…@{host}/1?…"
    assert "p%40ss" not in repr(power)


@pytest.mark.parametrize(
    ("path", "said"), [("broken", "answered 500"), ("login", "answered 302")], ids=["500", "login"]
)
def test_a_relay_that_does_not_switch_is_told_without_its_secrets(path: str, said: str) -> None:
    with relay() as host:
        call = RelayCall(f"http://u:hunter2@{host}/{path}?key=hunter3")
        with pytest.raises(BrokenBench, match=said) as error:
            asyncio.run(RelayUrlPower(call, call).on())
    assert len(Relay.asked) == 1
    assert "hunter" not in str(error.value)


def test_a_relay_that_is_not_there_is_told(free_port: int) -> None:
    call = RelayCall(f"http://127.0.0.1:{free_port}/1?key=hunter3")
    with pytest.raises(BrokenBench, match=r"does not answer \(.*refused\): is it on, and is the address right\?"):
        asyncio.run(RelayUrlPower(call, call).on())


@pytest.mark.parametrize("url", ["ftp://relay/1", "relay/1", "http:///1"], ids=["ftp", "no scheme", "no host"])
def test_what_is_no_relays_address_is_the_callers_mistake(url: str) -> None:
    with pytest.raises(UsageError, match="is no relay's address"):
        asyncio.run(RelayUrlPower(RelayCall(url), RelayCall(url)).on())


def test_shown_urls_keep_what_finds_the_relay() -> None:
    assert shown_url("https://desk-relay:8443/outlet/3") == "https://desk-relay:8443/outlet/3"


@pytest.mark.parametrize("line", ["rts", "dtr"])
def test_a_modem_line_resets_and_lets_go(line: ModemLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """`loop://` has such lines: RTS feeds CTS, DTR feeds DSR."""

    async def story() -> list[bool]:
        port = await open_port("loop://", clock=WallClock())
        seen: list[bool] = []
        set_line = type(port)._set_line

        def watched(self: object, name: str, wanted: bool) -> None:
            set_line(port, name, wanted)
            seen.append(port._device.cts if line == "rts" else port._device.dsr)

        monkeypatch.setattr(type(port), "_set_line", watched)
        power = RtsDtrPower(port, line, hold_s=0)
        await power.reset()
        with pytest.raises(BrokenBench, match="it cannot cut power"):
            await power.off()
        await power.on()
        await port.close()
        return seen

    assert asyncio.run(story()) == [True, False, False]


def test_a_line_without_modem_lines_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        port: BoardPort = await open_port(far.url, clock=WallClock())
        with pytest.raises(BrokenBench, match="has no line RTS"):
            await RtsDtrPower(port).reset()
        await port.close()
        far.line.unplug()

    asyncio.run(story())


def test_a_person_is_asked_and_may_say_no() -> None:
    asked: list[str] = []

    async def ask(sentence: str) -> bool:
        asked.append(sentence)
        return len(asked) < 3

    with pytest.raises(BrokenBench, match="nobody could reset gw-1, or switch it off and on"):
        use(ByHandPower("gw-1", ask))
    assert asked[:2] == ["Please switch gw-1 off.", "Please switch gw-1 on."]


@pytest.mark.peer
@pytest.mark.slow
def test_an_emulated_board_starts_anew_with_each_reset_and_power_cut(tmp_path: Path) -> None:
    need_program("qemu-system-aarch64", "qemu-system-arm")
    if not UBOOT.exists():
        need_program("u-boot-qemu", "u-boot-qemu")

    async def story() -> None:
        board = uboot_board(tmp_path)
        port = await open_port(board.port, clock=WallClock())
        power = QmpPower(board)
        try:
            for switch in (power.on, power.reset):
                await switch()
                await read_until(port, b"=> ")
            await power.off()
            assert board.process_id is None
            await port.drop_input()
            await power.on()
            assert b"U-Boot 20" in await read_until(port, b"=> ")
        finally:
            await port.close()
            await board.close()

    asyncio.run(story())


def test_every_kind_is_a_power(tmp_path: Path) -> None:
    """mypy reads this; that the titles differ is for people."""
    call = RelayCall("http://relay/1")

    async def ask(_: str) -> bool:
        return True

    powers: list[Power] = [
        CommandLinePower("a", "b"), usb_hub_power("1-1", 1), RelayUrlPower(call, call), ByHandPower("gw", ask)
    ]  # fmt: skip
    assert len({power.title for power in powers}) == len(powers)
