"""What the names in a recording stand for (hono/README.md): templates are filled, answers compared.

A name that is first seen in a request is the client's to choose; one first seen in an answer takes that value and must
stay the same in the rest of the row.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

HOLE: Final = re.compile(r"\$\{(?P<name>[A-Za-z][\w.-]*(?::[\w.-]+)?)\}")
UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SHAPES: Final = {
    "id": UUID,
    "etag": UUID,
    "cetag": UUID,
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    "creation": r"\d{13}",
    "number": r"\d+",
    "text": r"[\s\S]+",
    "any": r"[\s\S]*",
    "subject-dn-bytes": r"[A-Za-z0-9+/]+=*",
    "public-key": r"[A-Za-z0-9+/]+=*",
}
"""Name without its number -> what it can stand for."""
NEVER_BINDS: Final = frozenset({"creation", "number", "text", "any"})
DIFFER: Final = frozenset({"id", "etag", "cetag"})
"""A new name of these is a value that no other of them has had."""
CHOSEN: Final = frozenset({"tenant", "device", "other", "third", "alias", "group"})
"""Without its number: what the client chooses."""
MOST_TRIES: Final = 2_000
SHOWN_CHARS: Final = 300

Values = dict[str, str]


class Differs(Exception):
    """What came is not what was recorded; says where."""


@dataclass
class Names:
    """Of one row. `run`: what tells the values that the client chooses from those of other rows and runs."""

    run: str
    values: Values = field(default_factory=dict)

    def fill(self, template: Any) -> Any:
        """A request with every name replaced. Raises Differs for one that nothing has bound and nobody chooses."""
        match template:
            case dict():
                return {self.fill(key): self.fill(value) for key, value in template.items()}
            case list():
                return [self.fill(item) for item in template]
            case str():
                return HOLE.sub(self._value, template)
            case _:
                return template

    def knows(self, template: str) -> bool:
        """All its names stand for something already."""
        return all(hole["name"] in self.values for hole in HOLE.finditer(template))

    def compare(self, expected: Any, got: Any, where: str, *, is_strict: bool = True) -> None:
        """Raises Differs at the first difference; what is seen for the first time binds."""
        self.values = Comparison(is_strict).of(expected, got, self.values, where)

    def _value(self, hole: re.Match[str]) -> str:
        name = hole["name"]
        if name not in self.values:
            if family(name) not in CHOSEN:
                raise Differs(f"nothing has bound {hole[0]} yet")
            self.values[name] = f"{name}{self.run}"
        return self.values[name]


@dataclass
class Comparison:
    """`of` gives what the names stand for then. `is_strict`: entries of `result` have all their members."""

    is_strict: bool = True
    tries: int = 0

    def of(self, expected: Any, got: Any, values: Values, where: str) -> Values:
        """Raises Differs."""
        match expected:
            case dict():
                return self._objects(expected, got, values, where)
            case list():
                _check_length(expected, got, where)
                for number, one in enumerate(expected):
                    values = self.of(one, got[number], values, f"{where}[{number}]")
                return values
            case str() if HOLE.search(expected):
                return compare_text(expected, got, values, where)
            case _:
                if type(expected) is not type(got) or expected != got:
                    raise Differs(f"{where}: expected {shown(expected)}, got {shown(got)}")
                return values

    def _objects(self, expected: dict[str, Any], got: Any, values: Values, where: str) -> Values:
        if not isinstance(got, dict):
            raise Differs(f"{where}: expected an object, got {shown(got)}")
        missing, extra = sorted(expected.keys() - got.keys()), sorted(got.keys() - expected.keys())
        if missing or extra:
            raise Differs(f"{where}: missing {missing}, unexpected {extra} in {shown(got)}")
        for name, value in expected.items():
            compare = self._unordered if name == "result" and isinstance(value, list) else self.of
            values = compare(value, got[name], values, f"{where}.{name}")
        return values

    def _unordered(self, expected: list[Any], got: Any, values: Values, where: str) -> Values:
        """The entries in some order. Those of which most is known are looked for first."""
        _check_length(expected, got, where)
        if not expected:
            return values
        first, *rest = sorted(expected, key=lambda entry: unknown_in(entry, values))
        last = Differs(f"{where}: no order of {shown(got)} was found that fits {shown(expected)}")
        for number, entry in enumerate(got):
            self.tries += 1
            if self.tries > MOST_TRIES:
                raise last
            try:
                found = self.of(self._as_shown(first, entry), entry, values, f"{where}[{number}]")
                return self._unordered(rest, [*got[:number], *got[number + 1 :]], found, where)
            except Differs as differs:
                last = differs
        raise last

    def _as_shown(self, expected: Any, got: Any) -> Any:
        """An entry may lack `status`: one registry leaves it out."""
        is_without = isinstance(expected, dict) and isinstance(got, dict) and "status" not in got
        if self.is_strict or not is_without:
            return expected
        return {name: value for name, value in expected.items() if name != "status"}


def _check_length(expected: list[Any], got: Any, where: str) -> None:
    if not isinstance(got, list) or len(got) != len(expected):
        raise Differs(f"{where}: expected {shown(expected)}, got {shown(got)}")


def unknown_in(expected: Any, values: Values) -> tuple[int, int]:
    """How many of its names are not known yet; of those with equally many the longer come first."""
    text = json.dumps(expected)
    return sum(hole["name"] not in values for hole in HOLE.finditer(text)), -len(text)


def compare_text(expected: str, got: Any, values: Values, where: str) -> Values:
    """What the names of a text stand for; a number is compared where a name stands alone. Raises Differs."""
    whole = HOLE.fullmatch(expected)
    if whole is not None and whole["name"] == "any":
        return values
    is_number = isinstance(got, int) and not isinstance(got, bool)
    if is_number and whole is not None and family(whole["name"]) == "number":
        return values
    if not isinstance(got, str) or (whole is not None and family(whole["name"]) == "number"):
        raise Differs(f"{where}: expected {expected}, got {shown(got)}")
    holes = list(HOLE.finditer(expected))
    found = re.fullmatch(_pattern(expected, holes, values), got)
    if found is None:
        known = HOLE.sub(lambda hole: values.get(hole["name"], hole[0]), expected)
        raise Differs(f"{where}: expected {shown(known)}, got {shown(got)}")
    bound = dict(values)
    for hole, text in zip(holes, found.groups(), strict=True):
        _bind(hole["name"], text, bound, where)
    return bound


def _bind(name: str, text: str, values: Values, where: str) -> None:
    if family(name) in NEVER_BINDS:
        return
    if family(name) in DIFFER and name not in values:
        others = {other for other, value in values.items() if value == text and family(other) == family(name)}
        if others:
            raise Differs(f"{where}: {name} is new, but {shown(text)} was {min(others)} already")
    if values.setdefault(name, text) != text:
        raise Differs(f"{where}: {name} was {shown(values[name])}, now {shown(text)}")


def _pattern(expected: str, holes: list[re.Match[str]], values: Values) -> str:
    pattern, at = "", 0
    for hole in holes:
        known = values.get(hole["name"])
        shape = SHAPES.get(family(hole["name"]), r"[^/]+") if known is None else re.escape(known)
        pattern += f"{re.escape(expected[at : hole.start()])}({shape})"
        at = hole.end()
    return pattern + re.escape(expected[at:])


def family(name: str) -> str:
    """A name without its number."""
    return name.rstrip("0123456789")


def shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
