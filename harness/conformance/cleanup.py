"""Leaving a server as it was: what a row made is removed, however the row ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.simulator.contract.errors import BrokenBench

GONE_AFTER: Final = 2
"""So many removals in a row without an answer, and the server is given up."""
NOT_AS_THE_CONTRACT_SAYS: Final = (LookupError, TypeError, AttributeError, ValueError)
"""What a row stumbles over in a document of another shape."""


class Cleanup:
    """What a row still owes the server."""

    def __init__(self) -> None:
        self._owed: list[tuple[str, Callable[[], None]]] = []

    def owe(self, what: str, removal: Callable[[], None]) -> None:
        """`what` is removed by this, which raises Mismatch when the server refuses."""
        self._owed.append((what, removal))

    def run(self) -> list[str]:
        """What was made last goes first. Gives a sentence for each thing that the server would not take back."""
        left: list[str] = []
        silent = 0
        while self._owed:
            what, removal = self._owed[-1]
            try:
                removal()
                silent = 0
            except BrokenBench as gone:
                silent += 1
                left.append(f"{what} is still there: {gone}")
            except (Mismatch, *NOT_AS_THE_CONTRACT_SAYS) as error:
                left.append(f"{what} is still there: {error}")
            self._owed.pop()
            if silent == GONE_AFTER:
                return left + self.pending()
        return left

    def pending(self) -> list[str]:
        """Sentences on what was not paid, and owes nothing any more."""
        pending = [f"{what} is still there" for what, _ in reversed(self._owed)]
        self._owed.clear()
        return pending
