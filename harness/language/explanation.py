"""What a word means, as lines for a terminal: its sentence, its keys, and lines of installed scenarios that show it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from fleetrig.harness.language.catalogue import words_of_language
from fleetrig.harness.language.examples import Example, examples_of
from fleetrig.harness.language.language_word import KeyWord, LanguageWord, Topic
from fleetrig.harness.language.lookup import Meaning
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.word_notes import notes_of

INDENT: Final = "  "
LEAST_WIDTH: Final = 40
MOST_EXAMPLES: Final = 4
MOST_NAMES: Final = 6


def explained(meanings: Sequence[Meaning], width: int) -> Iterator[str]:
    """All meanings of a word; the same key of many words is told once."""
    words = [one.word for one in meanings if one.key is None]
    keys = sorted(
        ((one.key, one.word) for one in meanings if one.key is not None), key=lambda pair: (pair[0].name, pair[0].text)
    )
    for number, word in enumerate(words):
        yield from ([""] if number else [])
        yield from _word(word, width)
    for number, (key, owners) in enumerate(groupby(keys, key=lambda pair: pair[0])):
        yield from ([""] if number else [])
        yield from _key(key, [owner for _, owner in owners], width)


def overview(width: int) -> Iterator[str]:
    """The names of all words, by what they are."""
    for topic in Topic:
        if topic is Topic.PROGRAM_EXCHANGE:
            continue
        yield f"{topic.value[0].upper()}{topic.value[1:]}"
        for platform in ("", *PLATFORMS):
            names = [one.name for one in words_of_language() if (one.topic, one.platform) == (topic, platform)]
            if names:
                title = f"{notes_of(platform).title}: " if platform else ""
                yield from _wrapped(title + ", ".join(names), width, INDENT)


def _word(word: LanguageWord, width: int) -> Iterator[str]:
    whose = f", {notes_of(word.platform).title}" if word.platform else ""
    yield f"{word.name}: {word.topic.value}{whose}"
    yield from _wrapped(said_of(word.form, word.text, word.default, is_required=word.is_required), width, INDENT)
    if word.keys:
        yield ""
        yield from _keys(word.keys, width)
    yield from _shown(examples_of(word))


def _key(key: KeyWord, owners: Sequence[LanguageWord], width: int) -> Iterator[str]:
    names = list(dict.fromkeys(f"`{one.name}`" for one in owners))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    yield f"{key.name}: key of {', '.join(names[:MOST_NAMES])}{more}"
    yield from _wrapped(said_of(key.form, key.text, key.default, is_required=key.is_required), width, INDENT)
    place = key.name.rpartition(".")[2]
    fitting = (one for owner in owners for one in examples_of(owner) if f"{place}:" in " ".join(one.lines))
    yield from _shown(list(fitting)[:1])


def _keys(keys: Iterable[KeyWord], width: int) -> Iterator[str]:
    """A column of names and one of sentences."""
    keys = list(keys)
    column = max(len(key.name) for key in keys) + len(INDENT)
    for key in keys:
        text = said_of(key.form, key.text, key.default, is_required=key.is_required)
        lines = textwrap.wrap(text, max(LEAST_WIDTH, width - column - len(INDENT)))
        for number, line in enumerate(lines):
            yield f"{INDENT}{'' if number else key.name:<{column}}{line}".rstrip()


def _shown(examples: Sequence[Example]) -> Iterator[str]:
    for one in examples[:MOST_EXAMPLES]:
        yield ""
        yield f"{INDENT}in {one.scenario}:"
        yield from (f"{INDENT}{INDENT}{line}" for line in one.lines)


def said_of(form: str, text: str, default: str, *, is_required: bool) -> str:
    """`time; 5s when not given. How long …`."""
    usual = ", must be given" if is_required else f"; {default} when not given" if default else ""
    head = f"{form}{usual}." if form else ""
    return " ".join(filter(None, [head, text]))


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, max(LEAST_WIDTH, width), initial_indent=indent, subsequent_indent=indent)
