"""Each misconfiguration is named right by what the registry shows, the server agrees, and the advice works."""

from __future__ import annotations

import pytest

from tests.harness.doctor.hono.bench import HonoBench
from tests.harness.doctor.hono.conftest import Doctor
from tests.harness.doctor.hono.seeds import CERTIFICATE_ROWS, SeededDevice

pytestmark = pytest.mark.slow
PAIRS = [
    pytest.param(row, over, id=f"{row.id.replace(' ', '-')}-{over}") for row in CERTIFICATE_ROWS for over in row.over
]


@pytest.mark.parametrize(("row", "over"), PAIRS)
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
