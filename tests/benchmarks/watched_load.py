"""`fleetrig load` as a process of its own, watched: what its generator uses, second by second."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from fleetrig.harness.load.curves import CURVES_FILE, CurveRow, read_curves
from tests.benchmarks.measure import cpu_s, resident_mib

GENERATOR = "fleetrig.harness.locustfile"
SERVER = "fleetrig.harness.load.server_process"
LINE = re.compile(r"\s*(\d+) s  (.+?)  ([\d,]+)/s  ([\d,]+) online")


@dataclass(frozen=True)
class Second:
    """One line of progress, and what the generator had used by then."""

    phase: str
    rate: int
    online: int
    cpu_s: float
    resident_mib: float


@dataclass
class WatchedLoad:
    """One run."""

    folder: Path
    seconds: list[Second] = field(default_factory=list)
    said: str = ""
    pids: Mapping[str, int] = field(default_factory=dict)

    def run(
        self, scenario: str, *words: str, on_second: Callable[[WatchedLoad, Second], None] = lambda run, second: None
    ) -> WatchedLoad:
        """Runs a scenario file of this text to its end."""
        path = self.folder / "scenarios" / "load" / "measured.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(scenario).lstrip(), encoding="utf-8")
        command = [sys.executable, "-m", "fleetrig.harness.entry", "load", "load/measured", *words]
        with (self.folder / "report.txt").open("w") as report:
            process = subprocess.Popen(command, cwd=self.folder, stderr=subprocess.PIPE, stdout=report, text=True)
            with process:
                assert process.stderr is not None
                for line in process.stderr:
                    if (found := LINE.match(line)) and self._note(found, process.pid):
                        on_second(self, self.seconds[-1])
        self.said = (self.folder / "report.txt").read_text()
        return self

    def rows(self) -> list[CurveRow]:
        """The curves that it left."""
        return read_curves(self.folder / "fleetrig-results" / "load" / "measured.load" / CURVES_FILE)

    def steady(self) -> list[Second]:
        """The seconds of the phase `steady`, without the first and the last."""
        return [second for second in self.seconds if second.phase == "steady"][1:-1]

    def _note(self, found: re.Match[str], command_pid: int) -> bool:
        """False when the generator has ended meanwhile."""
        self.pids = self.pids or {module: child_of(command_pid, module) for module in (GENERATOR, SERVER)}
        pid = self.pids[GENERATOR]
        rate, online = (int(found[group].replace(",", "")) for group in (3, 4))
        try:
            self.seconds.append(Second(found[2], rate, online, cpu_s(pid), resident_mib(pid)))
        except (OSError, ValueError):
            return False
        return True


def child_of(pid: int, module: str) -> int:
    """The process that a command has started for this module."""
    found = subprocess.run(["pgrep", "-P", str(pid), "-f", module], capture_output=True, text=True, check=True)
    return int(found.stdout.split()[0])
