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
    assert (table.records, table.found, store._undo) == ({}, {}, [])
