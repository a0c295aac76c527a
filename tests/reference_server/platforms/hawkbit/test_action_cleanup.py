"""`action.cleanup.auto.*`: old actions go, once a day."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, FAILED, Bench

DAY_S = 86_400


def deployed(bench: Bench) -> None:
    """A target with an action that failed, one that finished and one that runs."""
    bench.target()
    for name, result in (("one", FAILED), ("two", CLOSED)):
        bench.report(bench.assign(bench.release(name)), result)
    bench.assign(bench.release("three"))


def left(bench: Bench) -> list[str]:
    return [action["status"] for action in bench.mgmt("GET", "/targets/dev/actions").body["content"]]


@pytest.mark.parametrize(
    ("statuses", "statuses_left"),
    [
        ("CANCELED,ERROR", ["running", "finished"]),
        ("ERROR, FINISHED", ["running"]),
        ("RUNNING", ["finished", "error"]),
        ("ERROR,NO_SUCH_STATUS", ["running", "finished", "error"]),
    ],
)
def test_actions_of_these_states_go_when_they_are_old(statuses: str, statuses_left: list[str]) -> None:
    bench = Bench()
    deployed(bench)
    bench.configure({"action.cleanup.auto.expiry": 1000, "action.cleanup.auto.status": statuses})
    bench.wait(DAY_S - 60)
    assert len(left(bench)) == 3
    bench.wait(120)
    assert left(bench) == statuses_left


def test_young_actions_stay() -> None:
    bench = Bench()
    deployed(bench)
    bench.configure({"action.cleanup.auto.expiry": 2 * DAY_S * 1000})
    bench.wait(1.5 * DAY_S)
    assert len(left(bench)) == 3
    bench.wait(2 * DAY_S)
    assert left(bench) == ["running", "finished"]


def test_nothing_falls_due_unless_asked_for() -> None:
    bench = Bench()
    deployed(bench)
    bench.wait(5)
    assert bench.server.next_due_us() is None
