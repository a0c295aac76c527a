"""The examples of docs/control.md are run one after another, and say what stands there; … stands for anything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fleetrig.reference_server.control.control import TRACE_PARAMETERS
from fleetrig.reference_server.control.northbound_view import COMMAND_WORDS, NORTHBOUND_PARAMETERS
from fleetrig.simulator.contract.fault_json import WORDS
from fleetrig.simulator.contract.faults import FaultKind
from tests.doc_page import blocks, check_examples, examples, page
from tests.harness.served import Served

PAGE = page("control")


def test_the_page_has_examples() -> None:
    assert len(examples(PAGE)) >= 10


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are for curl")
def test_every_example_says_what_the_page_says(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        [file] = blocks(PAGE, "yaml")
        (tmp_path / "SERVER.yaml").write_text(file.replace("127.0.0.1:8081", served.ready["control"]))
        check_examples(PAGE, tmp_path, served)


def test_every_word_is_on_the_page() -> None:
    words = [*WORDS, *FaultKind]
    assert [word for word in words if f"`{word}`" not in PAGE] == []
    assert [name for name in (*TRACE_PARAMETERS, *NORTHBOUND_PARAMETERS) if f"`{name}=" not in PAGE] == []
    assert [word for word in COMMAND_WORDS if f"`{word}`" not in PAGE] == []
