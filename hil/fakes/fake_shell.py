"""Command lines as fake boards read them: commands, words, quotes, variables. As much as U-Boot's hush and a busybox
shell agree upon, no more: `;`, single and double quotes, `\\`, `$name`, `${name}`, `$?`, and `>` and `>>` at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+|\?))")


class ShellPart(NamedTuple):
    """A stretch of a word; within single quotes variables stay as they are typed."""

    text: str
    is_literal: bool


class Words(NamedTuple):
    """One command, its variables replaced. `into` is the file after `>`, `adds` tells `>>`."""

    words: list[str]
    into: str = ""
    adds: bool = False


@dataclass(slots=True)
class _Reader:
    line: str
    at: int = 0
    words: list[list[ShellPart]] = field(default_factory=list)
    is_inside: bool = False
    """Whether the last word is still being read."""

    def add(self, text: str, is_literal: bool) -> None:
        if not self.is_inside:
            self.words.append([])
            self.is_inside = True
        self.words[-1].append(ShellPart(text, is_literal))

    def quoted(self, quote: str) -> str:
        end = self.line.find(quote, self.at)
        end = len(self.line) if end < 0 else end
        text, self.at = self.line[self.at : end], end + 1
        return text


def commands(line: str) -> Iterator[list[list[ShellPart]]]:
    """The commands of a line, words in parts: variables are replaced when each is run, since `$?` changes."""
    reader = _Reader(line)
    while reader.at < len(line):
        char = line[reader.at]
        reader.at += 1
        match char:
            case "'":
                reader.add(reader.quoted("'"), True)
            case '"':
                reader.add(reader.quoted('"'), False)
            case "\\":
                reader.add(line[reader.at : reader.at + 1], True)
                reader.at += 1
            case " " | "\t":
                reader.is_inside = False
            case ";":
                yield reader.words
                reader.words, reader.is_inside = [], False
            case "#" if not reader.is_inside:
                break
            case _:
                reader.add(char, False)
    yield reader.words


def replaced(parts: list[list[ShellPart]], variables: Mapping[str, str]) -> Words:
    """A command that can be run."""

    def value(found: re.Match[str]) -> str:
        return variables.get(found.group(1) or found.group(2), "")

    words = []
    for word in parts:
        text = "".join(part.text for part in _joined(word)) if all(part.is_literal for part in word) else ""
        words.append(text or "".join(p.text if p.is_literal else VARIABLE.sub(value, p.text) for p in _joined(word)))
    if len(words) >= 2 and words[-2] in (">", ">>"):
        return Words(words[:-2], words[-1], words[-2] == ">>")
    return Words(words)


def _joined(word: list[ShellPart]) -> list[ShellPart]:
    """Neighbours of one kind as one: a variable's name comes letter by letter."""
    joined: list[ShellPart] = []
    for part in word:
        if joined and joined[-1].is_literal == part.is_literal:
            joined[-1] = ShellPart(joined[-1].text + part.text, part.is_literal)
        else:
            joined.append(part)
    return joined
