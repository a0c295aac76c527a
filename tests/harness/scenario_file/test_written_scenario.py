"""A written scenario is the one that it was written from: every scenario that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.reader import parse
from fleetrig.harness.scenario_file.reducible import with_sizes
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.selection_folders import ids_below
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.harness.scenario_file.written_scenario import names_files, written_scenario
from tests.harness.runs import PASSES, write_scenario

SCENARIOS = Path(__file__).parents[3] / "scenarios"
ENVIRON = {"SECRET": "abc-secret-1"}


@pytest.mark.parametrize("topic", sorted({scenario_id.partition("/")[0] for scenario_id in ids_below(SCENARIOS)}))
def test_what_is_written_says_the_same(topic: str, tmp_path: Path) -> None:
    for scenario_id, path in ids_below(SCENARIOS).items():
        if scenario_id.partition("/")[0] != topic:
            continue
        file = read_scenario(path, scenario_id)
        first = expand(file)[0]
        written = tmp_path / "written.yaml"
        written.write_text(written_scenario(file, first.values, "as it was"), encoding="utf-8")
        again = read_scenario(written, scenario_id, allows_outside=True).fill({})
        wanted = first.scenario
        assert again.model_dump(exclude={"params", "matrix"}) == wanted.model_dump(exclude={"params", "matrix"}), path


def test_what_the_environment_gives_stays_there(tmp_path: Path) -> None:
    head = """
        scenario: "It's a «test»: 100 %"
        params: {token: "${env:SECRET}"}
        devices: {flow: hawkbit, attributes: {token: "${token}", mixed: "x ${env:SECRET} # y", no: "true", n: "7"}}
        server: {settings: {pollingTime: "00:00:${seconds}"}}
        matrix: {seconds: [10, 20]}
    """
    file = read_scenario(write_scenario(tmp_path, PASSES, "x", head), "x")
    values = {"seconds": 10}
    text = written_scenario(with_sizes(file, values, []), values, "one\ntwo")
    assert text.startswith('# one\n# two\nscenario: "It\'s a «test»: 100 %"\n')
    assert ENVIRON["SECRET"] not in text
    tree = parse(text.encode(), tmp_path / "w.yaml").tree
    assert tree["devices"]["attributes"] == {
        "token": "${env:SECRET}", "mixed": "x ${env:SECRET} # y", "no": "true", "n": "7",
    }  # fmt: skip
    assert tree["server"] == {"settings": {"pollingTime": "00:00:10"}}
    assert "params" not in tree
    assert "matrix" not in tree


@pytest.mark.parametrize("csv", ["u.csv", "${units}.csv", "${list}"])
def test_files_are_named_by_their_whole_path(csv: str, tmp_path: Path) -> None:
    """Also where a param names them, in part or as a whole."""
    (tmp_path / "scenarios").mkdir()
    listed = tmp_path / "scenarios" / "u.csv"
    listed.write_text("serial\nHB-1\n", encoding="utf-8")
    head = f"""
        scenario: A list
        params: {{units: u, list: u.csv}}
        devices: {{flow: hawkbit, csv: "{csv}", model: "${{units}}", hw_revision: "${{list}}"}}
        server: {{settings: {{pollingTime: "00:00:10"}}}}
    """
    file = read_scenario(write_scenario(tmp_path, PASSES, "x", head), "x")
    tree = parse(written_scenario(file, {}, "").encode(), tmp_path / "w.yaml").tree
    assert tree["devices"]["csv"] == str(listed.resolve())
    assert names_files(file, {})


def test_a_scenario_that_names_no_file(tmp_path: Path) -> None:
    assert not names_files(read_scenario(write_scenario(tmp_path, PASSES, "x"), "x"), {})
