"""Mistakes in a file, as messages for people: `file:line:column: sentence`, the line, a caret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, RootModel
from pydantic_core import ErrorDetails

from fleetrig.harness.scenario_file.marks import Mark, locate
from fleetrig.simulator.contract.errors import UsageError

KEY = ("[key]",)
"""How pydantic ends the place of a mistake in a key."""

PASSWORD: Final = re.compile("passw", re.IGNORECASE)
PASSWORD_VALUE: Final = re.compile(
    r"""(\w*passw[\w-]*["']?[ \t]*:[ \t]+)(?!\$\{|["']?env:)("[^"]*"?|'[^']*'?|[^,}]+)""", re.IGNORECASE
)
LOGIN: Final = re.compile(r"(?<=://)[^/?#\s\"'@]+(?=@)")
"""Passwords in files such as SERVER.yaml: what is wrong with one is told in logs that others read."""

NOT_KNOWN: Final = "is not known here"
NEAREST: Final = "; did you mean "
EXPLAINED: Final = "`fleetrig explain WORD` says what a word means, `fleetrig explain` names all of them"
SHOWN_CHARACTERS = 60
SHOWN_PROBLEMS = 100
SOURCE_LINE_CHARACTERS = 160

_MAPPING = "expected a mapping (key: value)"
_LIST = "expected a list"
_WHOLE = "expected a whole number"
EXPECTED: Final[Mapping[str, str]] = {
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "string_type": "expected text",
    "string_too_short": "expected some text",
    "string_too_long": "expected at most {max_length} characters",
    "too_short": "expected at least one entry",
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "greater_than_equal": "expected a number of at least {ge:g}",
    "greater_than": "expected a number above {gt:g}",
    "less_than_equal": "expected a number of at most {le:g}",
    "less_than": "expected a number below {lt:g}",
}
"""Pydantic's kinds of error, as what was expected."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake and where it stands."""

    path: str
    mark: Mark
    sentence: str
    source_line: str = ""

    def __str__(self) -> str:
        where = f"{self.path}:{self.mark.line}:{self.mark.column}: {self.sentence}"
        line, column = self.source_line, self.mark.column
        if not line.strip() or column > SOURCE_LINE_CHARACTERS:
            return where
        # Tabs stay tabs above the caret, so that it stands right whatever their width.
        indent = "".join(char if char == "\t" else " " for char in line[: column - 1])
        return f"{where}\n    {line[:SOURCE_LINE_CHARACTERS]}\n    {indent}^"


class WholeSentence(ValueError):
    """A mistake in a value, in a sentence that already says what came."""


class FileMistakes(UsageError):
    """All mistakes that were found in a file, or in several."""

    def __init__(self, problems: Iterable[Problem], *, of_scenarios: bool = False) -> None:
        """`of_scenarios`: whoever does not know a word of theirs can have it explained."""
        self.problems = tuple(sorted(set(problems)))
        more = len(self.problems) - SHOWN_PROBLEMS
        hints = [f"… and {more:,} more"] if more > 0 else []
        if of_scenarios and any(NOT_KNOWN in one.sentence or NEAREST in one.sentence for one in self.problems):
            hints.append(EXPLAINED)
        super().__init__("\n".join([*map(str, self.problems[:SHOWN_PROBLEMS]), *hints]))


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: its text, and the tree of values with their marks."""

    path: Path
    text: str
    tree: Any
    secret_names: frozenset[str] = frozenset()
    """What `${…}` names of secrets: their values are never shown."""

    def problem(self, mark: Mark, sentence: str) -> Problem:
        return problem_in(self.path, self.text, mark, sentence)

    def find(self, fragment: str, at: Mark) -> Mark:
        """Where a part of the value that begins at `at` stands, if it stands on the same line."""
        column = _line_of(self.text, at.line).find(fragment, at.column - 1) + 1
        return at if column == 0 else Mark(at.line, column)

    def model_problems(self, errors: Iterable[ErrorDetails], model: type[BaseModel]) -> Iterator[Problem]:
        """What pydantic found wrong, in sentences."""
        for error in errors:
            place = error["loc"]
            about_key = error["type"] == "extra_forbidden" or place[-1:] == KEY
            mark, raw = locate(self.tree, place[:-1] if place[-1:] == KEY else place, key=about_key)
            if _follows_from_others(error):
                continue
            if not place and isinstance(error["input"], str):
                # The file is something else altogether, perhaps a list of tokens.
                told = self.problem(mark, sentence(error, None, model, is_secret=True))
                yield replace(told, source_line="")
            elif _is_password(place):
                yield self.problem(mark, sentence(error, None, model, is_secret=True))
            else:
                is_secret = isinstance(raw, str) and any(f"${{{name}}}" in raw for name in self.secret_names)
                yield self.problem(mark, sentence(error, raw, model, is_secret=is_secret))


def problem_in(path: Path, text: str, mark: Mark, sentence: str) -> Problem:
    """A problem with the line that it is about."""
    return Problem(str(path), mark, LOGIN.sub("***", sentence), without_passwords(_line_of(text, mark.line)))


def without_passwords(line: str) -> str:
    """A line of a file with asterisks for passwords, as many, so that the caret stands right."""
    if (found := PASSWORD_VALUE.search(line)) and "{" not in line[: found.start()]:
        line = line[: found.start(2)] + "*" * (len(line) - found.start(2))
    line = PASSWORD_VALUE.sub(lambda found: found[1] + "*" * len(found[2]), line)
    return LOGIN.sub(lambda found: "*" * len(found[0]), line)


def _is_password(place: Sequence[str | int]) -> bool:
    return any(PASSWORD.search(part) for part in place if isinstance(part, str))


def _line_of(text: str, line: int) -> str:
    lines = _lines(text)
    return lines[line - 1] if line <= len(lines) else ""


@lru_cache(maxsize=2)
def _lines(text: str) -> list[str]:
    """Of a file, split once for all of its problems."""
    return re.split(r"\r\n|\r|\n", text)


def sentence(error: ErrorDetails, raw: Any, model: type[BaseModel], *, is_secret: bool = False) -> str:
    """One error of pydantic's in our words. `raw` is what the file says there, before values are filled in."""
    place, context = error["loc"], error.get("ctx", {})
    match error["type"]:
        case "missing":
            return _at(place[:-1], f"{place[-1]} is missing")
        case "extra_forbidden":
            known, above = known_keys(model, place[:-1]), known_keys(model, place[:-2])
            return _at(place[:-1], _belongs_beside(place, known, above) or not_known(str(place[-1]), known))
        case "value_error":
            said, got = context["error"], _got(error["input"], raw, is_secret)
            is_whole = isinstance(said, WholeSentence)
            has_asked = str(said).endswith("?")  # `did you mean …?` has named what came
            return _at(place, str(said) if is_whole or has_asked else f"{said}{got}")
        case "literal_error" | "enum":
            words = re.findall(r"'([^']*)'", str(context["expected"]))
            hint = "" if is_secret else _hint(error["input"], words)
            return _at(place, f"expected {_either(words)}" + _got(error["input"], raw, is_secret) + hint)
        case _:
            return _at(place, _expected(error) + _got(error["input"], raw, is_secret))


def _belongs_beside(place: Sequence[str | int], known: Sequence[str], above: Sequence[str]) -> str:
    """A sentence about a key that stands one level too deep, such as `severity` in a check; else empty."""
    key, owner = str(place[-1]), place[-2] if len(place) > 1 else 0
    if not isinstance(owner, str) or key not in above or difflib.get_close_matches(key, known):
        return ""
    return f"{key!r} {NOT_KNOWN}: it stands beside {owner!r}, not below it"


def known_keys(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The keys that may stand at a place of a model, as a file writes them."""
    here = list(_models_in(model))
    for part in place:
        if isinstance(part, str):
            # A part that no model has is a name that the file's author chose: `boards: {left: …}`.
            here = [found for owner in here for found in _models_under(owner, part)] or here
    return [field.alias or name for owner in here for name, field in owner.model_fields.items()]


def not_known(word: str, known: Sequence[str]) -> str:
    """A sentence about a word that is not known, with the nearest one that is."""
    shown = word if len(word) <= SHOWN_CHARACTERS else word[:SHOWN_CHARACTERS] + "…"
    nearest = difflib.get_close_matches(shown, known, n=1)
    if nearest:
        return f"{shown!r} {NOT_KNOWN}{NEAREST}{nearest[0]!r}?"
    return f"{shown!r} {NOT_KNOWN}; known is {', '.join(known) or 'nothing'}"


def _models_under(owner: type[BaseModel], key: str) -> Iterator[type[BaseModel]]:
    for name, field in owner.model_fields.items():
        if (field.alias or name) == key:
            yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        yield from _models_in(annotation.model_fields["root"].annotation)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _expected(error: ErrorDetails) -> str:
    kind, said = error["type"], error["msg"]
    if kind == "string_type" and isinstance(error["input"], bool | int | float):
        return "expected text (put it in quotes)"
    if kind in EXPECTED:
        return EXPECTED[kind].format(**error.get("ctx", {}))
    return said[:1].lower() + said[1:]


def _follows_from_others(error: ErrorDetails) -> bool:
    """Pydantic also calls a list too short when its entries were wrong."""
    given = error["input"]
    return error["type"] == "too_short" and isinstance(given, list) and len(given) >= error["ctx"]["min_length"]


def _got(value: Any, raw: Any, is_secret: bool) -> str:
    """The actual value; never one from the environment, since that may be a secret."""
    if value is None or value in ({}, []):
        return ", got nothing"
    if is_secret:
        return "" if raw is None else f", got what {raw} stands for"
    written = f" from {raw}" if isinstance(raw, str) and "${" in raw else ""
    return "" if isinstance(value, dict | list) and not written else f", got {_shown(value)}{written}"


def _shown(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            text = str(value)
            return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")


def _hint(value: Any, words: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(str(value)[:SHOWN_CHARACTERS], words, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _at(place: Sequence[str | int], sentence: str) -> str:
    """`phases[0].do[1].wait: …`"""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place if part not in {"[key]", "root"}]
    where = "".join(parts).removeprefix(".")
    return f"{where}: {sentence}" if where else sentence
