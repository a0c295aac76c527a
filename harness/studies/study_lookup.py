"""Where studies and their scenarios are."""

from __future__ import annotations

import difflib
from pathlib import Path

from fleetrig.harness.scenario_file.marks import locate
from fleetrig.harness.scenario_file.problems import FileMistakes, Source
from fleetrig.harness.scenario_file.reader import load_mapping, read_source
from fleetrig.harness.scenario_file.recognition import STUDY_SUFFIXES, looks_like_scenario
from fleetrig.harness.scenario_file.selection_folders import Folders, folders_of
from fleetrig.harness.scenario_file.selection_lookup import find, is_file
from fleetrig.harness.scenario_file.template import ScenarioFile, read_scenario
from fleetrig.harness.studies.study_file import StudyFile
from fleetrig.simulator.contract.errors import NoSuchId, UsageError


def studies_in(folders: Folders) -> dict[str, Path]:
    """Every study by its id, `outage/recovery`: one's own first, then the shipped ones of other ids."""
    found: dict[str, Path] = {}
    for folder in folders_of(folders):
        paths = sorted(path for suffix in STUDY_SUFFIXES for path in folder.rglob(f"*{suffix}"))
        found |= {one: path for path in paths if (one := study_id(path, folder)) not in found}
    return found


def study_id(path: Path, folders: Folders) -> str:
    """Below a folder that is looked into, else the file's name alone."""
    above = next((folder for folder in folders_of(folders) if path.is_relative_to(folder)), path.parent)
    inner = path.relative_to(above)
    name = next((inner.name.removesuffix(one) for one in STUDY_SUFFIXES if inner.name.endswith(one)), inner.stem)
    return (inner.parent / name).as_posix()


def find_study(text: str, folders: Folders) -> tuple[str, Path]:
    """The study that an id or a file means. Raises NoSuchId."""
    known = studies_in(folders)
    if text in known:
        return text, known[text]
    if is_file(text):
        return study_id(Path(text), folders), Path(text)
    nearest = difflib.get_close_matches(text, known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else "`fleetrig study` lists those that there are"
    raise NoSuchId(f"no study is called {text}, and there is no such file; {hint}")


def read_study(path: Path, folders: Folders, *, allows_outside: bool = False) -> tuple[StudyFile, Source, ScenarioFile]:
    """A study with its scenario, which is a file beside it or an id. Raises FileMistakes, UsageError."""
    if looks_like_scenario(path):
        raise UsageError(f"{path} is a scenario, which `fleetrig run` runs; a study begins with `study:`, its question")
    study, source = load_mapping(path, StudyFile), read_source(path)
    text = str(study.scenario)
    beside = path.parent / text
    try:
        found = find([str(beside) if beside.is_file() else text], folders)
    except NoSuchId as wrong:
        raise _at_scenario(source, str(wrong)) from None
    if len(found) > 1:
        raise _at_scenario(source, f"{text} means {len(found)} scenarios, and a study is about one")
    [(scenario_id, scenario)] = found.items()
    return study, source, read_scenario(scenario, scenario_id, allows_outside=allows_outside)


def _at_scenario(source: Source, sentence: str) -> FileMistakes:
    return FileMistakes([source.problem(locate(source.tree, ("scenario",))[0], f"scenario: {sentence}")])
