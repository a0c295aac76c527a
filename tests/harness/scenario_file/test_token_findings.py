"""Weak tokens: told with their lines by every command that reads them, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.platforms.hawkbit.simulate import units_of
from fleetrig.harness.scenario_file.selection import expand, read_all
from fleetrig.harness.scenario_file.selection_lookup import find
from fleetrig.harness.scenario_file.token_findings import lists_of, scenario_findings, token_findings
from fleetrig.harness.scenario_file.unit_list import Unit, read_units

pytestmark = pytest.mark.slow

LONG = "23a2dd8bfb964c0b548613c4584ff3a0"
UNITS = f"""serial,token
A-1,abc

A-2,abc
A-3,{LONG}
A-4,
"""
SHORT = "units.csv:2: 2 tokens have fewer than 32 characters (lines 2 and 4): whoever guesses one can pretend to be"
SHARED = "units.csv:2: one token is held by 2 units (lines 2 and 4): each of these units can pretend to be the other"
SCENARIO = """scenario: Units with weak tokens
devices: {flow: hawkbit, csv: units.csv, credential: target_token}
phases:
  - name: go
    do: [preregister: {csv: units.csv}, power_on]
    expect: [reaches: {stage: enrolled}]
    within: 60s
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "units.csv").write_text(UNITS)
    (tmp_path / "units.csv").chmod(0o600)
    (tmp_path / "weak.yaml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def units(*tokens: str | None) -> list[Unit]:
    return [Unit(f"A-{line}", token, line=line) for line, token in enumerate(tokens, 2)]


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ((LONG, LONG[::-1], None, None), []),
        (("a" * 31,), ["u.csv:2: 1 token has fewer than 32 characters (line 2): "]),
        (("ab" * 16,), []),
        (tuple(f"t{n}" for n in range(7)),
         ["u.csv:2: 7 tokens have fewer than 32 characters (lines 2, 3, 4, 5, 6 and 2 more): "]),
        ((LONG, LONG), ["u.csv:2: one token is held by 2 units (lines 2 and 3): "]),
        ((None, LONG, "b" * 32, LONG, "b" * 32, LONG),
         ["u.csv:3: one token is held by 3 units (lines 3, 5 and 7), and 1 more token is held by several: "]),
        (("abc", "abc"), ["u.csv:2: 2 tokens have fewer than 32", "u.csv:2: one token is held by 2 units"]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_list(tokens: tuple[str | None, ...], said: list[str]) -> None:
    found = token_findings(units(*tokens), "u.csv")

    assert len(found) == len(said)
    assert all(one.startswith(start) for one, start in zip(found, said, strict=True)), found


def test_check_and_run_warn_once_of_each_list(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in (["check"], ["run", "--results", str(files / "results")]):
        assert main([*verb, "weak.yaml"]) == 0
        said = capsys.readouterr()
        assert said.err.count(f"warning: weak: {SHORT}") == 1
        assert said.err.count(f"warning: weak: {SHARED}\n") == 1
        assert "abc" not in said.out + said.err


def test_a_list_that_is_only_registered_and_a_key_of_gateways_count_too(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = SCENARIO.replace("csv: units.csv, credential", "count: 1, credential")
    other += "server: {settings: {authentication.gatewaytoken.key: hush}}\n"
    (files / "weak.yaml").write_text(other)

    assert main(["check", "weak.yaml"]) == 0
    said = capsys.readouterr().err
    assert SHORT in said
    assert "warning: weak: authentication.gatewaytoken.key has fewer than 32 characters: " in said
    assert "hush" not in said


def test_simulate_warns_of_its_list(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "units.csv").write_text(UNITS.replace("A-4,\n", ""))
    units_of(None, None, None, files / "units.csv", register=False)

    said = capsys.readouterr().err
    assert f"warning: {SHORT}" in said
    assert f"warning: {SHARED}\n" in said
    assert "abc" not in said


def test_lines_are_those_of_the_file(files: Path) -> None:
    assert [unit.line for unit in read_units(files / "units.csv")] == [2, 4, 5, 6]


def test_shipped_scenarios_name_no_weak_token() -> None:
    scenarios, problems = read_all(find([], Path("scenarios")))
    assert not problems
    runs = [run.scenario for file in scenarios for run in expand(file)]
    assert any(lists_of(scenario) for scenario in runs)
    assert scenario_findings(runs) == ()


@pytest.mark.parametrize(
    ("column", "near"), [("tokn", "token"), ("Token", "token"), ("Type", "type"), ("certificat", "certificate")]
)
def test_a_column_that_is_called_nearly_like_one_of_ours_is_told(tmp_path: Path, column: str, near: str) -> None:
    (tmp_path / "u.csv").write_text(f"serial,{column},hw_revision,colour\nA-1,{LONG},1,red\n")
    (found,) = token_findings(read_units(tmp_path / "u.csv"), "u.csv")
    assert found == f"u.csv:1: the column {column!r} is an attribute, which devices report: was {near!r} meant?"
    assert LONG not in found
