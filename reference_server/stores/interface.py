"""Where a platform keeps its records: one interface, several stores, one contract test that runs on all of them.

A record is a frozen dataclass whose fields are JSON values (str, int, float, bool, None, and dicts or tuples of them,
enums and frozen dataclasses of the same; see `codec.py`). A `Kind` declares how records of one type are keyed and
found. Records are shared, never copied: do not mutate them, nor a dict inside them.

A store is used by one thread at a time and owns its files alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import Body, BodyPart

R = TypeVar("R")

Key = str | int
"""A record's id within (kind, tenant). One kind uses one type of key; an int has at most 64 bits with its sign."""


@dataclass(frozen=True)  # no slots: Python 3.11 cannot make `Kind[X](…)` of a frozen class with slots
class Kind(Generic[R]):
    """`name` is unique among all platforms of a server: start it with the platform (`hawkbit.target`)."""

    name: str
    record: type[R]
    key: Callable[[R], Key]
    indexes: Mapping[str, Callable[[R], Iterable[Key]]] = field(default_factory=dict)
    """Index name -> the values under which a record is found; no value leaves it out of that index.

    An index whose meaning changes gets a new name: that is how an older file knows that it must be indexed again."""


class Store(Protocol):
    """Records by (kind, tenant, key). Everything is visible at once; a failed transaction leaves nothing behind.

    A write outside of a transaction is one of its own. Looking for what cannot exist (an int over 64 bits) finds
    nothing. Raises StoreFailed when the disk or the file fails, ModelError for a wrong use (an undeclared index).
    """

    def get(self, kind: Kind[R], tenant: str, key: Key) -> R | None: ...

    def put(self, kind: Kind[R], tenant: str, record: R, *, lazily: bool = False) -> None:
        """Adds or replaces. `lazily` may be written to disk by a later `flush` (a target's last poll time)."""

    def delete(self, kind: Kind[Any], tenant: str, key: Key) -> bool:
        """True when there was such a record."""

    def find(self, kind: Kind[R], tenant: str, index: str, value: Key) -> list[R]:
        """The records that an index names, in order of their keys."""

    def count(self, kind: Kind[Any], tenant: str, index: str | None = None, value: Key | None = None) -> int:
        """How many `scan` would give; with `index` and `value`, how many `find` would."""

    def scan(self, kind: Kind[R], tenant: str) -> Iterator[R]:
        """All records of a tenant in order of their keys; do not write while iterating."""

    def page(
        self,
        kind: Kind[R],
        tenant: str,
        offset: int,
        limit: int,
        *,
        of: tuple[str, Key] | None = None,
        descending: bool = False,
    ) -> list[R]:
        """`limit` records from the `offset`th on, in order of their keys: of all, or of those that an index entry
        (name, value) names. It costs the page, however many there are."""

    def after(
        self, kind: Kind[R], tenant: str, key: Key | None, limit: int, *, of: tuple[str, Key] | None = None
    ) -> list[R]:
        """The next `limit` records behind a key, or the first for None: for whoever goes through all of them in steps,
        between which records may come and go."""

    def tenants(self, kind: Kind[Any]) -> list[str]:
        """The tenants that have records of this kind, sorted."""

    def totals(self) -> dict[str, int]:
        """Name of a kind -> how many records of it there are in all tenants, sorted; kinds without any are left out."""

    def next_id(self, sequence: str, at_least: int = 1) -> int:
        """1, 2, 3, … for each sequence, or on from `at_least`; never given twice, also across restarts.

        A transaction that fails does not give its ids back (as in the real servers' databases)."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; durable when it ends. An exception undoes it. Not nested."""

    def when_settled(self, settle: Callable[[bool], None]) -> None:
        """Calls `settle(committed)` once the open transaction has ended; at once, with True, outside of one."""

    def flush(self) -> None:
        """Writes what was put lazily. Raises StoreFailed too when there is nothing to write and the file is gone."""

    def close(self) -> None:
        """Flushes and gives the files free; more than once is harmless. Raises StoreFailed for what is not kept."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file: hashes in lower-case hex. `name` finds it again."""

    name: str
    size_bytes: int
    sha1: str
    md5: str
    sha256: str


class Blobs(Protocol):
    """Artifact files, beside the records: on disk whole and synced before `keep` returns.

    Those that `open_store` gives follow the store's transaction: what was kept in one that fails is removed, what was
    deleted goes when it has been committed.
    """

    def keep(self, parts: Iterable[BodyPart], *, at_most_bytes: int) -> Blob:
        """Streams and hashes; raises `TooLarge` beyond the limit, leaving nothing behind."""

    def receive(self, parts: Iterable[BodyPart], *, at_most_bytes: int) -> Blob:
        """As `keep`, but outside of a transaction, in any thread: until `adopt`, the blob is nobody's."""

    def adopt(self, blob: Blob) -> None:
        """Makes a received blob one of this transaction's."""

    def reject(self, blob: Blob) -> None:
        """Removes a received blob that was not adopted."""

    def body(self, name: str, offset_bytes: int, length_bytes: int) -> Body:
        """A part of a blob as a body: a file slice, or bytes in memory. Raises BlobGone."""

    def delete(self, name: str) -> None:
        """Also when there is none of that name."""

    def total_bytes(self) -> int: ...


class StoreFailed(BrokenBench):
    """What holds the records or artifacts has failed: a disk, a file, a right. What was to be done is not done, and
    memory says what the disk says."""


class BlobGone(StoreFailed):
    """The file of an artifact is not there, or not whole."""


class TooLarge(Exception):
    """A blob went over its limit."""


class Entropy(Protocol):
    """Chance, handed in: real in `serve`, seeded in virtual time."""

    def token_hex(self, n_bytes: int) -> str: ...

    def uniform(self, least: float, most: float) -> float: ...
