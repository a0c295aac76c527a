"""docs/bridge.md is enough to write a board's side: one in C, written from it alone, talks to the bridge."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from fleetrig.hil.port import PortLost
from fleetrig.simulator.contract.http import HttpRequest
from tests.hil.bridge.bridged_board import Echo, bridged, on_a_loop, until

SOURCE = Path(__file__).with_name("bridge_board.c")

pytestmark = [
    pytest.mark.peer,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("gcc") is None or shutil.which("socat") is None, reason="gcc and socat make the board"
    ),
]


@pytest.mark.parametrize("body_chars", [0, 5_000], ids=["short", "many parts"])
@on_a_loop
async def test_a_board_in_c_behind_socats_line(tmp_path: Path, body_chars: int) -> None:
    program, line, answer, echo = tmp_path / "board", tmp_path / "line", tmp_path / "answer", Echo()
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", "-O1", "-o", program, SOURCE], check=True)  # noqa: ASYNC221
    request = {"method": "POST", "origin": "http://bench", "target": "/c", "body": "c" * body_chars}
    asked = tmp_path / "asked"
    asked.write_text(json.dumps({"do": "ask", "envelope": {"request": request}}))
    runs = f'exec {program} "$(cat {asked})" 2>{answer}'
    script = tmp_path / "run"
    script.write_text(f"#!/bin/sh\n{runs}\n")
    script.chmod(0o700)
    socat = await asyncio.create_subprocess_exec(
        "socat", f"PTY,link={line},raw,echo=0,wait-slave", f"EXEC:{script}", env=os.environ | {"LC_ALL": "C"}
    )
    try:
        await until(line.exists)
        with suppress(PortLost):  # the program ends, and its line with it
            async with bridged(line, lambda: echo), asyncio.timeout(60):
                assert await socat.wait() == 0
    finally:
        if socat.returncode is None:
            socat.kill()
            await socat.wait()
    assert [one.envelope for one in echo.asked] == [HttpRequest("POST", "http://bench", "/c", (), b"c" * body_chars)]
    response = json.loads(answer.read_text())["envelope"]["response"]
    assert (response["status"], response.get("body", "")) == (200, "c" * body_chars)
