"""Requests over HTTP that are answered later: long polls, and what runs out of time (sections 1.6 and 3.3).

They are kept in memory and by no transaction, as the real server's sessions are: a restart ends them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.thingsboard.http.errors import JSON, compact
from fleetrig.reference_server.platforms.thingsboard.http.replies import TEXT
from fleetrig.reference_server.platforms.thingsboard.state.errors import ErrorCode
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.http import HttpResponse

MOST_HELD: Final = 8_192
"""As many connections as the real server's container takes. Who has been held longest is answered before its time."""
EXPIRED: Final = HttpResponse(408)
DELETED: Final = HttpResponse(403, (("Content-Type", TEXT),), b"Device was deleted!")


class Awaited(StrEnum):
    """What a request waits for, beside the end of its time."""

    ATTRIBUTES = "attributes"
    RPC = "rpc"
    NOTHING = "nothing"


HEARD_BY: Final = {
    NoticeKind.ATTRIBUTES_UPDATED: Awaited.ATTRIBUTES,
    NoticeKind.ATTRIBUTES_DELETED: Awaited.ATTRIBUTES,
    NoticeKind.RPC_REQUESTED: Awaited.RPC,
}


@dataclass(frozen=True, slots=True)
class Wait:
    """A request that a handler does not answer. `device_id` empty: it is no device's, or not yet."""

    lasts_us: int
    expired: HttpResponse | None = EXPIRED
    """Its answer when the time is over; None: what the container says of a request that nobody answers."""
    reason: str = ""
    """Why it got no other one."""
    awaited: Awaited = Awaited.NOTHING
    device_id: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class _Waiting:
    session: int
    wait: Wait


class WaitingRequests:
    """The first thing that a request waits for is its answer."""

    def __init__(self, limit_ms: int) -> None:
        self._limit_us = limit_ms * US_PER_MS
        self._waiting: dict[int, _Waiting] = {}
        """In the order in which they came."""
        self._of_device: dict[str, set[int]] = {}
        self._ends = Deadlines[int]()
        self._last_id = 0
        self._commands: dict[str, int] = {}
        """Device -> how many commands were handed to its long polls: the number of the next one."""

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def hold(self, held_id: int, session: int, wait: Wait, now_us: int) -> None:
        if wait.lasts_us > self._limit_us:
            reason = wait.reason or "nobody answers"
            why = f"{reason}, and no request is held longer than {self._limit_us // US_PER_MS} ms"
            wait = replace(wait, lasts_us=self._limit_us, expired=None, reason=why)
        self._waiting[held_id] = _Waiting(session, wait)
        self._of_device.setdefault(wait.device_id, set()).add(held_id)
        self._ends.put(held_id, now_us + wait.lasts_us)
        if len(self._waiting) > MOST_HELD:
            self._ends.put(next(iter(self._waiting)), now_us)

    def left(self, held_id: int) -> None:
        """Harmless once it was answered."""
        if held_id in self._waiting:
            self._take(held_id)

    def next_due_us(self) -> int | None:
        return self._ends.next_due_us()

    def advance(self, now_us: int) -> Sequence[Reaction]:
        reactions = []
        while (held_id := self._ends.pop_due(now_us)) is not None:
            waiting = self._take(held_id)
            expired = waiting.wait.expired or _unanswered(now_us)
            reactions.append(_answered(held_id, waiting, expired, waiting.wait.reason))
        return reactions

    def hear(self, notice: Notice) -> Sequence[Reaction]:
        """What has happened to a device is the answer to all that wait for that, and the end of all others."""
        concerned = sorted(self._of_device.get(notice.device_id, ()))
        if notice.kind is NoticeKind.DEVICE_DELETED:
            self._commands.pop(notice.device_id, None)
            return [self._answer(held_id, DELETED, "the device was deleted") for held_id in concerned]
        if notice.kind is NoticeKind.CREDENTIALS_CHANGED:
            why = "the credentials of the device were changed"
            return [self._answer(held_id, EXPIRED, why) for held_id in concerned]
        awaited = HEARD_BY[notice.kind]
        waiting = [held_id for held_id in concerned if self._waiting[held_id].wait.awaited is awaited]
        return [self._answer(held_id, self._told(notice)) for held_id in waiting]

    def _told(self, notice: Notice) -> HttpResponse:
        body = dict(notice.body)
        if notice.kind is NoticeKind.RPC_REQUESTED:
            number = self._commands.get(notice.device_id, 0)
            self._commands[notice.device_id] = number + 1
            body = {"id": number, **body}
        return HttpResponse(200, (("Content-Type", JSON),), compact(body))

    def _answer(self, held_id: int, response: HttpResponse, reason: str = "") -> Reaction:
        return _answered(held_id, self._take(held_id), response, reason)

    def _take(self, held_id: int) -> _Waiting:
        waiting = self._waiting.pop(held_id)
        self._ends.cancel(held_id)
        of_device = self._of_device[waiting.wait.device_id]
        of_device.discard(held_id)
        if not of_device:
            del self._of_device[waiting.wait.device_id]
        return waiting


def _unanswered(now_us: int) -> HttpResponse:
    """AsyncRequestTimeoutException, its members in this order."""
    said = {"message": None, "errorCode": int(ErrorCode.GENERAL), "status": 503, "timestamp": now_us // US_PER_MS}
    return HttpResponse(503, (("Content-Type", JSON),), compact(said))


def _answered(held_id: int, waiting: _Waiting, response: HttpResponse, reason: str) -> Reaction:
    answer = LateAnswer(waiting.session, held_id, Delivery(response))
    return Reaction((answer,), reason, waiting.wait.device)
