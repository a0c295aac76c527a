"""What is remembered of sessions: the latest of each, and no more sessions than there is room for."""

from __future__ import annotations

from fleetrig.simulator.contract.by_session import BySession


def test_the_latest_of_each_session() -> None:
    lines = BySession[str]()
    for session, line in [(1, "a"), (2, "b"), (1, "c")]:
        lines.put(session, line)
    assert [lines.get(session) for session in (1, 2, 3)] == ["c", "b", None]


def test_who_was_silent_longest_is_forgotten() -> None:
    lines = BySession[str](at_most=2)
    for session in (1, 2, 1, 3):
        lines.put(session, "x")
    assert [lines.get(session) for session in (1, 2, 3)] == ["x", None, "x"]
