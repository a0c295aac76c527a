"""A recording's steps as they stand in its file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

KINDS: Final = {
    "management", "pki", "adapter-http", "mqtt-connect", "mqtt-publish", "mqtt-subscribe", "mqtt-wait", "coap",
    "events", "parallel", "wait",
}  # fmt: skip
KNOWN: Final = {
    "row", "step", "name", "kind", "request", "response", "accept", "quirk", "compare", "free", "cleanup", "replay"
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    row: str
    number: int
    name: str
    kind: str
    request: dict[str, Any]
    expected: dict[str, Any]
    accept: frozenset[int] = frozenset()
    """Other statuses that a better server may give."""
    free: frozenset[str] = frozenset()
    """Headers that need not be equal, in lower case."""
    is_compared: bool = True
    is_replayed: bool = True
    """False: the recording has it for the facts only. We play it all the same."""
    is_cleanup: bool = False

    @property
    def place(self) -> str:
        return f"{self.row} step {self.number} ({self.name})"


def read_steps(path: Path) -> list[Step]:
    """Raises ValueError for a file that is cut off, KeyError and AssertionError for a line that is none."""
    return [step_of(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def step_of(line: dict[str, Any]) -> Step:
    assert line.keys() <= KNOWN, f"unknown keys {sorted(line.keys() - KNOWN)}"
    kind = line.get("kind", "management")
    assert kind in KINDS, f"unknown kind {kind}"
    return Step(
        line["row"],
        line["step"],
        line["name"],
        kind,
        line["request"],
        line["response"],
        frozenset(line.get("accept", ())),
        frozenset(name.lower() for name in line.get("free", ())),
        line.get("compare", True),
        line.get("replay", True),
        line.get("cleanup", False),
    )


def rows_of(steps: list[Step]) -> dict[str, list[Step]]:
    """Row -> its steps in order."""
    rows: dict[str, list[Step]] = {}
    for step in steps:
        rows.setdefault(step.row, []).append(step)
    return rows
