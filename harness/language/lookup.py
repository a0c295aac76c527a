"""Finds what somebody asks for: `power_on`, `fast_polling`, `backoff.cap`, `devices.backoff.cap`."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from fleetrig.harness.language.catalogue import words_of_language
from fleetrig.harness.language.language_word import KeyWord, LanguageWord
from fleetrig.simulator.contract.errors import UsageError

NEAR: Final = 3


@dataclass(frozen=True, slots=True)
class Meaning:
    """A word, or one of its keys."""

    word: LanguageWord
    key: KeyWord | None = None

    @property
    def text(self) -> str:
        return self.word.text if self.key is None else self.key.text


def meanings_of(asked: str) -> tuple[Meaning, ...]:
    """All that a word can mean: as a word, else as a key of some. Raises UsageError with the nearest words."""
    words, keys = _index()
    found = words.get(asked) or keys.get(asked)
    if not found:
        raise UsageError(f"{asked!r} is no word of scenario files; {_hint(asked, [*words, *keys])}")
    return tuple(found)


@cache
def _index() -> tuple[Mapping[str, Sequence[Meaning]], Mapping[str, Sequence[Meaning]]]:
    """What can be asked for -> words, and the same -> keys."""
    words: dict[str, list[Meaning]] = defaultdict(list)
    keys: dict[str, list[Meaning]] = defaultdict(list)
    for word in words_of_language():
        place = next(word.places())
        for name in dict.fromkeys((*_endings(word.name), *_endings(place), place.rpartition("=")[2])):
            words[name].append(Meaning(word))
        for key in word.keys:
            for name in dict.fromkeys((*_endings(key.name), *_endings(f"{place}.{key.name}"))):
                keys[name].append(Meaning(word, key))
    return words, keys


def _endings(name: str) -> Iterator[str]:
    """`a.b.c`, `b.c`, `c`."""
    parts = name.split(".")
    return (".".join(parts[at:]) for at in range(len(parts)))


def _hint(asked: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(asked, list(dict.fromkeys(known)), n=NEAR, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "`fleetrig explain` without a word names all of them"
