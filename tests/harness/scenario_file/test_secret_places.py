"""`${env:NAME}` stands where something is configured, sent or compared; in a name it is a mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.report.exits import Exit
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import ScenarioFile
from tests.harness.command import fleetrig

Read = Callable[[str], ScenarioFile]
SECRET = "hunter2-hunter2-hunter2"
FILE = """
scenario: TITLE
PARAMS
devices: {flow: hawkbit, count: 2DEVICES}
server: {settings: {SETTINGS}}
FAULTS
phases:
  - name: NAME
    do: [DO]
    within: WITHIN
    expect: [EXPECT]
"""
GOOD = {"TITLE": "It polls", "PARAMS": "", "DEVICES": "", "SETTINGS": "", "FAULTS": "", "NAME": "first",
        "DO": "power_on", "WITHIN": "9s", "EXPECT": "{sends: {name: poll}}"}  # fmt: skip
NAMES = {
    "a title": {"TITLE": "'It polls PLACE'"},
    "a serial": {"DEVICES": ", serial: 'PLACE-{n}'"},
    "a model": {"DEVICES": ", model: 'PLACE'"},
    "the name of a phase": {"NAME": "'it holds PLACE'"},
    "the name of a record": {"DO": "{preregister: {name: 'PLACE'}}"},
    "a description": {"DO": "{preregister: {description: 'PLACE'}}"},
    "the name of a file": {"EXPECT": "{record: {file: 'PLACE'}}"},
    "a list of units": {"DO": "{preregister: {csv: 'PLACE'}}"},
    "a version": {"DO": "{deploy: {version: 'PLACE'}}"},
    "a glob": {"DO": "{power_on: {only: 'PLACE*'}}"},
    "a time": {"WITHIN": "'PLACE'"},
    "whom a fault hits": {"FAULTS": "faults: [{fault: outage, hits: 'PLACE'}]"},
}
SECRETS = {
    "a setting": {"SETTINGS": "authentication.gatewaytoken.key: 'PLACE'"},
    "a setting later": {"DO": "{configure: {authentication.gatewaytoken.key: 'x PLACE'}}"},
    "a start-up property": {"SETTINGS": "}, properties: {a: 'PLACE'"},
    "an attribute": {"DEVICES": ", attributes: {key: 'PLACE'}"},
    "a header": {"EXPECT": "{sends: {name: poll, header: {Authorization: '*PLACE'}}}"},
    "a body": {"EXPECT": "{sends: {body_has: {a.b: 'PLACE'}}}"},
    "a record": {"EXPECT": "{registry: {attributes: {key: 'PLACE'}}}"},
    "an answer": {"FAULTS": "faults: [{fault: rewrite, set: {a: ['PLACE']}, headers: {X: 'PLACE'}}]"},
}


def text_of(parts: dict[str, str], place: str, params: str = "") -> str:
    text = FILE
    for name, value in {**GOOD, "PARAMS": params, **parts}.items():
        text = text.replace(name, value)
    return text.replace("PLACE", place)


WAYS = {"straight": ("${env:KEY}", ""), "by way of params": ("${key}", "params: {key: 'x ${env:KEY}'}")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", NAMES)
def test_a_name_is_no_place_for_a_secret(read: Read, case: str, way: str) -> None:
    place, params = WAYS[way]
    with pytest.raises(FileMistakes) as refused:
        read(text_of(NAMES[case], place, params))
    (problem,) = (one for one in refused.value.problems if "is a secret and cannot stand here" in one.sentence)
    assert problem.sentence.startswith(place)
    assert place in problem.source_line
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", SECRETS)
def test_what_is_configured_sent_or_compared_may_be_secret(read: Read, case: str, way: str) -> None:
    place, params = WAYS[way]
    (run,) = expand(read(text_of(SECRETS[case], place, params)), environ={"KEY": SECRET})
    assert run.secrets == {SECRET}
    assert SECRET in str(run.scenario.model_dump())


@pytest.mark.parametrize("way", WAYS)
def test_a_mistake_in_a_secret_does_not_repeat_it(read: Read, way: str) -> None:
    place, params = WAYS[way]
    long = SECRET * 5
    with pytest.raises(FileMistakes) as refused:
        expand(read(text_of({"SETTINGS": "pollingTime: 'PLACE'"}, place, params)), environ={"KEY": long})
    assert "stands for" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_command_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", SECRET)
    (tmp_path / "x.yaml").write_text(text_of(NAMES["a serial"], "${env:KEY}"), encoding="utf-8")
    for verb in ("check", "plan", "run"):
        done = fleetrig(verb, "x.yaml", cwd=tmp_path)
        assert done.returncode == Exit.WRONG_USAGE
        assert "x.yaml:4:45: ${env:KEY} is a secret and cannot stand here" in done.stderr
        assert "write the value itself, or put it where secrets belong (settings, properties, attributes" in done.stderr
        assert SECRET not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.yaml"]


@pytest.mark.parametrize("params", ["'${env:KEY}'", "['${env:KEY}']"])
def test_params_that_are_none_are_told_like_any_mistake(read: Read, params: str) -> None:
    with pytest.raises(FileMistakes, match="params: expected a mapping"):
        read(text_of({}, "", f"params: {params}"))
