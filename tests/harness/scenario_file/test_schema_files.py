"""What an editor says of a file is what `fleetrig check` says: of every scenario that there is, and of mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.reader import parse, read_source
from fleetrig.harness.scenario_file.schema import scenario_schema
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.selection_folders import ids_below
from fleetrig.harness.scenario_file.starter import starter_for
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.harness.studies.study_schema import study_schema
from fleetrig.harness.studies.study_starter import STUDY_STARTER
from tests.json_schema import mistakes

SCENARIOS = Path(__file__).parents[3] / "scenarios"
RIGHT = """\
scenario: A device polls
devices: {flow: hawkbit, count: 2, serial: "HB-{n}"}
server: {settings: {pollingTime: "00:00:05"}}
faults: [{fault: outage, for: 5s}]
phases:
  - name: first
    do: [preregister, power_on]
    within: 30s
    expect:
      - reaches: {stage: online}
"""


@pytest.fixture(scope="module")
def schema() -> Mapping[str, Any]:
    return scenario_schema()


@pytest.mark.parametrize("topic", sorted({scenario_id.partition("/")[0] for scenario_id in ids_below(SCENARIOS)}))
def test_it_accepts_every_scenario_as_it_is_written(topic: str, schema: Mapping[str, Any]) -> None:
    found = {
        scenario_id: wrong
        for scenario_id, path in ids_below(SCENARIOS).items()
        if scenario_id.partition("/")[0] == topic and (wrong := mistakes(read_source(path).tree, schema))
    }
    assert found == {}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_accepts_what_new_writes(platform: str, schema: Mapping[str, Any]) -> None:
    assert mistakes(parse(starter_for(f"{platform}/x").encode(), Path("x.yaml")).tree, schema) == []


def test_it_accepts_the_studies() -> None:
    texts = [path.read_bytes() for path in SCENARIOS.rglob("*.study.yaml")]
    assert len(texts) >= 4
    for text in (*texts, STUDY_STARTER.encode()):
        assert mistakes(parse(text, Path("x.study.yaml")).tree, study_schema()) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("scenario: A device polls", "scenaro: A device polls"),
        ("scenario: A device polls", "scenario: ''"),
        ("scenario: A device polls", "scenario: A device polls\nneeds: [fast_polling]"),
        ("scenario: A device polls", "scenario: A device polls\nmatrix: {x: []}"),
        ("flow: hawkbit", "flow: hawkbti"),
        ("flow: hawkbit", "flow: hawkbit, cout: 2"),
        ("count: 2", "count: two"),
        ("count: 2", "count: 0"),
        ("count: 2", "count: 2, credential: token"),
        ("count: 2", "count: 2, timeout: 10"),
        ("count: 2", "count: 2, backoff: {policy: exponental}"),
        ("count: 2", "count: 2, backoff: {base: 1 s}"),
        ("pollingTime", "poolingTime"),
        ("fault: outage", "fault: outtage"),
        ("fault: outage", "fault: outage, share: {}"),
        ("for: 5s", "for: 5"),
        ("name: first", "nam: first"),
        ("power_on]", "power_onn]"),
        ("power_on]", "{power_on: {spred: 2s}}]"),
        ("power_on]", "{power_on: {}, wait: 2s}]"),
        ("power_on]", "deploy]"),
        ("within: 30s", "within: 30"),
        ("reaches: {stage: online}", "reaches: {stage: onlin}"),
        ("reaches: {stage: online}", "reaches: {}"),
        ("reaches: {stage: online}", "reachs: {stage: online}"),
        ("reaches: {stage: online}", "sends: {name: poll, times: -1}"),
        ("reaches: {stage: online}", "errors: {at_most: 1 percent}"),
    ],
)
def test_it_refuses_what_check_refuses(right: str, wrong: str, schema: Mapping[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(RIGHT)
    assert mistakes(read_source(path).tree, schema) == []
    assert expand(read_scenario(path, "x"))

    assert RIGHT.count(right) >= 1
    path.write_text(RIGHT.replace(right, wrong, 1))
    with pytest.raises(FileMistakes):
        expand(read_scenario(path, "x"))
    assert mistakes(parse(path.read_bytes(), path).tree, schema)


def test_the_validator_itself_tells_right_from_wrong() -> None:
    schema = {
        "$defs": {"n": {"type": "integer", "minimum": 1}},
        "type": "object",
        "properties": {"a": {"anyOf": [{"$ref": "#/$defs/n"}, {"const": "all"}]}, "b": {"items": {"enum": ["x"]}}},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert mistakes({"a": 1, "b": ["x"]}, schema) == mistakes({"a": "all"}, schema) == []
    wrongs: tuple[Any, ...] = ({}, {"a": 0}, {"a": True}, {"a": "al"}, {"a": 1, "b": ["y"]}, {"a": 1, "c": 1}, [])
    for wrong in wrongs:
        assert mistakes(wrong, schema), wrong
    with pytest.raises(AssertionError, match="oneOf"):
        mistakes({}, {"oneOf": []})
