"""Where a device or server is known to deviate: one file beside the scenarios, with the reason for each.

    swupdate:
      about: Debian 12's swupdate 2022.12
      deviations:
        - scenario: external/hawkbit/backoff
          check: backs_off
          reason: tries again after the same delay for ever
          see: hawkbit#§7.1

A check that fails as listed does not fail the run. A listed check that passes does, so that the file stays up to date.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pydantic import Field, RootModel

from fleetrig.harness.scenario_file.reader import load_mapping
from fleetrig.harness.scenario_file.selection_folders import Folders, ScenarioFolders, folders_of
from fleetrig.harness.scenario_file.titles import title_of
from fleetrig.harness.scenario_file.values import Model, Text
from fleetrig.harness.scenario_file.words import Check
from fleetrig.harness.verdict import CheckResult, Finding, PhaseResult, Verdict
from fleetrig.simulator.contract.errors import UsageError

FILE: Final = "_known_deviations.yaml"
UNEXPECTED: Final = "known deviations"


class Deviation(Model):
    """One check, or several of one word, that do not hold."""

    scenario: Text
    """An id, or a run's whole name with the values of its matrix."""
    check: Text
    """The word of the check, or the whole check as reports show it."""
    phase: Text | None = None
    """The name of its phase; any when not given."""
    ends_run: bool = False
    """If it occurs, the later phases are not run."""
    reason: Text
    see: Text
    """Where it is documented: a section of the contract, or a link."""

    def __str__(self) -> str:
        return f"{self.reason} ({self.see})"


class Peer(Model):
    """A device or server, and all that is known of it."""

    about: Text
    deviations: tuple[Deviation, ...] = Field(min_length=1)


class Peers(RootModel[dict[str, Peer]]):
    """The whole file."""


@dataclass(slots=True)
class Known:
    """The known deviations of one run; remembers which of them occurred."""

    deviations: tuple[Deviation, ...] = ()
    _seen: set[int] = field(default_factory=set)

    def of(self, phase: str, check: Check) -> Deviation | None:
        """Returns the known deviation of this check, if any."""
        names = (check.word, title_of(check))
        return next((one for one in self.deviations if one.check in names and one.phase in (None, phase)), None)

    def result(self, phase: str, check: Check, result: CheckResult) -> CheckResult:
        """Returns the result as KNOWN if the failure is a known deviation."""
        deviation = self.of(phase, check)
        if deviation is None or result.finding is None:
            return result
        self._seen.add(self.deviations.index(deviation))
        found = result.finding
        finding = replace(found, known=str(deviation))
        return CheckResult(result.title, Verdict.KNOWN, finding, result.line)

    def ends_run(self, phase: PhaseResult) -> bool:
        """True if a deviation that occurred in this phase ends the run (`ends_run`)."""
        known = {check.finding.known for check in phase.checks if check.finding is not None}
        return any(one.ends_run and str(one) in known for one in self.deviations)

    def unexpected(self) -> Iterator[PhaseResult]:
        """After the last phase: deviations that did not occur fail the run."""
        passed = [one for number, one in enumerate(self.deviations) if number not in self._seen]
        if passed:
            yield PhaseResult(UNEXPECTED, tuple(map(_unexpected, passed)), 0.0)


def _unexpected(deviation: Deviation) -> CheckResult:
    expected = f"it fails, as is known: {deviation}"
    got = f"it passed: take the entry of {deviation.scenario} out of {FILE}"
    return CheckResult(deviation.check, Verdict.FAILED, Finding(expected, got))


def peer_of(name: str, folders: Folders) -> Peer:
    """What is known of a peer, from the files beside the scenarios: one's own first.

    Raises UsageError for a name that no file knows, and for a scenario that is not there: nobody would ever see that
    such a deviation is gone.
    """
    folders = folders_of(folders)
    files = [path for folder in folders if (path := folder / FILE).is_file()]
    if not files:
        raise UsageError(f"--known {name}: there is no {next(iter(folders)) / FILE}")
    known: dict[str, tuple[Path, Peer]] = {}
    for path in files:
        known = {peer: (path, about) for peer, about in load_mapping(path, Peers).root.items()} | known
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
        where = " and ".join(map(str, files))
        raise UsageError(f"--known {name}: {where} {'know' if files[1:] else 'knows'} no such device or server; {hint}")
    path, peer = known[name]
    _check_scenarios(name, path, peer, folders)
    return peer


def _check_scenarios(name: str, path: Path, peer: Peer, folders: ScenarioFolders) -> None:
    there = folders.known()
    for one in peer.deviations:
        if (wanted := one.scenario.partition("[")[0]) not in there:
            near = difflib.get_close_matches(wanted, there, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"--known {name}: {path} speaks of {one.scenario}, and there is no such scenario{hint}")


def known_in(peer: Peer | None, run: str) -> Known:
    """What is known of one run: entries under its id count for all values of its matrix."""
    if peer is None:
        return Known()
    names = (run, run.partition("[")[0])
    return Known(tuple(one for one in peer.deviations if one.scenario in names))
