"""The README's commands are run as they stand there, each chapter in a folder of its own."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.doc_page import ROOT, blocks, in_shell
from tests.harness.command import fleetrig
from tests.harness.served import Served

CHAPTER = re.compile(r"^## ", re.MULTILINE)
SERVE = "fleetrig serve\n"
SERVED_AT = "127.0.0.1:8080"
BROKEN = 3
GENERATOR_WAS_LIMIT = "the generator was the limit"


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def chapters() -> dict[str, list[str]]:
    """Title -> blocks of commands, for the chapters that have some."""
    titled = {chapter.partition("\n")[0]: blocks(chapter) for chapter in CHAPTER.split(readme())}
    return {title: found for title, found in titled.items() if found}


def test_the_server_is_started_in_a_block_of_its_own() -> None:
    assert SERVE in [block for found in chapters().values() for block in found]
    assert sum(map(len, chapters().values())) == len(blocks(readme())) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("title", chapters())
def test_every_command_works(title: str, tmp_path: Path) -> None:
    """`fleetrig serve` runs beside them, on a free port."""
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    with Served(tmp_path) as served:
        commands = [block for block in chapters()[title] if block != SERVE]
        ran = [run(block.replace(SERVED_AT, served.ready["http"]), tmp_path) for block in commands]
    if not all(ran):
        pytest.skip("this machine is busy with other tests: the load generator was the limit, and said so")


def run(block: str, folder: Path) -> bool:
    """False when a load run blamed itself: the rest of its block was not run."""
    done = in_shell(block, folder)
    if done.returncode == BROKEN and GENERATOR_WAS_LIMIT in done.stdout:
        return False
    assert done.returncode == 0, f"{block}\nended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return True


def test_the_sample_of_a_trace_is_what_the_command_prints(tmp_path: Path) -> None:
    """The block of text below the commands; they run in virtual time, so that it is always the same."""
    [(commands, sample)] = re.findall(r"```sh\n((?:.*\n)?fleetrig trace .*\n)```\n\n```text\n((?:.*\n)*?)```", readme())
    ran = [fleetrig(*shlex.split(command)[1:], cwd=tmp_path) for command in commands.splitlines()]
    assert [done.returncode for done in ran] == [0] * len(ran)
    assert sample in ran[-1].stdout


def test_the_demo_output_is_of_this_scenario() -> None:
    """The sample in the README names the phases that the demo really has."""
    phases = re.findall(r"- name: (.*)", (ROOT / "scenarios/hawkbit/demo.yaml").read_text(encoding="utf-8"))
    assert phases
    assert all(f"  ok {phase}  " in readme() for phase in phases)
