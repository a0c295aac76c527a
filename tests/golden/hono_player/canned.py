"""A wire that gives the recorded answers themselves, with values in the places of names: it proves the player."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from tests.golden.hono_player.names import DIFFER, HOLE, Names, family
from tests.golden.hono_player.recording import Step

VALUES = {
    "time": "2026-02-03T04:05:06Z",
    "creation": "1790000000123",
    "number": 3,
    "text": "some text",
    "any": {"any": "thing"},
    "subject-dn-bytes": "MA0xCzAJBgNV",
    "public-key": "MFkwEwYHKoZI",
}


@dataclass
class CannedWire:
    """Of one row. `recorded`: (row, number of a step) -> that step."""

    recorded: Mapping[tuple[str, int], Step]
    values: dict[str, Any] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=lambda: count(1))

    def before(self, step: Step, names: Names) -> None:
        self._names = names
        if step.kind == "pki":
            name = step.request["name"]
            names.values |= {f"cert:{name}": f"MIIB{len(name)}{name}", f"spki:{name}": f"MFkw{len(name)}{name}"}

    def perform(self, step: Step, request: dict[str, Any]) -> Any:
        expected = self._filled(self.recorded[step.row, step.number].expected)
        if step.kind not in ("management", "adapter-http") or "tls_alert" in expected:
            return expected
        body = expected["body"]
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        headers = {name.lower(): [value] for name, value in expected["headers"].items()}
        return {"status": expected["status"], "headers": headers, "text": text}

    def close(self) -> None:
        """Nothing is open."""

    def _filled(self, template: Any) -> Any:
        match template:
            case dict():
                return {key: self._filled(value) for key, value in template.items()}
            case list():
                return [self._filled(item) for item in template]
            case str():
                whole = HOLE.fullmatch(template)
                return self._value(whole) if whole else HOLE.sub(lambda hole: str(self._value(hole)), template)
            case _:
                return template

    def _value(self, hole: re.Match[str]) -> Any:
        name = hole["name"]
        if name in self._names.values:
            return self._names.values[name]
        if name not in self.values:
            fresh = str(UUID(int=next(self.numbers)))
            self.values[name] = fresh if family(name) in DIFFER else VALUES[family(name)]
        return self.values[name]
