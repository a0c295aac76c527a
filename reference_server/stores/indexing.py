"""What both stores ask of a `Kind`: the index entries of a record, and whether a key can be stored at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from fleetrig.reference_server.stores.interface import Key, Kind, R
from fleetrig.simulator.contract.errors import ModelError

Entry = tuple[str, Key]
"""(index name, value)."""

NO_ENTRIES: Final[AbstractSet[Entry]] = frozenset()
LEAST_INT: Final = -(2**63)
MOST_INT: Final = 2**63 - 1


def is_storable(key: Key) -> bool:
    """False for an int that no database column holds; looking for one finds nothing."""
    return isinstance(key, str) or LEAST_INT <= key <= MOST_INT


def key_of(kind: Kind[R], record: R) -> Key:
    """A record's key. Raises ModelError when it cannot be stored."""
    key = kind.key(record)
    return key if type(key) is str else _storable(kind, "key", key)


def entries_of(
    kind: Kind[R], record: R | None, indexes: Mapping[str, Callable[[R], Iterable[Key]]] | None = None
) -> AbstractSet[Entry]:
    """Under what a record is found, by all indexes or by these. Raises ModelError for values that cannot be stored."""
    if record is None or not kind.indexes:
        return NO_ENTRIES
    entries: set[Entry] = set()
    for name, values_of in (kind.indexes if indexes is None else indexes).items():
        values = values_of(record)
        if isinstance(values, str):
            raise ModelError(f"index {name!r} of kind {kind.name!r} gives a bare str: expected a tuple of values")
        for value in values:
            entries.add((name, value if type(value) is str else _storable(kind, name, value)))
    return entries


def entries_moved(kind: Kind[R], before: R | None, record: R) -> tuple[AbstractSet[Entry], AbstractSet[Entry]]:
    """(entries that a record leaves, entries that it enters) when it replaces another. Raises ModelError as above."""
    if before is None:
        return NO_ENTRIES, entries_of(kind, record)
    changed = {
        name: values_of
        for name, values_of in kind.indexes.items()
        if (old := values_of(before)) is not (new := values_of(record)) and tuple(old) != tuple(new)
    }
    if not changed:
        return NO_ENTRIES, NO_ENTRIES
    old_entries, new_entries = entries_of(kind, before, changed), entries_of(kind, record, changed)
    return old_entries - new_entries, new_entries - old_entries


def require_index(kind: Kind[Any], index: str) -> None:
    if index not in kind.indexes:
        declared = ", ".join(kind.indexes) or "none"
        raise ModelError(f"kind {kind.name!r} has no index {index!r} (declared: {declared})")


def _storable(kind: Kind[Any], what: str, value: Key) -> Key:
    if isinstance(value, str):
        return value
    if not isinstance(value, int):
        raise ModelError(f"{what!r} of kind {kind.name!r}: expected str or int, got {type(value).__name__}")
    if not is_storable(value):
        raise ModelError(f"{what!r} of kind {kind.name!r}: {value} has more than 64 bits")
    return value
