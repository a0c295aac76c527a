"""Tables of docs/scenarios.md and of the platforms' pages, made from the models: words, sentences, examples.

make contracts        writes them anew, between the marks; what stands around them is written by hand
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fleetrig.harness.language.catalogue import words_about
from fleetrig.harness.language.examples import Example, examples_of
from fleetrig.harness.language.explanation import said_of
from fleetrig.harness.language.language_word import KeyWord, LanguageWord, Topic
from fleetrig.harness.language.model_keys import USED_EVERYWHERE
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
PAGES: Final = {"": DOCS / "scenarios.md", **{name: DOCS / f"{name}_scenarios.md" for name in PLATFORMS}}
"""Platform -> its page; "" for all platforms."""
MARK: Final = re.compile(
    r"(<!-- words (?P<what>[\w -]+): made by `make contracts` -->\n).*?(<!-- end of words -->)", re.DOTALL
)
WITH_KEYS: Final = frozenset({Topic.ACTION, Topic.CHECK})
BARE: Final = frozenset({Topic.EXCHANGE, Topic.PROGRAM_EXCHANGE, Topic.MOMENT, Topic.STEP})
"""Names that are all used in the same way: a table without a column of examples."""
LISTS: Final = ("do:", "expect:")
WRAPPED: Final = {
    Topic.DEVICES: 1,
    Topic.CREDENTIAL: 1,
    Topic.ATTRIBUTES_MODE: 1,
    Topic.BACKOFF: 2,
    Topic.POLICY: 2,
    Topic.CLIENT: 2,
    Topic.SERVER: 1,
    Topic.CAPACITY: 2,
    Topic.SETTING: 2,
}
"""Topic of a table -> in how many mappings its examples stand, which its chapter names."""
IN_A_CELL: Final = 100
"""Characters of an example; a longer one is told by the scenario in which it stands."""


def page_text(platform: str, text: str) -> str:
    """The page with all of its tables made anew."""

    def made(found: re.Match[str]) -> str:
        return found[1] + "\n".join(part_of(platform, found["what"])) + "\n" + found[3]

    return MARK.sub(made, text)


def parts_of(text: str) -> list[str]:
    """The names of a page's parts: `action`, or `check sends receives` for some words of a topic."""
    return [found["what"] for found in MARK.finditer(text)]


def words_of_part(platform: str, what: str) -> tuple[LanguageWord, ...]:
    """The words of a part, in its own order where it names them."""
    topic, *names = what.split()
    words = words_about(Topic[topic.upper().replace("-", "_")], platform)
    by_name = {word.name: word for word in words}
    return tuple(by_name[name] for name in names) or words


def part_of(platform: str, what: str) -> Iterator[str]:
    words = words_of_part(platform, what)
    topic = words[0].topic
    if topic in WITH_KEYS:
        for word in words:
            yield from chapter_of(word)
    elif topic is Topic.NEED and platform:
        yield from table_of_needs(platform, words)
    elif topic in BARE or not any(map(examples_of, words)):
        yield from ("", "| word | what it means |", "|---|---|")
        yield from (f"| `{word.name}` | {word.text} |" for word in words)
    else:
        yield from ("", "| word | what it means | for example |", "|---|---|---|")
        yield from (f"| `{word.name}` | {said(word)} | {cell_of(word)} |" for word in words)
    yield ""


def chapter_of(word: LanguageWord) -> Iterator[str]:
    """A word of `do` or `expect`: its sentence, examples with all of its keys, and what these are."""
    yield from ("", f"#### `{word.name}`", "", said(word), "", "```yaml")
    yield from shown_lines(examples_of(word))
    yield "```"
    keys = [key for key in word.keys if key.name != USED_EVERYWHERE]
    if keys:
        yield from ("", "| key | what it means |", "|---|---|")
        yield from (f"| `{key.name}` | {said(key)} |" for key in keys)


def shown_lines(examples: Sequence[Example]) -> Iterator[str]:
    """The examples in one list, under `do:` or `expect:`."""
    yield from (one.lines[0] for one in examples[:1])
    for one in examples:
        yield from one.lines[1:]


def said(word: LanguageWord | KeyWord) -> str:
    return said_of(word.form, word.text, word.default, is_required=word.is_required).replace("|", "\\|")


def cell_of(word: LanguageWord) -> str:
    for example in examples_of(word)[:1]:
        head, *entry = example.lines
        lines = [line.removeprefix("  ").removeprefix("- ") for line in entry] if head in LISTS else example.lines
        if len(lines) == 1 and len(shown := unwrapped(lines[0], WRAPPED.get(word.topic, 0))) <= IN_A_CELL:
            return f"`{shown}`".replace("|", "\\|")
        return f"in [{example.scenario}](../scenarios/{example.scenario}.yaml)"
    return ""


def unwrapped(line: str, depth: int) -> str:
    """`devices: {backoff: {base: 1s}}` without the outermost mappings, about which the table is."""
    for _ in range(depth):
        line = line.partition(": {")[2].removesuffix("}")
    return line


def table_of_needs(platform: str, words: Sequence[LanguageWord]) -> Iterator[str]:
    """With the profiles of our own server that have it."""
    vocabulary = vocabulary_of(platform)
    yield from ("", f"| word | what it means | {' | '.join(f'`{one}`' for one in vocabulary.profiles)} |")
    yield "|---|---|" + "---|" * len(vocabulary.profiles)
    for word in words:
        has = ("yes" if word.name in vocabulary.of_profile(one) else "" for one in vocabulary.profiles)
        yield f"| `{word.name}` | {word.text} | {' | '.join(has)} |".replace("|  |", "| |").replace("|  |", "| |")


if __name__ == "__main__":
    for of_platform, path in PAGES.items():
        path.write_text(page_text(of_platform, path.read_text(encoding="utf-8")), encoding="utf-8")
