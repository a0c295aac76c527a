"""Programs of a fleetrig that is killed are killed with all that they have started; those that ended are let be."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FLEETRIG = """
import asyncio, sys
from fleetrig.harness.external.warden import Warden

async def watch():
    warden = Warden()
    await warden.watch()
    for what, group in zip(sys.argv[2::2], sys.argv[3::2]):
        getattr(warden, what)(int(group))
    if sys.argv[1] == "rests":
        await warden.rest()
    print("told", flush=True)
    await asyncio.Event().wait()

asyncio.run(watch())
"""
PROGRAM = "exec 3>alive; echo up >&3; sleep 1000 & wait"


def program(folder: Path, stack: ExitStack) -> tuple[subprocess.Popen[bytes], int]:
    """A program that has started another one, and the end of a pipe that both hold open."""
    folder.mkdir()
    os.mkfifo(folder / "alive")
    process = stack.enter_context(subprocess.Popen(["sh", "-c", PROGRAM], cwd=folder, start_new_session=True))
    stack.callback(subprocess.run, ["sh", "-c", f"kill -s KILL -- -{process.pid} 2>/dev/null"], check=False)
    alive = os.open(folder / "alive", os.O_RDONLY)
    stack.callback(os.close, alive)
    assert os.read(alive, 16) == b"up\n"
    return process, alive


def killed_fleetrig(ending: str, *told: str) -> None:
    command = [sys.executable, "-c", FLEETRIG, ending, *told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as fleetrig:
        assert fleetrig.stdout is not None
        assert fleetrig.stdout.readline() == "told\n"
        fleetrig.kill()


def test_what_runs_is_killed_as_a_whole_and_what_ended_is_let_be(tmp_path: Path) -> None:
    with ExitStack() as stack:
        (first, first_alive), (ended, ended_alive), (last, last_alive) = (
            program(tmp_path / name, stack) for name in ("first", "ended", "last")
        )
        told = [word for one in (first, ended, last) for word in ("started", str(one.pid))]
        killed_fleetrig("killed", *told, "ended", str(ended.pid))
        assert os.read(first_alive, 1) == os.read(last_alive, 1) == b""
        assert ended.poll() is None
        os.set_blocking(ended_alive, False)
        with pytest.raises(BlockingIOError):
            os.read(ended_alive, 1)


def test_who_rests_kills_nobody(tmp_path: Path) -> None:
    with ExitStack() as stack:
        one, alive = program(tmp_path / "one", stack)
        killed_fleetrig("rests", "started", str(one.pid))
        os.set_blocking(alive, False)
        with pytest.raises(BlockingIOError):
            os.read(alive, 1)
