"""`fleetrig plan`: what runs would do, step by step. Nothing is run, and no server is contacted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import typer

from fleetrig.harness.checks.evaluators import FleetSnapshot, describe
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import AllowOutside, BenchFileGiven, Params, Scenarios, Tags, Wanted
from fleetrig.harness.commands.scenario_lookup import looked_up
from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms import FIRST
from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.harness.scenario_file.backoff_text import backoff_text
from fleetrig.harness.scenario_file.fault_line import FaultLine
from fleetrig.harness.scenario_file.given_params import read_params
from fleetrig.harness.scenario_file.scenario import Devices, Phase, Scenario
from fleetrig.harness.scenario_file.selection import Expanded, plan
from fleetrig.harness.scenario_file.titles import flow_text
from fleetrig.harness.scenario_file.vocabulary import DeviceWords
from fleetrig.harness.scenario_file.words import Check
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.units import duration_text

NAMED: Final = 3
"""Number of serials that are listed."""


@examples(
    f"fleetrig plan {FIRST}/demo",
    "fleetrig plan mine --set devices=5",
)
def plan_command(
    ids: Wanted = None,
    tag: Tags = None,
    params: Params = None,
    allow_outside: AllowOutside = False,
    bench: BenchFileGiven = None,
    scenarios: Scenarios = None,
) -> None:
    """Show what a run would do, without running it."""
    # A run named in full may be one of many power cuts, which only a dry run in memory can list.
    points = power_cut_points if any("[" in one for one in ids or ()) else None
    folders, given = looked_up(scenarios, ids or []), read_params(params)
    runs = plan(ids or [], folders, tag or [], points, allows_outside=allow_outside, params=given)
    for position, expanded in enumerate(runs):
        if position:
            typer.echo()
        for line in lines_of(expanded, bench):
            typer.echo(line)


def lines_of(expanded: Expanded, bench: Path | None = None) -> Iterator[str]:
    """One run as a page of text, secrets masked."""
    secrets = Secrets()
    for secret in expanded.secrets:
        secrets.learn("secret", secret)
    yield expanded.name
    yield f"  {secrets.hide(expanded.scenario.title)}"
    for key, value in expanded.values.items():
        if value is None:
            how = f"name one run as `{expanded.scenario.id}[{key}=…]` to see it"
            yield from labelled("runs", f"one for each point at which power can be cut; {how}")
    for line in page(expanded.scenario, bench):
        yield secrets.hide(line)


def page(scenario: Scenario, bench: Path | None = None) -> Iterator[str]:
    yield from labelled("needs", ", ".join(scenario.needs) or "nothing special")
    settings = platform_of(scenario.platform).settings_in_force(scenario)
    in_force = "with these settings of the tenant in force:" if settings else "no tenant settings"
    yield from labelled("server", f"{scenario.platform}, {in_force}")
    for key, value in settings.items():
        yield from labelled("", f"  {key} = {flow_text(value)}")
    for key, value in scenario.server.properties.items():
        yield from labelled("", f"  {key} = {flow_text(value)} (start-up property)")
    if scenario.server.capacity is not None:
        yield from labelled("", f"  capacity: {scenario.server.capacity.describe()}")
    yield from labelled("devices", fleet_line(scenario))
    if scenario.devices.cohorts:
        for name, number, block in scenario.devices.makes():
            yield from labelled("", f"{number:,} {name}: {habits_line(block)}")
    else:
        yield from labelled("", habits_line(scenario.devices))
    if scenario.boards:
        yield from labelled("boards", "\n".join(board_lines(scenario, bench)))
    for fault in scenario.faults:
        yield from labelled("faults", fault_line(fault))
    serials = dict.fromkeys(scenario.devices.serials(), "")
    for number, phase in enumerate(scenario.phases, 1):
        yield f"  {number}. {phase.name}"
        yield from phase_lines(
            phase,
            scenario.checks_of(phase),
            FleetSnapshot("", serials, scenario.event_lane, boards={role: role for role in scenario.boards}),
        )


def fleet_line(scenario: Scenario) -> str:
    """Number, serials and credential of the devices."""
    first = [unit.serial for unit in islice(scenario.devices.units(), NAMED)]
    count = scenario.devices.unit_count()
    names = ", ".join(first) + (" …" if count > NAMED else "")
    listed = f" of {scenario.devices.csv.name}" if scenario.devices.csv is not None else ""
    credential = scenario.devices.credential
    with_what = "without credentials" if credential == "none" else f"with {credential.replace('_', ' ')}"
    over = scenario.devices.over + ("s" if scenario.devices.credential in scenario.devices.certificates else "")
    noun = "device" if count == 1 else "devices"
    program = ", programs started by --device-command" if scenario.devices.external else ""
    gateways = scenario.devices.children and count // (1 + scenario.devices.children)
    behind = f", {gateways} of them gateways with {scenario.devices.children} behind each" if gateways else ""
    return f"{count} {noun}{listed}{behind}: {names}; over {over} {with_what}{program}"


def board_lines(scenario: Scenario, bench: Path | None) -> Iterator[str]:
    """What each board must be, whom it plays, and which one of the bench it is."""
    from fleetrig.harness.bench.role_matching import NoFittingBoard  # serial ports are for scenarios with boards
    from fleetrig.harness.run.board_run import desk_for, roles_on

    desk = desk_for(bench)
    try:
        found = roles_on(scenario.boards, desk)
    except NoFittingBoard as lacking:
        found = {}
        yield f"skipped: {lacking}"
    for role, board in scenario.boards.items():
        plays = f", plays {scenario.played[role]}" if role in scenario.played else ""
        yield f"{role}: {board.say()}{plays}" + (f"; here {found[role]} of {desk.title}" if role in found else "")


def habits_line(device: Devices) -> str:
    """Backoff and timeout of the devices of a block."""
    client = f" (as {device.backoff.client})" if device.backoff.client is not None else ""
    return (
        f"backoff {backoff_text(device.backoff.to_backoff())}{client}; "
        f"request timeout {duration_text(device.timeout_s)}"
    ) + "".join(f"; {said}" for said in own_fields(device))


def own_fields(device: Devices) -> Iterator[str]:
    """What is said of the devices in a platform's own words."""
    names = [name for name in type(device).model_fields if name not in Devices.model_fields]
    as_written = device.model_dump(mode="json", by_alias=True, include=set(names), exclude_none=True)
    for name in names:
        given = getattr(device, name)
        if isinstance(given, DeviceWords):
            yield f"they {given.say()}"
        elif name in as_written:
            yield f"{name} {flow_text(as_written[name])}"


def phase_lines(phase: Phase, expected: Sequence[Check], fleet: FleetSnapshot) -> Iterator[str]:
    for fault in phase.faults:
        yield from labelled("fault", fault_line(fault))
    for action in phase.do:
        yield from labelled("do", action.arguments.describe())
    if phase.within_s is not None:
        yield from labelled("wait", f"up to {duration_text(phase.within_s)} until all of these hold")
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
