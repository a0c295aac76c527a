"""`fleetrig compare` over traces of real runs, of servers, and JUnit files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetrig.harness.cli import main

SCENARIO = """
scenario: Devices poll, and their server answers
devices: {flow: hawkbit, count: 3, serial: "gw-{n}"}
server: {settings: {pollingTime: "00:00:30"}}
phases:
  - name: first contact
    do: [preregister, power_on]
    within: 10s
    expect: [reaches: {stage: online}]
  - name: later
    for: 2m
    expect: [sends: {name: poll, times: {at_least: 2}}]
"""
REFUSES = ("    for: 2m", "    faults: [{fault: overload, status: 429, for: 1m}]\n    for: 2m")
SLEEPY = ("00:00:30", "00:05:00")


def trace(folder: Path, name: str, change: tuple[str, str] = ("", "")) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(SCENARIO.replace(*change))
    path = folder / f"{name}.trace.jsonl"
    assert main(["run", str(file), "--trace", str(path), "--results", str(folder / "r")]) in (0, 1)
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["compare", *map(str, words)])
    return code, capsys.readouterr().out


def test_a_run_is_like_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = trace(tmp_path, "a")
    assert said(capsys, path, path, "--within", "0%") == (0, f"A  {path}\nB  {path}\n\na: alike\n\nno difference\n")


def test_a_server_that_refuses_is_told_with_the_place_in_both_traces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = trace(tmp_path, "a")
    second = trace(tmp_path, "b", REFUSES)
    code, text = said(capsys, first, second)
    assert code == 1
    line = next(line for line in text.splitlines() if "→ 429" in line)
    assert "poll GET /DEFAULT/controller/v1/{device} → 429" in line
    assert "and 2 more" in line
    number = int(re.findall(r"B line (\d+)", line)[0])
    assert '"sent"' in second.read_text().splitlines()[number - 1]


def test_a_verdict_that_changed_comes_with_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = trace(tmp_path, "a"), trace(tmp_path, "b", SLEEPY)
    code, text = said(capsys, first, second, "--html", tmp_path / "page.html")
    assert code == 1
    assert "~ later: sends {name: poll, times: {at_least: 2}}  holds → does not hold  (expected" in text
    page = (tmp_path / "page.html").read_text()
    assert "does not hold" in page
    assert "http" not in page.replace("http-equiv", ""), "nothing is fetched"


def test_folders_are_compared_run_by_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        trace(tmp_path / name, "a")
    trace(tmp_path / "two", "b")
    code, text = said(capsys, tmp_path / "one", tmp_path / "two")
    assert code == 1
    assert "b: only in B" in text
    assert "2 runs: 1 alike, 0 differ, 1 on one side only" in text


JUNIT = "<testsuites><testsuite>{}</testsuite></testsuites>"
ROW = '<testcase classname="conform.hawkbit" name="{}" time="{}">{}</testcase>'


def test_two_servers_by_their_conformance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = tmp_path / "ours.xml", tmp_path / "theirs.xml"
    ours.write_text(JUNIT.format(ROW.format("S1", "0.1", "") + ROW.format("S2", "1", "") + ROW.format("S3", "0", "")))
    failed = '<failure message="expected 200, got 401">more</failure>'
    theirs.write_text(
        JUNIT.format(ROW.format("S1", "0.1", failed) + ROW.format("S2", "3", "<skipped/>") + ROW.format("S4", "x", ""))
    )
    code, text = said(capsys, ours, theirs)
    assert code == 1
    for line in (
        "~ conform.hawkbit: S1  passed → failed  (expected 200, got 401)",
        "~ conform.hawkbit: S2  passed → skipped",
        "- conform.hawkbit: S3  passed",
        "+ conform.hawkbit: S4  passed",
        "conform.hawkbit: S2  took 1 s → 3 s",
    ):
        assert line in text


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"a.xml": "<a>"}, "a.xml is no XML"),
        ({"a.xml": "<html/>"}, "a.xml is no JUnit file: it begins with <html>"),
        ({"a.jsonl": "x\n"}, "a.jsonl is no trace"),
        ({"a/x.txt": ""}, "a holds no traces; compare takes traces of runs"),
        ({}, "there is no such file"),
        ({"a.csv": "at_s"}, "a.csv is no curve"),
    ],
)
def test_mistakes_are_sentences(
    tmp_path: Path, files: dict[str, str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b.jsonl").write_text('{"at_us":1,"seq":1,"lane":"bench","kind":"begun"}\n')
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    first = tmp_path / next(iter(files), "none.jsonl").split("/")[0]
    assert main(["compare", str(first), str(tmp_path / "b.jsonl")]) == 4
    assert sentence in capsys.readouterr().err


def test_two_different_runs_are_both_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = trace(tmp_path, "one"), trace(tmp_path, "two")
    _, text = said(capsys, one, two, "--html", tmp_path / "d.html")
    assert re.search(r"one\S* in A, \S*two\S* in B: ", text)
    assert re.search(r"<h2>\S*one\S* in A, \S*two\S* in B</h2>", (tmp_path / "d.html").read_text())
    _, text = said(capsys, one, one)
    assert " in A, " not in text
