"""What `fleetrig simulate` measures and who failed: its files, against a reference server that is told to misbehave."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.load.curves import read_curves
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.running_server.server import RunningServer
from tests.harness.commands.test_simulate import TOKEN_MODE, admin_of, ask, simulate

pytestmark = pytest.mark.slow

POLLS = "* */controller/*"
QUICK = ("--spread", "0s", "--for", "3s")


class Figures:
    """One run of `simulate` against a server, and the files that it has left."""

    def __init__(self, folder: Path, server: RunningServer, *options: object) -> None:
        csv, summary = folder / "curves.csv", folder / "summary.json"
        self.done = simulate("--against", server.url, *QUICK, "--csv", csv, "--summary", summary, *options)
        assert summary.is_file(), self.done.stdout + self.done.stderr
        self.rows = read_curves(csv)
        self.summary: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))

    @property
    def poll(self) -> dict[str, Any]:
        found: dict[str, Any] = self.summary["exchanges"]["poll"]
        return found


def misbehave(server: RunningServer, **fault: object) -> None:
    """Adds a fault over the control interface."""
    body = json.dumps({"hits": POLLS, **fault}).encode()
    request = urllib.request.Request(f"{server.control}/faults", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201


def listed(folder: Path, *serials: str) -> Path:
    units = folder / "line.csv"
    units.write_text("serial,token\n" + "".join(f"{serial},token-of-{serial}\n" for serial in serials))
    units.chmod(0o600)
    return units


def test_response_times_of_each_exchange_and_a_curve_that_compare_takes(empty_server, tmp_path, capsys):
    figures = Figures(tmp_path, empty_server, "--register", "--count", 3)
    assert figures.done.returncode == Exit.PASSED, figures.done.stdout
    assert (figures.poll["count"], figures.poll["failed"]) == (3, 0)
    assert 0 < figures.poll["p50_s"] <= figures.poll["p99_s"] < 60
    assert figures.summary["exchanges"]["configData"]["count"] == 3
    assert sum(row.rate for row in figures.rows) == figures.summary["requests"]["sent"] == 6
    assert [row.at_s for row in figures.rows] == list(range(len(figures.rows)))
    curve = str(tmp_path / "curves.csv")
    assert main(["compare", curve, curve, "--within", "1%"]) == Exit.PASSED
    assert "the curves differ most in rate: by 0%" in capsys.readouterr().out


def test_answers_that_come_late_show_in_the_response_times(hawkbit_server, tmp_path):
    misbehave(hawkbit_server, fault="latency", delay="300ms")
    figures = Figures(tmp_path, hawkbit_server, "--register", "--count", 3)
    assert figures.poll["p50_s"] >= 0.29
    assert figures.summary["requests"]["corrected"]["p50_s"] >= 0.29


def test_errors_are_counted_alike_in_report_summary_and_curve_and_have_names(hawkbit_server, tmp_path):
    misbehave(hawkbit_server, fault="overload", status=500, times=4)
    figures = Figures(tmp_path, hawkbit_server, "--register", "--count", 6)
    assert sum(row.errors for row in figures.rows) == figures.summary["requests"]["errors"] == 4
    causes = figures.summary["failures"]
    assert sum(cause["times"] for cause in causes) == 4
    assert {cause["answer"] for cause in causes} == {"500"}
    assert figures.summary["own_timeouts"] == 0
    for cause in causes:
        assert f"failed: {cause['exchange']}, HTTP 500, {cause['times']} time" in figures.done.stdout
        assert all(one["device"] in figures.done.stdout for one in cause["worst"][:3])


def test_a_server_that_goes_away_and_comes_back(hawkbit_server, tmp_path):
    misbehave(hawkbit_server, fault="outage", shows_as="reset", times=2)
    figures = Figures(tmp_path, hawkbit_server, "--register", "--count", 6)
    assert "failed: poll, connection reset, 2 times: " in figures.done.stdout
    assert figures.summary["came_through"] >= 4


def test_a_server_that_resets_the_first_device_is_there_all_the_same(hawkbit_server, tmp_path):
    misbehave(hawkbit_server, fault="outage", shows_as="reset", hits="* */controller/v1/SIM-0001*", times=1)
    figures = Figures(tmp_path, hawkbit_server, "--register", "--count", 3)
    assert "failed: poll, connection reset, 1 time: SIM-0001" in figures.done.stdout
    assert figures.summary["came_through"] >= 2


def test_devices_that_jitter_wait_for_longer_by_chance(hawkbit_server_factory, tmp_path):
    every_second = {f"hawkbit.controller.{name}": "00:00:01" for name in ("minPollingTime", "pollingTime")}
    server, trace = hawkbit_server_factory(properties=every_second), tmp_path / "trace.jsonl"
    done = simulate("--against", server.url, *QUICK, "--register", "--poll-jitter", "90%", "--trace", trace)
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    events = map(json.loads, trace.read_text(encoding="utf-8").splitlines())
    waits_s = [event["took_us"] / 1e6 for event in events if event.get("reason") == "poll interval"]
    assert len(waits_s) > 3
    assert max(waits_s) - min(waits_s) > 0.1


def test_one_of_two_that_is_refused_fails_the_run_and_is_named(empty_server, tmp_path):
    admin = admin_of(empty_server)
    ask(empty_server, admin.configure({TOKEN_MODE: True}))
    ask(empty_server, admin.create_targets([{"controllerId": "good-1", "securityToken": "token-of-good-1"}]))
    figures = Figures(tmp_path, empty_server, "--tokens", listed(tmp_path, "good-1", "lost-7"))
    assert figures.done.returncode == Exit.FAILED
    assert "1 of 2 devices came through" in figures.done.stdout
    assert "never let in: 1 device (lost-7), the last answer was HTTP 401\n" in figures.done.stdout
    assert "failed: poll, HTTP 401, 1 time: lost-7 ×1 since " in figures.done.stdout
    [cause] = figures.summary["failures"]
    assert [(one["device"], one["fails_still"]) for one in cause["worst"]] == [("lost-7", True)]


def test_ids_that_no_device_can_have_are_told_with_their_lines_before_anything_starts(tmp_path, capsys):
    units = listed(tmp_path, "good-1", "plant/7", "good-2", "plant;8")
    assert main(["simulate", "hawkbit", "--against", "http://127.0.0.1:9", "--tokens", str(units)]) == Exit.WRONG_USAGE
    said = capsys.readouterr().err
    assert "line.csv:3: hawkBit's URL firewall answers 400 to every request of a device called 'plant/7'" in said
    assert "line.csv:5: " in said
    assert "good-" not in said


def test_quiet_shows_the_report_alone_and_says_why_all_were_refused(empty_server):
    done = simulate("--against", empty_server.url, "--count", 2, *QUICK, "--quiet")
    assert done.returncode == Exit.FAILED
    assert done.stdout.splitlines()[0].startswith("0:03 on http://")
    assert "give --gateway-token env:NAME" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("option", ["--csv", "--summary"])
def test_a_file_that_cannot_be_written_is_told_before_anything_starts(capsys, option):
    assert main(["simulate", "hawkbit", "--against", "http://127.0.0.1:9", option, "/nowhere/f"]) == Exit.WRONG_USAGE
    assert f"{option} /nowhere/f: /nowhere is not there: make that folder first" in capsys.readouterr().err
