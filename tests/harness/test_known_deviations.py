"""Known deviations: they do not fail a run, they are named with their reason, and they must come about."""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from fleetrig.harness.report.console import ConsoleReport
from fleetrig.harness.report.exits import Exit, exit_of
from fleetrig.harness.report.junit import junit
from fleetrig.harness.run.known_deviations import FILE, Known, Peer, known_in, peer_of
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.scenario_file.selection_folders import ids_below, scenario_folders
from fleetrig.harness.scenario_file.titles import title_of
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.command import fleetrig
from tests.harness.runs import expanded

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[2] / "scenarios"

BODY = """
    phases:
      - name: first contact
        do: [preregister, power_on]
        within: 10s
        expect:
          - reaches: {stage: online}
      - name: odd habits
        for: 3s
        expect:
          - never: {sends: {name: poll}}
          - sends: {name: poll, times: {at_least: 2}}
          - sends: {name: download}
      - name: all is well
        for: 2s
        expect: [{reaches: {stage: online}}]
"""


def peer(*deviations: dict[str, object]) -> Peer:
    return Peer.model_validate({"about": "An odd device", "deviations": deviations})


def deviation(check: str, **more: object) -> dict[str, object]:
    return {"scenario": "hawkbit/x", "check": check, "reason": f"cannot help {check}", "see": "hawkbit#V01", **more}


def judged(folder: Path, *deviations: dict[str, object]) -> Report:
    known = peer(*deviations) if deviations else None
    return asyncio.run(run(expanded(folder, BODY), RunOptions(results=folder / "results", known=known)))


def verdicts(report: Report) -> list[tuple[str, str, Verdict]]:
    return [
        (phase.name, check.title.partition(" ")[0], check.verdict) for phase in report.phases for check in phase.checks
    ]


def test_without_knowledge_it_fails_at_once(tmp_path: Path) -> None:
    report = judged(tmp_path)
    assert report.verdict is Verdict.FAILED
    assert len(report.phases) == 2


def test_what_is_known_does_not_fail_and_the_run_goes_on(tmp_path: Path) -> None:
    report = judged(tmp_path, deviation("never"), deviation("sends", phase="odd habits"))
    assert report.verdict is Verdict.KNOWN
    assert verdicts(report)[1:] == [
        ("odd habits", "never", Verdict.KNOWN),
        ("odd habits", "sends", Verdict.PASSED),
        ("odd habits", "sends", Verdict.KNOWN),
        ("all is well", "reaches", Verdict.PASSED),
    ]
    known = [check.finding for phase in report.phases for check in phase.checks if check.finding is not None]
    assert [finding.known for finding in known] == [
        "cannot help never (hawkbit#V01)",
        "cannot help sends (hawkbit#V01)",
    ]
    assert exit_of(report.verdict) == exit_of(report.verdict, strict=True) == Exit.PASSED


def test_the_whole_phase_is_watched_all_the_same(tmp_path: Path) -> None:
    """A check that cannot be mended ends a phase, but not one that is known to fail."""
    report = judged(tmp_path, deviation("never"), deviation("sends"))
    assert report.phases[1].took_s == pytest.approx(3.0, abs=0.5)


def test_what_is_not_known_fails_beside_it(tmp_path: Path) -> None:
    report = judged(tmp_path, deviation("never"))
    assert report.verdict is Verdict.FAILED
    assert ("odd habits", "sends", Verdict.FAILED) in verdicts(report)


def test_an_unexpected_pass_fails(tmp_path: Path) -> None:
    report = judged(tmp_path, deviation("never"), deviation("sends"), deviation("reaches", phase="all is well"))
    assert report.verdict is Verdict.FAILED
    (check,) = report.phases[-1].checks
    assert check.finding is not None
    assert check.finding.expected == "it fails, as is known: cannot help reaches (hawkbit#V01)"
    assert FILE in check.finding.got


def test_a_deviation_after_which_nothing_is_left_to_judge(tmp_path: Path) -> None:
    report = judged(tmp_path, deviation("never", ends_run=True), deviation("sends"))
    assert report.verdict is Verdict.KNOWN
    assert len(report.phases) == 2


def test_entries_are_for_one_run_or_for_all_values_of_a_matrix() -> None:
    both = peer(deviation("never", scenario="a/b"), deviation("sends", scenario="a/b[status=500]"))
    assert [one.check for one in known_in(both, "a/b[status=500]").deviations] == ["never", "sends"]
    assert [one.check for one in known_in(both, "a/b[status=503]").deviations] == ["never"]
    assert known_in(both, "a/c").deviations == ()
    assert known_in(None, "a/b").deviations == ()
    assert list(Known().unexpected()) == []


