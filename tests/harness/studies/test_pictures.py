"""The pictures: the same study gives the same bytes, and says what it shows."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from fleetrig.harness.studies.picture_style import (
    ANSWERED,
    REJECTED,
    SLOWER,
    TITLE,
    UNANSWERED,
    house_style,
    write_picture,
)  # fmt: skip
from fleetrig.harness.studies.quiet_picture import quiet_picture
from fleetrig.harness.studies.rate_picture import rate_picture
from fleetrig.harness.studies.recommendation import best_row
from fleetrig.harness.studies.study_rows import StudyRow, study_rows
from fleetrig.harness.studies.sweep import StudyPlan
from tests.harness.studies.made import plan_of, result

pytestmark = pytest.mark.slow
PNG = b"\x89PNG"


def studied(folder: Path) -> tuple[StudyPlan, tuple[StudyRow, ...], StudyRow]:
    plan = plan_of(folder)
    results = [result(number, capacity_per_s=15.0, quiet_s=number * 60 or None) for number in range(12)]
    rows = study_rows(plan, results)
    advised = best_row(rows)
    assert advised is not None
    return plan, rows, advised


def drawn(folder: Path, into: Path) -> dict[str, bytes]:
    plan, rows, advised = studied(folder)
    into.mkdir()
    with house_style():
        rates = rate_picture(plan, rows, advised)
        assert rates is not None
        paths = (*write_picture(rates, into, "rate"), *write_picture(quiet_picture(plan, rows), into, "quiet"))
    return {path.name: path.read_bytes() for path in paths}


def test_the_same_study_gives_the_same_bytes_whatever_the_settings_of_the_user(tmp_path: Path) -> None:
    first = drawn(tmp_path, tmp_path / "one")
    with mpl.rc_context({"font.size": 30, "svg.hashsalt": "mine", "axes.facecolor": "red"}):
        second = drawn(tmp_path, tmp_path / "two")

    assert first == second
    assert set(first) == {"rate.svg", "rate.png", "quiet.svg", "quiet.png"}
    assert first["rate.png"].startswith(PNG)
    assert b"<svg" in first["quiet.svg"]


def texts(figure: object) -> str:
    return "\n".join(one.get_text() for one in figure.findobj(Text))  # type: ignore[attr-defined]


def test_the_rates_of_each_policy_have_a_panel(tmp_path: Path) -> None:
    with house_style():
        said = texts(rate_picture(*studied(tmp_path)))

    assert "✔ wait (advised)" in said
    assert "full jitter" in said
    assert "jitter 0.1   server: 1.5 times the steady rate (15 requests/s)" in said
    assert "quiet after 1 min, 0 % rejected, peak 2.0 × steady" in said


def test_the_heat_map_has_a_panel_for_each_capacity(tmp_path: Path) -> None:
    plan, rows, _ = studied(tmp_path)
    with house_style():
        said = texts(quiet_picture(plan, rows))

    assert re.findall(r"server: .*", said) == [
        "server: 1.5 times the steady rate, 15/s", "server: 2 times the steady rate, 15/s",
        "server: 4 times the steady rate, 15/s",
    ]  # fmt: skip
    assert {"never", "✔ 60s", "✔ 5m00s", "11m"} <= set(said.split("\n"))


@pytest.mark.parametrize("title", ["W" * 20 + " " + "MMMM " * 60, "which policy, and how much? " * 12])
def test_a_title_stays_within_the_picture(title: str, tmp_path: Path) -> None:
    plan, rows, _ = studied(tmp_path)
    with house_style():
        figure = quiet_picture(replace(plan, study=plan.study.model_copy(update={"title": title})), rows)
        FigureCanvasAgg(figure).draw()
    headlines = [one for one in figure.texts if one.get_fontsize() == TITLE.get_size()]

    assert [one.get_text().split() for one in headlines] == [title.split()]
    assert headlines[0].get_window_extent().x1 <= figure.bbox.x1


def test_each_panel_has_numbers_below_it_and_the_lowest_say_of_what(tmp_path: Path) -> None:
    """Also above a row that is not full, where rows would otherwise be at different distances."""
    with house_style():
        figure = rate_picture(*studied(tmp_path))
        assert figure is not None
        FigureCanvasAgg(figure).draw()
    shown = [panel for panel in figure.axes if panel.get_visible()]

    assert all(any(one.get_visible() and one.get_text() for one in panel.get_xticklabels()) for panel in shown)
    lowest = min(panel.get_position().y0 for panel in shown)
    assert {panel.get_position().y0 == lowest for panel in shown if panel.get_xlabel() == "minutes"} == {True}


def luminance(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_areas_differ_without_colour_too() -> None:
    shades = sorted(map(luminance, (ANSWERED, UNANSWERED, REJECTED)))

    assert all(light - dark > 0.08 for dark, light in pairwise(shades)), shades
    assert SLOWER == "Blues", "one hue, from light to dark"
