"""A transaction that goes wrong half way."""

from __future__ import annotations

from collections.abc import Callable

from fleetrig.reference_server.stores.interface import Store


class Failure(Exception):
    pass


def fail_after(store: Store, write: Callable[[], object]) -> None:
    """Does `write` in a transaction and fails."""
    try:
        with store.transaction():
            write()
            raise Failure
    except Failure:
        return
