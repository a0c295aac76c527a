"""Each misconfiguration is named right by what the registry shows, the server agrees, and the advice works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.harness.doctor.hono.bench import HonoBench
from tests.harness.doctor.hono.conftest import Doctor
from tests.harness.doctor.hono.seeds import CERTIFICATE_ROWS, SeededDevice
from tests.harness.doctor.hono.seeds_of_logins import LOGIN_ROWS

pytestmark = pytest.mark.slow


def pairs(rows: Sequence[SeededDevice]) -> list[Any]:
    """Each row on one of its transports, in turn."""
    chosen = [(row, row.over[at % len(row.over)]) for at, row in enumerate(rows)]
    return [pytest.param(row, over, id=f"{row.id.replace(' ', '-')}-{over}") for row, over in chosen]


@pytest.mark.parametrize(("row", "over"), pairs(CERTIFICATE_ROWS))
def test_it_is_named_and_the_advice_works(row: SeededDevice, over: str, bench: HonoBench, doctor: Doctor) -> None:
    sick = row.seed(bench)
    before = bench.footprint()

    page = doctor(bench, *sick.options, over=over)
    assert (page.names, page.code) == ([row.name], 1)
    assert sick.cause in page.one(row.name)["cause"]
    assert sick.change in page.one(row.name)["change"]
    assert bench.footprint() == before, "the doctor left a trace"

    asked = doctor(bench, *sick.options, "--first-contact", over=over)
    assert (asked.names, asked.code) == ([row.name], 1), "the server says something else"
    assert bench.footprint() == before

    cured = sick.cure()
    before = bench.footprint()
    page = doctor(bench, *cured, over=over)
    assert (page.names, page.code) == ([], 0)
    assert bench.footprint() == before, "the doctor left a trace"
    asked = doctor(bench, *cured, "--first-contact", over=over)
    assert (asked.names, asked.code, asked.document["asked"] != "nothing as the device") == ([], 0, True)


@pytest.mark.parametrize(("row", "over"), pairs(LOGIN_ROWS))
def test_a_login_is_named_and_the_advice_works(row: SeededDevice, over: str, bench: HonoBench, doctor: Doctor) -> None:
    """Passwords and keys are tried at once: that makes nothing. Over DTLS a refusal is silence, however long."""
    sick = row.seed(bench)
    before = bench.footprint()

    page = doctor(bench, *sick.options, *(("--within", "1") if over == "coaps" else ()), over=over)
    assert bench.footprint() == before, "the doctor left a trace"
    assert (page.names, page.code) == ([row.name], 1)
    assert page.document["asked"] != "nothing as the device"
    assert sick.cause in page.one(row.name)["cause"]
    assert sick.change in page.one(row.name)["change"]
    if row.name != "secret-differs":
        unasked = doctor(bench, *sick.options[:2], *sick.options[4:], over=over)
        assert (unasked.names, unasked.code) == ([row.name], 1), "what the registry shows is not enough"

    page = doctor(bench, *sick.cure(), over=over)
    assert (page.names, page.code) == ([], 0)
