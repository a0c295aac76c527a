"""One run at a time: rows change settings of the whole tenant, and two runs would restore each other's values.

Who runs holds a target tag, since the server gives a name only once. Its description changes with every row: a tag that
has not changed for long is that of a run that was killed, and is taken over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.conformance.run_rows import OpenClient
from fleetrig.harness.platforms.hawkbit.conformance.preflight import ask
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.run.interrupts import finishing_first
from fleetrig.harness.servers.json_answer import read_json
from fleetrig.simulator.contract.errors import BrokenBench

TAG: Final = "fleetrig-conform"
TAGS: Final = "/rest/v1/targettags"
DEAD_AFTER_S: Final = 300
"""No row takes as long as that."""
LATEST_MS: Final = 32_503_680_000_000
"""The year 3000."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The tag that this run holds."""

    under_test: TenantUnderTest
    tag_id: int

    def open_client(self, row: Row[RowClient]) -> contextlib.AbstractContextManager[RowClient]:
        """A client for one row, if the tenant is still ours. Raises BrokenBench when it is not."""
        if _describe(self.under_test, self.tag_id, row.number).status == 404:
            raise BrokenBench(f"somebody removed the target tag {TAG} of this run: is another run judging this tenant?")
        return open_client(self.under_test, row)

    def release(self) -> None:
        try:
            with finishing_first():
                gone = ask(self.under_test, "DELETE", f"{TAGS}/{self.tag_id}").status in (200, 204, 404)
        except BrokenBench:
            gone = False
        if not gone:
            self.under_test.left_behind.append(f"the target tag {TAG} is still there")


@contextlib.contextmanager
def tenant_lock(under_test: TenantUnderTest) -> Iterator[OpenClient[RowClient]]:
    """Gives rows their clients. Raises BrokenBench while another run judges this tenant."""
    made = ask(under_test, "POST", TAGS, [{"name": TAG, "description": _description(under_test, "begins")}])
    lock = _take_over(under_test) if made.status == 409 else _lock(under_test, _first(made))
    if lock is None:  # No such tags here: then nobody can be kept out.
        yield partial(open_client, under_test)
        return
    try:
        yield lock.open_client
    finally:
        lock.release()


def _take_over(under_test: TenantUnderTest) -> Lock | None:
    """The tag of a run that was killed. Raises BrokenBench for that of one that goes on."""
    answer = ask(under_test, "GET", f"{TAGS}?q=name=={TAG}")
    tag = _first(answer, "content")
    created_at_ms, changed_at_ms = (_time_ms(tag.get(name)) for name in ("createdAt", "lastModifiedAt"))
    if "id" not in tag or created_at_ms is None or changed_at_ms is None:
        return None
    since_s = _now_s(answer) - changed_at_ms / 1000
    if since_s < DEAD_AFTER_S:
        began = datetime.fromtimestamp(created_at_ms / 1000, UTC).strftime("%H:%M:%S UTC")
        raise BrokenBench(
            f"another run judges this tenant since {began} (target tag {TAG}), and would change its settings under our "
            f"feet: wait for it; if it was killed, wait {DEAD_AFTER_S - since_s:.0f} s or remove the tag"
        )
    _describe(under_test, tag["id"], "begins")
    return _lock(under_test, tag)


def _lock(under_test: TenantUnderTest, tag: dict[str, Any]) -> Lock | None:
    return Lock(under_test, tag["id"]) if "id" in tag else None


def _describe(under_test: TenantUnderTest, tag_id: int, what: str) -> Answer:
    return ask(under_test, "PUT", f"{TAGS}/{tag_id}", {"name": TAG, "description": _description(under_test, what)})


def _description(under_test: TenantUnderTest, what: str) -> str:
    return f"{under_test.prefix} {what}"


def _now_s(answer: Answer) -> float:
    """The server's clock as its answer tells it."""
    try:
        return parsedate_to_datetime(answer.header("Date") or "").timestamp()
    except (ValueError, OverflowError):
        return datetime.now(UTC).timestamp()


def _time_ms(value: object) -> int | None:
    """A point in time as the server writes it; None for what is none."""
    return value if isinstance(value, int) and 0 <= value < LATEST_MS else None


def _first(answer: Answer, key: str = "") -> dict[str, Any]:
    """The first of a list, or of the list under a key; none: empty."""
    try:
        found = read_json(answer.body)
        return dict((found[key] if key else found)[0])
    except (ValueError, TypeError, LookupError):
        return {}
