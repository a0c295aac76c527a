"""One server for all of ThingsBoard's peers; each test has a device of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.thingsboard.sdk import sdk_python
from tests.peers.thingsboard.serving import ServedThingsBoard, Tenant


@pytest.fixture(scope="session")
def thingsboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedThingsBoard]:
    with ServedThingsBoard(tmp_path_factory.mktemp("thingsboard")) as served:
        Tenant(served.url).let_devices_provision()
        yield served


@pytest.fixture(scope="session")
def old_thingsboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedThingsBoard]:
    with ServedThingsBoard(tmp_path_factory.mktemp("old"), "--profile", "3.2") as served:
        Tenant(served.url).let_devices_provision()
        yield served


@pytest.fixture(scope="session")
def documented_thingsboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedThingsBoard]:
    """It answers as the page promises."""
    with ServedThingsBoard(tmp_path_factory.mktemp("documented"), "--profile", "as-documented") as served:
        Tenant(served.url).let_devices_provision()
        yield served


@pytest.fixture(scope="session")
def tenant(thingsboard: ServedThingsBoard) -> Tenant:
    return Tenant(thingsboard.url)


@pytest.fixture(scope="session")
def sdk() -> str:
    """The interpreter that has ThingsBoard's own SDK."""
    return sdk_python()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A device name that no other test uses."""
    return str(request.node.name).removeprefix("test_")[:200]
