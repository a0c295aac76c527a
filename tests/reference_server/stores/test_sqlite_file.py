"""The file beneath: whose it is, and what is said when it is not."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetrig.reference_server.stores.interface import Kind
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, ModelError, UsageError
from tests.reference_server.stores.conftest import OpenStore
from tests.reference_server.stores.failing import fail_after
from tests.reference_server.stores.records import DEVICE, JOB, Device, Job


def filled(path: Path, records: int = 50) -> Path:
    store = SqliteStore(path)
    for number in range(records):
        store.put(DEVICE, "T", Device(f"d{number:03}", "north", attributes={"note": "x" * 200}))
    store.close()
    return path


def pragma(store: SqliteStore, name: str) -> object:
    return store._tables.run(f"PRAGMA {name}").fetchone()[0]


def test_everything_is_there_after_reopening(tmp_path: Path, open_on_disk: OpenStore):
    store = open_on_disk(tmp_path)
    store.put(DEVICE, "T", Device("d", "north", 7, ("a", "b"), {"k": "ä\x00"}))
    store.put(DEVICE, "T", Device("d", "north", 8, ("a", "b"), {"k": "ä\x00"}), lazily=True)
    assert [store.next_id("job") for _ in range(3)] == [1, 2, 3]
    store.close()
    store = open_on_disk(tmp_path)
    expected = Device("d", "north", 8, ("a", "b"), {"k": "ä\x00"})
    assert store.find(DEVICE, "T", "tag", "b") == [expected] == list(store.scan(DEVICE, "T"))
    assert store.next_id("job") == 4
    store.close()


def test_ids_of_failed_transactions_are_not_given_again_after_reopening(tmp_path: Path):
    store = SqliteStore(tmp_path / "fleet.db")
    fail_after(store, lambda: store.next_id("job"))
    store.close()
    store = SqliteStore(tmp_path / "fleet.db")
    assert store.next_id("job") == 2
    store.close()


def test_a_second_opener_is_told_that_the_file_is_in_use(tmp_path: Path):
    store = SqliteStore(filled(tmp_path / "fleet.db"))
    with pytest.raises(BrokenBench, match=r"fleet\.db is in use by another process"):
        SqliteStore(tmp_path / "fleet.db")
    program = (
        "import sys; from pathlib import Path; from reference_server.stores.sqlite import SqliteStore;"
        "SqliteStore(Path(sys.argv[1]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "fleet.db"], capture_output=True, text=True, check=False
    )
    assert other.returncode != 0
    assert "is in use by another process" in other.stderr
    store.put(DEVICE, "T", Device("still ours"))
    store.close()
    SqliteStore(tmp_path / "fleet.db").close()


def test_a_new_file_is_in_use_from_the_start(tmp_path: Path):
    store = SqliteStore(tmp_path / "fleet.db")
    with pytest.raises(BrokenBench, match="in use"):
        SqliteStore(tmp_path / "fleet.db")
    store.close()


def test_only_the_owner_may_read_the_files(tmp_path: Path):
    store = SqliteStore(tmp_path / "fleet.db")
    store.put(DEVICE, "T", Device("d"))
    rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    store.close()
    assert rights == {"fleet.db": 0o600, "fleet.db-wal": 0o600}


@pytest.mark.parametrize("content", [b"scenario: not a database\n" * 100, b"x" * 511, b"x", bytes(range(1, 255)) * 64])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a fleetrig store, nor any SQLite file"):
        SqliteStore(path)
    assert path.read_bytes() == content
    assert [found.name for found in tmp_path.iterdir()] == ["notes.txt"]


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE records (name)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="of another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store(tmp_path: Path):
    (tmp_path / "fleet.db").touch()
    store = SqliteStore(tmp_path / "fleet.db")
    store.put(DEVICE, "T", Device("d"))
    store.close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path):
    path = filled(tmp_path / "fleet.db")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UsageError, match="written by a newer fleetrig"):
        SqliteStore(path)


def test_a_truncated_file_is_damaged(tmp_path: Path):
    path = filled(tmp_path / "fleet.db", 500)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(BrokenBench, match="damaged"):
        SqliteStore(path)


def test_damage_in_the_middle_is_said_when_it_is_met(tmp_path: Path):
    path = filled(tmp_path / "fleet.db", 500)
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 8192] = b"\xff" * (len(content) - 16384)
    path.write_bytes(content)
    with pytest.raises(BrokenBench, match=r"fleet\.db is damaged"):
        _read_all(path)


def _read_all(path: Path) -> None:
    store = SqliteStore(path)
    try:
        list(store.scan(DEVICE, "T"))
        store.find(DEVICE, "T", "group", "north")
    finally:
        store.close()


@pytest.mark.parametrize(
    ("path", "said"),
    [("", "is a folder"), ("none/fleet.db", "there is no folder"), ("file/fleet.db", "file is a file")],
)
def test_a_path_that_cannot_be(tmp_path: Path, path: str, said: str):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=said):
        SqliteStore(tmp_path / path)


def test_a_full_disk_loses_that_request_only(tmp_path: Path):
    store = SqliteStore(tmp_path / "fleet.db")
    store.put(DEVICE, "T", Device("before"))
    store._tables.run(f"PRAGMA max_page_count = {pragma(store, 'page_count')}")
    with pytest.raises(BrokenBench, match="no room left"):
        _fill(store)
    store._tables.run("PRAGMA max_page_count = 1000000")
    assert [device.controller_id for device in store.scan(DEVICE, "T")] == ["before"]
    assert store.count(DEVICE, "T") == 1
    _fill(store)
    assert store.count(DEVICE, "T") == 101
    store.close()


def _fill(store: SqliteStore) -> None:
    with store.transaction():
        for number in range(100):
            store.put(DEVICE, "T", Device(f"d{number}", attributes={"note": "x" * 1000}))


@pytest.mark.parametrize(("durability", "synchronous"), [("kill", 1), ("power-cut", 2)])
def test_durability_is_how_often_sqlite_syncs(tmp_path: Path, durability, synchronous: int):
    store = SqliteStore(tmp_path / "fleet.db", durability=durability)
    assert (pragma(store, "synchronous"), pragma(store, "journal_mode")) == (synchronous, "wal")
    store.put(DEVICE, "T", Device("d"))
    store.close()


def test_a_closed_store_is_not_used_on(tmp_path: Path):
    store = SqliteStore(tmp_path / "fleet.db")
    store.close()
    with pytest.raises(ModelError, match="closed"):
        store.put(DEVICE, "T", Device("d"))


@dataclass(frozen=True, slots=True)
class LaterDevice:
    """`Device` of a later version: without `tags`, with `address`."""

    controller_id: str
    group: str | None = None
    polled_at_us: int = 0
    attributes: dict[str, str] = dataclasses.field(default_factory=dict)
    address: str = "unknown"


LATER = Kind(
    DEVICE.name,
    LaterDevice,
    key=lambda device: device.controller_id,
    indexes={"address": lambda device: (device.address,), "group": lambda device: (device.group or "none",)},
)


@pytest.mark.parametrize("first", ["find", "count", "put", "lazy put", "delete"])
def test_a_file_of_an_older_version_is_indexed_anew(tmp_path: Path, open_on_disk: OpenStore, first: str):
    store = open_on_disk(tmp_path)
    for number in range(6):
        store.put(DEVICE, "T", Device(f"d{number}", tags=("a",)))
    store.put(JOB, "T", Job(1, "d1"))
    store.close()
    store = open_on_disk(tmp_path)
    match first:
        case "find":
            assert len(store.find(LATER, "T", "address", "unknown")) == 6
        case "count":
            assert store.count(LATER, "T", "group", "none") == 6
        case "put":
            store.put(LATER, "T", LaterDevice("d9"))
            store.delete(LATER, "T", "d9")
        case "lazy put":
            store.put(LATER, "T", LaterDevice("d0", polled_at_us=5), lazily=True)
        case "delete":
            store.delete(LATER, "T", "d5")
            store.put(LATER, "T", LaterDevice("d5"))
    expected = [f"d{number}" for number in range(6)]
    assert [device.controller_id for device in store.find(LATER, "T", "address", "unknown")] == expected
    assert [device.controller_id for device in store.find(LATER, "T", "group", "none")] == expected
    assert store.find(JOB, "T", "open", "d1") == [Job(1, "d1")]
    store.close()


def test_indexing_anew_falls_with_its_transaction_and_is_done_again(tmp_path: Path):
    filled(tmp_path / "fleet.db")
    store = SqliteStore(tmp_path / "fleet.db")
    found: list[LaterDevice] = []
    fail_after(store, lambda: found.extend(store.find(LATER, "T", "address", "unknown")))
    assert len(found) == 50
    assert len(store.find(LATER, "T", "address", "unknown")) == 50
    store.close()


def test_a_stored_record_that_this_version_cannot_read_is_named(tmp_path: Path):
    @dataclass(frozen=True)
    class Demanding:
        controller_id: str
        must_have: int

    filled(tmp_path / "fleet.db")
    store = SqliteStore(tmp_path / "fleet.db")
    kind = Kind(DEVICE.name, Demanding, key=lambda device: device.controller_id)
    with pytest.raises(FleetrigError, match=r"holds a test\.device that this version cannot read.*must_have"):
        store.get(kind, "T", "d001")
    store.close()