def test_reports_name_it_with_its_reason(tmp_path: Path) -> None:
    report = judged(tmp_path, deviation("never"), deviation("sends"))
    console = Console(width=200, record=True, force_terminal=False)
    writer = ConsoleReport(console)
    writer.show(report)
    writer.finish([report, report], {}, took_s=1.0)
    said = console.export_text()
    assert "known hawkbit/x" in said
    assert "known     cannot help never (hawkbit#V01)" in said
    assert "2 known deviations in 1.0 s" in said
    case = junit([report]).find(".//testcase")
    assert case is not None
    assert [child.tag for child in case] == ["properties", "system-out"]
    assert "cannot help never (hawkbit#V01)" in ET.tostring(case, encoding="unicode")


FILE_TEXT = """
    swupdate:
      about: A program
      deviations:
        - {scenario: hawkbit/x, check: never, reason: it cannot, see: hawkbit#V01}
"""


def write(folder: Path, text: str) -> None:
    (folder / FILE).write_text(dedent(text).lstrip(), encoding="utf-8")


def test_the_file_is_read_and_is_no_scenario(tmp_path: Path) -> None:
    expanded(tmp_path, BODY)
    write(tmp_path / "scenarios", FILE_TEXT)
    assert peer_of("swupdate", tmp_path / "scenarios").deviations[0].check == "never"
    assert list(ids_below(tmp_path / "scenarios")) == ["hawkbit/x"]


@pytest.mark.parametrize("wrong", ["hawkbit/xx", "hawkbit/xx[n=1]"])
def test_an_entry_for_a_scenario_that_is_not_there_is_a_mistake(tmp_path: Path, wrong: str) -> None:
    expanded(tmp_path, BODY)
    write(tmp_path / "scenarios", FILE_TEXT.replace("hawkbit/x,", f'"{wrong}",'))
    done = fleetrig("run", "--known", "swupdate", cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert f"speaks of {wrong}, and there is no such scenario; did you mean hawkbit/x?" in done.stderr


def test_names_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no"):
        peer_of("swupdate", tmp_path)
    write(tmp_path, FILE_TEXT)
    with pytest.raises(UsageError, match="did you mean swupdate"):
        peer_of("swupdat", tmp_path)


def test_ones_own_file_stands_beside_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expanded(tmp_path, BODY)
    shipped = peer_of("thingsboard-sdk", scenario_folders())
    write(tmp_path / "scenarios", FILE_TEXT)
    assert peer_of("swupdate", scenario_folders()).deviations[0].scenario == "hawkbit/x"
    assert peer_of("thingsboard-sdk", scenario_folders()) == shipped
    with pytest.raises(UsageError, match=r"know no such device or server; did you mean swupdate\?"):
        peer_of("swupdat", scenario_folders())


@pytest.mark.parametrize("mistake", ["reason: it cannot, ", "see: hawkbit#V01"])
def test_an_entry_without_a_reason_is_a_mistake(tmp_path: Path, mistake: str) -> None:
    write(tmp_path, FILE_TEXT.replace(mistake, ""))
    with pytest.raises(FileMistakes):
        peer_of("swupdate", tmp_path)


def test_what_stands_in_our_file_can_come_about() -> None:
    """Every entry names a run that there is, and a check word of one of its phases."""
    runs = plan([], SCENARIOS)
    for one in peer_of("swupdate", SCENARIOS).deviations:
        meant = [row for row in runs if one.scenario in (row.name, row.scenario.id)]
        assert meant, one.scenario
        for row in meant:
            checks = [
                check for phase in row.scenario.phases for check in phase.expect if one.phase in (None, phase.name)
            ]
            assert any(one.check in (check.word, title_of(check)) for check in checks), one


def test_the_command_takes_a_name(tmp_path: Path) -> None:
    expanded(tmp_path, BODY)
    write(tmp_path / "scenarios", FILE_TEXT)
    done = fleetrig("run", "hawkbit/x", "--known", "swupdate", cwd=tmp_path)
    assert done.returncode == Exit.FAILED  # the other check is not known
    assert "it cannot (hawkbit#V01)" in done.stdout
    assert "--known swupdate" in done.stdout, "the command that runs it again"
    assert fleetrig("run", "hawkbit/x", "--known", "nobody", cwd=tmp_path).returncode == Exit.WRONG_USAGE
