"""The examples of docs/traces.md are run one after another, and say what stands there; … stands for anything."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.commands.trace import trace_command
from fleetrig.harness.traces.event_words import WORDS
from fleetrig.simulator.contract.trace import TraceEvent
from tests.doc_page import blocks, check_examples, examples, page
from tests.harness.served import Served

PAGE: Final = page("traces")
LANE: Final = re.compile(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", re.MULTILINE)
TOLD_ELSEWHERE: Final = {"where", "follow", "since", "clock", "verbose", "raw", "results", "context"}
"""Parameters without a row of their own."""


def test_the_page_has_examples() -> None:
    assert len(examples(PAGE)) >= 7


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="one of the examples is for curl")
def test_every_example_says_what_the_page_says(tmp_path: Path) -> None:
    [scenario] = blocks(PAGE, "yaml")
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/quiet.yaml").write_text(scenario, encoding="utf-8")
    with Served(tmp_path) as served:
        check_examples(PAGE, tmp_path, served)


def test_every_lane_and_kind_is_on_the_page() -> None:
    listed = {lane: set(re.findall(r"`(\w+)`", kinds)) for lane, kinds in LANE.findall(PAGE)}
    assert {(lane, kind) for lane, kinds in listed.items() for kind in kinds} == {
        (str(lane), kind) for lane, kind in WORDS
    }


def test_every_field_and_option_is_on_the_page() -> None:
    assert [field for field in TraceEvent._fields if f"`{field}`" not in PAGE] == []
    names = {"begins": "from", "ends": "to"}
    options = trace_command.__annotations__.keys() - {"return", *TOLD_ELSEWHERE}
    assert [name for name in options if f"`--{names.get(name, name)}" not in PAGE] == []
    assert all(f"`--{name}" in PAGE or f"`-{name[0]}`" in PAGE for name in TOLD_ELSEWHERE - {"where"})
