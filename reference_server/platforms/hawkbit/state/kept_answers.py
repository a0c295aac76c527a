"""Answers that are given again: a poll that changes nothing is not worked out a second time.

An answer follows from what was asked (request and peer), from settings, which stay, and from what was read. While one
is worked out, `Notes` stands before the store and before chance, and notes every `get` and `find` with the records that
came back. Records are never changed, only replaced by others. So when the same is asked again, and the same reads give
the identical records, the answer is the same one, byte for byte, and nobody has to throw away what has become wrong.

What cannot be found out by reading again spoils the notes, and the answer is not kept:
- a write, or a number drawn from a sequence. Only the time of a poll is written anyway, each time anew; whoever reads
  that gets another record with each poll, and spoils them too;
- the time (`Call.now_us`) and chance (`uniform`, `token_hex`);
- any other question to the store: a count, a page, a scan;
- a refusal, and an answer without a small body in memory.

What happens besides the answer is never skipped: faults come before it, the DoS filter counts, authentication is
decided by the same reads as before, the time of the poll is written, schedulers hear of it, and the trace tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hawkbit.state.records import LAST_POLL
from fleetrig.reference_server.stores.interface import Entropy, Key, Kind, R, Store
from fleetrig.reference_server.stores.recent import MISSING, Recent
from fleetrig.simulator.contract.http import HttpRequest

if TYPE_CHECKING:
    from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository

KEPT_ANSWERS: Final = 16_384
"""Of as many devices, each with one question. A poll's takes about 2 KiB, the longest some 8."""
KEPT_BODY_BYTES: Final = 4_096
DEVICE_PATH: Final = "/controller/v1/"

Get = tuple[Kind[Any], str, Key, Any]
"""(kind, tenant, key, the record that came back)."""
Find = tuple[Kind[Any], str, str, Key, list[Any]]
"""(kind, tenant, index, value, the records that came back)."""


class Notes:
    """What an answer depends on. While it is worked out this is the platform's store, and its entropy."""

    def __init__(self, store: Store, entropy: Entropy) -> None:
        self._store = store
        self._entropy = entropy
        self.is_spoilt = False
        self.gets: dict[tuple[str, str, Key], Get] = {}
        self.finds: list[Find] = []
        self.caller: tuple[str, str] | None = None
        """(tenant, address), once a device is let in and has got its answer."""
        self.polled: tuple[str, str] | None = None
        """(tenant, controllerId) of the poll whose time was written."""

    def spoil(self) -> None:
        self.is_spoilt = True

    def get(self, kind: Kind[R], tenant: str, key: Key) -> R | None:
        record = self._store.get(kind, tenant, key)
        self.gets[kind.name, tenant, key] = (kind, tenant, key, record)
        self._check(kind)
        return record

    def find(self, kind: Kind[R], tenant: str, index: str, value: Key) -> list[R]:
        records = self._store.find(kind, tenant, index, value)
        self.finds.append((kind, tenant, index, value, records))
        self._check(kind)
        return records

    def put(self, kind: Kind[R], tenant: str, record: R, *, lazily: bool = False) -> None:
        if kind is LAST_POLL:
            self.polled = (tenant, str(kind.key(record)))
        else:
            self.spoil()
        self._store.put(kind, tenant, record, lazily=lazily)

    def uniform(self, least: float, most: float) -> float:
        self.spoil()
        return self._entropy.uniform(least, most)

    def token_hex(self, n_bytes: int) -> str:
        self.spoil()
        return self._entropy.token_hex(n_bytes)

    def __getattr__(self, name: str) -> Any:
        """All else that a store can be asked, or told."""
        self.spoil()
        return getattr(self._store, name)

    def _check(self, kind: Kind[Any]) -> None:
        if kind is LAST_POLL:
            self.spoil()


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and what it depends on beside the request."""

    answer: HttpAnswer
    peer: str
    address: str
    """Whom the DoS filter counts."""
    tenant: str
    gets: tuple[Get, ...]
    finds: tuple[Find, ...]
    polled: tuple[str, str] | None

    def holds(self, store: Store) -> bool:
        """Whether all that was read is still there, and is the same."""
        for kind, tenant, key, record in self.gets:
            if store.get(kind, tenant, key) is not record:
                return False
        for kind, tenant, index, value, records in self.finds:
            found = store.find(kind, tenant, index, value)
            if (found or records) and list(map(id, found)) != list(map(id, records)):
                return False
        return True


class KeptAnswers:
    """Those of the requests that came lately."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._kept: Recent[HttpRequest, Kept] = Recent(KEPT_ANSWERS)

    def find(self, request: HttpRequest, peer: str) -> Kept | None:
        """The answer that this request would get, worked out now."""
        kept = self._kept.get(request)
        return kept if kept is not MISSING and kept.peer == peer and kept.holds(self._repo.store) else None

    def may_keep(self, request: HttpRequest) -> bool:
        """False for what is no device's question, and for what brings a body."""
        return request.body == b"" and DEVICE_PATH in request.target

    @contextmanager
    def noting(self) -> Iterator[Notes]:
        """Until it is left, the platform reads and draws through the notes."""
        repo = self._repo
        store, entropy = repo.store, repo.entropy
        repo.notes = notes = Notes(store, entropy)
        repo.store, repo.entropy = cast("Store", notes), notes
        try:
            yield notes
        finally:
            repo.store, repo.entropy, repo.notes = store, entropy, None

    def keep(self, request: HttpRequest, peer: str, answer: HttpAnswer, notes: Notes) -> None:
        """Unless it may be another one next time."""
        body = answer.response.body
        is_small = isinstance(body, bytes) and len(body) <= KEPT_BODY_BYTES
        if notes.caller is not None and is_small and not notes.is_spoilt:
            tenant, address = notes.caller
            gets, finds = tuple(notes.gets.values()), tuple(notes.finds)
            self._kept.put(request, Kept(answer, peer, address, tenant, gets, finds, notes.polled))
