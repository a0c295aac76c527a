"""Pages of docs: their blocks, and their commands run as a user runs them, fleetrig on the path."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.harness.served import Served

ROOT: Final = Path(__file__).parents[1]
EXAMPLE: Final = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
FAILED: Final = re.compile(r"\b[1-9]\d* failed")
WITHIN_S: Final = 120.0


def page(name: str) -> str:
    """The text of `docs/NAME.md`."""
    return (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")


def blocks(text: str, kind: str = "sh") -> list[str]:
    """What stands in its fenced blocks of this kind: `sh` (commands), `yaml` (files), `console` (see `examples`)."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def examples(text: str) -> list[tuple[str, str]]:
    """Commands of its consoles, and what they print, in which … stands for anything."""
    return [(command, said) for block in blocks(text, "console") for command, said in EXAMPLE.findall(block)]


def user_environ() -> dict[str, str]:
    """The environment of a user who has fleetrig on the path."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def in_shell(script: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Bash ends at the first command that fails."""
    return subprocess.run(
        ["bash", "-e", "-u", "-c", script], cwd=folder, env=user_environ() | environ,
        timeout=WITHIN_S, text=True, capture_output=True, check=False,
    )  # fmt: skip


def ran(script: str, folder: Path, **environ: str) -> str:
    """What commands print that all succeed."""
    done = in_shell(script, folder, **environ)
    assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def ran_without_failures(script: str, folder: Path) -> None:
    """Nothing that they judge may fail either, as far as they say so."""
    said = ran(script, folder)
    assert not FAILED.search(said), f"{script}\nsaid\n{said}"


def replaced(text: str, real: Mapping[str, str]) -> str:
    """The same for the servers that run: addresses of the page -> real ones."""
    for written, address in real.items():
        text = re.sub(rf"{re.escape(written)}\b", address, text)
    return text


def at_free_ports(text: str, ports: Mapping[str, int], ready: Mapping[str, str]) -> str:
    """The same for the server of this ready file; `ports`: of the listeners on the page."""
    return replaced(text, {f"127.0.0.1:{port}": ready[name] for name, port in ports.items()})


def check_examples(text: str, folder: Path, served: Served) -> None:
    """One after another, beside a server at the usual ports of the page."""
    real = {"127.0.0.1:8081": served.ready["control"], "127.0.0.1:8080": served.ready["http"]}
    for command, expected in examples(text):
        done = in_shell(f"set +e\n{replaced(command, real)}", folder)
        pattern = ".*?".join(map(re.escape, replaced(expected, real).split("…")))
        assert re.fullmatch(pattern, done.stdout, re.DOTALL), f"{command}\nsaid\n{done.stdout}{done.stderr}"
