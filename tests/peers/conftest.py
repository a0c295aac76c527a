"""The bench for programs of other people: one reference server for all, devices that end with their test."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.peers.care import Care
from tests.peers.serving import ServedFleetrig
from tests.peers.swupdate_image import Signer
from tests.peers.swupdate_line import DeviceLine

LOCK = Path(tempfile.gettempdir()) / f"fleetrig-tests-swupdate-{os.getuid()}.lock"


@pytest.fixture(autouse=True)
def _one_at_a_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """All swupdates of a machine share eleven abstract sockets, also those of another checkout's tests."""
    if "swupdate" not in request.path.name:
        yield
        return
    with LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def care() -> Iterator[Care]:
    with ExitStack() as stack:
        yield Care(stack)


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedFleetrig]:
    served = ServedFleetrig(tmp_path_factory.mktemp("server"))
    try:
        served.accept_tokens()
        yield served
    finally:
        served.stop()


@pytest.fixture
def server(one_server: ServedFleetrig) -> Iterator[ServedFleetrig]:
    """One server for all tests, each with targets of its own; shows what it said during this test."""
    before = len(one_server.said())
    yield one_server
    one_server.show(before)


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """Signs the images that devices take."""
    return Signer.make(tmp_path_factory.mktemp("vendor"), "vendor")


@pytest.fixture
def line(server: ServedFleetrig, vendor: Signer, care: Care, tmp_path: Path) -> DeviceLine:
    """Where this test's swupdate devices and their images come from."""
    return DeviceLine(server, vendor, care, tmp_path)
