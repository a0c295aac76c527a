"""One load run: directs the scenario, looks every second at what was measured, judges itself, and leaves its figures.

A first stop signal ends it as if the scenario were over: devices go off, what was made on the server is removed, and
the figures so far are kept and marked. A second one gives up removing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import gevent

from fleetrig.harness.load.curves import CURVES_FILE, CurveRow, LoadCurves, write_curves
from fleetrig.harness.load.generator import LoadGenerator
from fleetrig.harness.load.health import GeneratorUse, why_generator_was_limit
from fleetrig.harness.load.openmetrics import metrics_text
from fleetrig.harness.load.order import LoadOrder, server_for
from fleetrig.harness.load.progress_line import TimeLeft, progress_line
from fleetrig.harness.run.private_files import make_private_folder
from fleetrig.harness.run.scenario_run import ScenarioRun, SkipScenario
from fleetrig.harness.run.trace_file import trace_name
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.servers.no_answer import looked_closer
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, system_said

EVERY_S: Final = 1.0
ENDING: Final = ".load"
METRICS_FILE: Final = "metrics.txt"
SUMMARY_FILE: Final = "summary.json"

Show = Callable[[CurveRow, str], None]


class LoadRun:
    """One run in the process that directs it."""

    def __init__(self, order: LoadOrder, expanded: Expanded, run: ScenarioRun, generator: LoadGenerator) -> None:
        self.curves = LoadCurves()
        self.order = order
        self._expanded = expanded
        self._run = run
        self._generator = generator
        self._time_left = TimeLeft(expanded.scenario)
        self.was_interrupted = False
        self._is_directing = False

    @property
    def folder(self) -> Path:
        """Where the figures go."""
        return Path(self.order.results) / trace_name(self._expanded.name, self.order.seed, ENDING)

    def run(self, show: Callable[[str], None]) -> Report:
        """Runs to the end, or until it is stopped. `show` gets the line of each second."""
        watching = gevent.spawn(self._watch, show)
        try:
            verdict, reason = self._directed()
        finally:
            watching.kill()
            self._generator.fetch(self.curves, is_over=True)
            self.curves.settle_all()
            self._generator.close()
        if verdict is not Verdict.SKIPPED and (
            doubts := [*filter(None, (self._generator.trouble(), self.why_limit()))]
        ):
            verdict, reason = Verdict.BROKEN, "; ".join(filter(None, [reason, *doubts]))
        return self._run.report(verdict, reason)

    def stop(self, work: Any) -> None:
        """Ends the run early, unless it is over. `work`: the greenlet that runs it."""
        if self._is_directing:
            work.kill(KeyboardInterrupt, block=False)

    def why_limit(self) -> str:
        """Why the figures say nothing about the server; empty when they do, and when nothing was sent to it."""
        if not self.curves.totals.started:
            return ""
        cpu_shares = tuple(self._generator.cpu_shares().items())
        return why_generator_was_limit(GeneratorUse(cpu_shares, self.curves.totals.waking))

    def metrics(self) -> str:
        """The figures so far, as a Prometheus reads them."""
        return metrics_text(self.curves, self._expanded.name)

    def write(self, report: Report, statistics: Callable[[Path], None]) -> None:
        """Writes what the run leaves. Raises BrokenBench when it cannot."""
        try:
            make_private_folder(self.folder)
            write_curves(self.curves.rows, self.folder / CURVES_FILE)
            (self.folder / METRICS_FILE).write_text(self.metrics(), encoding="utf-8")
            statistics(self.folder)
            about = {
                "run": report.name, "verdict": report.verdict, "reason": report.reason, "seed": report.seed,
                "target": report.target, "devices": report.devices, "took_s": round(report.took_s, 3),
                "open_model": self.order.is_open, "workers": self.order.workers, "fleetrig": report.version,
            }  # fmt: skip
            (self.folder / SUMMARY_FILE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        except OSError as wrong:
            raise BrokenBench(f"cannot write the figures to {self.folder}: {system_said(wrong)}") from None

    def _directed(self) -> tuple[Verdict | None, str]:
        """The verdict, None for that of the phases, and a reason."""
        self._is_directing = True
        try:
            server = server_for(self.order, self._expanded, self._run.options)
            if not server.is_own:
                self._generator.bench.run(server.admin.greet())
            self._run.as_load(self._generator.bench, server)
        except SkipScenario as skip:
            return Verdict.SKIPPED, str(skip)
        except FleetrigError as broken:
            return Verdict.BROKEN, looked_closer(broken)
        except KeyboardInterrupt:
            self.was_interrupted = True
            return Verdict.BROKEN, "interrupted: the figures are those until then"
        finally:
            self._is_directing = False
        return None, ""

    def _watch(self, show: Callable[[str], None]) -> None:
        while True:
            gevent.sleep(EVERY_S)
            until = self._generator.fetch(self.curves)
            cpu_share = max((shares[-1] for shares in self._generator.cpu_shares().values() if shares), default=0.0)
            for row in self.curves.settle(until):
                phase = self._run.phase
                show(progress_line(row, phase, self._time_left.at(phase, row.at_s), cpu_share))
