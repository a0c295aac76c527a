"""A fault in a scenario file and one in JSON are one language: what one takes the other takes, as the same fault."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from fleetrig.harness.scenario_file.fault_line import FaultLine
from fleetrig.simulator.contract.fault_json import WORDS, FaultMistake, fault_from_json
from fleetrig.simulator.contract.faults import FaultKind

VALUES: dict[str, list[Any]] = {
    "hits": ["POST */feedback", "", 1, None],
    "at": ["10s", "500ms", "1.5h", 10, "10", "-1s", None],
    "for": ["1m", 60, "x"],
    "share": [0.5, 1, 0, 1.5, "a"],
    "times": [1, 3, 0, 1.5, True],
    "shows_as": ["reset", "silence", "closed", "truncated", "whole", 1],
    "status": [429, 100, 599, 99, 600, "x"],
    "retry_after": ["7s", 7],
    "code": [1, 5, 255, 0, 256, "x", 1.5],
    "requests_per_s": [1, 0.5, 640, 0, -1, 1e7, "x", True],
    "waiting": ["2s", "0s", 2, "2"],
    "delay": ["2s", "2"],
    "after": ["1KiB", "512B", 512, "1kb"],
    "bytes_per_s": [1, 0.5, 0, "x"],
    "framed": ["chunked", "close", "http10", "length"],
    "below": ["/elsewhere", "/a/b", "elsewhere", "/", "/a b"],
    "headers": [{"ETag": None, "X": "y"}, {}, {"ETag": 1}, []],
    "set": [{"a.b": {"c": [1, None]}}, {}, 1],
    "body": ["", "text", 1],
    "unseen": [["ETag"], [], [""], "ETag"],
    "nonsense": [1],
}
"""Of some words, values right and wrong."""

CASES = [{"fault": kind, word: value} for kind in FaultKind for word, values in VALUES.items() for value in values]


def from_file(document: dict[str, Any]) -> object:
    try:
        return FaultLine.model_validate(document).to_fault()
    except ValidationError:
        return None


def from_json(document: dict[str, Any]) -> object:
    try:
        return fault_from_json(document)
    except FaultMistake:
        return None


@pytest.mark.parametrize("kind", ["outag", None, 1, *FaultKind])
def test_kinds(kind: Any) -> None:
    assert from_json({"fault": kind}) == from_file({"fault": kind})


def test_words_and_values() -> None:
    """But for null, which leaves a word away in a file."""
    differing = [case for case in CASES if from_json(case) != from_file(case) and None not in case.values()]
    assert differing == []


def test_every_word_of_a_file_is_a_word_of_json() -> None:
    words = {field.alias or name for name, field in FaultLine.model_fields.items()}
    assert words == WORDS.keys()
