"""Every mutant of the reference server is found by the rows that should find it, and by no accident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from fleetrig.harness.conformance.exact_coap import CoapAnswer, ExactCoap
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.mqtt_bytes import Heard
from fleetrig.harness.conformance.run_rows import run_row
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.harness.verdict import Report, Severity, Verdict
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from tests.harness.platforms.thingsboard.conformance.in_process import reference
from tests.harness.platforms.thingsboard.conformance.mutants import Mutant
from tests.harness.platforms.thingsboard.conformance.mutants_of_chains import MUTANTS as OF_CHAINS
from tests.harness.platforms.thingsboard.conformance.mutants_of_creating import MUTANTS as OF_CREATING
from tests.harness.platforms.thingsboard.conformance.mutants_of_credentials import MUTANTS as OF_CREDENTIALS
from tests.harness.platforms.thingsboard.conformance.mutants_of_http_and_coap import MUTANTS as OF_HTTP_AND_COAP
from tests.harness.platforms.thingsboard.conformance.mutants_of_malformed import MUTANTS as OF_MALFORMED
from tests.harness.platforms.thingsboard.conformance.mutants_of_operators import MUTANTS as OF_OPERATORS
from tests.harness.platforms.thingsboard.conformance.mutants_of_replies import MUTANTS as OF_REPLIES
from tests.harness.platforms.thingsboard.conformance.mutants_of_session_ends import MUTANTS as OF_SESSION_ENDS
from tests.harness.platforms.thingsboard.conformance.mutants_of_sessions import MUTANTS as OF_SESSIONS
from tests.harness.platforms.thingsboard.conformance.mutants_of_tenants import MUTANTS as OF_TENANTS
from tests.harness.platforms.thingsboard.conformance.mutants_of_transports import MUTANTS as OF_TRANSPORTS

pytestmark = pytest.mark.slow

MUTANTS = (
    *OF_CREATING, *OF_REPLIES, *OF_CREDENTIALS, *OF_MALFORMED,
    *OF_SESSIONS, *OF_SESSION_ENDS, *OF_HTTP_AND_COAP, *OF_CHAINS, *OF_OPERATORS, *OF_TENANTS, *OF_TRANSPORTS,
)  # fmt: skip
BLANK = Report(name="conform/thingsboard", title="", verdict=Verdict.PASSED)
BY_NUMBER = {row.number: row for row in ROWS}
PATIENCE_S = 0.25
"""For what never comes, and for what a real server would do a little later."""
SLOW = "S98"
"""Waits 10 s of real time, and passes in a test of its own."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    until = RowClient.until
    monkeypatch.setattr(RowClient, "until", lambda self, check: until(self, check, PATIENCE_S))


@contextmanager
def clients_for(mutant: Mutant) -> Iterator[None]:
    """Clients that give up soon, if silence is the mistake: a busy machine may be slow otherwise."""
    hear, exchange = ExactMqtt.hear, ExactCoap.exchange

    def heard_soon(self: ExactMqtt, within_s: float | None = None) -> Heard:
        return hear(self, PATIENCE_S)

    def answered_soon(self: ExactCoap, request: bytes) -> CoapAnswer:
        self.within_s = PATIENCE_S
        return exchange(self, request)

    with pytest.MonkeyPatch.context() as patch:
        if mutant.is_silence:
            patch.setattr(ExactMqtt, "hear", heard_soon)
            patch.setattr(ExactCoap, "exchange", answered_soon)
        yield


def judged(server: ServerUnderTest, numbers: Sequence[str]) -> dict[str, Report]:
    return {number: run_row(BY_NUMBER[number], partial(open_client, server), server.can, BLANK) for number in numbers}


def told(reports: dict[str, Report], wanted: Any) -> list[str]:
    """Reports with another verdict than `wanted(number)`, in words."""
    odd = [report for number, report in reports.items() if report.verdict is not wanted(number)]
    return [f"{report.name}: {report.verdict} {report.reason} {report.phases}" for report in odd]


def found(number: str) -> Verdict:
    return Verdict.WARNED if BY_NUMBER[number].severity is Severity.WARNING else Verdict.FAILED


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_found_by_each_row_that_it_names_and_spares_others(mutant: Mutant) -> None:
    with mutant.applied(), reference(mutant.settings) as server:
        spared = judged(server, mutant.spares)
        with clients_for(mutant):
            caught = judged(server, mutant.caught_by)
    assert not told(caught, found) + told(spared, lambda _: Verdict.PASSED)


@pytest.mark.parametrize("profile", sorted({mutant.settings.profile for mutant in MUTANTS}))
def test_the_rows_that_find_mutants_pass_on_the_server_without_a_mistake(profile: Profile) -> None:
    of_profile = [mutant for mutant in MUTANTS if mutant.settings.profile is profile]
    with reference(Settings(profile=profile)) as server:
        reports = judged(server, sorted({number for mutant in of_profile for number in mutant.caught_by} - {SLOW}))
    assert not told(reports, lambda _: Verdict.PASSED)


def test_every_row_finds_a_mutant() -> None:
    assert BY_NUMBER.keys() == {number for mutant in MUTANTS for number in mutant.caught_by}


def test_mutants_have_names_of_their_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
    assert len(names) >= 150
