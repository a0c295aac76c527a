"""Every mutant of the reference server is found by the rows that should find it, and by no accident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pytest

from fleetrig.harness.conformance.exact_coap import CoapAnswer, ExactCoap
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.mqtt_bytes import Heard
from fleetrig.harness.conformance.run_rows import run_row
from fleetrig.harness.platforms.hono.conformance.row_client import open_client
from fleetrig.harness.platforms.hono.conformance.suite import ROWS
from fleetrig.harness.platforms.hono.conformance.under_test import ServerUnderTest
from fleetrig.harness.verdict import Report, Verdict
from tests.harness.platforms.hono.conformance.in_process import reference
from tests.harness.platforms.hono.conformance.mutants import Mutant
from tests.harness.platforms.hono.conformance.mutants_of_adapters import MUTANTS as OF_ADAPTERS
from tests.harness.platforms.hono.conformance.mutants_of_certificates import MUTANTS as OF_CERTIFICATES
from tests.harness.platforms.hono.conformance.mutants_of_devices import MUTANTS as OF_DEVICES
from tests.harness.platforms.hono.conformance.mutants_of_tenants import MUTANTS as OF_TENANTS

pytestmark = pytest.mark.slow

MUTANTS = (*OF_TENANTS, *OF_DEVICES, *OF_CERTIFICATES, *OF_ADAPTERS)
BLANK = Report(name="conform/hono", title="", verdict=Verdict.PASSED)
BY_NUMBER = {row.number: row for row in ROWS}
PATIENCE_S = 0.3
"""For what never comes."""


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


def told(reports: dict[str, Report], wanted: Verdict) -> list[str]:
    """Reports with another verdict, in words."""
    odd = [report for report in reports.values() if report.verdict is not wanted]
    return [f"{report.name}: {report.verdict} {report.reason} {report.phases}" for report in odd]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_found_by_each_row_that_it_names_and_spares_others(mutant: Mutant) -> None:
    with mutant.applied(), reference(mutant.settings) as server:
        spared = judged(server, mutant.spares)
        with clients_for(mutant):
            caught = judged(server, mutant.caught_by)
    assert not told(caught, Verdict.FAILED) + told(spared, Verdict.PASSED)


def test_every_row_finds_a_mutant() -> None:
    """Without a mistake all pass: test_suite.py."""
    assert BY_NUMBER.keys() == {number for mutant in MUTANTS for number in mutant.caught_by}


def test_mutants_have_names_of_their_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
    assert len(names) >= 100
