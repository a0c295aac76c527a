"""Options of `simulate` that all platforms share: times, serials, lists of units, `KEY=VALUE`.

All raise UsageError for invalid values.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.threshold_words import EXPECTED, allowance
from fleetrig.harness.scenario_file.token_findings import scenario_findings
from fleetrig.harness.scenario_file.unit_list import Unit, read_units
from fleetrig.simulator.contract.bounds import DEVICES
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.units import duration_s
from fleetrig.simulator.fleet import numbered

SHOWN_CHARS: Final = 60


def seconds(text: str, option: str, *, least_s: float = 0.0) -> float:
    """The value of an option that is a time, such as `30s`."""
    try:
        value_s = duration_s(text)
    except ValueError as wrong:
        raise UsageError(f"{option}: {wrong}, got {text!r}") from None
    if value_s < least_s:
        raise UsageError(f"{option} must be at least {least_s:g} s, got {text!r}")
    return value_s


def share_of(text: str, option: str) -> float:
    """The value of an option that is a share: `20%` as 0.2."""
    a_share = f"{option}: expected a share such as 20%"
    try:
        share = allowance(text).share
    except ValueError as wrong:
        raise UsageError(a_share if str(wrong) == EXPECTED else f"{option}: {wrong}") from None
    if share is None:
        raise UsageError(a_share)
    return share


def numbered_units(template: str, count: int) -> tuple[Unit, ...]:
    """Units without tokens, named by a template such as `SIM-{n:04d}`; no two have the same name."""
    try:
        DEVICES.check(count)
        return tuple(Unit(identity.serial) for identity in numbered(template, count, ""))
    except ValueError as wrong:
        raise UsageError(f"--serial {template[:SHOWN_CHARS]!r} with --count {count}: {wrong}") from None


def listed_units(path: Path, count: int | None) -> tuple[Unit, ...]:
    """The first `count` units of a CSV file; a mistake is named as `file:line: …`."""
    try:
        units = read_units(path)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
    if count is not None and count > len(units):
        raise UsageError(f"{path.name} lists {len(units)} units, fewer than --count {count}")
    return units[:count]


def warn_if_others_can_read(path: Path) -> None:
    """Only a warning, since production lists are often shared."""
    if path.is_file() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        typer.echo(f"{path} holds secrets and can be read by others: chmod 600 {path}", err=True)


def warn_of_tokens(scenario_id: str, scenarios: Sequence[Scenario]) -> None:
    """What is weak about the tokens that a scenario's combinations name, each finding once."""
    for finding in scenario_findings(scenarios):
        typer.echo(f"warning: {scenario_id}: {finding}", err=True)


def key_values(pairs: Sequence[str], option: str) -> dict[str, str]:
    """`KEY=VALUE` each; later ones win."""
    found = {}
    for pair in pairs:
        key, mark, text = pair.partition("=")
        if not mark or not key:
            raise UsageError(f"{option} takes KEY=VALUE, got {pair!r}")
        found[key] = text
    return found
