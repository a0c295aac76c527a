"""Every mutant of the reference server is found by the rows that should find it, and by no accident."""

from __future__ import annotations

import pytest

from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.verdict import Verdict
from tests.harness.platforms.hawkbit.conformance.in_process import reference
from tests.harness.platforms.hawkbit.conformance.mutants import Mutant
from tests.harness.platforms.hawkbit.conformance.mutants_of_actions import MUTANTS as OF_ACTIONS
from tests.harness.platforms.hawkbit.conformance.mutants_of_devices import MUTANTS as OF_DEVICES
from tests.harness.platforms.hawkbit.conformance.mutants_of_files import MUTANTS as OF_FILES
from tests.harness.platforms.hawkbit.conformance.mutants_of_forms import MUTANTS as OF_FORMS
from tests.harness.platforms.hawkbit.conformance.mutants_of_operators import MUTANTS as OF_OPERATORS
from tests.harness.platforms.hawkbit.conformance.mutants_of_rollouts import MUTANTS as OF_ROLLOUTS
from tests.harness.platforms.hawkbit.conformance.mutants_of_targets import MUTANTS as OF_TARGETS
from tests.harness.platforms.hawkbit.conformance.row_reports import judged, needs_speed, told

pytestmark = pytest.mark.slow

MUTANTS = (*OF_TARGETS, *OF_DEVICES, *OF_FORMS, *OF_ACTIONS, *OF_FILES, *OF_ROLLOUTS, *OF_OPERATORS)
BY_NUMBER = {row.number: row for row in ROWS}
PATIENCE_S = 1.0
"""Our server has no lags of 10 s: a row that waits for what never comes need not wait long."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    until = RowClient.until
    monkeypatch.setattr(RowClient, "until", lambda self, within_s, check: until(self, min(within_s, PATIENCE_S), check))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_found_by_each_row_that_it_names(mutant: Mutant) -> None:
    with mutant.applied(), reference(properties=mutant.properties) as server:
        reports = [judged(server, BY_NUMBER[number]) for number in mutant.caught_by]
    missed = [report for report in reports if report.verdict is not Verdict.FAILED]
    if missed and all(needs_speed(report) for report in missed):
        pytest.skip(missed[0].reason)
    assert not [told(report) for report in missed]


def test_the_rows_that_find_mutants_pass_on_the_server_without_a_mistake() -> None:
    numbers = sorted({number for mutant in MUTANTS for number in mutant.caught_by})
    with reference() as server:
        reports = [judged(server, BY_NUMBER[number]) for number in numbers]
    assert not [told(one) for one in reports if one.verdict is not Verdict.PASSED and not needs_speed(one)]


def test_every_row_finds_a_mutant() -> None:
    assert BY_NUMBER.keys() == {number for mutant in MUTANTS for number in mutant.caught_by}


def test_mutants_have_names_of_their_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
    assert len(names) >= 60
