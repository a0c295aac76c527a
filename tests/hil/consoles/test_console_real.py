"""The console against shells that nobody here wrote, on pseudo-terminals, and against U-Boot in QEMU."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fleetrig.hil.board import ConsoleSpec
from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.boot_watch import Notice
from fleetrig.hil.consoles.console_entry import to_prompt
from tests.hil.shell_boards import NEEDS_UBOOT, powered_off_uboot, program

pytestmark = pytest.mark.slow
ROOT = ConsoleSpec("linux", login="root", password="right")
UBOOT = ConsoleSpec("uboot")
SPAMMED = ConsoleSpec("uboot", stop_autoboot=b"x", stop_every_s=0.1)
SHELLS = [
    pytest.param(("bash", "--norc", "-i"), id="bash"),
    pytest.param(("bash", "--norc", "--noediting", "-i"), id="bash without line editing"),
    pytest.param(("sh", "-i"), id="sh"),
    pytest.param(("busybox", "sh", "-i"), id="busybox", marks=pytest.mark.peer),
]


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_of_a_real_shell(shell: tuple[str, ...], tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path, *shell) as console:
            await to_prompt(console, ConsoleSpec())
            for command, output, status in (
                ("echo one; echo two", "one\ntwo", 0),
                ("(exit 7)", "", 7),
                ("printf no-end", "no-end", 0),
                ("printf '$ '", "$ ", 0),
                ("echo \"it's\" '=> '", "it's => ", 0),
                ("echo seen # and a comment", "seen", 0),
                ("sleep 0 & wait", None, 0),
                ("true &", None, 0),
                ("cd /; pwd", "/", 0),
                ("pwd", "/", 0),
                ("echo '" + "long " * 150 + "'", "long " * 150, 0),
                ("printf '\\033[31mred\\033[0m\\n'", "red", 0),
                ("seq 20000 | tail -n 1", "20000", 0),
                ("no-such-program 2>/dev/null", "", 127),
                ("set -x; set +x; echo again", None, 0),
            ):
                result = await console.run(command)
                assert (result.status, result.is_bounded) == (status, True), (command, result)
                assert output is None or result.output == output, command
            assert len((await console.run("seq 20000")).output.splitlines()) == 20_000

    asyncio.run(story())


@pytest.mark.parametrize("shell", SHELLS)
def test_what_never_ends_is_interrupted(shell: tuple[str, ...], tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path, *shell) as console:
            await to_prompt(console, ConsoleSpec())
            with pytest.raises(ConsoleFailed, match="did not end") as failed:
                await console.run("echo begun; cat", within_s=0.5)
            assert failed.value.partial == "begun"
            await console.type("echo 'unfinished")
            await to_prompt(console, ConsoleSpec())
            assert (await console.run("echo fine")).output == "fine"

    asyncio.run(story())


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_fed_is_not_echoed(shell: tuple[str, ...], tmp_path: Path) -> None:
    async def story() -> None:
        heard: list[str] = []
        async with program(tmp_path, *shell) as console:
            await to_prompt(console, ConsoleSpec())
            console.on_line = heard.append
            result = await console.run("head -n 2 | tr a-z A-Z", feed=("secret", "word"))
            assert result.output == "SECRET\nWORD"
            assert (await console.run("echo still there")).output == "still there"
        assert not [line for line in heard if "secret" in line]

    asyncio.run(story())


LOGIN = """
stty -echo; trap '' INT
while :; do
  printf '\\r\\ngw login: '; read -r user
  printf '[    5.1] random: crng init done\\r\\n'
  printf 'Password: '; read -r word; echo
  [ "$word" = right ] && break
  echo 'Login incorrect'
done
printf '##########\\r\\n# motd #\\r\\n##########\\r\\n'
stty echo; trap - INT; exec sh -i
"""


def test_login(tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path, "sh", "-c", LOGIN) as console:
            await to_prompt(console, ROOT)
            assert (await console.run("echo in")).output == "in"
            await to_prompt(console, ROOT)  # somebody is logged in already

    asyncio.run(story())


def test_a_refused_password_is_named_and_not_shown(tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path, "sh", "-c", LOGIN) as console:
            with pytest.raises(ConsoleFailed, match="the board refuses the password of root") as failed:
                await to_prompt(console, replace(ROOT, password="not-the-right-one"))
            assert "not-the-right-one" not in str(failed.value)

    asyncio.run(story())


class TestUboot:
    pytestmark = NEEDS_UBOOT

    @pytest.mark.parametrize("stop", [UBOOT, SPAMMED], ids=["once", "spam"])
    def test_commands_of_a_real_u_boot(self, stop: ConsoleSpec, tmp_path: Path) -> None:
        asyncio.run(self._commands(stop, tmp_path))

    async def _commands(self, stop: ConsoleSpec, tmp_path: Path) -> None:
        told: list[Notice] = []
        async with powered_off_uboot(tmp_path) as (board, console):
            console.on_notice = told.append
            await board.on()
            await to_prompt(console, stop)
            assert [notice.what for notice in told] == ["started"]
            crc = await console.run("crc32 41000000 10000")
            assert "==> " in crc.output
            assert crc.status == 0
            assert (await console.run("false")).status == 1
            assert (await console.run("no-such-command")).status == 1
            version = await console.run("version")
            assert version.looked_like.startswith("U-Boot 20")
            assert len((await console.run("help")).output.splitlines()) > 50
            await console.run("setenv fleetrig_name 'a=b:c/d'")
            assert (await console.run("printenv fleetrig_name")).output == "fleetrig_name=a=b:c/d"

    def test_a_reset_in_mid_command(self, tmp_path: Path) -> None:
        asyncio.run(self._reset(tmp_path))

    async def _reset(self, tmp_path: Path) -> None:
        async with powered_off_uboot(tmp_path) as (board, console):
            await board.on()
            await to_prompt(console, UBOOT)
            begun = asyncio.Event()
            console.on_line = lambda line: begun.set() if line == "begun" else None
            running = asyncio.create_task(console.run("echo begun; sleep 60", within_s=90))
            async with asyncio.timeout(30):
                await begun.wait()
            await board.reset()
            with pytest.raises(ConsoleFailed, match="the board restarted"):
                await running
            console.watch.expect_start()
            await board.reset()
            await to_prompt(console, UBOOT)
            assert (await console.run("echo back")).output == "back"
