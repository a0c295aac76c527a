"""`fleetrig plan`: what runs would do, step by step. Nothing is run, and no server is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Final

import typer

from fleetrig.harness.checks.evaluators import FleetSnapshot, describe
from fleetrig.harness.commands.options import Scenarios, Tags
from fleetrig.harness.platform import platform_of
from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.harness.scenario_file.fault_line import FaultLine
from fleetrig.harness.scenario_file.scenario import Phase, Scenario
from fleetrig.harness.scenario_file.selection import Expanded, plan, scenario_root
from fleetrig.harness.scenario_file.titles import flow_text
from fleetrig.harness.scenario_file.words import Check
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.units import duration_text

NAMED: Final = 3
"""So many serials are written out."""


def plan_command(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Ids, prefixes, files or folders.")] = None,
    tag: Tags = None,
    scenarios: Scenarios = None,
) -> None:
    """Shows what runs would do, step by step. Nothing is run."""
    # A run named in full may be one of many power cuts, which only a dry run in memory can list.
    points = power_cut_points if any("[" in one for one in ids or ()) else None
    for position, expanded in enumerate(plan(ids or [], scenario_root(scenarios), tag or [], points)):
        if position:
            typer.echo()
        for line in lines_of(expanded):
            typer.echo(line)


def lines_of(expanded: Expanded) -> Iterator[str]:
    """One run as a page of text, secrets masked."""
    secrets = Secrets()
    for secret in expanded.secrets:
        secrets.learn("secret", secret)
    yield expanded.name
    yield f"  {secrets.hide(expanded.scenario.title)}"
    if None in expanded.values.values():
        yield from labelled("runs", "one for each point at which power can be cut; a dry run lists them")
    for line in page(expanded.scenario):
        yield secrets.hide(line)


def page(scenario: Scenario) -> Iterator[str]:
    yield from labelled("needs", ", ".join(scenario.needs) or "nothing special")
    yield from labelled("server", f"{scenario.platform}, with these settings of the tenant in force:")
    for key, value in platform_of(scenario.platform).settings_in_force(scenario).items():
        yield from labelled("", f"  {key} = {flow_text(value)}")
    for key, value in scenario.server.properties.items():
        yield from labelled("", f"  {key} = {flow_text(value)} (start-up property)")
    yield from labelled("devices", fleet_line(scenario))
    yield from labelled("", habits_line(scenario))
    for fault in scenario.faults:
        yield from labelled("faults", fault_line(fault))
    serials = {unit.serial: "" for unit in scenario.devices.units()}
    for number, phase in enumerate(scenario.phases, 1):
        yield f"  {number}. {phase.name}"
        yield from phase_lines(
            phase, scenario.checks_of(phase), FleetSnapshot("", serials, scenario.devices.event_lane)
        )


def fleet_line(scenario: Scenario) -> str:
    """How many, who, and what they prove themselves with."""
    units = scenario.devices.units()
    first = [unit.serial for unit in islice(units, NAMED)]
    count = len(first) + sum(1 for _ in units)
    names = ", ".join(first) + (" …" if count > NAMED else "")
    listed = f" of {scenario.devices.csv.name}" if scenario.devices.csv is not None else ""
    credential = scenario.devices.credential.replace("_", " ")
    program = ", programs started by --device-command" if scenario.devices.external else ""
    return f"{count}{listed}: {names}; over {scenario.devices.over} with {credential}{program}"


def habits_line(scenario: Scenario) -> str:
    """How patient the devices are."""
    device, backoff = scenario.devices, scenario.devices.backoff
    policy = backoff.policy.replace("_", " ")
    return (
        f"backoff {policy} from {duration_text(backoff.base_s)} up to {duration_text(backoff.cap_s)}; "
        f"an answer may take {duration_text(device.timeout_s)}"
    )


def phase_lines(phase: Phase, expected: Sequence[Check], fleet: FleetSnapshot) -> Iterator[str]:
    for fault in phase.faults:
        yield from labelled("fault", fault_line(fault))
    for action in phase.do:
        yield from labelled("do", action.arguments.describe())
    if phase.within_s is not None:
        yield from labelled("wait", f"until all of this is so, {duration_text(phase.within_s)} at most")
    elif phase.for_s is not None:
        yield from labelled("watch", f"for {duration_text(phase.for_s)}")
    for check in expected:
        yield from labelled("expect", check_line(check, fleet))


def check_line(check: Check, fleet: FleetSnapshot) -> str:
    """What is expected; several lines for an order."""
    beside = f" (only a warning, {'; '.join(check.cites)})" if check.cites else " (only a warning)"
    return describe(check.arguments, fleet) + (beside if check.severity == "warning" else "")


def fault_line(fault: FaultLine) -> str:
    """As it stands in the file."""
    given = fault.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return f"{given.pop('fault')} {flow_text(given)}" if len(given) > 1 else str(fault.fault)


def labelled(label: str, text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"     {label:<8}{line}".rstrip()
        label = ""
