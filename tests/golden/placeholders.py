"""Templates of the recordings: `${name}` inside text, `"${#name}"` alone for a number (see hawkbit/README.md).

A name binds at its first appearance in an answer and must be the same afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

HOLE = re.compile(r"\$\{(?P<number>#?)(?P<name>[A-Za-z][\w.]*)(?::(?P<argument>[^}]*))?\}")
NEVER_BINDS = {"ts", "c", "any", "httpdate", "etag", "iso", "between"}
SHAPES = {
    "ts": r"\d{13}",
    "tsx": r"\d{13}",
    "c": r"-?\d+",
    "any": r"[\s\S]*",
    "between": r"[\s\S]*?",
    "token": r"[0-9a-f]{32}",
    "etag": r'"0[0-9a-f]{32}"',
    "httpdate": r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
    "iso": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
}
ANY_ID = r"[1-9]\d*"


class Differs(Exception):
    """An answer is not the recorded one; says where, what was expected and what came."""


@dataclass
class Bindings:
    """What the names stand for. `now_us` is the clock's, for `${now:N}` and `${cron:N}`."""

    values: dict[str, str]
    now_us: int = 0
    fresh: dict[str, str] = field(default_factory=dict)

    def fill(self, template: Any) -> Any:
        """A request's template with every name replaced by its value."""
        match template:
            case dict():
                return {self.fill(key): self.fill(value) for key, value in template.items()}
            case list():
                return [self.fill(item) for item in template]
            case str():
                hole = HOLE.fullmatch(template)
                if hole is not None and hole["number"]:
                    return int(self._value(hole))
                return HOLE.sub(self._value, template)
            case _:
                return template

    def compare(self, expected: Any, got: Any, where: str) -> None:
        """Same structure, keys, types and order; names bind as they come up. Raises Differs."""
        match expected:
            case dict():
                self._compare_objects(expected, got, where)
            case list():
                if not isinstance(got, list) or len(got) != len(expected):
                    raise Differs(f"{where}: expected {len(expected)} items, got {got!r}")
                for number, (one, other) in enumerate(zip(expected, got, strict=True)):
                    self.compare(one, other, f"{where}[{number}]")
            case str():
                hole = HOLE.fullmatch(expected)
                if hole is None or not hole["number"]:
                    self.compare_text(expected, got, where)
                elif isinstance(got, bool) or not isinstance(got, int):
                    raise Differs(f"{where}: expected a number, got {got!r}")
                else:
                    self.compare_text(expected.replace("#", "", 1), str(got), where)
            case _:
                if type(expected) is not type(got) or expected != got:
                    raise Differs(f"{where}: expected {expected!r}, got {got!r}")

    def compare_text(self, expected: str, got: Any, where: str) -> None:
        holes = list(HOLE.finditer(expected))
        found = re.fullmatch(self._pattern(expected, holes), got) if isinstance(got, str) else None
        if found is None:
            raise Differs(f"{where}: expected {expected!r}, got {got!r}")
        for hole, text in zip(holes, found.groups(), strict=True):
            self._meet(hole, text, where)

    def keep(self) -> None:
        """What was bound by the last comparison stays bound: it agreed."""
        self.values |= self.fresh
        self.fresh = {}

    def _compare_objects(self, expected: dict[str, Any], got: Any, where: str) -> None:
        if not isinstance(got, dict):
            raise Differs(f"{where}: expected an object, got {got!r}")
        wanted = {self.fill(key): value for key, value in expected.items()}
        if wanted.keys() != got.keys():
            missing, extra = sorted(wanted.keys() - got.keys()), sorted(got.keys() - wanted.keys())
            raise Differs(f"{where}: missing {missing}, unexpected {extra}")
        for key, value in wanted.items():
            unordered = key == "message" and str(wanted.get("errorCode")).endswith(".repo.constraintViolation")
            if unordered:
                self.compare(_sentences(value), _sentences(got[key]), f"{where}.{key}")
            else:
                self.compare(value, got[key], f"{where}.{key}")

    def _pattern(self, expected: str, holes: list[re.Match[str]]) -> str:
        parts, at = [], 0
        for hole in holes:
            shape = SHAPES.get(re.match(r"[A-Za-z]+", hole["name"]).group(), ANY_ID)  # type: ignore[union-attr]
            known = self._known(hole)
            parts += [re.escape(expected[at : hole.start()]), "(", shape if known is None else re.escape(known), ")"]
            at = hole.end()
        return "".join([*parts, re.escape(expected[at:])])

    def _meet(self, hole: re.Match[str], text: str, where: str) -> None:
        name = hole["name"]
        if name == "between":
            least, most = hole["argument"].split(",")
            if not least <= text <= most:
                raise Differs(f"{where}: {text!r} is not between {least} and {most}")
        elif name not in NEVER_BINDS and name != "repeat" and self.fresh.setdefault(name, text) != text:
            raise Differs(f"{where}: {name} was {self.fresh[name]!r}, now {text!r}")

    def _known(self, hole: re.Match[str]) -> str | None:
        name = hole["name"]
        if name == "repeat":
            return self._value(hole)
        return None if name in NEVER_BINDS else self.values.get(name)

    def _value(self, hole: re.Match[str]) -> str:
        name, argument = hole["name"], hole["argument"]
        match name:
            case "now":
                return str(self.now_us // 1000 + int(argument or 0))
            case "cron":
                moment = datetime.fromtimestamp(self.now_us // 1_000_000 + int(argument), tz=UTC)
                return moment.strftime("%S %M %H %d %m ? %Y")
            case "repeat":
                text, times = argument.split("*")
                return text * int(times)
            case _ if name in self.values:
                return self.values[name]
            case _:
                raise Differs(f"the request needs {name}, which no answer gave")


def _sentences(message: str) -> list[str]:
    """The broken rules of one request come in no fixed order."""
    return sorted(message.rstrip(".").split(". "))
