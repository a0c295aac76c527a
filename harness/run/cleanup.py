"""Clean-up (teardown) after a run on a shared server: removes its faults, then what the platform created or changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.run.context import RunContext
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.no_answer import NoAnswer
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.director import AdminCall

BY_HAND: Final = "clean-up was given up: delete that and put the settings back by hand"


class RunCleanup:
    """What a run still owes the server. Devices must be off. What is left is known at every moment."""

    def __init__(self, context: RunContext) -> None:
        self._url = context.server.url
        self._names = f"{context.prefix}*"
        self._steps = deque(steps(context))
        self._refused: list[str] = []
        self._no_answer = ""
        self._requests = 0

    def run(self) -> AdminCall[str]:
        """Returns what `left_behind` says then."""
        while self._steps:
            what, step = self._steps[0]
            try:
                yield from self._counted(step)
            except NoAnswer as why:
                self._no_answer = str(why)
                break
            except BrokenBench as why:
                self._refused.append(f"{what} ({why})")
            self._steps.popleft()
        return self.left_behind()

    def progress(self) -> str:
        """What is being removed and how far that is; empty at the end."""
        return f"cleaning up: {self._steps[0][0]}, {self._requests:,} requests so far" if self._steps else ""

    def _counted(self, step: AdminCall[None]) -> AdminCall[None]:
        try:
            request = next(step)
            while True:
                answer = yield request
                self._requests += 1
                request = step.send(answer)
        except StopIteration:
            return

    def left_behind(self) -> str:
        """What could not be removed or restored, or not yet, and why; empty if nothing is left."""
        if self._no_answer:
            return f"{self._names} and settings may be left behind on {self._url}: {self._no_answer}"
        sentences = [f"left behind on {self._url}: {', '.join(self._refused)}"] if self._refused else []
        if self._steps:
            names = ", ".join(what for what, _ in self._steps)
            sentences.append(f"may be left behind on {self._url}: {names}; {BY_HAND}")
        return "; ".join(sentences)


def steps(context: RunContext) -> Iterator[tuple[str, AdminCall[None]]]:
    """What to remove or restore, in words, and the way to do it. Faults first, since they may be in the way."""
    if (control := context.server.control) is not None:
        for number in context.fault_ids:
            yield f"fault {number} (DELETE {control.url}/faults/{number})", control.remove_fault(number)
        if context.fault_on_its_way is not None:
            yield f"a fault (GET {control.url}/faults)", remove_unanswered(context, control)
    yield from context.work.cleanup()


def remove_unanswered(context: RunContext, control: ControlInterface) -> AdminCall[None]:
    """Removes a fault that was asked for when the run was broken off: nobody heard its number."""
    assert context.fault_on_its_way is not None
    number = yield from control.newest_like(context.fault_on_its_way, but=context.fault_ids)
    if number is not None:
        yield from control.remove_fault(number)
