"""What is weak about tokens, in one wording for every command: too short, held by two units, or in a column that is
called otherwise. No token is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from fleetrig.harness.scenario_file.action_words import Preregister
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.settings_model import Settings
from fleetrig.harness.scenario_file.unit_list import OWN_COLUMNS, Unit, read_units
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of

LEAST_CHARACTERS: Final = 32
"""What guides on provisioning ask for, and what servers make themselves: 16 random bytes in hex."""
SHOWN_LINES: Final = 5
GUESSED: Final = "whoever guesses one can pretend to be the device; `openssl rand -hex 16` makes one"
SHARED: Final = "each of these units can pretend to be the other"


def is_short(token: object) -> bool:
    """No token at all is not a short one."""
    return isinstance(token, str) and 0 < len(token) < LEAST_CHARACTERS


def short_token(whose: str) -> str:
    """The finding on a single token, such as `the gateway token`."""
    return f"{whose} has fewer than {LEAST_CHARACTERS} characters: {GUESSED}"


def token_findings(units: Sequence[Unit], name: str) -> tuple[str, ...]:
    """What is weak in a production list called `name`: one sentence for each kind, with the lines."""
    short = [unit.line for unit in units if is_short(unit.token)]
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for unit in units:
        if unit.token:
            holders[unit.token].append(unit.line)
    shared = [lines for lines in holders.values() if len(lines) > 1]
    found = []
    if short:
        has = "1 token has" if len(short) == 1 else f"{len(short)} tokens have"
        found.append(f"{name}:{short[0]}: {has} fewer than {LEAST_CHARACTERS} characters ({_lines(short)}): {GUESSED}")
    if shared:
        first, more = shared[0], len(shared) - 1
        others = f", and {more} more {'token is' if more == 1 else 'tokens are'} held by several" if more else ""
        found.append(f"{name}:{first[0]}: one token is held by {len(first)} units ({_lines(first)}){others}: {SHARED}")
    return *found, *_column_findings(units, name)


def _column_findings(units: Sequence[Unit], name: str) -> Iterator[str]:
    """Attributes that are called nearly as a column that is none: a device would report its token to everybody."""
    for column in units[0].attributes if units else ():
        if near := get_close_matches(column.lower(), OWN_COLUMNS, n=1, cutoff=0.8):
            yield f"{name}:1: the column {column!r} is an attribute, which devices report: was {near[0]!r} meant?"


def scenario_findings(scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """The same for what a scenario's combinations name, each list once: devices, what is registered beforehand, and
    tokens among the settings."""
    paths = dict.fromkeys(path for scenario in scenarios for path in lists_of(scenario))
    found = [finding for path in paths for finding in token_findings(read_units(path), path.name)]
    return *found, *dict.fromkeys(finding for scenario in scenarios for finding in _setting_findings(scenario))


def _setting_findings(scenario: Scenario) -> Iterator[str]:
    wanted = vocabulary_of(scenario.platform).token_settings
    for settings in (scenario.server.settings, *(words for words in _words(scenario) if isinstance(words, Settings))):
        yield from (short_token(key) for key in sorted(wanted) if is_short(settings.values.get(key)))


def lists_of(scenario: Scenario) -> tuple[Path, ...]:
    """Each once, in the order of the file."""
    named = [scenario.devices.csv, *(words.csv for words in _words(scenario) if isinstance(words, Preregister))]
    return tuple(dict.fromkeys(path for path in named if path is not None))


def _words(scenario: Scenario) -> Iterator[object]:
    return (action.arguments for phase in scenario.phases for action in phase.do)


def _lines(numbers: Sequence[int]) -> str:
    shown = [str(number) for number in numbers[:SHOWN_LINES]]
    if len(numbers) > SHOWN_LINES:
        return f"lines {', '.join(shown)} and {len(numbers) - SHOWN_LINES} more"
    return f"line {shown[0]}" if len(shown) == 1 else f"lines {', '.join(shown[:-1])} and {shown[-1]}"
