"""The JSON Schema of study files, and the study to start from."""

from __future__ import annotations

import json
from pathlib import Path

from fleetrig.harness.studies.study_file import StudyFile, StudyLimit
from fleetrig.harness.studies.study_lookup import read_study
from fleetrig.harness.studies.study_schema import study_schema
from fleetrig.harness.studies.study_starter import STUDY_STARTER
from fleetrig.harness.studies.sweep import plan_study
from tests.harness.command import fleetrig
from tests.harness.studies.made import steady

ROOT = Path(__file__).parents[3]


def test_every_key_is_there_and_explained() -> None:
    schema = study_schema()
    limit = schema["$defs"]["StudyLimit"]

    assert set(schema["properties"]) == {field.alias or name for name, field in StudyFile.model_fields.items()}
    assert set(limit["properties"]) == set(StudyLimit.words())
    assert all(part.get("description") for part in (*schema["properties"].values(), *limit["properties"].values()))
    assert schema["additionalProperties"] is limit["additionalProperties"] is False
    assert schema["required"] == ["study", "scenario", "sweep", "limit"]


def test_nobody_has_to_write_null() -> None:
    assert '"null"' not in json.dumps(study_schema())


def test_it_is_printed(tmp_path: Path) -> None:
    assert json.loads(fleetrig("schema", "study", cwd=tmp_path).stdout) == study_schema()


def test_a_study_to_start_from_is_written_and_right(tmp_path: Path) -> None:
    done = fleetrig("new", "mine.study.yaml", cwd=tmp_path)

    assert done.stdout.endswith("; `fleetrig study mine.study.yaml` runs it\n")
    assert (tmp_path / "mine.study.yaml").read_text(encoding="utf-8").endswith(f"\n{STUDY_STARTER}")
    plan = plan_study(*read_study(tmp_path / "mine.study.yaml", ROOT / "scenarios"), steady)
    assert len(plan.combinations) == 18


def test_installed_studies_are_right() -> None:
    found = fleetrig("study", cwd=ROOT).stdout.splitlines()
    names = [line.split()[0] for line in found]

    assert names == ["kura/reconnect", "outage/clients", "outage/jitter", "outage/recovery"]
    sizes = [
        len(plan_study(*read_study(ROOT / f"scenarios/{name}.study.yaml", ROOT / "scenarios"), steady).combinations)
        for name in names
    ]
    assert sizes == [2 * 5, 7 * 4, 8 * 5 * 4, 8 * 4]
