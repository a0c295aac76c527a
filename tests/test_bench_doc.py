"""The page about the bench: its commands are run as they stand there, its bench file is read, its tables are whole."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from pydantic import BaseModel

from fleetrig.harness.bench.bench_file import read_bench
from fleetrig.harness.bench.bench_schema import bench_schema
from fleetrig.harness.scenario_file.board_check_words import Prints, UnitRecordSays
from fleetrig.harness.scenario_file.board_words import BOARD_WORDS, LineFaultEntry, ShellLine
from fleetrig.harness.scenario_file.boards_block import BoardRole
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import read_scenario
from tests.doc_page import blocks, page, ran
from tests.peers.programs import need_program

PAGE = page("bench")
COMMANDS = blocks(PAGE)
EXAMPLE, *KEYS_OF_BOARDS = blocks(PAGE, "yaml")
(SCENARIO,) = blocks(PAGE, "yaml scenario")
REFERENCE = PAGE[PAGE.index("## Every key") :]


def written(folder: Path) -> Path:
    path = folder / "bench.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    return path


def test_the_example_is_a_bench_file(tmp_path):
    desk = read_bench(written(tmp_path))
    assert desk.board("left").power is not None
    assert desk.board("right", {"GW_PASSWORD": "geheim-genug"}).console.login == "root"


@pytest.mark.parametrize("keys", KEYS_OF_BOARDS)
def test_other_examples_are_keys_of_a_board(keys, tmp_path):
    path = tmp_path / "bench.yaml"
    path.write_text(f"boards:\n  left:\n    type: acme-gw2\n    port: /dev/x\n{keys}", encoding="utf-8")
    assert read_bench(path).entries["left"].model_fields_set > {"type", "port"}


def test_every_key_and_kind_is_explained():
    """As a file has it: `off_for`, and not our name for it."""
    models = bench_schema()["$defs"].values()
    keys = {key for model in models for key in model.get("properties", {})}
    missing = [key for key in sorted(keys) if not re.search(rf"[`{{ ]{key}[`:,]", REFERENCE)]
    assert missing == []


def test_the_scenario_is_one(tmp_path):
    path = tmp_path / "first.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    (run,) = expand(read_scenario(path, "mine/first"))
    assert run.scenario.played == {"gateway": "GW-0001"}


def test_every_word_for_boards_is_explained():
    models: tuple[type[BaseModel], ...] = (
        BoardRole,
        *BOARD_WORDS.values(),
        LineFaultEntry,
        ShellLine,
        Prints,
        UnitRecordSays,
    )
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()} - {"root"}
    words = {*BOARD_WORDS, "prints", "unit"}
    chapter = PAGE[PAGE.index("## Boards in scenarios") : PAGE.index("## Unit records")]
    assert [word for word in sorted(words | keys) if not re.search(rf"[`{{ (]{word}[`:,}}]", chapter)] == []


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize("number", range(2))
def test_every_command_works(number, tmp_path):
    assert len(COMMANDS) == 2
    need_program("qemu-system-aarch64", "qemu-system-arm")
    written(tmp_path)
    desk = f'fleetrig() {{ command fleetrig "$@" $([ "$2" = records ] || echo --desk {tmp_path}/desk); }}\n'
    with tempfile.TemporaryDirectory(prefix="fr") as state:
        ran(desk + COMMANDS[number], tmp_path, XDG_STATE_HOME=state)
