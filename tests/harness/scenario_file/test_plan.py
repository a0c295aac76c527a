"""Which scenarios an id means, and what a matrix becomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.action_words import PowerOn
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.selection import expand, plan, select
from fleetrig.harness.scenario_file.selection_folders import ScenarioFolders, ids_below, scenario_folders
from fleetrig.harness.scenario_file.selection_lookup import find
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.simulator.contract.errors import NoSuchId, UsageError

Read = Callable[[str], ScenarioFile]
PLAIN = "scenario: It works\ntags: [{tag}]\ndevices: {{flow: hawkbit}}\nphases: [{{name: a, for: 1s}}]\n"
MATRIX = """
scenario: It works
matrix: {%s}
devices: {flow: hawkbit, credential: "${credential}"}
phases: [{name: a, do: {power_on: {cut_at: "${cut}"}}, for: 1s}]
"""


@pytest.fixture
def library(write: Callable[..., Path]) -> Path:
    """Four scenarios, and files that are none."""
    for name, tag in {"hawkbit/a": "smoke", "hawkbit/ab": "slow", "hawkbit/deep/c": "slow", "kura/d": "smoke"}.items():
        write(PLAIN.format(tag=tag), f"scenarios/{name}.yaml")
    write("- known: deviation", "scenarios/_known_deviations.yaml")
    write("serial\nA\n", "scenarios/hawkbit/units.csv")
    return Path("scenarios")


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ([], ["hawkbit/a", "hawkbit/ab", "hawkbit/deep/c", "kura/d"]),
        (["hawkbit/a"], ["hawkbit/a"]),
        (["hawkbit"], ["hawkbit/a", "hawkbit/ab", "hawkbit/deep/c"]),
        (["hawkbit/"], ["hawkbit/a", "hawkbit/ab", "hawkbit/deep/c"]),
        (["kura/d", "hawkbit/deep", "kura"], ["kura/d", "hawkbit/deep/c"]),
        (["scenarios/hawkbit/a.yaml"], ["hawkbit/a"]),
        (["./scenarios/hawkbit/deep"], ["hawkbit/deep/c"]),
    ],
)
def test_an_id_a_prefix_or_a_path_selects(library: Path, wanted: list[str], ids: list[str]) -> None:
    assert list(find(wanted, library)) == ids


def test_a_file_elsewhere_has_an_id_too(library: Path, write: Callable[..., Path]) -> None:
    write(PLAIN.format(tag="x"), "other/scenarios/hawkbit/new/z.yaml")
    write(PLAIN.format(tag="x"), "loose/z.yaml")

    assert list(find(["other/scenarios/hawkbit/new", "loose/z.yaml"], library)) == ["hawkbit/new/z", "z"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("hawkbit/abc", "no scenario is called hawkbit/abc in scenarios; did you mean hawkbit/ab?"),
        ("hawkbt", "no scenario is called hawkbt in scenarios; did you mean hawkbit?"),
        ("./zzz.yaml", "there is no file ./zzz.yaml, and no folder with scenarios"),
        ("/zzz", "there is no file /zzz, and no folder with scenarios"),
        ("zzz", "no scenario is called zzz in scenarios; `fleetrig list` shows what there is"),
        ("", "no scenario is called  in scenarios; `fleetrig list` shows what there is"),
    ],
)
def test_an_id_that_means_nothing_is_an_error(library: Path, wanted: str, said: str) -> None:
    with pytest.raises(NoSuchId) as refused:
        find([wanted], library)

    assert str(refused.value) == said
    assert refused.value.exit_code == 5


def test_tags_select_among_them(library: Path) -> None:
    assert [file.id for file in select(["hawkbit"], library, ["slow"])] == ["hawkbit/ab", "hawkbit/deep/c"]
    assert [file.id for file in select([], library, ["slow", "smoke"])] == list(find([], library))
    with pytest.raises(NoSuchId, match="no scenario carries the tag fast; tags are: slow, smoke"):
        select([], library, ["fast"])
    with pytest.raises(NoSuchId, match="no scenario carries the tag fast; tags are: slow, smoke"):
        select([], library, ["slow", "fast"])


def test_mistakes_of_all_files_are_told_together(library: Path, write: Callable[..., Path]) -> None:
    write("scenario: x\n", "scenarios/hawkbit/broken.yaml")
    write("a: [", "scenarios/kura/broken.yaml")

    with pytest.raises(FileMistakes) as refused:
        select([], library)

    assert [str(problem).split("\n")[0] for problem in refused.value.problems] == [
        "scenarios/hawkbit/broken.yaml:1:1: devices is missing",
        "scenarios/hawkbit/broken.yaml:1:1: phases is missing",
        "scenarios/kura/broken.yaml:1:5: a value is missing here, or a bracket",
    ]
    assert [file.id for file in select(["hawkbit/a"], library)] == ["hawkbit/a"]


def test_scenarios_are_looked_up_here_and_else_in_the_package(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scenario_folders().own == Path("scenarios")
    assert scenario_folders(Path("scenarios/kura")) == ScenarioFolders(own=Path("scenarios/kura"))

    monkeypatch.chdir("scenarios")

    assert "hawkbit/first_contact" in find([], scenario_folders())
    with pytest.raises(NoSuchId, match="there is no folder nowhere"):
        scenario_folders(Path("nowhere"))


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoSuchId, match="there are no scenarios in "):
        find([], tmp_path)


def test_a_matrix_becomes_every_combination_in_the_order_of_the_file(read: Read) -> None:
    text = MATRIX % 'credential: [gateway_token, none], cut: ["poll#1:sent", "poll#2:before"]'

    runs = expand(read(text))

    assert [run.name for run in runs] == [
        "some/topic[credential=gateway_token,cut=poll#1:sent]",
        "some/topic[credential=gateway_token,cut=poll#2:before]",
        "some/topic[credential=none,cut=poll#1:sent]",
        "some/topic[credential=none,cut=poll#2:before]",
    ]
    assert [run.scenario.devices.credential for run in runs] == ["gateway_token"] * 2 + ["none"] * 2
    assert runs[1].values == {"credential": "gateway_token", "cut": "poll#2:before"}


def test_power_cut_points_come_from_whoever_can_list_them(read: Read) -> None:
    text = MATRIX % "cut: power_cut_points, credential: [target_token, none]"
    asked: list[Scenario] = []

    def points(scenario: Scenario) -> list[str]:
        asked.append(scenario)
        return ["poll#1:sent"] if scenario.devices.credential == "none" else ["poll#1:sent", "configData#1:answered"]

    runs = expand(read(text), points)

    assert [run.name for run in runs] == [
        "some/topic[cut=poll#1:sent,credential=target_token]",
        "some/topic[cut=configData#1:answered,credential=target_token]",
        "some/topic[cut=poll#1:sent,credential=none]",
    ]
    assert [one.devices.credential for one in asked] == ["target_token", "none"]
    words = [one.phases[0].do[0].arguments for one in asked]
    assert all(word.cut_at is None for word in words if isinstance(word, PowerOn))


def test_power_cut_points_stay_a_symbol_until_then(read: Read) -> None:
    (run,) = expand(read(MATRIX % "cut: power_cut_points, credential: [none]"))

    assert run.name == "some/topic[cut=power_cut_points,credential=none]"
    assert run.values == {"cut": None, "credential": "none"}


def test_no_power_cut_points_at_all_are_an_error(read: Read) -> None:
    with pytest.raises(UsageError, match="some/topic: there is no point at which power could be cut"):
        expand(read(MATRIX % "cut: power_cut_points, credential: [none]"), lambda _: [])


def test_a_whole_name_selects_one_run(library: Path, write: Callable[..., Path]) -> None:
    write(MATRIX % 'credential: [gateway_token, none], cut: ["poll#1:sent"]', "scenarios/m.yaml")
    name = "m[credential=none,cut=poll#1:sent]"

    assert [run.name for run in plan([name], library)] == [name]
    assert [run.name for run in plan([name, "kura"], library)] == [name, "kura/d"]
    assert len(plan([name, "m"], library)) == 2
    with pytest.raises(NoSuchId, match=r"no scenario is called m\[credential=non,.*; did you mean m\[credential=none,"):
        plan(["m[credential=non,cut=poll#1:sent]"], library)


def test_both_endings_are_scenarios_and_an_id_is_one_file(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "_c.yml", ".d.yml"):
        (tmp_path / name).touch()
    assert list(ids_below(tmp_path)) == ["a", "b"]
    (tmp_path / "a.yml").touch()
    with pytest.raises(UsageError, match=r"a\.yaml and .*a\.yml are both called a: rename one of them"):
        ids_below(tmp_path)


@pytest.mark.parametrize("text", ["x" * 5_000, "a\0b", "x/" * 3_000])
def test_what_cannot_be_a_path_is_no_scenario(library: Path, text: str) -> None:
    with pytest.raises(NoSuchId, match="no scenario is called"):
        find([text], library)
