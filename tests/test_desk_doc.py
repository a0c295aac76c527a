"""The commands of docs/desk.md are run as they stand there, each platform's in one shell, beside its server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.servers.description import description_of
from tests.doc_page import WITHIN_S, blocks, page, user_environ
from tests.harness.served import Served

PAGE: Final = page("desk")
CHAPTER: Final = re.compile(r"^## ", re.MULTILINE)
SERVE: Final = re.compile(r"fleetrig serve(?: --platform (\w+))? --control 127\.0\.0\.1:(\d+)\n")
WEB_PORT: Final = "8090"


def chapters() -> dict[str, list[str]]:
    """Platform -> its blocks, the one that starts the server first."""
    found = {}
    for chapter in CHAPTER.split(PAGE):
        commands = blocks(chapter)
        if commands and (serve := SERVE.fullmatch(commands[0])):
            found[serve[1] or next(iter(PLATFORMS))] = commands
    return found


def at_free_ports(text: str, platform: str, ready: Mapping[str, str], control_port: str) -> str:
    """The same for the server that runs."""
    ports = {name: usual.rpartition(":")[2] for name, usual in description_of(platform).defaults.items()}
    for name, port in {**ports, "control": control_port}.items():
        text = text.replace(f"127.0.0.1:{port}", ready[name])
        text = text.replace(f"--port {port} ", f"--port {ready[name].rpartition(':')[2]} ")
    return text


def test_each_platform_has_a_chapter() -> None:
    assert list(chapters()) == list(PLATFORMS)


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_command_works(platform: str, tmp_path: Path, free_port: int) -> None:
    serve, *commands = chapters()[platform]
    control = SERVE.fullmatch(serve)
    assert control is not None
    listeners = [part for name in description_of(platform).defaults for part in (f"--{name}", "127.0.0.1:0")]
    with Served(tmp_path, "--platform", platform, "--control", "127.0.0.1:0", *listeners) as served:
        script = at_free_ports("".join(commands), platform, served.ready, control[2])
        script = re.sub(rf"\b{WEB_PORT}\b", str(free_port), script)
        run(script, tmp_path)


def run(script: str, folder: Path) -> None:
    """In a shell with a group of its own: what a command left running ends with it."""
    output = folder / "said.txt"
    with output.open("w") as said:
        shell = subprocess.Popen(
            ["bash", "-e", "-u", "-x", "-c", script], cwd=folder, env=user_environ(), text=True,
            stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            code = shell.wait(WITHIN_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    assert code == 0, output.read_text()[-4000:]
