"""A fault as JSON, in the words and units of a scenario file, and back.

    {"fault": "overload", "hits": "POST */feedback", "at": "10s", "for": "1m", "share": 0.5, "times": 3,
     "status": 429, "retry_after": "7s"}

Only `fault` must be there, and what `faults.NEEDS` names; `faults.BELONGS_TO` says which word belongs to which fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

from fleetrig.simulator.contract.faults import BELONGS_TO, CAN_BE_FRAMED, CAN_SHOW_AS, NEEDS, Fault, FaultKind
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.units import duration_s, duration_text, size_bytes, size_text

E = TypeVar("E", bound=StrEnum)

MAX_TEXT_CHARS: Final = 1_000
MAX_BODY_CHARS: Final = 100_000
LEAST_STATUS, MOST_STATUS = 100, 599
MOST_CODE: Final = 255
BEGINNING_OF_A_PATH: Final = re.compile(r"(?:/[\w.~-]+)+", re.ASCII)


class FaultMistake(ValueError):
    """What is wrong with a field: the first mistake that was found. `near` is the nearest right word, if one is."""

    def __init__(self, field: str, expected: str, near: str = "") -> None:
        super().__init__(f"{field}: {expected}" + (f"; did you mean {near}?" if near else ""))
        self.field = field
        self.expected = expected
        self.near = near


class FaultWord(NamedTuple):
    """What a word stands for. `read` raises ValueError with what was expected."""

    name: str
    """The field or the parameter of a `Fault`."""
    read: Callable[[Any], Any]
    write: Callable[[Any], Json] = lambda value: value


def fault_to_json(fault: Fault) -> dict[str, Json]:
    """Everything that is set, `hits`, `at` and `share` always."""
    values: dict[str, Any] = {
        "kind": fault.kind, "hits": fault.hits, "at_s": fault.at_s, "for_s": fault.for_s, "share": fault.share,
        "times": fault.times, "shows_as": fault.shows_as, **fault.parameters,
    }  # fmt: skip
    return {word: write(values[name]) for word, (name, _, write) in WORDS.items() if values.get(name) is not None}


def fault_from_json(document: Mapping[str, Any]) -> Fault:
    """Raises FaultMistake."""
    for word in ("fault", *document):
        if word not in WORDS:
            raise FaultMistake(word, f"expected one of {', '.join(WORDS)}", nearest(word, WORDS))
        if word not in document:
            raise FaultMistake(word, f"expected one of {', '.join(FaultKind)}")
    found: dict[str, Any] = {}
    for word, value in document.items():
        try:
            found[WORDS[word].name] = WORDS[word].read(value)
        except WrongWord as wrong:
            raise FaultMistake(word, str(wrong), wrong.near) from None
        except ValueError as wrong:
            raise FaultMistake(word, str(wrong)) from None
    _check_parameters(found)
    parameters = {name: found.pop(name) for name in PARAMETERS if name in found}
    return Fault(**found, parameters=parameters)


def nearest(word: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(word, list(known), n=1)), "")


def _check_parameters(found: Mapping[str, Any]) -> None:
    kind = found["kind"]
    for name, owners in BELONGS_TO.items():
        if name in found and kind not in owners:
            owned = " or ".join(sorted(owners))
            raise FaultMistake(WRITTEN_AS[name], f"is a parameter of the fault {owned}, not of {kind}")
    needed = NEEDS.get(kind)
    if needed is not None and needed not in found:
        raise FaultMistake(WRITTEN_AS[needed], f"the fault {kind} needs it")
    if kind is FaultKind.REWRITE and REWRITES.isdisjoint(found):
        raise FaultMistake("fault", "rewrite needs something to rewrite: set, body, status, headers or unseen")


class WrongWord(ValueError):
    def __init__(self, expected: str, near: str) -> None:
        super().__init__(expected)
        self.near = near


def _one_of(words: Iterable[E]) -> Callable[[Any], E]:
    known = {str(word): word for word in words}

    def read(value: Any) -> E:
        if isinstance(value, str) and value in known:
            return known[value]
        raise WrongWord(f"expected one of {', '.join(known)}", nearest(value, known) if isinstance(value, str) else "")

    return read


def _number(is_right: Callable[[float], bool], expected: str, *, is_whole: bool = False) -> Callable[[Any], Any]:
    kinds = (int,) if is_whole else (int, float)

    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, kinds) or not is_right(value):
            raise ValueError(f"expected {expected}")
        return value

    return read


def _text(least_chars: int, most_chars: int, expected: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not least_chars <= len(value) <= most_chars:
            raise ValueError(f"expected {expected}")
        return value

    return read


def _beginning_of_a_path(value: Any) -> str:
    if not isinstance(value, str) or not BEGINNING_OF_A_PATH.fullmatch(value):
        raise ValueError("expected the beginning of a path, such as /elsewhere")
    return value


def _texts_or_null(value: Any) -> dict[str, str | None]:
    if not isinstance(value, dict) or not value or not all(value) or not _are_texts_or_null(value.values()):
        raise ValueError("expected names of headers, and a text or null for each")
    return value


def _are_texts_or_null(values: Iterable[Any]) -> bool:
    return all(isinstance(text, str | None) for text in values)


def _values(value: Any) -> dict[str, Json]:
    if not isinstance(value, dict) or not value or not all(value):
        raise ValueError("expected dotted paths into the body, and a value for each")
    return value


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise ValueError("expected a list of names of headers")
    return value


WORDS: Final[Mapping[str, FaultWord]] = {
    "fault": FaultWord("kind", _one_of(FaultKind)),
    "hits": FaultWord("hits", _text(1, MAX_TEXT_CHARS, "a glob over a line such as POST */feedback or CONNECT gw-*")),
    "at": FaultWord("at_s", duration_s, duration_text),
    "for": FaultWord("for_s", duration_s, duration_text),
    "share": FaultWord("share", _number(lambda share: 0 < share <= 1, "a number above 0 and up to 1")),
    "times": FaultWord("times", _number(lambda times: times >= 1, "a whole number of at least 1", is_whole=True)),
    "shows_as": FaultWord("shows_as", _one_of(CAN_SHOW_AS)),
    "status": FaultWord(
        "status",
        _number(lambda status: LEAST_STATUS <= status <= MOST_STATUS, "an HTTP status from 100 to 599", is_whole=True),
    ),
    "retry_after": FaultWord("retry_after_s", duration_s, duration_text),
    "delay": FaultWord("delay_s", duration_s, duration_text),
    "code": FaultWord(
        "code", _number(lambda code: 1 <= code <= MOST_CODE, "a return or reason code from 1 to 255", is_whole=True)
    ),
    "after": FaultWord("after_bytes", size_bytes, size_text),
    "framed": FaultWord("framed", _one_of(CAN_BE_FRAMED)),
    "bytes_per_s": FaultWord("bytes_per_s", _number(lambda rate: rate > 0, "a number of bytes a second, above 0")),
    "below": FaultWord("below", _beginning_of_a_path),
    "headers": FaultWord("headers", _texts_or_null),
    "set": FaultWord("set_values", _values),
    "body": FaultWord("body", _text(0, MAX_BODY_CHARS, "a text")),
    "unseen": FaultWord("unseen", _names),
}

WRITTEN_AS: Final = {word.name: text for text, word in WORDS.items()}

PARAMETERS: Final = frozenset(BELONGS_TO) - {"shows_as"}

REWRITES: Final = frozenset(name for name, owners in BELONGS_TO.items() if FaultKind.REWRITE in owners)
