"""An example for each word, as it stands in an installed scenario: `examples.json` has them, by their places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from fleetrig.harness.language.language_word import LanguageWord

FILE: Final = "examples.json"


@dataclass(frozen=True, slots=True)
class Example:
    """Some lines of a scenario."""

    scenario: str
    """Its id."""
    lines: tuple[str, ...]


@cache
def _all_examples() -> Mapping[tuple[str, str], tuple[Example, ...]]:
    """(platform, place of a word) -> examples that show all of its keys together; made by `make contracts`."""
    text = (files(__package__) / FILE).read_text(encoding="utf-8")
    return {
        (platform, place): tuple(Example(scenario, tuple(lines)) for scenario, *lines in shown)
        for platform, places in json.loads(text).items()
        for place, shown in places.items()
    }


def examples_of(word: LanguageWord) -> tuple[Example, ...]:
    """None for a word that stands in no installed scenario."""
    return _all_examples().get((word.platform, next(word.places())), ())
