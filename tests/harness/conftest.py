"""Scenario files and a running server for the tests of the harness."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from fleetrig.harness.running_server.server import RunningServer
from fleetrig.harness.scenario_file.template import ScenarioFile, read_scenario
from tests.harness.served import Served
from tests.peers.mgmt import Mgmt

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the working folder of the test and gives its path relative to there."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str | bytes, name: str = "x.yaml") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).lstrip("\n").encode())
        return path

    return write_file


@pytest.fixture
def read(write: Write) -> Callable[[str], ScenarioFile]:
    """Reads a scenario from text."""
    return lambda text: read_scenario(write(text), "some/topic")


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Allows intervals of a second."""
    with Served(tmp_path_factory.mktemp("server"), "--set", "hawkbit.controller.minPollingTime=00:00:01") as served:
        yield served


@pytest.fixture
def empty_server(one_server: Served) -> RunningServer:
    """One server for all tests, each of which finds it as a new one: without targets, updates and settings.

    Whoever stops it, or asks about its start, takes the fixture `hawkbit_server`.
    """
    host_port = one_server.ready["http"]
    Mgmt(host_port).make_empty()
    return RunningServer(f"http://{host_port}", "admin", "admin", one_server.process.pid)
