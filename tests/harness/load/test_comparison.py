"""Two curves laid on each other: how far they differ, in a table, in small plots, on a page, and as an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.load.comparison import Comparison, compare
from fleetrig.harness.load.comparison_page import comparison_page
from fleetrig.harness.load.comparison_text import comparison_lines
from fleetrig.harness.load.curves import CURVES_FILE, CurveRow, write_curves
from fleetrig.simulator.contract.errors import UsageError

NAMES = ("a", "b")


def rows(rates: Sequence[int], *, errors: int = 0, p99_s: float | None = 0.01) -> list[CurveRow]:
    row = CurveRow(0, 0, 10, errors, 0, 0.005, p99_s, 0.005, p99_s, 0.0)
    return [replace(row, at_s=number, rate=rate) for number, rate in enumerate(rates)]


def difference(found: Comparison, name: str) -> float | None:
    return next(pair.difference for pair in found.pairs if pair.measure.name == name)


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        ([10, 10], [10, 10], 0.0),
        ([10, 10], [5, 5], 0.5),
        ([20, 0, 0, 20], [20, 0, 20, 0], 1.0),
        ([4, 4, 4], [4], 0.0),  # nearly of one length
        ([4, 4, 4, 4], [4], 3 / 4),
    ],
)
def test_how_far_they_differ(first: list[int], second: list[int], differ: float) -> None:
    assert difference(compare(rows(first), rows(second)), "rate") == pytest.approx(differ)


def test_one_is_delayed_by_a_part_of_a_second_where_that_fits_better() -> None:
    found = compare(rows([10, 0, 0, 20, 0]), rows([8, 2, 0, 16, 4]))
    assert found.delay_s == 0.2
    assert difference(found, "rate") == pytest.approx(0.0, abs=1e-9)
    assert "; predicted was delayed by 0.2 s to fit" in "\n".join(comparison_lines(found, NAMES))
    assert compare(rows([8, 2, 0, 16, 4]), rows([10, 0, 0, 20, 0])).delay_s == -0.2


def test_both_begin_with_their_first_request() -> None:
    assert difference(compare(rows([0, 0, 7, 3]), rows([7, 3])), "rate") == 0.0


def test_long_runs_are_compared_in_windows_in_which_chance_evens_out() -> None:
    found = compare(rows([7, 13] * 300), rows([13, 7] * 300))
    assert found.window_s == 10
    assert difference(found, "rate") == 0.0


def test_the_sentence_names_the_measure_that_differs_most_and_no_latency() -> None:
    found = compare(rows([10, 10], errors=4), rows([10, 10], errors=1, p99_s=3.0))
    assert found.sentence() == "the curves differ most in errors: by 75% of their area (rate 0%, online 0%)"
    assert difference(found, "p99") == pytest.approx(1 - 0.01 / 3.0)


def test_a_run_without_requests_is_told() -> None:
    with pytest.raises(UsageError, match="nothing was asked in one of the two runs"):
        compare(rows([1]), rows([0, 0]))
    assert compare([], []).sentence() == "nothing was asked in either run, so there is nothing to compare"


def test_it_is_shown_in_lines() -> None:
    text = "\n".join(comparison_lines(compare(rows([8, 4, 1]), rows([8, 4, 2], p99_s=None)), NAMES))
    assert "rate             4.33 /s       4.67 /s       7%" in text
    assert "rate      predicted  █▅▂  up to 8 /s" in text
    assert "          measured   █▅▃" in text
    assert "p99                10 ms             -   (100%)" in text
    assert "measured   ···" in text, "where nothing was measured there is no bar"


class WellFormed(HTMLParser):
    """Counts tags, and notices one that is closed in the wrong place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_draws_both_and_has_the_table() -> None:
    page = comparison_page(compare(rows([8, 4, 1]), rows([4, 4, 4])), ("<a>", "b"), "Predicted & measured")
    parser = WellFormed()
    parser.feed(page)
    assert parser.open == []
    assert parser.seen.count("polyline") == 2 * parser.seen.count("svg") > 0
    assert "&lt;a&gt;" in page
    assert "Predicted &amp; measured" in page
    assert "http" not in page, "nothing is fetched"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A folder as runs leave it, and a file."""
    (tmp_path / "run.load").mkdir()
    write_curves(rows([10, 10]), tmp_path / "run.load" / CURVES_FILE)
    write_curves(rows([10, 8]), tmp_path / "other.csv")
    return str(tmp_path / "run.load"), str(tmp_path / "other.csv")


@pytest.mark.parametrize(("within", "code"), [([], 0), (["--within", "20%"], 0), (["--within", "9.9%"], 1)])
def test_the_command(files: tuple[str, str], within: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files, *within]) == code
    assert "the curves differ most in rate: by 10% of their area" in capsys.readouterr().out


def test_the_command_writes_a_page(files: tuple[str, str], tmp_path: Path) -> None:
    assert main(["compare", *files, "--html", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--within", "0.2"], "--within: expected a share such as 20%"),
        (["--within", "5"], "--within: expected a share such as 20%"),
        (["--html", "/nowhere/page.html"], "/nowhere is not there: make that folder first"),
    ],
)
def test_mistakes(
    files: tuple[str, str], words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert main(["compare", *files, *words]) == 4
    assert sentence in capsys.readouterr().err


def test_what_holds_no_curves_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert main(["compare", str(tmp_path / "x.csv"), str(tmp_path / "x.csv")]) == 4
    assert "x.csv is no curve: expected the columns at_s, rate" in capsys.readouterr().err
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 4
    assert "holds no traces; compare takes traces of runs" in capsys.readouterr().err
