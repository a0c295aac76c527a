"""`fleetrig new`: a file to start from, and beside it the schema that it names, for everybody who opens it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetrig.harness.commands.editor_schema import MODELINE, SchemaKind, schema_place
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.schema import scenario_schema
from fleetrig.harness.scenario_file.starter import starter_for
from fleetrig.harness.studies.study_schema import study_schema
from tests.harness.command import fleetrig


def named_schema(file: Path) -> Path:
    """What a file's first line names, as an editor finds it: from the file's folder."""
    line = file.read_text(encoding="utf-8").splitlines()[0]
    assert line.startswith(MODELINE)
    return (file.parent / line.removeprefix(MODELINE)).resolve()


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_scenario_names_the_schema_beside_it_and_is_right(name: str, tmp_path: Path) -> None:
    done = fleetrig("new", f"{name}/deep/first", cwd=tmp_path)

    file = tmp_path / f"scenarios/{name}/deep/first.yaml"
    assert done.stdout == (
        f"wrote scenarios/{name}/deep/first.yaml, and scenarios/scenario.schema.json for editors; "
        f"`fleetrig check scenarios/{name}/deep/first.yaml` validates it\n"
    )
    assert named_schema(file) == (tmp_path / "scenarios/scenario.schema.json").resolve()
    assert json.loads(named_schema(file).read_text(encoding="utf-8")) == scenario_schema()
    assert file.read_text(encoding="utf-8").partition("\n")[2] == starter_for(name)
    assert fleetrig("check", cwd=tmp_path).stdout == "1 scenario OK\n"


def test_a_second_one_finds_the_schema_there_and_an_older_one_is_renewed(tmp_path: Path) -> None:
    schema = tmp_path / "scenarios/scenario.schema.json"
    fleetrig("new", "mine/first", cwd=tmp_path)
    first = schema.read_text(encoding="utf-8")

    assert "for editors" not in fleetrig("new", "mine/second", cwd=tmp_path).stdout
    schema.write_text('{"title": "fleetrig scenario"}', encoding="utf-8")
    assert "for editors" in fleetrig("new", "mine/third", cwd=tmp_path).stdout
    assert schema.read_text(encoding="utf-8") == first


@pytest.mark.parametrize("text", ['{"title": "something else"}', "[1]", "no JSON"])
def test_a_file_of_somebody_elses_stays(text: str, tmp_path: Path) -> None:
    schema = tmp_path / "scenarios/scenario.schema.json"
    schema.parent.mkdir()
    schema.write_text(text, encoding="utf-8")
    assert fleetrig("new", "mine/first", cwd=tmp_path).returncode == 0
    assert schema.read_text(encoding="utf-8") == text


def test_a_study_and_a_file_by_its_path_have_theirs_beside_them(tmp_path: Path) -> None:
    study = fleetrig("new", "mine.study.yaml", cwd=tmp_path).stdout
    assert study.startswith("wrote mine.study.yaml, and study.schema.json for editors; ")
    assert json.loads(named_schema(tmp_path / "mine.study.yaml").read_text(encoding="utf-8")) == study_schema()
    fleetrig("new", "elsewhere/x.yaml", cwd=tmp_path)
    assert named_schema(tmp_path / "elsewhere/x.yaml") == (tmp_path / "elsewhere/scenario.schema.json").resolve()


@pytest.mark.parametrize(
    ("file", "root", "place"),
    [
        ("scenarios/a/b.yaml", None, "scenarios"),
        ("/work/scenarios/old/scenarios/b.yaml", None, "/work/scenarios/old/scenarios"),
        ("mine/a/b.yaml", Path("mine"), "mine"),
        ("b.yaml", None, "."),
    ],
)
def test_where_the_schema_lies(file: str, root: Path | None, place: str) -> None:
    assert schema_place(Path(file), SchemaKind.SCENARIO, root) == Path(place) / "scenario.schema.json"


def test_a_schema_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "scenarios/scenario.schema.json").mkdir(parents=True)
    done = fleetrig("new", "mine/first", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (4, "cannot write scenarios/scenario.schema.json: Is a directory\n")
