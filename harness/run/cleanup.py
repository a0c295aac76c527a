"""Clean-up (teardown) after a run on a shared server: removes its faults, then what the platform created or changed."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.run.context import RunContext
from fleetrig.harness.servers.http_admin import NoAnswer
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall


def clean_up(context: RunContext) -> AdminCall[str]:
    """Returns what could not be removed or restored, and why; empty if nothing is left. Devices must be off."""
    left: list[str] = []
    names = f"{context.prefix}*"
    try:
        for what, step in steps(context):
            try:
                yield from step
            except NoAnswer:
                raise
            except BrokenBench as why:
                left.append(f"{what} ({why})")
    except NoAnswer as why:
        return f"{names} and settings may be left behind on {context.server.url}: {why}"
    return f"left behind on {context.server.url}: {', '.join(left)}" if left else ""


def steps(context: RunContext) -> Iterator[tuple[str, AdminCall[None]]]:
    """What to remove or restore, in words, and the way to do it. Faults first, since they may be in the way."""
    if context.server.control is not None:
        yield from ((f"fault {number}", context.server.control.remove_fault(number)) for number in context.fault_ids)
    yield from context.work.cleanup()
