"""Examples for the words of the scenario language, cut out of the scenarios that `make test` runs.

make contracts        writes harness/language/examples.json
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from fleetrig.harness.language.catalogue import words_of_language
from fleetrig.harness.language.language_word import LanguageWord
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.entry import as_list
from fleetrig.harness.scenario_file.scenario import POWER_CUT_POINTS
from fleetrig.harness.scenario_file.selection_folders import ids_below
from fleetrig.harness.scenario_file.template import PLACE, ScenarioFile, read_scenario
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.harness.scenario_file.written_scenario import yaml_lines

ROOT: Final = Path(__file__).resolve().parents[1]
SCENARIOS: Final = ROOT / "scenarios"
FILE: Final = ROOT / "harness/language/examples.json"
LARGE: Final = "large"
"""Scenarios with this tag are not run by `make test`."""
PREFERRED: Final = "words/"
"""Written to be read as examples."""
OF_PROGRAMS: Final = "external/"
FIRST: Final = next(iter(PLATFORMS))
"""Words of all platforms are shown with its devices, if they are."""
SEEN: Final = ("order", "never")
"""Checks that hold others."""

HEADER: Final = 40
"""An example more costs as much as so many characters."""

Tree = Mapping[str, Any]


class Entry(NamedTuple):
    """A part of a scenario that can be shown, and the places of the words in it."""

    scenario: str
    flow: str
    is_skipped: bool
    """Our own server needs another profile than its newest for it."""
    lines: tuple[str, ...]
    places: frozenset[str]

    @property
    def cost(self) -> tuple[bool, bool, bool, bool, bool, int, str]:
        """The less, the better to be read: about our own devices, without `${…}`, written as an example, short."""
        text = "".join(self.lines)
        return (
            self.is_skipped,
            self.scenario.startswith(OF_PROGRAMS),
            "${" in text,
            self.flow != FIRST,
            not self.scenario.startswith(PREFERRED),
            self.chars,
            self.scenario,
        )

    @property
    def chars(self) -> int:
        return sum(map(len, self.lines))


def scenario_files() -> Iterator[ScenarioFile]:
    """Those that `make test` runs."""
    for scenario_id, path in ids_below(SCENARIOS).items():
        file = read_scenario(path, scenario_id, allows_outside=True)
        if LARGE not in file.heading.tags:
            yield file


def flow_of(file: ScenarioFile) -> str:
    return str((file.source.tree.get("devices") or {}).get("flow"))


def is_skipped(file: ScenarioFile) -> bool:
    """True where our own server, as it is started without options, lacks something that the file needs."""
    vocabulary = vocabulary_of(flow_of(file))
    listeners = {f"{transport}{tls}" for transport in vocabulary.transports for tls in ("", "s")}
    return not set(file.heading.needs) <= vocabulary.of_profile("") | listeners


def entries_of(file: ScenarioFile) -> Iterator[Entry]:
    """Every part of a file that shows a word."""
    places: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for tree in filled(file):
        for place, shown in places_of(tree):
            places[lines_of(shown)].add(place)
    return (Entry(file.id, flow_of(file), is_skipped(file), lines, frozenset(found)) for lines, found in places.items())


def filled(file: ScenarioFile) -> Iterator[Tree]:
    """The file with values in the places of params, once for each value of its matrix, the others being the first."""
    params = file.source.tree.get("params") or {}
    axes = {name: axis for name, axis in file.heading.matrix.items() if axis != POWER_CUT_POINTS}
    usual = {**params, **{name: axis[0] for name, axis in axes.items()}}
    yield with_values(file.source.tree, usual)
    for name, axis in axes.items():
        for value in axis[1:]:
            yield with_values(file.source.tree, {**usual, name: value})


def with_values(node: Any, values: Mapping[str, Any]) -> Any:
    match node:
        case Mapping():
            return {key: with_values(inner, values) for key, inner in node.items()}
        case list():
            return [with_values(inner, values) for inner in node]
        case str() if (found := PLACE.fullmatch(node)) and found[1] in values:
            return values[found[1]]
        case _:
            return node


def places_of(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """(place, what an example of it shows) of a whole file."""
    for key, value in tree.items():
        yield key, {key: value}
    yield from ((f"needs={word}", {"needs": tree["needs"]}) for word in tree.get("needs") or ())
    for block in ("devices", "server"):
        yield from reduced(block, tree.get(block), (block,))
    for role, board in (tree.get("boards") or {}).items():
        yield from places_below("boards", board, {"boards": {role: board}})
    for part in (tree, *(tree.get("phases") or ())):
        for fault in part.get("faults") or ():
            yield from places_below("faults", fault, {"faults": [fault]})
    for phase in tree.get("phases") or ():
        yield from places_of_phase(phase)


def reduced(place: str, block: Any, above: tuple[str, ...]) -> Iterator[tuple[str, Tree]]:
    """Each key of a block, shown with the keys above it and with nothing beside it."""
    for key, value in block.items() if isinstance(block, Mapping) else ():
        shown = value
        for name in reversed((*above, key)):
            shown = {name: shown}
        yield f"{place}.{key}", shown
        yield from reduced(f"{place}.{key}", value, (*above, key))
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield f"{place}.{key}={one}", shown
            elif isinstance(one, Mapping) and isinstance(value, list):
                yield from places_below(f"{place}.{key}", one, shown)


def places_of_phase(phase: Tree) -> Iterator[tuple[str, Tree]]:
    for key, value in phase.items():
        yield f"phases.{key}", {key: value}
    for action in as_list(phase.get("do") or []):
        yield from places_below("do", {action: None} if isinstance(action, str) else action, {"do": [action]})
    for check in phase.get("expect") or ():
        entry = {check: None} if isinstance(check, str) else check
        yield from places_below("expect", entry, {"expect": [check]})
        for word in SEEN:
            inner = entry.get(word)
            for seen in inner if isinstance(inner, list) else [inner] if inner else []:
                yield from places_below("expect", seen, {"expect": [check]})


def places_below(place: str, value: Any, shown: Tree) -> Iterator[tuple[str, Tree]]:
    """Keys with dots, words that stand as values with `=`."""
    yield place, shown
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from places_below(f"{place}.{key}", inner, shown)
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield f"{place}={one.partition('#')[0]}", shown
        elif isinstance(one, Mapping) and isinstance(value, list):
            yield from places_below(place, one, shown)


def lines_of(shown: Tree) -> tuple[str, ...]:
    """An entry of `do` or `expect` stands in a list, as a file would have it."""
    match shown:
        case {"do": [entry]} | {"expect": [entry]} if set(shown) <= {"do", "expect"}:
            lines = [entry] if isinstance(entry, str) else list(yaml_lines(entry))
            return (f"{next(iter(shown))}:", *(f"  {'  ' if at else '- '}{line}" for at, line in enumerate(lines)))
        case _:
            return tuple(yaml_lines(shown))


def entries_by_place() -> Mapping[tuple[str, str], list[Entry]]:
    """(platform, place) -> what shows it; "" for all platforms."""
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for file in scenario_files():
        for entry in entries_of(file):
            for platform in ("", flow_of(file)):
                for place in entry.places:
                    found[platform, place].append(entry)
    return found


def shown_together(word: LanguageWord, found: Mapping[tuple[str, str], list[Entry]]) -> tuple[Entry, ...]:
    """Few entries that show a word and all of its keys, as far as there are any: the simplest one first."""
    here = found.get((word.platform, next(word.places())), [])
    chosen = [min(here, key=lambda one: (one.cost[:4], one.chars, one.cost))] if here else []
    missing = set(word.places()).difference(*(one.places for one in chosen))
    while missing and (able := [one for one in here if one.places & missing]):
        best = min(able, key=lambda one: (one.cost[:4], (one.chars + HEADER) / len(one.places & missing), one.cost))
        missing -= best.places
        chosen.append(best)
    return tuple(chosen)


def examples_text() -> str:
    """What `examples.json` holds."""
    found = entries_by_place()
    shown: dict[str, dict[str, Any]] = defaultdict(dict)
    for word in words_of_language():
        if chosen := shown_together(word, found):
            shown[word.platform][next(word.places())] = [[one.scenario, *one.lines] for one in chosen]
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(examples_text(), encoding="utf-8")
