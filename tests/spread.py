"""How pytest-xdist spreads our tests over its workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

TOGETHER = (
    "tests/peers/thingsboard/test_sdk_rows.py", "tests/peers/hono/", "tests/peers/kura/", "tests/peers/",
    "tests/harness/doctor/", "tests/test_installed.py", "tests/golden/test_thingsboard_", "tests/golden/test_hono_",
    "tests/golden/test_kura_", "tests/harness/running_server/",
)  # fmt: skip
"""Tests below these run in one worker, one after another: they share what is costly to make, or what a machine has
once. The first that fits counts. (xdist 3.8 overlooks its own mark `xdist_group` under pytest 9.2.)"""


class OneByOne(LoadScopeScheduling):  # type: ignore[misc]
    """Tests go to workers one by one, in order; those of `TOGETHER` first and to one worker each.

    xdist's own scheduler looks for the number of each test in the list of all, and counts whatever a worker ever had
    after each test. With 20,000 scopes that takes a core half a minute. It also gives the test at which a worker died
    to the next worker, which dies of it too.
    """

    assigned_work: dict[Any, dict[str, dict[str, bool]]]
    collection: list[str]

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {nodeid: number for number, nodeid in enumerate(self.collection)}

    def _split_scope(self, nodeid: str) -> str:
        return next((path for path in TOGETHER if nodeid.startswith(path)), nodeid)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """What is done is forgotten."""
        nodeid = self.collection[item_index]
        scope = self._split_scope(nodeid)
        unit = self.assigned_work[node][scope]
        del unit[nodeid]
        if not unit:
            del self.assigned_work[node][scope]
        self._reschedule(node)

    def remove_node(self, node: Any) -> str | None:
        """The test at which a worker died is over; what it was given besides goes back."""
        workload = self.assigned_work.pop(node)
        nodeid = next(chain.from_iterable(workload.values()), None)
        if nodeid is None:
            return None
        scope = self._split_scope(nodeid)
        del workload[scope][nodeid]
        self.workqueue.update({name: unit for name, unit in workload.items() if unit})
        for other in self.assigned_work:
            self._reschedule(other)
        return nodeid

    def _assign_work_unit(self, node: Any) -> None:
        scope, unit = self.workqueue.popitem(last=False)
        self.assigned_work[node][scope] = unit
        node.send_runtest_some(self._numbers_of(unit))

    def _numbers_of(self, unit: Mapping[str, bool]) -> Sequence[int]:
        return [self._numbers[nodeid] for nodeid in unit]
