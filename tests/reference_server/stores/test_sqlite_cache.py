"""What a SqliteStore asks of SQLite, and when: a poll of a known device must not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetrig.reference_server.stores.sqlite import SqliteStore
from tests.reference_server.stores.records import DEVICE, JOB, Device, Job


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "fleet.db")
    opened.put(DEVICE, "T", Device("d", "north"))
    opened.put(JOB, "T", Job(1, "d"))
    yield opened
    opened.close()


@contextmanager
def statements(store: SqliteStore) -> Iterator[list[str]]:
    """The first words of what SQLite is given meanwhile."""
    seen: list[str] = []
    store._tables._connection.set_trace_callback(lambda statement: seen.append(statement.split()[0]))
    yield seen
    store._tables._connection.set_trace_callback(None)


def poll(store: SqliteStore, at_us: int) -> None:
    with store.transaction():
        device = store.get(DEVICE, "T", "d")
        assert device is not None
        assert store.find(JOB, "T", "open", "d") == [Job(1, "d")]
        assert store.find(JOB, "T", "open", "none") == []
        assert store.get(DEVICE, "T", "nobody") is None
        assert store.count(JOB, "T") == 1
        store.put(DEVICE, "T", Device("d", "north", at_us), lazily=True)


def test_a_second_poll_costs_no_sql(store: SqliteStore):
    poll(store, 1)
    with statements(store) as seen:
        poll(store, 2)
        store.put(DEVICE, "T", Device("d", "north", 3), lazily=True)
    assert seen == []
    with statements(store) as seen:
        store.flush()
    assert seen == ["BEGIN", "INSERT", "COMMIT"]
    with statements(store) as seen:
        store.flush()
    assert seen == []


def test_reading_begins_no_transaction(store: SqliteStore):
    with statements(store) as seen, store.transaction():
        list(store.scan(DEVICE, "T"))
        store.find(JOB, "T", "parity", 1)
        store.tenants(JOB)
    assert set(seen) == {"SELECT"}


def test_a_real_put_takes_the_waiting_one_with_it(store: SqliteStore):
    store.put(DEVICE, "T", Device("d", "north", 5), lazily=True)
    store.put(DEVICE, "T", Device("d", "north", 6))
    with statements(store) as seen:
        store.flush()
    assert seen == []
    assert store.get(DEVICE, "T", "d") == Device("d", "north", 6)


def test_ids_are_written_once_for_each_transaction(store: SqliteStore):
    store.next_id("job")
    with statements(store) as seen, store.transaction():
        for _ in range(10):
            store.next_id("job")
    assert seen == ["BEGIN", "INSERT", "COMMIT"]
    with statements(store) as seen:
        poll(store, 1)
        store.flush()
    assert seen.count("INSERT") == 1, "of the lazy put"


def test_an_update_touches_only_the_index_entries_that_change(store: SqliteStore):
    with statements(store) as seen:
        store.put(DEVICE, "T", Device("d", "north", 9))
    assert seen == ["BEGIN", "INSERT", "COMMIT"]
    with statements(store) as seen:
        store.put(DEVICE, "T", Device("d", "south", 9))
    assert seen == ["BEGIN", "INSERT", "DELETE", "INSERT", "COMMIT"]


def test_the_caches_stay_within_their_bound(tmp_path: Path):
    store = SqliteStore(tmp_path / "small.db", cached_records=10)
    with store.transaction():
        for number in range(100):
            store.put(JOB, "T", Job(number, f"d{number}"))
    for number in range(100):
        assert store.find(JOB, "T", "open", f"d{number}") == [store.get(JOB, "T", number)]
        store.get(JOB, "T", number + 1000)
    assert len(store.find(JOB, "T", "parity", 0)) == 50
    assert len(store._records) <= 10
    assert len(store._found) <= 10
    with store.transaction():
        for number in range(200):
            store.put(JOB, "T", Job(number, "many"))
    with statements(store) as seen:
        assert len(store.find(JOB, "T", "open", "many")) == len(store.find(JOB, "T", "open", "many")) == 200
    assert seen == ["SELECT", "SELECT"], "a long result is not kept"
    store.close()
