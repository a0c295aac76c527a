"""Leaving a server as it was: what a row made is removed and what it configured is restored, however it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.simulator.contract.errors import BrokenBench

SECRET: Final = ".key"
MOST_PAGES: Final = 10
GONE_AFTER: Final = 2
"""So many steps in a row without an answer, and the server is given up."""
SWEPT: Final = (
    ("/targetfilters", "name", "id"),
    ("/rollouts", "name", "id"),
    ("/targets", "controllerId", "controllerId"),
    ("/distributionsets", "name", "id"),
    ("/softwaremodules", "name", "id"),
    ("/targettags", "name", "id"),
    ("/distributionsettags", "name", "id"),
    ("/targettypes", "name", "id"),
)
"""What rows make, in an order in which it can be removed: the list, its field with our name, its field of links."""

HELD: Final = frozenset({400, 409, 423})
"""Statuses of what cannot be removed yet."""
WAIT_S: Final = 0.5
MOST_WAITS: Final = 20


Step = Callable[[], Answer]


def is_refused(answer: Answer) -> bool:
    """What is gone already was not refused."""
    return answer.status >= 300 and answer.status != 404


class Cleanup:
    """What a row still owes the server. `mgmt(method, path, body)` is a call below `/rest/v1`.

    `originals` is shared by all rows of a run: key of the tenant configuration -> value, None for the default.
    """

    def __init__(self, mgmt: Callable[..., Answer], originals: dict[str, Any]) -> None:
        self._mgmt = mgmt
        self._originals = originals
        self._made: list[str] = []
        self._changed: list[str] = []
        self._held: list[tuple[str, Step]] = []
        """What something else still held when its turn came."""

    def remove(self, path: str) -> None:
        """This is to be deleted; what was made last goes first."""
        self._made.append(path)

    def restore(self, key: str) -> None:
        """This key of the tenant configuration is to become what it was when the run first met it.

        Not what it is now: servers with a cache may still tell what the row before had set.
        """
        if key not in self._originals:
            before = self._mgmt("GET", f"/system/configs/{key}").json()
            self._originals[key] = None if before.get("global", True) else before.get("value")
        if key not in self._changed:
            self._changed.append(key)

    def run(self) -> list[str]:
        """Settings first, they are everybody's. Gives a sentence for each thing that the server would not take back."""
        left: list[str] = []
        silent = 0
        for what, step in self._steps():
            try:
                answer = step()
            except BrokenBench as gone:
                silent += 1
                left.append(f"{what}: {gone}")
                if silent == GONE_AFTER:
                    return left
                continue
            silent = 0
            if answer.status in HELD:
                self._held.append((what, step))
            elif is_refused(answer):
                left.append(f"{what}: {answer.request} answered {answer.status}")
        return left + self._remove_held()

    def _remove_held(self) -> list[str]:
        """Asks again, in order, when all else is gone: a set was held by a target that was deleted after it, or is held
        by a deleted rollout until the server's scheduler comes by. (Whether a rollout is gone cannot be asked: one that
        was started stays readable for good.)
        """
        left: list[str] = []
        waits = 0
        while self._held:
            try:
                is_better = self._ask_held_again(left)
            except BrokenBench as gone:
                return left + [f"{what}: {gone}" for what, _ in self._held]
            if self._held and not is_better:
                if waits == MOST_WAITS:
                    return left + [f"{what}: still in use" for what, _ in self._held]
                waits += 1
                time.sleep(WAIT_S)
        return left

    def _ask_held_again(self, left: list[str]) -> bool:
        """One round; what is refused for good goes into `left`. Returns whether there are fewer things than before."""
        before = list(self._held)
        for one in before:
            what, step = one
            answer = step()
            if answer.status in HELD:
                continue
            if is_refused(answer):
                left.append(f"{what}: {answer.request} answered {answer.status}")
            self._held.remove(one)
        return len(self._held) < len(before)

    def _steps(self) -> Iterator[tuple[str, Step]]:
        """Each is owed until the next is asked for: what a Ctrl-C interrupts is not done."""
        while self._changed:
            key = self._changed[-1]
            before = self._originals[key]
            yield f"{key} is not back to {_shown(key, before)}", partial(self._put, key, before)
            self._changed.pop()
        while self._made:
            path = self._made[-1]
            yield f"{path} is still there", partial(self._mgmt, "DELETE", path)
            self._made.pop()

    def pending(self) -> list[str]:
        """Sentences on what was not paid."""
        return list(dict.fromkeys(what for what, _ in (*self._steps(), *self._held)))

    def _put(self, key: str, before: Any) -> Answer:
        path = f"/system/configs/{key}"
        return self._mgmt("DELETE", path) if before is None else self._mgmt("PUT", path, {"value": before})


def _shown(key: str, before: Any) -> str:
    if before is None:
        return "its default"
    return "the key that it was" if key.endswith(SECRET) else repr(before)


def delete_by_prefix(mgmt: Callable[..., Answer], prefix: str) -> None:
    """Removes whatever has a name with this prefix.

    For rows that were interrupted: between a request and its answer things come into being that nobody knows the id of.
    """
    for path, name, link in SWEPT:
        for _ in range(MOST_PAGES):
            found = mgmt("GET", f"{path}?limit=500&q={name}=={prefix}*")
            content = found.json()["content"] if found.status == 200 else ()
            for one in content:
                mgmt("DELETE", f"{path}/{one[link]}")
            if not content:
                break
