"""Each worker of pytest-xdist compiles a part of the sources, before all of them import them all.

In a fresh clone nothing is compiled yet. Workers start at the same moment and import the same modules in the same
order, so each of them would compile every module: that costs more than the tests of many a room.
"""

from __future__ import annotations

import py_compile
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final
from zlib import crc32

import pytest
from _pytest.assertion import rewrite  # where pytest keeps a test module whose asserts it rewrote: nothing public tells

PRIVATE_NAMES: Final = ("PYC_TAIL", "_rewrite_test", "_write_pyc", "assertstate_key", "get_cache_dir")
"""What this leans on in `rewrite`, and that pytest does not promise to keep: without them each worker compiles all."""
ROOT: Final = Path(__file__).parents[1]
TESTS: Final = ROOT / "tests"
ROOMS: Final = ("harness", "hil", "reference_server", "simulator", "testing", "tests")


def compile_a_share(config: pytest.Config) -> None:
    """Whatever cannot be compiled now is told when it is imported, and where nothing can be written, nothing is."""
    worker = getattr(config, "workerinput", None)
    if worker is None or sys.dont_write_bytecode or not knows_pytest() or not collects_everything(config):
        return
    number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    with suppress(OSError):
        compile_sources(share_of(outdated_below(ROOT / room for room in ROOMS), number, count), config)


def knows_pytest() -> bool:
    return all(hasattr(rewrite, name) for name in PRIVATE_NAMES)


def compile_sources(sources: Iterable[Path], config: pytest.Config) -> None:
    for source in sources:
        if is_rewritten(source):
            write_rewritten(source, config)
        else:
            py_compile.compile(str(source), quiet=2)


def collects_everything(config: pytest.Config) -> bool:
    """Who runs a single file waits for its imports only."""
    return any((config.invocation_params.dir / arg).resolve() == TESTS for arg in config.args)


def share_of(sources: Iterable[Path], number: int, count: int) -> list[Path]:
    """By name, not by place in the list: while one worker compiles, another finds fewer that are outdated."""
    return [source for source in sources if crc32(source.as_posix().encode()) % count == number]


def outdated_below(folders: Iterable[Path]) -> Iterator[Path]:
    return (path for folder in folders for path in folder.rglob("*.py") if is_outdated(path))


def is_outdated(source: Path) -> bool:
    try:
        return compiled_file(source).stat().st_mtime_ns < source.stat().st_mtime_ns
    except FileNotFoundError:
        return True


def compiled_file(source: Path) -> Path:
    if is_rewritten(source):
        return rewrite.get_cache_dir(source) / f"{source.stem}{rewrite.PYC_TAIL}"
    return Path(cache_from_source(str(source)))


def is_rewritten(source: Path) -> bool:
    return source.name == "conftest.py" or source.name.startswith("test_")


def write_rewritten(source: Path, config: pytest.Config) -> None:
    try:
        source_hash, code = rewrite._rewrite_test(source, config)
    except SyntaxError:
        return
    target = compiled_file(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, source_hash, target)
