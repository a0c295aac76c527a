"""`--policy-from`: the devices of a run back off as those of a stored trace did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.given_backoff import with_backoff
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.simulator.backoff import Backoff

PolicyFrom = Annotated[
    Path | None,
    typer.Option("--policy-from", metavar="TRACE", help="Devices back off as those of this stored trace did."),
]


class PolicyGiven(NamedTuple):
    """What was found, in words and as a line of a file."""

    sentence: str
    line: BackoffLine


def policy_given(path: Path) -> PolicyGiven:
    """Raises UsageError for a trace that shows too little."""
    # NumPy is imported for those alone who ask for it.
    from fleetrig.harness.fleets.policy_of_trace import policy_of_trace

    found = policy_of_trace(path)
    return PolicyGiven(f"--policy-from: {found.say()}", BackoffLine.of(found.backoff))


def backoff_from(path: Path | None) -> Backoff:
    """For devices without a scenario; what they do by themselves where no trace is given. Says what was found.

    Raises UsageError for a trace that shows too little.
    """
    if path is None:
        return Backoff()
    from fleetrig.harness.fleets.policy_of_trace import policy_of_trace

    found = policy_of_trace(path)
    typer.echo(f"--policy-from: {found.say()}", err=True)
    return found.backoff


def with_policy_from(path: Path, runs: Sequence[Expanded]) -> tuple[str, tuple[Expanded, ...]]:
    """What was found, and the runs with it. Raises UsageError."""
    given = policy_given(path)
    return given.sentence, tuple(with_backoff(one, given.line) for one in runs)


def policy_for_order(path: Path | None) -> dict[str, Any] | None:
    """The line for another process, which may have no such file; says what was found. Raises UsageError."""
    if path is None:
        return None
    given = policy_given(path)
    typer.echo(given.sentence, err=True)
    return given.line.model_dump(mode="json", by_alias=True)
