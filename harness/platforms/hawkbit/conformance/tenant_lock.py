"""One run at a time: rows change settings of the whole tenant, and two runs would restore each other's values.

Who runs holds a target tag, since the server gives a name only once. Its description changes with every row: a tag that
has not changed for long is that of a run that was killed, and is taken over.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.platforms.hawkbit.conformance.preflight import ask
from fleetrig.harness.platforms.hawkbit.conformance.session import Server, Session
from fleetrig.harness.run.interrupts import ctrl_c_later
from fleetrig.simulator.contract.errors import BrokenBench

TAG: Final = "fleetrig-conform"
TAGS: Final = "/rest/v1/targettags"
DEAD_AFTER_S: Final = 300
"""No row takes as long as that."""

Use = Callable[[Row[Session]], contextlib.AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Held:
    """The tag that this run holds."""

    server: Server
    tag_id: int

    def use(self, row: Row[Session]) -> contextlib.AbstractContextManager[Session]:
        """A session for one row, if the tenant is still ours."""
        if _describe(self.server, self.tag_id, row.number).status == 404:
            raise BrokenBench(f"somebody removed the target tag {TAG} of this run: is another run judging this tenant?")
        return self.server.use(row)

    def release(self) -> None:
        try:
            with ctrl_c_later():
                gone = ask(self.server, "DELETE", f"{TAGS}/{self.tag_id}").status in (200, 204, 404)
        except BrokenBench:
            gone = False
        if not gone:
            self.server.left_behind.append(f"the target tag {TAG} is still there")


@contextlib.contextmanager
def alone(server: Server) -> Iterator[Use]:
    """Gives rows their sessions. Raises BrokenBench while another run judges this tenant."""
    made = ask(server, "POST", TAGS, [{"name": TAG, "description": _description(server, "begins")}])
    held = _taken_over(server) if made.status == 409 else _held(server, _first(made))
    if held is None:  # No such tags here: then nobody can be kept out.
        yield server.use
        return
    try:
        yield held.use
    finally:
        held.release()


def _taken_over(server: Server) -> Held | None:
    """The tag of a run that was killed. Raises BrokenBench for that of one that goes on."""
    answer = ask(server, "GET", f"{TAGS}?q=name=={TAG}")
    tag = _first(answer, "content")
    if not {"id", "createdAt", "lastModifiedAt"} <= tag.keys():
        return None
    since_s = _now_s(answer) - tag["lastModifiedAt"] / 1000
    if since_s < DEAD_AFTER_S:
        began = datetime.fromtimestamp(tag["createdAt"] / 1000, UTC).strftime("%H:%M:%S UTC")
        raise BrokenBench(
            f"another run judges this tenant since {began} (target tag {TAG}), and would change its settings under our "
            f"feet: wait for it; if it was killed, wait {DEAD_AFTER_S - since_s:.0f} s or remove the tag"
        )
    _describe(server, tag["id"], "begins")
    return _held(server, tag)


def _held(server: Server, tag: dict[str, Any]) -> Held | None:
    return Held(server, tag["id"]) if "id" in tag else None


def _describe(server: Server, tag_id: int, what: str) -> Answer:
    return ask(server, "PUT", f"{TAGS}/{tag_id}", {"name": TAG, "description": _description(server, what)})


def _description(server: Server, what: str) -> str:
    return f"{server.prefix} {what}"


def _now_s(answer: Answer) -> float:
    """The server's clock as its answer tells it."""
    date = answer.header("Date")
    return parsedate_to_datetime(date).timestamp() if date else datetime.now(UTC).timestamp()


def _first(answer: Answer, key: str = "") -> dict[str, Any]:
    """The first of a list, or of the list under a key; none: empty."""
    try:
        found = json.loads(answer.body)
        return dict((found[key] if key else found)[0])
    except (ValueError, TypeError, LookupError):
        return {}
