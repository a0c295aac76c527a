"""Each misconfiguration is named right, its advice works, and nothing comes of being looked at."""

from __future__ import annotations

import pytest

from tests.harness.doctor.thingsboard.bench import Bench
from tests.harness.doctor.thingsboard.conftest import Doctor, Page
from tests.harness.doctor.thingsboard.seeds import FORM_ROWS, REQUEST_ROWS, WORD_ROWS, Seeded
from tests.harness.doctor.thingsboard.seeds_of_credentials import CHAIN_ROWS, LOGIN_ROWS

pytestmark = pytest.mark.slow
ROWS = (*REQUEST_ROWS, *FORM_ROWS, *WORD_ROWS, *LOGIN_ROWS, *CHAIN_ROWS)
PAIRS = [pytest.param(row, over, id=f"{row.id.replace(' ', '-')}-{over}") for row in ROWS for over in row.over]


def footprint(bench: Bench) -> list[tuple[str, object, object]]:
    """What a request could have changed."""
    return [(name, bench.state(name), bench.credentials(name)["credentialsId"]) for name in bench.names()]


@pytest.mark.parametrize(("row", "over"), PAIRS)
def test_it_is_named_and_the_advice_works(row: Seeded, over: str, bench: Bench, doctor: Doctor) -> None:
    sick = row.seed(bench)
    before = footprint(bench)

    page = doctor(bench, *sick.options, over=over)
    assert page.names == [row.name]
    assert page.code == 1
    assert sick.cause in page.one(row.name)["cause"]
    assert sick.change in page.one(row.name)["change"]
    if over == row.over[0]:
        the_device_s_own_view(row, doctor(bench, *sick.options, "--no-account", over=over))
    assert footprint(bench) == before, "the doctor left a trace"

    cured = sick.cure()
    before = footprint(bench)
    page = doctor(bench, *cured, over=over)
    assert (page.names, page.code) == ([], 0)
    assert footprint(bench) == before, "the doctor left a trace"


def the_device_s_own_view(row: Seeded, page: Page) -> None:
    """Without an account the page is less sure, and says what would tell."""
    assert page.names == [row.unseen or row.name]
    assert page.code == (3 if page.document["outcome"] == "cannot tell" else 1)
    assert any("account" in gap for gap in page.document["not_seen"])
