"""Every mutant of the reference server is found by the rows that should find it, and by no accident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.mqtt_bytes import Heard
from fleetrig.harness.conformance.run_rows import run_row
from fleetrig.harness.platforms.kura.conformance.control_requests import HeldCall
from fleetrig.harness.platforms.kura.conformance.row_client import open_client
from fleetrig.harness.platforms.kura.conformance.suite import ROWS
from fleetrig.harness.platforms.kura.conformance.under_test import ServerUnderTest
from fleetrig.harness.verdict import Report, Severity, Verdict
from tests.harness.platforms.kura.conformance.in_process import reference
from tests.harness.platforms.kura.conformance.mutants import Mutant
from tests.harness.platforms.kura.conformance.mutants_of_brokers import MUTANTS as OF_BROKERS
from tests.harness.platforms.kura.conformance.mutants_of_dialogues import MUTANTS as OF_DIALOGUES
from tests.harness.platforms.kura.conformance.mutants_of_jobs import MUTANTS as OF_JOBS
from tests.harness.platforms.kura.conformance.mutants_of_management import MUTANTS as OF_MANAGEMENT
from tests.harness.platforms.kura.conformance.mutants_of_operators import MUTANTS as OF_OPERATORS

pytestmark = pytest.mark.slow

MUTANTS = (*OF_DIALOGUES, *OF_JOBS, *OF_BROKERS, *OF_MANAGEMENT, *OF_OPERATORS)
BLANK = Report(name="conform/kura", title="", verdict=Verdict.PASSED)
BY_NUMBER = {row.number: row for row in ROWS}
PATIENCE_S = 0.2
"""For what never comes."""


@contextmanager
def clients_for(mutant: Mutant) -> Iterator[None]:
    """Clients that give up soon, if silence is the mistake: a busy machine may be slow otherwise."""
    hear = ExactMqtt.hear

    def heard_soon(self: ExactMqtt, within_s: float | None = None) -> Heard:
        return hear(self, PATIENCE_S)

    with pytest.MonkeyPatch.context() as patch:
        if mutant.is_silence:
            patch.setattr(ExactMqtt, "hear", heard_soon)
            patch.setattr(HeldCall, "within_s", PATIENCE_S)
        yield


def judged(server: ServerUnderTest, numbers: Sequence[str]) -> dict[str, Report]:
    return {number: run_row(BY_NUMBER[number], partial(open_client, server), server.can, BLANK) for number in numbers}


def told(reports: dict[str, Report], wanted: Sequence[Verdict]) -> list[str]:
    """Reports with another verdict, in words."""
    odd = [report for report in reports.values() if report.verdict not in wanted]
    return [f"{report.name}: {report.verdict} {report.reason} {report.phases}" for report in odd]


def is_found(number: str) -> Verdict:
    return Verdict.WARNED if BY_NUMBER[number].severity is Severity.WARNING else Verdict.FAILED


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_found_by_each_row_that_it_names_and_spares_others(mutant: Mutant, tmp_path: Path) -> None:
    folder = tmp_path if "S40" in mutant.caught_by else None
    with mutant.applied(), reference(mutant.settings, folder, has_bug=mutant.is_bug) as server:
        spared = judged(server, mutant.spares)
        with clients_for(mutant):
            caught = judged(server, mutant.caught_by)
    odd = [line for number, one in caught.items() for line in told({number: one}, [is_found(number)])]
    assert not odd + told(spared, [Verdict.PASSED])


def test_every_row_finds_a_mutant() -> None:
    """Without a mistake all pass: test_suite.py."""
    assert BY_NUMBER.keys() - {number for mutant in MUTANTS for number in mutant.caught_by} == set()


def test_mutants_have_names_of_their_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
    assert len(names) >= 180
