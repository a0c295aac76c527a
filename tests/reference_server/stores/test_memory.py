"""What only a store in memory can get wrong: to grow."""

from __future__ import annotations

from fleetrig.reference_server.stores.memory import MemoryStore
from tests.reference_server.stores.records import JOB, Job


def test_what_is_deleted_leaves_no_index_entries_behind():
    store = MemoryStore()
    for number in range(1000):
        with store.transaction():
            store.put(JOB, "T", Job(number, f"d{number}"))
            store.delete(JOB, "T", number)
    (table,) = store._tables.values()
    assert (table.records, store._undo) == ({}, [])
    assert dict(table.found) == {"open": {}, "parity": {}}


def test_one_and_several_under_an_index_entry_are_found_in_order():
    """One stands there without a set, several share one, and the last of them goes with it."""
    store = MemoryStore()
    found = []
    for number in (3, 1):
        store.put(JOB, "T", Job(number, "d"))
        found.append([job.number for job in store.find(JOB, "T", "parity", 1)])
    store.put(JOB, "T", Job(3, "d", is_open=False))
    found.append([job.number for job in store.find(JOB, "T", "open", "d")])
    for number in (1, 3):
        store.delete(JOB, "T", number)
        found.append([job.number for job in store.find(JOB, "T", "parity", 1)])
    assert found == [[3], [1, 3], [1], [3], []]
