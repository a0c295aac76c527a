"""What a user gets: one package from a wheel, in a project that has folders called as ours are."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LIMIT_S = 240

OWN_MODULE = 'WHOSE = "the user\'s own"\n'
OWN_TEST = """
from harness import WHOSE as HARNESS
from simulator import WHOSE as SIMULATOR
from fleetrig.testing import RunningServer

def test_own_folders_are_found_and_the_server_answers(hawkbit_server: RunningServer) -> None:
    assert isinstance(hawkbit_server, RunningServer)
    assert HARNESS == SIMULATOR == "the user's own"
    assert hawkbit_server.url.startswith("http://127.0.0.1:")
"""
SCENARIO = """
scenario: A gateway registers itself
devices: {flow: hawkbit, count: 2, serial: "GW-{n}", credential: gateway_token}
phases:
  - name: first contact
    do: power_on
    within: 30s
    expect:
      - reaches: {stage: enrolled}
"""


def run(folder: Path, *words: str | Path, code: int = 0) -> str:
    """What a program says, which must end with `code`."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "PYTHON"))}
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the built wheel; of ours it sees the libraries, not the folders."""
    folder = tmp_path_factory.mktemp("installed")
    sources = folder / "sources"
    run(folder, "git", "clone", "-q", "--no-hardlinks", ROOT, sources)
    run(folder, "sh", "-c", f"cd {ROOT} && git ls-files -z -mo --exclude-standard "
        f"| xargs -0 sh -c 'for f; do test -e \"$f\" && cp --parents \"$f\" {sources}; done' copy")  # fmt: skip
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    run(folder, *pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, sources)
    run(folder, sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv/bin/python"
    run(folder, *pip, "--python", python, "install", "--no-deps", next(folder.glob("fleetrig-*.whl")))
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project."""
    for name in ("harness", "simulator"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(OWN_MODULE, encoding="utf-8")
    for name, content in {"tests/test_own.py": OWN_TEST, "scenarios/mine/gateway.yaml": SCENARIO}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content.lstrip(), encoding="utf-8")
    return tmp_path


def test_folders_of_a_project_and_the_plugin_live_side_by_side(python: Path, project: Path) -> None:
    said = run(project, python, "-m", "pytest", "-q", "tests", "scenarios")

    assert "2 passed" in said


def test_the_plugin_brings_no_fixtures_of_general_names(python: Path, project: Path) -> None:
    fixtures = run(project, python, "-m", "pytest", "--fixtures", "tests")

    names = {line.split()[0] for line in fixtures.splitlines() if line and not line[0].isspace()}
    assert "hawkbit_server" in names
    assert not names & {"session", "user"}


def test_who_wants_locusts_plugin_has_it(python: Path, project: Path) -> None:
    assert "session" in run(project, python, "-m", "pytest", "-p", "locust", "--fixtures", "tests")


def test_the_command_runs_scenarios_of_the_project_and_finds_its_own_elsewhere(python: Path, project: Path) -> None:
    fleetrig = python.with_name("fleetrig")

    assert "1 passed" in run(project, fleetrig, "run", "mine")
    assert "hawkbit/demo" in run(project / "tests", fleetrig, "list")


def test_only_one_package_is_installed(python: Path, project: Path) -> None:
    (packages,) = python.parents[1].glob("lib/python*/site-packages")

    folders = {path.name for path in packages.iterdir() if path.is_dir() and not path.name.endswith(".dist-info")}
    assert folders == {"fleetrig"}
    assert (packages / "fleetrig/scenarios/hawkbit/demo.yaml").is_file()
    assert (packages / "fleetrig/harness/py.typed").is_file()
    assert (packages / "fleetrig/testing/py.typed").is_file()
