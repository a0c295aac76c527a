"""A board's identity over its console: real shells, a real openssl on the board's side, and a real U-Boot."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from fleetrig.hil.board import ConsoleSpec
from fleetrig.hil.consoles.console_entry import to_prompt
from fleetrig.hil.consoles.identity_over_console import (
    IdentityFailed,
    KeyPlaces,
    certify,
    fingerprint,
    write_files,
    write_variables,
)
from fleetrig.simulator.contract.errors import UsageError
from tests.hil.shell_boards import NEEDS_UBOOT, powered_off_uboot, program

pytestmark = pytest.mark.slow
SHELLS = [
    pytest.param(("bash", "--norc", "-i"), id="bash"),
    pytest.param(("busybox", "sh", "-i"), id="busybox", marks=pytest.mark.peer),
]
TOKEN = b"target-token-0123456789abcdef-with ' quotes $HOME `x` and \xff\r\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_files_are_written_to_the_byte_and_never_shown(shell: tuple[str, ...], tmp_path: Path) -> None:
    path, empty = tmp_path / "it's a token", tmp_path / "empty"

    async def story() -> list[str]:
        heard: list[str] = []
        async with program(tmp_path, *shell) as console:
            await to_prompt(console, ConsoleSpec())
            console.on_line = heard.append
            written = await write_files(console, {str(path): TOKEN * 20, str(empty): b""})
        assert written.fingerprints[str(path)] == fingerprint(TOKEN * 20)
        return heard

    heard = asyncio.run(story())
    assert (path.read_bytes(), empty.read_bytes()) == (TOKEN * 20, b"")
    assert path.stat().st_mode & 0o777 == 0o600
    assert heard
    assert not [line for line in heard if "target-token" in line or "dGFyZ2V0" in line]


def test_a_board_that_cannot_keep_it_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with program(tmp_path, "sh", "-i") as console:
            await to_prompt(console, ConsoleSpec())
            with pytest.raises(IdentityFailed, match="the board could not"):
                await write_files(console, {str(tmp_path / "no-such-folder" / "token"): TOKEN})
            await console.run("sha256sum() { echo 0000; }")
            with pytest.raises(IdentityFailed, match="differs on the board: expected SHA-256 ") as failed:
                await write_files(console, {str(tmp_path / "token"): TOKEN})
            assert "target-token" not in str(failed.value)

    asyncio.run(story())


def _sign(folder: Path, request: bytes) -> bytes:
    """An authority that is openssl itself."""
    (folder / "request.pem").write_bytes(request)
    openssl = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ca", "-keyout", "ca.key")
    subprocess.run([*openssl, "-out", "ca.pem"], cwd=folder, check=True, capture_output=True)
    signing = ("openssl", "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    return subprocess.run(signing, cwd=folder, check=True, capture_output=True).stdout


def _places(tmp_path: Path) -> KeyPlaces:
    return KeyPlaces(str(tmp_path / "device.key"), str(tmp_path / "device.pem"))


@pytest.mark.peer
def test_the_board_makes_its_key_and_gets_a_certificate_for_it(tmp_path: Path) -> None:
    async def story() -> list[str]:
        heard: list[str] = []
        async with program(tmp_path, "sh", "-i") as console:
            await to_prompt(console, ConsoleSpec())
            console.on_line = heard.append
            await certify(console, "GW 0001", lambda request: _sign(tmp_path, request), _places(tmp_path))
        return heard

    heard = asyncio.run(story())
    verify = ("openssl", "verify", "-CAfile", "ca.pem", "device.pem")
    assert subprocess.run(verify, cwd=tmp_path, check=True, capture_output=True).stdout == b"device.pem: OK\n"
    subject = ("openssl", "x509", "-in", "device.pem", "-noout", "-subject")
    assert b"GW 0001" in subprocess.run(subject, cwd=tmp_path, check=True, capture_output=True).stdout
    assert "PRIVATE KEY" not in "\n".join(heard)


@pytest.mark.peer
def test_a_certificate_for_another_key_is_refused(tmp_path: Path) -> None:
    def sign(request: bytes) -> bytes:
        assert b"CERTIFICATE REQUEST" in request
        _sign(tmp_path, request)
        return (tmp_path / "ca.pem").read_bytes()

    async def story() -> None:
        async with program(tmp_path, "sh", "-i") as console:
            await to_prompt(console, ConsoleSpec())
            with pytest.raises(IdentityFailed, match="is for another key"):
                await certify(console, "GW-0001", sign, _places(tmp_path))

    asyncio.run(story())


class TestUboot:
    pytestmark = NEEDS_UBOOT

    def test_variables_are_set_and_a_failed_save_is_told(self, tmp_path: Path) -> None:
        asyncio.run(self._story(tmp_path))

    async def _story(self, tmp_path: Path) -> None:
        heard: list[str] = []
        async with powered_off_uboot(tmp_path) as (board, console):
            console.on_line = heard.append
            await board.on()
            await to_prompt(console, ConsoleSpec("uboot"))
            variables = {"fleetrig_token": "verysecret-9/+=", "fleetrig_server": "http://10.0.2.2:8080"}
            with pytest.raises(IdentityFailed, match="could not save the environment"):  # its NOR flash refuses writes
                await write_variables(console, variables, frozenset({"fleetrig_token"}))
            assert (await console.run("printenv fleetrig_token")).output == "fleetrig_token=verysecret-9/+="
            with pytest.raises(UsageError) as failed:
                await write_variables(console, {"fleetrig_token": "a'; reset"}, frozenset({"fleetrig_token"}))
            assert "reset" not in str(failed.value)
        assert [line for line in heard if "verysecret" in line]  # U-Boot echoes: so whoever writes lines masks them
        assert not [line for line in heard if "verysecret" in console.secrets.hide(line)]
