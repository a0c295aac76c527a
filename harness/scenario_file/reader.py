"""The only home of YAML: bytes -> a tree of plain values with marks -> a model.

YAML 1.2 without anchors, aliases, tags and directives. What is too large or too deep is refused while reading, before a
value of it is made.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from fleetrig.harness.scenario_file.marks import START, Mark, MarkedList, MarkedMapping, marked_text
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source, problem_in
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.bounds import YAML_BYTES, YAML_LEVELS, YAML_VALUES
from fleetrig.simulator.contract.errors import UsageError

UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNWRITABLE: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""What escapes in quotes can make: characters that steer a terminal, NUL, and halves of characters."""
INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}|0x[0-9a-fA-F]{1,15}|0o[0-7]{1,20}")
NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")

Read = TypeVar("Read", bound=BaseModel)


def load_mapping(path: Path, model: type[Read]) -> Read:
    """Reads any YAML file into its model (a `RootModel` of a list for files that are one).

    Raises FileMistakes with every mistake, UsageError when the file cannot be read.
    """
    source = read_source(path)
    try:
        return model.model_validate(source.tree, context={"folder": path.parent})
    except ValidationError as wrong:
        raise FileMistakes(source.model_problems(wrong.errors(), model)) from None


def read_source(path: Path) -> Source:
    """Text and tree of a file. Raises as `load_mapping`."""
    try:
        with path.open("rb") as file:
            content = file.read(YAML_BYTES.most + 1)
    except OSError as wrong:
        raise UsageError(f"cannot read {path}: {why_unread(path, wrong)}") from None
    return parse(content, path)


def parse(content: bytes, path: Path) -> Source:
    """Text and tree of a file's content; `path` is only for messages."""
    text = _text(content, path)
    builder = _Builder(path, text)
    try:
        return Source(path, text, builder.document(YAML(typ="safe", pure=True).parse(text)))
    except MarkedYAMLError as wrong:
        raise FileMistakes([_syntax_problem(wrong, path, text)]) from None


