"""A recording's steps as they stand in its file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KNOWN = {"row", "step", "name", "over", "request", "response", "do", "conn", "args", "result", "slow", "parallel"}


@dataclass(frozen=True)
class Step:
    row: str
    number: int
    name: str
    over: str
    request: dict[str, Any]
    """Of HTTP and CoAP."""
    expected: dict[str, Any]
    do: str = ""
    """What an MQTT step does, on the connection `connection` and with `arguments`, which `pki` and `wait` have too."""
    connection: str = ""
    arguments: dict[str, Any] | None = None
    parallel: int = 0

    @property
    def place(self) -> str:
        return f"{self.row} step {self.number} ({self.name})"


def read_steps(path: Path) -> list[Step]:
    return [step_of(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def step_of(line: dict[str, Any]) -> Step:
    assert line.keys() <= KNOWN, f"unknown keys {sorted(line.keys() - KNOWN)}"
    return Step(
        line["row"],
        line["step"],
        line["name"],
        line["over"],
        line.get("request", {}),
        line.get("response", line.get("result", {})),
        line.get("do", ""),
        line.get("conn", ""),
        line.get("args"),
        line.get("parallel", 0),
    )
