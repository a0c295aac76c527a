"""What somebody at the desk does: calls fleetrig, pastes what it printed, and runs a small device of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.command import Done, fleetrig
from tests.harness.served import Served

WITHIN_S = 60.0
Device = Callable[[Mapping[str, str], threading.Event], None]
"""A program of a device: its variables, and when it is to end."""


def server_file(platform: str, ready: Mapping[str, Any], listeners: Sequence[str]) -> str:
    own = ready[platform]
    schemes = {"http": "http://", "registry": "http://"}
    lines = [f"{name}: {schemes.get(name, '')}{own[name]}" for name in listeners]
    return "\n".join([f"platform: {platform}", *lines]) + "\n"


@dataclass(frozen=True)
class Desk:
    folder: Path
    served: Served

    def fleetrig(self, *words: str) -> Done:
        return fleetrig(*words, cwd=self.folder)

    def address(self, platform: str, listener: str = "http") -> str:
        return f"http://{self.served.ready[platform][listener]}"

    def register(self, platform: str, device: str, *more: str) -> str:
        """What it printed."""
        done = self.fleetrig("register", device, "--against", f"{platform}.yaml", *more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def deploy(self, platform: str, *words: str) -> Done:
        return self.fleetrig("deploy", *words, "--against", f"{platform}.yaml")

    def variables(self, device: str) -> dict[str, str]:
        """As a shell reads them, under the names that programs of devices know."""
        done = self.shell("env", device)
        pairs = (line.partition("=") for line in done.stdout.splitlines() if line.startswith("FLEETRIG_"))
        return {name.removeprefix("FLEETRIG_").lower(): value for name, _, value in pairs}

    def shell(self, command: str, device: str) -> subprocess.CompletedProcess[str]:
        """A command that stands in what was printed, with the device's variables."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("FLEETRIG_")}
        return subprocess.run(
            ["bash", "-e", "-u", "-c", f". ./{device}.env\n{command}"], cwd=self.folder, timeout=WITHIN_S, text=True,
            env={**plain, "PATH": path}, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip

    def write(self, name: str, content: bytes = b"an image of four blocks" * 100) -> str:
        (self.folder / name).write_bytes(content)
        return name

    @contextmanager
    def running(self, device: Device, name: str) -> Iterator[None]:
        """The device lives as long as the block."""
        over = threading.Event()
        failed: list[BaseException] = []

        def live() -> None:
            try:
                device(self.variables(name), over)
            except BaseException as error:  # noqa: BLE001
                failed.append(error)

        thread = threading.Thread(target=live)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(WITHIN_S)
        assert not failed, failed


def commands_in(printed: str) -> dict[str, str]:
    """Title -> command."""
    return dict(re.findall(r"^  # (.*)\n  (.*)$", printed, re.MULTILINE))


def document(text: str | bytes) -> Any:
    return json.loads(text)
