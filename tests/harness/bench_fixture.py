"""A bench in virtual time over a real reference server in memory, for tests of single words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from fleetrig.harness.checks.evaluators import evaluator_for
from fleetrig.harness.checks.fold import Fold, Status
from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun
from fleetrig.harness.platforms.hawkbit.work import HawkbitWork
from fleetrig.harness.run.actions import perform
from fleetrig.harness.run.context import RunContext, build_devices, seeded_tokens
from fleetrig.harness.run.phases import run_phase
from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.harness.servers.own_server import in_memory
from fleetrig.harness.verdict import Finding, Measured, PhaseResult
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import Pause

T = TypeVar("T")

MODELS = models_for("hawkbit")
FAST = {"pollingTime": "00:00:01"}
DEVICES = {"flow": "hawkbit", "count": 2, "serial": "HB-{n}", "backoff": {"policy": "fixed", "base": "1s"}}


class BenchFixture:
    """A context that is set up, and every event so far."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None, **devices: Any) -> None:
        tree = {
            "scenario": "On the bench",
            "devices": {**DEVICES, **devices},
            "server": {"settings": {**FAST, **(settings or {})}},
            "phases": [{"name": "none"}],
        }
        scenario = MODELS.scenario.model_validate(tree, context={"folder": folder, "id": "bench"})
        self.folder = folder
        self.events: list[TraceEvent] = []
        trace, secrets = Trace(), Secrets()
        trace.listen(self.events.append)
        platform = platform_of("hawkbit")
        build = platform.own_server.build({}, "1.1")
        server, handler = in_memory(platform, build, "1.1", trace, secrets, 1, lambda: self.driver.now_us())
        self.driver = VirtualBench(handler, trace, seed=1)
        self.context = RunContext(
            scenario, platform, self.driver, server, secrets, seeded_tokens(1), folder / "results"
        )
        self.run(self.context.work.setup())
        build_devices(self.context)

    @property
    def admin(self) -> Any:
        return self.context.server.admin

    @property
    def hawkbit(self) -> HawkbitRun:
        """What hawkBit's part of the run holds."""
        assert isinstance(self.context.work, HawkbitWork)
        return self.context.work.run

    def run(self, director: Director[T] | AdminCall[T]) -> T:
        return self.driver.run(director)

    def do(self, word: str, **arguments: Any) -> None:
        """One action, as a scenario file writes it."""
        action = MODELS.action.model_validate({word: arguments}, context={"folder": self.folder})
        self.run(perform(self.context, action.arguments))

    def do_plain(self, word: str, argument: Any) -> None:
        """An action whose argument is no mapping of names, such as `wait: 5s`."""
        self.run(perform(self.context, MODELS.action.model_validate({word: argument}).arguments))

    def wait(self, seconds: float) -> None:
        def pause() -> Director[None]:
            yield Pause(seconds, seconds, "test")

        self.run(pause())

    def phase(self, **tree: Any) -> PhaseResult:
        """A whole phase."""
        return self.run(run_phase(self.context, MODELS.phase.model_validate({"name": "p", **tree})))

    def ask(self, word: str, **arguments: Any) -> Finding | None:
        """A check that asks the server."""
        question = evaluator_for(self.context, MODELS.check.model_validate({word: arguments}).arguments)
        assert callable(question)
        answer = self.run(question())
        return None if isinstance(answer, Measured) else answer

    def watch(self, word: str, arguments: Any) -> Fold:
        """A check over the stream that watches from now on."""
        fold = evaluator_for(self.context, MODELS.check.model_validate({word: arguments}).arguments)
        assert not callable(fold)
        self.driver.trace.listen(fold.step)
        return fold

    def target(self, serial: str) -> Any:
        return self.run(self.admin.target(serial))

    def seen(self, kind: str, device: str = "HB-1", name: str = "", lane: Lane = Lane.DEVICE) -> list[TraceEvent]:
        return [
            event
            for event in self.events
            if event.lane is lane and event.kind == kind and event.device == device and name in ("", event.name)
        ]

    def holds_evidence(self, finding: Finding) -> bool:
        """True when everything that a finding points to really happened."""
        there = {(event.lane.value, event.seq): event for event in self.events}
        return all(there[evidence.lane, evidence.seq].kind in evidence.line.split() for evidence in finding.evidence)


MET, OPEN, VIOLATED = Status.MET, Status.OPEN, Status.VIOLATED
