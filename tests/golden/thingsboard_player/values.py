"""What stands in a recording and what came: templates are filled, answers compared, payloads read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

HOLE = re.compile(r"\$\{(?P<name>[A-Za-z0-9_.]+)(?::(?P<pattern>\w+))?(?P<hex>\|hex)?\}")
PATTERNS = {
    "any": r".+?",
    "alnum20": r"[A-Za-z0-9]{20}",
    "int": r"-?\d+",
    "uuid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "jwt": r"[\w-]+\.[\w-]+\.[\w-]+",
    "sha3": r"[0-9a-f]{64}",
    "hex20": r"(?:[46][1-9a-f]|[57][0-9a]|3[0-9]){20}",
}
MORE = ("...", "more")
"""A member of an expected object that allows for others."""
SHOWN_CHARS = 300


class Differs(Exception):
    """What came is not what was recorded; says where."""


@dataclass
class Names:
    """What the names of a recording stand for."""

    values: dict[str, Any] = field(default_factory=dict)

    def fill(self, template: Any) -> Any:
        """A request with every name replaced. Raises Differs for one that nothing has bound."""
        match template:
            case dict():
                return {self.fill(key): self.fill(value) for key, value in template.items()}
            case list():
                return [self.fill(item) for item in template]
            case str():
                whole = HOLE.fullmatch(template)
                if whole is not None and whole["name"] in self.values and not whole["hex"]:
                    return self.values[whole["name"]]
                return HOLE.sub(self._text, template)
            case _:
                return template

    def compare(self, expected: Any, got: Any, where: str = "$") -> None:
        """Raises Differs at the first difference; what is seen for the first time binds."""
        match expected:
            case dict():
                self._compare_objects(expected, got, where)
            case list():
                if not isinstance(got, list) or len(got) != len(expected):
                    raise Differs(f"{where}: expected {shown(expected)}, got {shown(got)}")
                for number, (one, other) in enumerate(zip(expected, got, strict=True)):
                    self.compare(one, other, f"{where}[{number}]")
            case str() if HOLE.search(expected):
                self._compare_template(expected, got, where)
            case _:
                if type(expected) is not type(got) or expected != got:
                    raise Differs(f"{where}: expected {shown(expected)}, got {shown(got)}")

    def _compare_objects(self, expected: dict[str, Any], got: Any, where: str) -> None:
        if not isinstance(got, dict):
            raise Differs(f"{where}: expected an object, got {shown(got)}")
        wanted = {self.fill(key): value for key, value in expected.items() if (key, value) != MORE}
        missing, extra = sorted(wanted.keys() - got.keys()), sorted(got.keys() - wanted.keys())
        if missing or (extra and MORE not in expected.items()):
            raise Differs(f"{where}: missing {missing}, unexpected {extra} in {shown(got)}")
        for key, value in wanted.items():
            self.compare(value, got[key], f"{where}.{key}")

    def _compare_template(self, expected: str, got: Any, where: str) -> None:
        whole = HOLE.fullmatch(expected)
        if isinstance(got, str):
            self._compare_text(expected, got, where)
        elif whole is None or isinstance(got, bool) or not isinstance(got, int):
            raise Differs(f"{where}: expected {expected}, got {shown(got)}")
        elif self.values.get(whole["name"], got) != got or (
            whole["name"] not in self.values and whole["pattern"] != "int"
        ):
            raise Differs(f"{where}: expected {shown(self.values.get(whole['name'], expected))}, got {shown(got)}")
        else:
            self.values[whole["name"]] = got

    def _compare_text(self, expected: str, got: str, where: str) -> None:
        fresh: dict[str, str] = {}
        pattern, at = "", 0
        for hole in HOLE.finditer(expected):
            pattern += re.escape(expected[at : hole.start()]) + self._pattern(hole, fresh)
            at = hole.end()
        found = re.fullmatch(pattern + re.escape(expected[at:]), got, re.DOTALL)
        if found is None:
            raise Differs(f"{where}: expected {shown(HOLE.sub(self._known, expected))}, got {shown(got)}")
        self.values |= {name: found[group] for name, group in fresh.items()}

    def _pattern(self, hole: re.Match[str], fresh: dict[str, str]) -> str:
        name = hole["name"]
        if name in self.values:
            return re.escape(self._text(hole))
        if name in fresh:
            return f"(?P={fresh[name]})"
        fresh[name] = f"hole{len(fresh)}"
        return f"(?P<{fresh[name]}>{PATTERNS[hole['pattern'] or 'any']})"

    def _text(self, hole: re.Match[str]) -> str:
        if hole["name"] not in self.values:
            raise Differs(f"nothing has bound {hole[0]} yet")
        value = self.values[hole["name"]]
        text = value if isinstance(value, str) else json.dumps(value)
        return text.encode().hex() if hole["hex"] else text

    def _known(self, hole: re.Match[str]) -> str:
        return self._text(hole) if hole["name"] in self.values else hole[0]


def shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
