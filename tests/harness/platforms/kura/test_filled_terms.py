"""The terms of a provision request may hold values of a matrix, and are judged when these are filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import read_scenario

FILE = """\
scenario: It works
matrix: {{key: [{values}]}}
devices: {{flow: kura, over: mqtt, credential: bootstrap}}
server: {{settings: {{provision_request: {{activation_key: "${{key}}"}}}}}}
phases:
  - {{name: first, do: power_on, within: 10s, expect: [{{reaches: {{stage: online}}}}]}}
"""


def write(folder: Path, values: str) -> Path:
    path = folder / "terms.yaml"
    path.write_text(FILE.format(values=values), encoding="utf-8")
    return path


def test_a_value_of_the_matrix_stands_in_the_terms(tmp_path: Path) -> None:
    runs = expand(read_scenario(write(tmp_path, "true, false"), "terms"))
    terms = [run.scenario.server.settings.values["provision_request"] for run in runs]
    assert [one.activation_key for one in terms] == [True, False]


def test_a_value_that_does_not_fit_is_a_mistake_once_it_is_filled_in(tmp_path: Path) -> None:
    with pytest.raises(FileMistakes, match="activation_key"):
        expand(read_scenario(write(tmp_path, "true, perhaps"), "terms"))
