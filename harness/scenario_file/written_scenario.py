"""A scenario as the text of a file, with the values of its params and its matrix in their places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.scenario_file.marks import Mark, replaced, texts
from fleetrig.harness.scenario_file.template import PLACE, SOURCES, ScenarioFile

WIDTH: Final = 100
PATH_CHARS: Final = 200
"""A longer text names no file; file systems allow 255 bytes."""
INDENT: Final = "  "
PLAIN: Final = re.compile(r"[A-Za-z][\w./-]*( [\w./-]+)*|\d+(\.\d+)?(ms|s|m|h|B|KiB|MiB|GiB|%)", re.ASCII)
"""Text that needs no quotes, unless it is one of these words."""
NO_TEXT: Final = frozenset({"null", "true", "false"})


def written_scenario(file: ScenarioFile, values: Mapping[str, Any], heading: str) -> str:
    """The file of one run; `heading` becomes a comment. What the environment gives is left to the environment.

    Files that it names are named by their whole path, since this one may lie elsewhere.
    """

    def fill(text: str, mark: Mark) -> Any:
        value = _filled(file, values, text)
        named = _named_file(file, value)
        return value if named is None else str(named.resolve())

    tree = {key: replaced(value, fill) for key, value in file.source.tree.items() if key not in SOURCES}
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    return comment + "".join(f"{line}\n" for line in yaml_lines(tree))


def names_files(file: ScenarioFile, values: Mapping[str, Any]) -> bool:
    return any(_named_file(file, _filled(file, values, text)) is not None for text, _ in texts(file.source.tree))


def _filled(file: ScenarioFile, values: Mapping[str, Any], text: str) -> Any:
    """With the values of params and matrix; what the environment gives is not known here."""
    known = {**(file.source.tree.get("params") or {}), **values}
    if (whole := PLACE.fullmatch(text)) and whole[1] in known:
        return known[whole[1]]
    return PLACE.sub(lambda place: _inner(known[place[1]]) if place[1] in known else place[0], text)


def _named_file(file: ScenarioFile, value: Any) -> Path | None:
    if not isinstance(value, str) or not value or len(value) > PATH_CHARS or not value.isprintable():
        return None
    path = file.source.path.parent / value
    return path if path.is_file() else None


def _inner(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def yaml_lines(value: Any) -> Iterator[str]:
    """Lines of a mapping or a list, each entry on one line if it is short enough."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if _fits(inner):
                yield f"{_text(key)}: {_flow(inner)}"
            else:
                yield f"{_text(key)}:"
                yield from (INDENT + line for line in yaml_lines(inner))
    else:
        for inner in value:
            lines = [_flow(inner)] if _fits(inner) and not _is_phase(inner) else list(yaml_lines(inner))
            yield from (f"{INDENT if number else '- '}{line}" for number, line in enumerate(lines))


def _is_phase(value: Any) -> bool:
    return isinstance(value, Mapping) and "name" in value and len(value) > 1


def _fits(value: Any) -> bool:
    """Scalars always do: text is never broken."""
    if not isinstance(value, Mapping | list) or not value:
        return True
    has_phases = isinstance(value, list) and any(_is_phase(one) for one in value)
    return not has_phases and len(_flow(value)) <= WIDTH


def _flow(value: Any) -> str:
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_text(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str():
            return _text(value)
        case _:
            return json.dumps(value)


def _text(text: str) -> str:
    is_plain = PLAIN.fullmatch(text) is not None and text.lower() not in NO_TEXT
    return str(text) if is_plain else json.dumps(text, ensure_ascii=False)
