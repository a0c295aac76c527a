"""One process that serves all four platforms, and a folder with a SERVER.yaml for each, for the verbs of the desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.servers.description import description_of
from tests.harness.desk.at_the_desk import Desk, server_file
from tests.harness.served import Served

LISTENERS = {"hawkbit": ("http",), "thingsboard": ("http", "mqtt"), "hono": ("registry", "http", "mqtt"),
             "kura": ("http", "mqtt")}  # fmt: skip


def options() -> Iterator[str]:
    yield from ("--set", "hawkbit=hawkbit.controller.minPollingTime=00:00:01")
    for platform in PLATFORMS:
        yield from ("--platform", platform)
        for listener in description_of(platform).defaults:
            yield from (f"--{listener}", f"{platform}=127.0.0.1:0")


@pytest.fixture(scope="session")
def all_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("desk"), *options()) as served:
        yield served


@pytest.fixture
def desk(all_served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An empty folder, with the files that say where the servers are."""
    monkeypatch.chdir(tmp_path)
    for platform, listeners in LISTENERS.items():
        (tmp_path / f"{platform}.yaml").write_text(server_file(platform, all_served.ready, listeners))
    return Desk(tmp_path, all_served)
