"""One's own scenarios and those that came with fleetrig: both are found, one's own first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.selection import plan, select
from fleetrig.harness.scenario_file.selection_folders import ScenarioFolders, installed_folder, scenario_folders
from fleetrig.harness.scenario_file.selection_lookup import find, find_everywhere, remarks
from fleetrig.harness.studies.study_lookup import find_study, read_study, studies_in
from fleetrig.simulator.contract.errors import NoSuchId, UsageError

PLAIN = "scenario: It works\ntags: [{tag}]\ndevices: {{flow: hawkbit}}\nphases: [{{name: a, for: 1s}}]\n"
MATRIX = """
scenario: It works
matrix: {credential: [gateway_token, none]}
devices: {flow: hawkbit, credential: "${credential}"}
phases: [{name: a, for: 1s}]
"""
MORE = "more are shipped with fleetrig: `--scenarios shipped` takes those instead"
SHIPPED = installed_folder()
assert SHIPPED is not None


@pytest.fixture
def own(write: Callable[..., Path]) -> Path:
    """Three of one's own: one beside shipped ones, one in place of a shipped one, one by itself."""
    for name in ("hawkbit/mine", "kura/move", "mine/first"):
        write(PLAIN.format(tag="smoke"), f"scenarios/{name}.yaml")
    return Path("scenarios")


def test_without_an_id_ones_own_are_meant(own: Path) -> None:
    folders = scenario_folders()
    assert folders == ScenarioFolders(own, SHIPPED)
    assert list(find([], folders)) == ["hawkbit/mine", "kura/move", "mine/first"]
    assert list(remarks([], folders)) == []


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("mine/first", "scenarios/mine/first.yaml"),
        ("kura/move", "scenarios/kura/move.yaml"),
        ("hawkbit/demo", f"{SHIPPED}/hawkbit/demo.yaml"),
        ("hawkbit/demo[a=b]", f"{SHIPPED}/hawkbit/demo.yaml"),
    ],
)
def test_an_id_means_ones_own_file_and_else_the_shipped_one(own: Path, wanted: str, path: str) -> None:
    assert [str(found) for found in find([wanted], scenario_folders()).values()] == [path]


def test_a_prefix_means_ones_own_where_there_are_some(own: Path) -> None:
    folders = scenario_folders()
    assert list(find(["hawkbit"], folders)) == ["hawkbit/mine"]
    assert "hono/race_lost" in find(["hono"], folders)
    assert "hawkbit/demo" in find(["hawkbit"], scenario_folders(Path("shipped")))


def test_what_a_word_could_have_meant_too_is_said(own: Path) -> None:
    folders = scenario_folders()
    count = len(find(["hawkbit"], scenario_folders(Path("shipped"))))
    assert list(remarks(["hawkbit", "kura/move", "mine", "hono", "kura/move[a=b]"], folders)) == [
        f"hawkbit means 1 of yours, below scenarios; {count} {MORE}",
        "kura/move is yours, scenarios/kura/move.yaml; `--scenarios shipped` takes the one shipped with fleetrig",
    ]


def test_all_that_there_is_of_a_prefix(own: Path) -> None:
    found = find_everywhere(["hawkbit", "kura/move"], scenario_folders())
    assert next(iter(found)) == "hawkbit/mine"
    assert "hawkbit/demo" in found
    assert found["kura/move"] == Path("scenarios/kura/move.yaml")
    assert find_everywhere([], scenario_folders()).keys() > found.keys()


def test_a_folder_that_is_named_is_the_only_one(own: Path) -> None:
    folders = scenario_folders(own)
    assert list(find_everywhere([], folders)) == ["hawkbit/mine", "kura/move", "mine/first"]
    with pytest.raises(NoSuchId, match=r"no scenario is called hawkbit/demo in scenarios; did you mean hawkbit/mine\?"):
        find(["hawkbit/demo"], folders)


def test_the_nearest_word_is_looked_for_in_both(own: Path) -> None:
    folders = scenario_folders()
    for wrong, right in {
        "hawkbit/dmo": "hawkbit/demo",
        "mine/frst": "mine/first",
        "hwkbit/mine": "hawkbit/mine",
    }.items():
        with pytest.raises(NoSuchId) as refused:
            find([wrong], folders)
        said = f"no scenario is called {wrong} in scenarios, nor shipped with fleetrig; did you mean {right}?"
        assert str(refused.value) == said


