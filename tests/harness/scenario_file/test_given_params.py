"""`--set`: other values for params, of the kind of the file's own, and in the name under which a run is repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.scenario_file.given_params import params_of, read_params
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.simulator.contract.errors import UsageError

TEXT = """
scenario: Devices poll
params: {devices: 3, share: 0.5, wait: 1s, on: true, list: [{sends: {name: poll}}]}
matrix: {credential: [gateway_token, target_token]}
devices: {count: "${devices}", flow: hawkbit, serial: "HB-{n}", credential: "${credential}", poll_jitter: "${share}",
          backoff: {honours_retry_after: "${on}"}}
phases: [{name: first, do: power_on, for: "${wait}", expect: "${list}"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.yaml").write_text(TEXT)
    return tmp_path


def test_a_param_takes_the_kind_of_the_files_own_value(folder: Path) -> None:
    file = read_scenario(folder / "one.yaml", "one")
    given = read_params(["devices=1000", "share=1", "wait=2m", "on=false"])
    assert params_of(given, file) == {"devices": 1000, "share": 1, "wait": "2m", "on": False}


def test_a_number_can_stand_in_place_of_a_share(tmp_path: Path) -> None:
    capacity = 'server: {capacity: {requests_per_s: "${share}"}}'
    text = (
        TEXT.replace("share: 0.5,", "share: 50%,")
        .replace('poll_jitter: "${share}",', "")
        .replace("phases:", capacity + "\nphases:")
    )
    (tmp_path / "one.yaml").write_text(text)

    found = [plan(["one"], tmp_path, params={"share": given})[0].scenario.server.capacity for given in ("40", "40%")]
    assert [one.requests_per_s for one in found if one is not None] == [40, 1.2]


def test_what_is_not_there_by_default_can_be_set(tmp_path: Path) -> None:
    capacity = 'server: {capacity: {requests_per_s: 9, retry_after: "${later}"}}'
    (tmp_path / "one.yaml").write_text(
        TEXT.replace("share: 0.5,", "share: 0.5, later: null,").replace("phases:", capacity + "\nphases:")
    )

    found = [plan(["one"], tmp_path, params=given)[0].scenario.server.capacity for given in ({}, {"later": "1m"})]
    assert [one.retry_after_s for one in found if one is not None] == [None, 60.0]


def test_a_run_has_the_values_and_keeps_its_name(folder: Path) -> None:
    first, second = plan(["one"], folder, params={"devices": "7"})
    assert (first.name, second.name) == ("one[credential=gateway_token]", "one[credential=target_token]")
    assert first.scenario.devices.count == 7
    assert first.values == {"devices": 7, "credential": "gateway_token"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"device": "1"}, "did you mean 'devices'"),
        ({"credential": "x"}, "that is a name of the matrix; choose a run by its name"),
        ({"devices": "many"}, "--set devices=many: expected a number"),
        ({"on": "yes"}, "--set on=yes: expected true or false"),
        ({"list": "1"}, "--set list: only single values can be set"),
    ],
)
def test_what_does_not_fit_is_told(folder: Path, given: Any, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        plan(["one"], folder, params=given)


@pytest.mark.parametrize("words", [["devices"], ["=3"], ["a=1", "a=2"]])
def test_what_is_no_value_is_told(words: list[str]) -> None:
    with pytest.raises(UsageError, match=r"expected NAME=VALUE|is given twice"):
        read_params(words)
