"""A server for the tests of this folder, which they share as the plugin's fixtures share theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleetrig.harness.running_server.server import RunningServer
from fleetrig.harness.running_server.starting import SharedServer


def shared(platform: str, factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    one = SharedServer(platform, lambda: factory.mktemp(platform))
    yield one
    one.close()


@pytest.fixture(scope="session")
def hawkbits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    yield from shared("hawkbit", tmp_path_factory)


@pytest.fixture
def server(hawkbits: SharedServer) -> Iterator[RunningServer]:
    """A hawkBit in a tenant of its own."""
    with hawkbits.for_test() as one:
        yield one
