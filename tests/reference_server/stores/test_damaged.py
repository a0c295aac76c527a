"""A database with a flipped byte opens with one clear line, or works and says nothing wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fleetrig.reference_server.stores.interface import Store
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, UsageError
from tests.reference_server.stores.records import DEVICE, JOB, Device, Job

TENANTS = ("A", "ü")
DEVICES = 40
HEADER = (0, 16, 18, 19, 20, 24, 28, 40, 44, 47, 52, 56, 60, 63, 64, 68, 71, 92, 96)
"""Of the file (https://www.sqlite.org/fileformat2.html §1.3): page size, versions, encoding, whose it is …"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "fleet.db"
    store = SqliteStore(path)
    for tenant in TENANTS:
        with store.transaction():
            for number in range(DEVICES):
                store.put(DEVICE, tenant, Device(f"dev-{number}", f"group-{number % 3}"))
                store.put(JOB, tenant, Job(store.next_id("job"), f"dev-{number}"))
    store.close()
    return path.read_bytes()


ASKED: dict[str, Callable[[Store], Any]] = {
    "scan": lambda store: [sorted(map(repr, store.scan(DEVICE, tenant))) for tenant in TENANTS],
    "get": lambda store: [store.get(DEVICE, "A", f"dev-{number}") for number in range(DEVICES)],
    "jobs": lambda store: [sorted(map(repr, store.scan(JOB, tenant))) for tenant in TENANTS],
    "tenants": lambda store: store.tenants(DEVICE),
    "count": lambda store: [store.count(DEVICE, tenant) for tenant in TENANTS],
    "totals": lambda store: store.totals(),
    "sequence": lambda store: store.next_id("job"),
}


def answers(store: Store) -> dict[str, Any]:
    """What the store says; a failure, which must be one line with what to do, is no wrong answer."""
    found = {}
    for name, ask in ASKED.items():
        try:
            found[name] = ask(store)
        except BrokenBench as failed:
            check_line(failed)
    return found


def check_line(failed: FleetrigError) -> None:
    said = str(failed)
    assert "\n" not in said
    assert "fleet.db" in said
    assert any(words in said for words in ("put a copy back", "give another path", "use that version")), said


def places(size_bytes: int) -> list[int]:
    """The header, the beginning of each page, where its pointers and cells are, and all over the file."""
    pages = [at + more for at in range(0, size_bytes, 4096) for more in (0, 1, 3, 5, 8, 9, 12, 101, 4095)]
    return sorted({*HEADER, *pages, *range(0, size_bytes, 211)} & set(range(size_bytes)))


@pytest.fixture(scope="module")
def truth(whole: bytes, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("truth") / "fleet.db"
    path.write_bytes(whole)
    store = SqliteStore(path)
    said = answers(store)
    store.close()
    assert said.keys() == ASKED.keys()
    return said


@pytest.mark.slow
@pytest.mark.parametrize("flip", [0x01, 0x20, 0xFF], ids=hex)
def test_a_flipped_byte_is_said_or_does_no_harm(tmp_path: Path, whole: bytes, truth: dict[str, Any], flip: int) -> None:
    path, refused = tmp_path / "fleet.db", 0
    for at in places(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= flip
        path.write_bytes(damaged)
        try:
            store = SqliteStore(path)
        except (BrokenBench, UsageError) as failed:
            check_line(failed)
            refused += 1
            continue
        said = answers(store)
        store.close()
        wrong = {name: value for name, value in said.items() if value != truth[name]}
        assert not wrong, f"byte {at}"
    assert refused > 24


@pytest.mark.parametrize("size_bytes", [0, 1, 100, 511, 512, 4095, 4096, 5000, 8192])
def test_a_file_that_was_cut(tmp_path: Path, whole: bytes, size_bytes: int) -> None:
    path = tmp_path / "fleet.db"
    path.write_bytes(whole[:size_bytes])
    if size_bytes == 0:
        SqliteStore(path).close()  # as good as none
        return
    with pytest.raises((BrokenBench, UsageError)) as failed:
        SqliteStore(path)
    check_line(failed.value)


def test_a_flipped_letter_in_a_record_is_no_answer(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "fleet.db"
    path.write_bytes(whole.replace(b'"group-1"', b'"group-9"', 1))
    with pytest.raises(BrokenBench, match=r"damaged .*is not as it was written"):
        SqliteStore(path)


def test_a_file_from_before_there_were_checksums(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    store = SqliteStore(path)
    store.put(DEVICE, "A", Device("d", "north"))
    store.next_id("job")
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET body = substr(body, 1, length(body) - 8)")
        connection.execute("UPDATE sequences SET last = 7")
        connection.execute("PRAGMA user_version = 1")
    store = SqliteStore(path)
    assert store.get(DEVICE, "A", "d") == Device("d", "north")
    store.put(DEVICE, "A", Device("d", "south"))
    assert store.next_id("job") == 8
    store.close()
    store = SqliteStore(path)
    assert store.get(DEVICE, "A", "d") == Device("d", "south")
    assert store.next_id("job") == 9
    assert store._tables._connection.execute("PRAGMA user_version").fetchone() == (2,)
    store.close()
