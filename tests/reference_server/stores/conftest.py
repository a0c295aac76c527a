"""Every store, each able to be closed and opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetrig.reference_server.stores.interface import Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.reference_server.stores.sqlite import SqliteStore

OpenStore = Callable[[Path], Store]

STORES: dict[str, OpenStore] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "fleet.db"),
    "sqlite-hardly-cached": lambda folder: SqliteStore(folder / "fleet.db", cached_records=4),
}
ON_DISK = [name for name in STORES if name != "memory"]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=ON_DISK)
def open_on_disk(request: pytest.FixtureRequest) -> OpenStore:
    return STORES[request.param]
