"""docs/scenarios.md and the platforms' pages: made from the models, complete, and true where written by hand."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.language.catalogue import words_of_language
from fleetrig.harness.language.language_word import Topic
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.reader import parse
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.harness.scenario_file.vocabulary import vocabulary_of
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.units import duration_s, size_bytes
from tests.harness.command import PROJECT, fleetrig
from tests.scenario_pages import DOCS, MARK, PAGES, page_text, parts_of, words_of_part

PAGE: Final = PAGES[""].read_text(encoding="utf-8")
BY_HAND: Final = MARK.sub("", PAGE)
BLOCK: Final = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\(([\w./-]*)(?:#([\w-]+))?\)")
HEADING: Final = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    titles = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(text))
    return {title.replace(" ", "-") for title in titles}


@pytest.mark.parametrize("platform", PAGES)
def test_a_page_is_made_from_the_models(platform: str) -> None:
    text = PAGES[platform].read_text(encoding="utf-8")
    assert page_text(platform, text) == text, "make contracts writes it anew"


def test_every_word_stands_on_one_page_once() -> None:
    shown = Counter(
        (word.platform, word.topic, word.name)
        for platform, path in PAGES.items()
        for part in parts_of(path.read_text(encoding="utf-8"))
        for word in words_of_part(platform, part)
    )
    there = {
        (word.platform, word.topic, word.name)
        for word in words_of_language()
        if (word.topic, word.name) != (Topic.ATTRIBUTES_MODE, "none")  # of platforms that have no other
    }
    assert there - shown.keys() == set(), "give it a place on a page"
    assert {word for word, times in shown.items() if times > 1} == set()


@pytest.mark.parametrize("platform", PAGES)
def test_every_link_leads_somewhere(platform: str) -> None:
    text = PAGES[platform].read_text(encoding="utf-8")
    for path, anchor in LINK.findall(text):
        target = DOCS / path if path else PAGES[platform]
        assert target.exists(), path
        assert not anchor or not path.endswith((".md", "")) or anchor in anchors(target.read_text("utf-8")), anchor


def test_every_chapter_is_in_the_table_of_contents() -> None:
    contents = BY_HAND[: BY_HAND.index("\n## ")]
    chapters = HEADING.findall(BY_HAND[BY_HAND.index("\n## ") :])
    missing = [one for one in chapters if f"(#{next(iter(anchors(f'# {one}')))})" not in contents]
    assert missing == ["Beside a check"]


@pytest.mark.parametrize("number", [0, 1])
def test_the_whole_files_of_the_page_run_and_pass(number: int, tmp_path: Path) -> None:
    whole = [block for block in BLOCK.findall(BY_HAND) if block.startswith("scenario:")]
    assert len(whole) == 2
    path = tmp_path / "x.yaml"
    path.write_text(whole[number], encoding="utf-8")
    for one in expand(read_scenario(path, "x")):
        assert asyncio.run(run(one, RunOptions(results=tmp_path))).verdict is Verdict.PASSED


def test_the_shortest_file_is_the_one_that_comes_with_fleetrig() -> None:
    shortest = (PROJECT / "scenarios/words/shortest.yaml").read_text(encoding="utf-8")
    assert BLOCK.findall(BY_HAND)[0] == shortest


def test_parts_of_files_on_the_page_are_yaml() -> None:
    for block in BLOCK.findall(BY_HAND):
        assert parse(block.encode(), Path("x.yaml")).tree


def test_the_command_of_the_page_makes_the_schema_that_new_leaves_alone(tmp_path: Path) -> None:
    [block] = re.findall(r"^```sh\n(.*?)^```", BY_HAND, re.MULTILINE | re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-e", "-c", block], cwd=tmp_path, env={**os.environ, "PATH": path}, timeout=60, check=True)
    made = (tmp_path / "scenarios/scenario.schema.json").read_text(encoding="utf-8")
    assert "for editors" not in fleetrig("new", "mine/first", cwd=tmp_path).stdout
    assert (tmp_path / "scenarios/scenario.schema.json").read_text(encoding="utf-8") == made


def test_spelled_values_are_spelled_right() -> None:
    row = {line.split(" | ")[0].removeprefix("| "): line for line in BY_HAND.splitlines() if line.startswith("| ")}
    times, sizes = (re.findall(r"`([\d.]+[A-Za-z]+)`", row[name]) for name in ("time", "size"))
    assert [duration_s(one) for one in times] == [0.5, 30.0, 90.0, 3600.0]
    assert [size_bytes(one) for one in sizes] == [512, 4096, 1 << 20]


def test_the_list_of_units_on_the_page_is_one(tmp_path: Path) -> None:
    listed = re.findall(r"^```csv\n(.*?)^```", BY_HAND, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "units.csv").write_text(listed, encoding="utf-8")
    path = tmp_path / "x.yaml"
    head = "scenario: It works\ndevices: {flow: hawkbit, csv: units.csv}\nphases: [{name: on, do: power_on, for: 1s}]\n"
    path.write_text(head, encoding="utf-8")
    units = list(expand(read_scenario(path, "x"))[0].scenario.devices.units())
    assert [unit.serial for unit in units] == ["HB-0001", "HB-0002"]
    assert units[0].attributes == {"site": "plant-7"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_table_of_needs_says_in_which_profiles_a_word_holds(platform: str) -> None:
    vocabulary, text = vocabulary_of(platform), PAGES[platform].read_text(encoding="utf-8")
    for word in vocabulary.profile_words:
        [row] = re.findall(rf"^\| `{re.escape(word)}` \|.*$", text, re.MULTILINE)
        said = [cell.strip() == "yes" for cell in row.split("|")[-1 - len(vocabulary.profiles) : -1]]
        assert said == [word in vocabulary.profile_can[profile] for profile in vocabulary.profiles]


def test_each_platform_has_its_page_and_the_others_point_to_it() -> None:
    for platform in PLATFORMS:
        assert f"({platform}_scenarios.md)" in PAGE
        assert "(scenarios.md)" in PAGES[platform].read_text(encoding="utf-8")