def _text(content: bytes, path: Path) -> str:
    if len(content) > YAML_BYTES.most:
        _refuse(path, "", START, f"the file is too large: expected {YAML_BYTES}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        before = content[: wrong.start].decode("utf-8-sig", "replace")
        _refuse(path, "", _mark_after(before), f"the file is not UTF-8 text (byte 0x{content[wrong.start]:02x})")
    if found := UNPRINTABLE.search(text):
        mark = _mark_after(text[: found.start()])
        _refuse(path, "", mark, f"the file is not plain text (character U+{ord(found[0]):04X})")
    return text


class _Builder:
    """Makes values out of parser events, one document of them, as deep and as many as is allowed."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text
        self._problems: list[Problem] = []
        self._level = self._values = 0

    def document(self, events: Iterator[Event]) -> Any:
        tree: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                self._check_document(event, documents)
            elif isinstance(event, NodeEvent):
                tree = self._node(event, events)
        if tree is None and not self._problems:
            self._refuse(
                START,
                "the file is empty; to start from, `fleetrig new PATH` writes a scenario, "
                "`fleetrig board scan` a bench file",
            )
        if self._problems:
            raise FileMistakes(self._problems)
        return tree

    def _check_document(self, event: DocumentStartEvent, number: int) -> None:
        if number > 1:
            self._refuse(_mark(event), "a second document begins here; a file holds one")
        if event.version or event.tags:
            self._refuse(START, "directives (%YAML, %TAG) are not allowed; files are YAML 1.2")

    def _node(self, event: Event, events: Iterator[Event]) -> Any:
        self._check_node(event)
        match event:
            case ScalarEvent():
                return self._scalar(event)
            case CollectionStartEvent():
                self._level += 1
                if self._level > YAML_LEVELS.most:
                    self._refuse(_mark(event), f"nested too deep: expected {YAML_LEVELS}")
                is_mapping = isinstance(event, MappingStartEvent)
                node = self._mapping(event, events) if is_mapping else self._list(event, events)
                self._level -= 1
                return node

    def _check_node(self, event: Event) -> None:
        self._values += 1
        if self._values > YAML_VALUES.most:
            self._refuse(_mark(event), f"too many values in the file: expected {YAML_VALUES}")
        if isinstance(event, AliasEvent):
            self._refuse(_mark(event), f"aliases are not allowed (*{event.anchor}): write the value out, or use params")
        if anchor := getattr(event, "anchor", None):
            self._refuse(_mark(event), f"anchors are not allowed (&{anchor}): write the value out, or use params")
        if tag := getattr(event, "tag", None):
            self._refuse(_mark(event), f"tags are not allowed ({tag}); put text in quotes")

    def _mapping(self, start: Event, events: Iterator[Event]) -> MarkedMapping:
        mapping = MarkedMapping(_mark(start).line)
        for event in events:
            if isinstance(event, CollectionEndEvent):
                break
            key_at = _mark(event)
            if not isinstance(event, ScalarEvent):
                self._refuse(key_at, "a key must be plain text")
            self._check_node(event)
            if event.value in mapping:
                first = mapping.keys_at[event.value].line
                self._note(key_at, f"the key {event.value!r} already stands on line {first}")
            value = next(events)
            mapping.put(event.value, self._node(value, events), key_at, _mark(value))
        return mapping

    def _list(self, start: Event, events: Iterator[Event]) -> MarkedList:
        items = MarkedList(_mark(start).line)
        for event in events:
            if isinstance(event, CollectionEndEvent):
                break
            items.put(self._node(event, events), _mark(event))
        return items

    def _scalar(self, event: ScalarEvent) -> Any:
        """The core schema of YAML 1.2: null, true, false, whole numbers, numbers; everything else is text."""
        text: str = event.value
        line = _mark(event).line
        if found := UNWRITABLE.search(text):
            self._refuse(_mark(event), f"text with U+{ord(found[0]):04X}, which cannot be shown as it is")
        if event.style is not None:
            return marked_text(text, line)
        if text in {"", "~", "null", "Null", "NULL"}:
            return None
        if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
            return text.lower() == "true"
        if INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in {"0x", "0o"} else int(text)
        if NUMBER.fullmatch(text):
            number = float(text)
            if not math.isfinite(number) or ("." not in text and "e" not in text.lower()):
                self._refuse(_mark(event), "this number is too large; put it in quotes if it is meant as text")
            return number
        return marked_text(text, line)

    def _note(self, mark: Mark, sentence: str) -> None:
        self._problems.append(problem_in(self._path, self._text, mark, sentence))

    def _refuse(self, mark: Mark, sentence: str) -> NoReturn:
        self._note(mark, sentence)
        raise FileMistakes(self._problems)


def _refuse(path: Path, text: str, mark: Mark, sentence: str) -> NoReturn:
    raise FileMistakes([problem_in(path, text, mark, sentence)])


def _mark(event: Event) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _mark_after(text: str) -> Mark:
    lines = re.split(r"\r\n|\r|\n", text)
    return Mark(len(lines), len(lines[-1]) + 1)


def _syntax_problem(wrong: MarkedYAMLError, path: Path, text: str) -> Problem:
    """What the parser says, in words for people who do not know how parsers work."""
    said = str(wrong.problem)
    at = wrong.problem_mark
    match said, str(wrong.context):
        case _, ("while parsing a flow sequence" | "while parsing a flow mapping" | "while scanning a quoted scalar"):
            at, sentence = (
                wrong.context_mark,
                'this is never closed, or something in it needs a comma or quotes ("${name}")',
            )
        case "mapping values are not allowed here", _:
            sentence = "a colon where no key can stand; put text that holds ': ' in quotes, and check the indentation"
        case _, "while parsing a block mapping" | "while parsing a block collection":
            sentence = "the indentation does not fit the lines above"
        case found, _ if found.startswith("expected the node content"):
            sentence = "a value is missing here, or a bracket"
        case found, _ if "'\\t'" in found:
            sentence = "tabs cannot indent; use spaces"
        case found, _ if "that cannot start any token" in found:
            sentence = "text that begins with this character must be put in quotes"
        case _:
            sentence = f"not valid YAML: {said}"
    mark = START if at is None else Mark(at.line + 1, at.column + 1)
    return problem_in(path, text, mark, sentence)