def test_without_any_of_ones_own_the_shipped_ones_are_meant_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert scenario_folders() == ScenarioFolders(None, SHIPPED)
    assert list(remarks([], scenario_folders())) == []
    Path("scenarios").mkdir()
    folders = scenario_folders()
    count = len(find([], folders))
    assert list(remarks([], folders)) == [
        f"there is no scenario in scenarios: these are the {count} that are shipped with fleetrig"
    ]
    with pytest.raises(NoSuchId, match="there are no scenarios in scenarios"):
        find([], scenario_folders(Path("scenarios")))


def test_where_ones_own_are_the_shipped_ones_there_is_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SHIPPED is not None
    monkeypatch.chdir(SHIPPED.resolve().parent)
    assert scenario_folders() == ScenarioFolders(Path("scenarios"))


def test_a_folder_called_shipped_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert scenario_folders(Path("shipped")) == ScenarioFolders(shipped=SHIPPED)
    Path("shipped").mkdir()
    assert scenario_folders(Path("shipped")) == ScenarioFolders(own=Path("shipped"))


def test_a_tag_that_only_shipped_scenarios_carry(own: Path) -> None:
    said = r"tags are: smoke \(of yours; `fleetrig list --tag load` also looks at those shipped with fleetrig\)"
    with pytest.raises(NoSuchId, match=said):
        select([], scenario_folders(), ["load"])


def test_a_command_line_names_a_scenario_by_its_id_or_else_by_its_path(own: Path, write: Callable[..., Path]) -> None:
    loose = write(MATRIX, "loose/z.yaml")
    write(PLAIN.format(tag="x"), "other/scenarios/mine/first.yaml")
    folders = scenario_folders()

    runs = plan(["loose/z.yaml", "scenarios/kura/move.yaml", "other/scenarios/mine/first.yaml"], folders)

    assert [(run.name, run.command_word) for run in runs] == [
        ("z[credential=gateway_token]", "loose/z.yaml[credential=gateway_token]"),
        ("z[credential=none]", "loose/z.yaml[credential=none]"),
        ("kura/move", "kura/move"),
        ("mine/first", "other/scenarios/mine/first.yaml"),
    ]
    assert [run.name for run in plan([runs[1].command_word], folders)] == ["z[credential=none]"]
    assert [run.command_word for run in plan([str(loose.absolute())], folders)] == [
        "loose/z.yaml[credential=gateway_token]",
        "loose/z.yaml[credential=none]",
    ]
    with pytest.raises(NoSuchId, match=r"no scenario is called loose/z.yaml\[credential=non\]; did you mean z"):
        plan(["loose/z.yaml[credential=non]"], folders)


def test_two_files_of_one_name_are_told_apart_by_nobody(own: Path, write: Callable[..., Path]) -> None:
    write(MATRIX, "a/z.yaml")
    write(MATRIX, "b/z.yaml")
    with pytest.raises(UsageError, match=r"a/z\.yaml and b/z\.yaml are both called z: choose one of them"):
        find(["a/z.yaml", "b/z.yaml"], scenario_folders())


def test_studies_are_found_in_both_too(own: Path, write: Callable[..., Path]) -> None:
    assert SHIPPED is not None
    text = (SHIPPED / "outage/recovery.study.yaml").read_text(encoding="utf-8")
    write(text, "scenarios/outage/recovery.study.yaml")
    write(text, "scenarios/mine/recovery.study.yaml")
    folders = scenario_folders()

    found = studies_in(folders)

    assert list(found)[:2] == ["mine/recovery", "outage/recovery"]
    assert found["outage/recovery"] == Path("scenarios/outage/recovery.study.yaml")
    assert find_study("outage/clients", folders)[1] == SHIPPED / "outage/clients.study.yaml"
    assert read_study(found["mine/recovery"], folders)[2].source.path == SHIPPED / "outage/recovery.yaml"
    with pytest.raises(NoSuchId, match=r"did you mean outage/clients\?"):
        find_study("outage/client", folders)
