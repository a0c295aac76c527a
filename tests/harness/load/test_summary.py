"""The figures for people and for a Prometheus."""

from __future__ import annotations

from pathlib import Path

from fleetrig.harness.load.curves import LoadCurves
from fleetrig.harness.load.openmetrics import metrics_text
from fleetrig.harness.load.progress_line import TimeLeft, progress_line, shown_s
from fleetrig.harness.load.summary import summary_lines
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.simulator.drivers.load.figures import LoadFigures

SCENARIOS = Path(__file__).parents[3] / "scenarios"


def frozen() -> LoadCurves:
    """Of 2,000 starts 400 fall into a freeze of 2 s: 20 are under way and 380 never happen."""
    figures, curves = LoadFigures(0.0), LoadCurves()
    for number in range(1_600):
        figures.started(number / 1000, number / 1000)
        figures.ended(number / 1000 + 0.005, number / 1000, number / 1000, is_error=False)
    for _ in range(20):
        figures.started(5.0, 5.0)
        figures.ended(7.0, 5.0, 5.0, is_error=False)
    for number in range(380):
        figures.dropped(7.0, 7.0 - 2.0 * number / 380)
    for number, second in figures.take_all().items():
        curves.add("the generator", number, second, online=20)
    curves.settle_all()
    return curves


def test_the_report_says_why_the_two_latencies_differ() -> None:
    curves = frozen()
    text = "\n".join(summary_lines(curves.totals, curves.rows, is_open=True))

    assert "1,620 sent, 1,620 answered, 0 errors" in text
    assert "380 starts dropped" in text
    assert "p90 is 1.0" in text
    assert "and 5.0" in text
    assert "Locust counts only what was sent" in text


def test_where_both_say_the_same_nothing_is_explained() -> None:
    figures, curves = LoadFigures(0.0), LoadCurves()
    figures.started(0.5, 0.5)
    figures.ended(0.6, 0.5, 0.5, is_error=False)
    curves.add("the generator", 0, figures.take_all()[0], online=1)
    curves.settle_all()

    assert not any(line.startswith("why") for line in summary_lines(curves.totals, curves.rows, is_open=True))


def test_a_closed_model_says_that_it_is_one() -> None:
    curves = frozen()

    assert "closed model" in "\n".join(summary_lines(curves.totals, curves.rows, is_open=False))


def test_a_line_of_progress_has_what_a_person_watches() -> None:
    row = frozen().rows[7]

    line = progress_line(row, "steady", left_s=52.4, cpu_share=0.5)
    assert "7 s  steady  0/s  20 online  0 errors/s  380 dropped/s" in line
    assert "generator 50% CPU  at most 53 s left" in line


def test_time_left_forgets_what_a_phase_did_not_need() -> None:
    (expanded,) = plan(["load/steady_polling"], SCENARIOS)
    left = TimeLeft(expanded.scenario)

    assert left.at("the fleet starts", 0) == 600 + 180
    assert left.at("the fleet starts", 9) == 600 + 180 - 9
    assert left.at("steady", 10) == 180
    assert left.at("", 200) == 0, "clean-up"


def test_times_are_shown_as_people_say_them() -> None:
    assert [shown_s(None), shown_s(0.0123), shown_s(1.5)] == ["-", "12.3 ms", "1.5 s"]


def test_metrics_are_what_a_prometheus_reads() -> None:
    lines = metrics_text(frozen(), 'load/x[a="b"]').splitlines()

    assert lines[-1] == "# EOF"
    assert 'fleetrig_load_requests_total{run="load/x[a=\\"b\\"]"} 1620' in lines
    assert any(
        line.startswith("fleetrig_load_corrected_latency_seconds{") and 'quantile="0.9"' in line for line in lines
    )
    assert all(line.startswith(("# ", "fleetrig_load_")) for line in lines)
