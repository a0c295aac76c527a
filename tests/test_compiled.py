"""What workers compile before the tests is what Python and pytest look for afterwards."""

from __future__ import annotations

import importlib.util
import os
import sys
from itertools import chain
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from tests.compiled import PRIVATE_NAMES, compile_sources, compiled_file, knows_pytest, outdated_below, share_of

TEST = "def test_it():\n    assert 1 == 2\n"


def written(folder: Path) -> tuple[Path, Path]:
    test, module = folder / "test_one.py", folder / "one.py"
    test.write_text(TEST)
    module.write_text("ONE = 1\n")
    return test, module


def test_each_source_is_in_one_share() -> None:
    sources = [Path(f"room/{name}.py") for name in range(200)]
    shares = [share_of(sources, number, 6) for number in range(6)]
    assert sorted(chain(*shares)) == sorted(sources)
    assert all(shares)


def test_what_is_compiled_is_what_is_looked_for(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    test, module = written(tmp_path)
    compile_sources([test, module], pytestconfig)

    code = rewrite._read_pyc(test, compiled_file(test))
    assert code is not None
    names: dict[str, object] = {}
    exec(code, names)
    assert "@pytest_ar" in names, "pytest has rewritten its asserts"
    spec = importlib.util.spec_from_file_location("one", module)
    assert spec is not None
    assert spec.cached == str(compiled_file(module))


def test_what_is_compiled_is_outdated_once_it_changes(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    test, module = written(tmp_path)
    assert set(outdated_below([tmp_path])) == {test, module}
    compile_sources([test, module], pytestconfig)
    assert set(outdated_below([tmp_path])) == set()
    compiled_at_ns = compiled_file(module).stat().st_mtime_ns
    os.utime(module, ns=(compiled_at_ns + 1, compiled_at_ns + 1))
    assert set(outdated_below([tmp_path])) == {module}


def test_what_is_compiled_may_be_kept_elsewhere(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PYTHONPYCACHEPREFIX asks for: there no folder is made yet."""
    test, module = written(tmp_path)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "kept"))
    compile_sources([test, module], pytestconfig)

    assert {compiled_file(one).relative_to(tmp_path).parts[0] for one in (test, module)} == {"kept"}
    assert set(outdated_below([tmp_path])) == set()


def test_this_pytest_has_the_private_names() -> None:
    assert knows_pytest()


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_a_pytest_without_one_of_them_is_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(rewrite, name)
    assert not knows_pytest()


def test_what_cannot_be_compiled_is_left_to_who_imports_it(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    wrong = [tmp_path / "test_wrong.py", tmp_path / "wrong.py"]
    for source in wrong:
        source.write_text("def (:\n")
    compile_sources(wrong, pytestconfig)
    assert set(outdated_below([tmp_path])) == set(wrong)
