"""`fleetrig policy`: how the devices of a stored trace back off, in words and as a line for scenario files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.fleets.policy_of_trace import PolicyFound, policy_of_trace
from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.titles import flow_text
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.client_policies import CLIENT_POLICIES

NO_NUMBERS: Final = frozenset({"base", "cap", "floor"})
"""What these two policies do not look at."""


@examples(
    "fleetrig policy run.jsonl",
    "fleetrig run outage/recovery --policy-from run.jsonl  # a fleet like it",
)
def policy_command(
    trace: Annotated[Path, typer.Argument(help="A stored trace in which devices were turned away.")],
) -> None:
    """Say how the devices of a stored trace back off: the policy, its numbers, and the line for a scenario file."""
    for line in lines_of(trace, policy_of_trace(trace)):
        typer.echo(line)


def lines_of(trace: Path, found: PolicyFound) -> Iterator[str]:
    yield found.say()
    yield f"in a file:  {as_line(found.backoff)}"
    if clients := ", ".join(clients_like(found.backoff)):
        yield f"the same as: {clients}"
    yield f"a fleet of them: fleetrig run ID --policy-from {trace}"


def as_line(backoff: Backoff) -> str:
    line = BackoffLine.of(backoff)
    given = line.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if backoff.policy in (Policy.NONE, Policy.IMMEDIATE):
        given = {key: value for key, value in given.items() if key not in NO_NUMBERS}
    return f"backoff: {flow_text({'policy': line.policy.value, **given})}"


def clients_like(backoff: Backoff) -> Iterator[str]:
    """Real clients that wait for as long after each failure."""
    for client, policy in CLIENT_POLICIES.items():
        if _waits(policy.backoff) == _waits(backoff):
            yield client


def _waits(backoff: Backoff) -> list[tuple[float, float]]:
    """After one failure and more, of a device whose interval is a number that no policy has."""
    return [backoff.delay(failures, interval_s=12_345.6)[:2] for failures in range(1, 12)]
