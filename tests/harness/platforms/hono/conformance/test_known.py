"""What a real Hono is known to do is a warning there, and a failure of our own server; anything else is a failure."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.expect import Mismatch, expect
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hono.conformance.under_test import ServerUnderTest
from fleetrig.harness.verdict import Severity

FOREIGN = ServerUnderTest(ExactClient("http://127.0.0.1:1"), {})
OWN = replace(FOREIGN, control=ExactClient("http://127.0.0.1:1"))
ROW: Row[RowClient] = Row("R07", "a/b", "A row", Severity.ERROR, (), lambda _: None, "hono#R07")


def found(server: ServerUnderTest, *statuses: int) -> list[Severity | None]:
    """The severities of what a row finds that sees these statuses for an array; None stands for the row's own."""
    try:
        with open_client(server, ROW) as client:
            for status in statuses:
                client.expect_known("status", status, lambda one: one.status_of_wrong_kind)
    except Mismatch as mismatch:
        return [mismatch.severity]
    return []


@pytest.mark.parametrize(
    ("profile", "statuses", "foreign", "own"),
    [
        ("2", [400], [], []),
        ("2", [500], [Severity.WARNING], [None]),
        ("2", [500, 400], [Severity.WARNING], [None]),
        ("2", [500, 404], [None], [None]),
        ("2", [404], [None], [None]),
        ("2-jdbc", [500], [], []),
        ("2-jdbc", [400], [Severity.WARNING], [None]),
        ("1", [400], [], []),
        ("1", [500], [None], [None]),
    ],
)
def test_what_is_known_of_a_version_is_a_warning_of_a_foreign_server_alone(
    profile: str, statuses: list[int], foreign: list[Severity | None], own: list[Severity | None]
) -> None:
    assert found(replace(FOREIGN, profile=profile), *statuses) == foreign
    assert found(replace(OWN, profile=profile), *statuses) == own


def test_warnings_are_told_together() -> None:
    with pytest.raises(Mismatch) as told, open_client(FOREIGN, ROW) as client:  # noqa: PT012
        client.warn("400", 500)
        client.warn("one device", 2)
    finding = told.value.finding
    assert (finding.expected, finding.got) == ("400; one device", "500; 2, as a real Hono is known to do")


# -- what adapters hear of a little later


@contextlib.contextmanager
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that goes on only while somebody sleeps."""
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(naps))
    yield naps


def after(times: int) -> tuple[Callable[[], None], list[int]]:
    """A check that holds when it is made for the n-th time."""
    made: list[int] = []

    def check() -> None:
        made.append(1)
        expect("times", times, len(made))

    return check, made


def test_a_foreign_server_is_given_a_second_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    check, made = after(3)
    with slept(monkeypatch) as naps:
        FOREIGN.after_change(check)
    assert (naps, len(made)) == ([1.0, 0.5, 0.5], 3)


def test_a_foreign_server_that_never_hears_of_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    check, _ = after(10_000)
    with slept(monkeypatch) as naps, pytest.raises(Mismatch):
        FOREIGN.after_change(check)
    assert 15 <= sum(naps) <= 17


def test_our_own_server_has_heard_of_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    check, made = after(2)
    with slept(monkeypatch) as naps, pytest.raises(Mismatch):
        OWN.after_change(check)
    assert (naps, len(made)) == ([], 1)
