"""A fault as JSON, in the words and units of a scenario file, and back.

    {"fault": "overload", "hits": "POST */feedback", "at": "10s", "for": "1m", "share": 0.5, "times": 3,
     "status": 429, "retry_after": "7s"}

Only `fault` must be there, and what `faults.NEEDS` names; `faults.BELONGS_TO` says which word belongs to which fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from fleetrig.simulator.contract import fault_values
from fleetrig.simulator.contract.fault_values import WrongWord, nearest, one_of
from fleetrig.simulator.contract.faults import (
    BELONGS_TO,
    CAN_BE_FRAMED,
    CAN_BE_SHOWN,
    CAN_SHOW_AS,
    NEEDS,
    Fault,
    FaultKind,
)
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.units import duration_s, duration_text, size_bytes, size_text

SHOWN_CHARS: Final = 60
"""Of a word that is not known."""


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
            raise FaultMistake(word[:SHOWN_CHARS], f"expected one of {', '.join(WORDS)}", nearest(word, WORDS))
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


def _check_parameters(found: Mapping[str, Any]) -> None:
    kind = found["kind"]
    for name, owners in BELONGS_TO.items():
        if name in found and kind not in owners:
            owned = " or ".join(sorted(owners))
            raise FaultMistake(WRITTEN_AS[name], f"is a parameter of the fault {owned}, not of {kind}")
    needed = NEEDS.get(kind)
    if needed is not None and needed not in found:
        raise FaultMistake(WRITTEN_AS[needed], f"the fault {kind} needs it")
    if why := fault_values.why_never_shed(found.get("waiting_s"), found.get("sheds_after_s")):
        raise FaultMistake(WRITTEN_AS["sheds_after_s"], why)
    if kind is FaultKind.REWRITE and REWRITES.isdisjoint(found):
        raise FaultMistake(
            "fault", "rewrite needs something to rewrite: set, body, respelt, topic, status, headers or unseen"
        )


WORDS: Final[Mapping[str, FaultWord]] = {
    "fault": FaultWord("kind", one_of(FaultKind)),
    "hits": FaultWord("hits", fault_values.hits),
    "at": FaultWord("at_s", duration_s, duration_text),
    "for": FaultWord("for_s", duration_s, duration_text),
    "share": FaultWord("share", fault_values.share),
    "times": FaultWord("times", fault_values.times),
    "shows_as": FaultWord("shows_as", one_of(CAN_SHOW_AS)),
    "status": FaultWord("status", fault_values.status),
    "retry_after": FaultWord("retry_after_s", duration_s, duration_text),
    "requests_per_s": FaultWord("requests_per_s", fault_values.requests_per_s),
    "waiting": FaultWord("waiting_s", duration_s, duration_text),
    "sheds_after": FaultWord("sheds_after_s", duration_s, duration_text),
    "delay": FaultWord("delay_s", duration_s, duration_text),
    "code": FaultWord("code", fault_values.code),
    "after": FaultWord("after_bytes", size_bytes, size_text),
    "framed": FaultWord("framed", one_of(CAN_BE_FRAMED)),
    "copies": FaultWord("copies", fault_values.copies),
    "certificate": FaultWord("certificate", one_of(CAN_BE_SHOWN)),
    "bytes_per_s": FaultWord("bytes_per_s", fault_values.bytes_per_s),
    "below": FaultWord("below", fault_values.below),
    "headers": FaultWord("headers", fault_values.headers),
    "set": FaultWord("set_values", fault_values.set_values),
    "body": FaultWord("body", fault_values.body),
    "respelt": FaultWord("respelt", fault_values.flag),
    "topic": FaultWord("topic", fault_values.topic),
    "unseen": FaultWord("unseen", fault_values.unseen),
}

WRITTEN_AS: Final = {word.name: text for text, word in WORDS.items()}

PARAMETERS: Final = frozenset(BELONGS_TO) - {"shows_as"}

REWRITES: Final = frozenset(name for name, owners in BELONGS_TO.items() if FaultKind.REWRITE in owners)
