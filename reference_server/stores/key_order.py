"""The keys of a table, or of those whom one index entry names, in order: so that a page costs the page.

An order is made when somebody asks for it, follows what is added and removed, and is forgotten once much has changed
since it was last asked for: whoever fills a table pays for no order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from typing import Any, Final

from fleetrig.reference_server.stores.indexing import Entry
from fleetrig.reference_server.stores.interface import Key

MOST_ORDERS: Final = 64
"""Of one table: the least recently asked for goes first."""
CHANGES: Final = 1_000
"""Without being asked for in between."""


class KeyOrder:
    """Keys of one type, in order."""

    __slots__ = ("changes", "keys")

    def __init__(self, keys: Iterable[Key]) -> None:
        """`keys` in order."""
        self.keys: list[Any] = list(keys)
        self.changes = 0

    def add(self, key: Key) -> None:
        self.changes += 1
        insort(self.keys, key)

    def remove(self, key: Key) -> None:
        self.changes += 1
        at = bisect_left(self.keys, key)
        del self.keys[at]

    def page(self, offset: int, limit: int, *, descending: bool = False) -> list[Key]:
        """`limit` keys from the `offset`th on."""
        if not descending:
            return self.keys[offset : offset + limit]
        end = max(0, len(self.keys) - offset)
        return self.keys[max(0, end - limit) : end][::-1]

    def after(self, key: Key | None, limit: int) -> list[Key]:
        """The next `limit` keys behind this one, which need not be there any more; the first for None."""
        at = 0 if key is None else bisect_right(self.keys, key)
        return self.keys[at : at + limit]


class KeyOrders:
    """Those of one table: by index entry, and of all its records by None."""

    __slots__ = ("_orders",)

    def __init__(self) -> None:
        self._orders: dict[Entry | None, KeyOrder] = {}

    def get(self, of: Entry | None, load: Callable[[], Iterable[Key]]) -> KeyOrder:
        """`load` gives the keys in order, if nobody has asked for them lately."""
        order = self._orders.pop(of, None) or KeyOrder(load())
        order.changes = 0
        while len(self._orders) >= MOST_ORDERS:
            del self._orders[next(iter(self._orders))]
        self._orders[of] = order
        return order

    def added(self, of: Entry | None, key: Key) -> None:
        if (order := self._changing(of)) is not None:
            order.add(key)

    def removed(self, of: Entry | None, key: Key) -> None:
        if (order := self._changing(of)) is not None:
            order.remove(key)

    def clear(self) -> None:
        self._orders.clear()

    def _changing(self, of: Entry | None) -> KeyOrder | None:
        order = self._orders.get(of)
        if order is not None and order.changes >= CHANGES:
            del self._orders[of]
            return None
        return order
