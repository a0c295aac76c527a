"""Study files: what can stand in them, and what is said about what cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.studies.study_lookup import read_study
from fleetrig.harness.studies.sweep import plan_study
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.studies.made import STUDY, plan_of, written

A_SHARE = "expected a share such as 1%, or 0 for none: fleets of any size are judged by it"


def said(folder: Path, study: str) -> list[str]:
    """What is said about it, each with its line."""
    with pytest.raises(FileMistakes) as caught:
        plan_of(folder, study)
    return [f"{one.mark.line}: {one.sentence}" for one in caught.value.problems]


def test_it_is_read_with_its_scenario(tmp_path: Path) -> None:
    study, _, file = read_study(written(tmp_path), tmp_path)

    assert (study.title, file.heading.title) == (
        "What hits the server when it is back?",
        "After an outage all devices are back",
    )
    assert str(study.limit) == "rejected at most 1%, quiet within 5 min"
    assert study.seeds == 1


def test_all_mistakes_are_told_at_once_with_the_nearest_word(tmp_path: Path) -> None:
    study = """
        study: Q
        scenaro: recovery.yaml
        sweep:
          policy: {wait: {policy: none}, now: 3}
          jitter: [0.1, 0.1]
          devices: []
        limit: {rejected: 5, quite_within: 5m, peak: 3}
    """

    assert said(tmp_path, study) == [
        "1: scenario is missing",
        "2: 'scenaro' is not known here; did you mean 'scenario'?",
        "4: sweep.policy: 'now': expected the params that it sets, such as {policy: full_jitter}",
        "5: sweep.jitter: expected values that differ from each other",
        "6: sweep.devices: expected a list of values, or names with the params that each sets, got nothing",
        f"7: limit.rejected: {A_SHARE}, got the number 5",
        "7: limit: 'quite_within' is not known here; did you mean 'quiet_within'?",
        "7: limit.peak: expected so many times the steady rate, such as 1.5x, got the number 3",
    ]


LIMIT = "{rejected: 1%, quiet_within: 5m}"
MISTAKES = (
    ("scenario: recovery.yaml", "scenario: recovry", "2: scenario: no scenario is called recovry in "),
    (LIMIT, "{}", "7: limit: it is empty: expected one or more of rejected, late, errors, quiet_within"),
    ("limit:", "columns: capcity\nlimit:", "columns: 'capcity' is not swept; expected one of policy, jitter"),
    ("jitter: [", "jiter: [", "5: sweep.jiter: 'jiter' is not known here; did you mean 'jitter'? (expected a param"),
    ("{policy: none}", "{polcy: none}", "4: sweep.policy: 'polcy' is not known here; did you mean 'policy'?"),
    ("sweep:", "params: {devces: 1}\nsweep:", "params: 'devces' is not known here; did you mean 'devices'?"),
    ("sweep:", "params: {jitter: 0.2}\nsweep:", "sweep.jitter: jitter is set by params already"),
    ("{policy: none}", "{policy: none, jitter: 0.2}", "5: sweep.jitter: jitter is set by sweep.policy already"),
    ("{policy: none}", "{policy: nine}", "4: sweep.policy: wait: devices.backoff.policy: expected none,"),
    ("[0.1, 0.5]", "[0.1, 1.5]", "5: sweep.jitter: 1.5: devices.poll_jitter: expected a number of at most 1"),
    ("[1.5x, 2x, 4x]", "[0, 2x]", "6: sweep.capacity: 0: server.capacity.requests_per_s: expected a number of"),
    ("[1.5x, 2x, 4x]", "[2x, 0x]", "6: sweep.capacity: 0x: server.capacity.requests_per_s: expected a number of"),
    ("limit:", "seeds: 0\nlimit:", "seeds: expected a number of at least 1, got the number 0"),
)


@pytest.mark.parametrize(("old", "new", "sentence"), MISTAKES)
def test_each_mistake_is_told_where_it_stands(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert STUDY.count(old) == 1

    [found] = said(tmp_path, STUDY.replace(old, new.replace("\n", "\n    ")))

    assert sentence in found


def test_what_a_scenario_says_wrong_is_told_with_both_places(tmp_path: Path) -> None:
    [found] = said(tmp_path, STUDY.replace("[0.1, 0.5]", "[0.1, 1.5]"))

    assert found.endswith(f"got the number 1.5 from ${{jitter}} ({tmp_path}/recovery.yaml:7)")


def test_a_sweep_of_too_many_combinations_is_refused(tmp_path: Path) -> None:
    values = ", ".join(str(number / 1000) for number in range(200))
    study = STUDY.replace("[0.1, 0.5]", f"[{values}]").replace(
        "[1.5x, 2x, 4x]", f"[{', '.join(f'{n}x' for n in range(1, 40))}]"
    )

    [found] = said(tmp_path, study)

    assert found.startswith("3: sweep makes 15,600 combinations: expected at most 10,000 combinations")


def test_a_multiple_of_no_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMistakes) as caught:
        plan_study(*read_study(written(tmp_path), tmp_path), lambda scenario: 0.0)

    assert "a fleet that stays connected has none: give a number" in str(caught.value)


def test_options_change_params_but_nothing_that_is_swept(tmp_path: Path) -> None:
    study, _, _ = read_study(written(tmp_path), tmp_path)

    changed = study.otherwise({"devices": 100}, 20)

    assert (changed.params, changed.seeds) == ({"devices": 100}, 20)
    with pytest.raises(UsageError, match="--set policy: this study sweeps it"):
        study.otherwise({"policy": "none"}, None)


def test_a_scenario_in_the_place_of_a_study_is_told(tmp_path: Path) -> None:
    written(tmp_path)

    with pytest.raises(UsageError, match=r"recovery\.yaml is a scenario, which `fleetrig run` runs"):
        read_study(tmp_path / "recovery.yaml", tmp_path)
