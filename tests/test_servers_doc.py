"""docs/servers.md names every key of a SERVER.yaml and every word of `can`; its commands are run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.scenario_file.reader import load_mapping
from fleetrig.harness.scenario_file.vocabulary import NEUTRAL_NEEDS, vocabulary_of
from fleetrig.harness.servers.server_model import ClientCaFile, LineAccount, ServerFile
from tests.doc_page import blocks, page, ran, replaced
from tests.harness.served import Served

PAGE: Final = page("servers")
ROW: Final = re.compile(r"^\| ((?:`[\w.]+` ?)+)\|", re.MULTILINE)
PORTS: Final = {"http": "127.0.0.1:8080", "control": "127.0.0.1:8081"}


def words_of_tables() -> list[str]:
    """What stands in the first column of the tables of keys and of capabilities."""
    _, _, tables = PAGE.partition("| key |")
    return [word for cell in ROW.findall(tables) for word in re.findall(r"`([\w.]+)`", cell)]


def declared_words() -> set[str]:
    """What only an operator can know of a server."""
    found: set[str] = set()
    for platform in PLATFORMS:
        words = vocabulary_of(platform)
        found |= words.operator_knows | words.reference_can | (words.profile_words - words.can)
    return found


def test_every_key_has_its_row() -> None:
    keys = set(ServerFile.model_fields)
    assert {word for word in words_of_tables() if "." not in word} == keys
    inner = {*LineAccount.model_fields, *ClientCaFile.model_fields}
    assert [name for name in inner if name not in PAGE] == []


def test_every_capability_that_can_be_declared_has_its_row() -> None:
    assert {word for word in words_of_tables() if "." in word} == declared_words()
    assert [word for word in NEUTRAL_NEEDS if f"`{word}`" not in PAGE] == []


def test_its_files_have_no_mistakes(tmp_path: Path) -> None:
    for text in blocks(PAGE, "yaml"):
        (tmp_path / "SERVER.yaml").write_text(text)
        assert load_mapping(tmp_path / "SERVER.yaml", ServerFile).model_fields_set


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    serve, *commands = blocks(PAGE)
    options = serve.split()[2:]
    for address in PORTS.values():
        options[options.index(address)] = "127.0.0.1:0"
    with Served(tmp_path, *options) as served:
        real = {written: served.ready[name] for name, written in PORTS.items()}
        assert f"run      fleetrig run hawkbit --against http://{real[PORTS['control']]}\n" in served.until_said(
            "stop "
        )
        (tmp_path / "SERVER.yaml").write_text(replaced(blocks(PAGE, "yaml")[1], real))
        for block in commands:
            ran(replaced(block, real), tmp_path)
