"""Calls that wait to be sent or to be answered: kept in memory, as the real server's, so that a restart ends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCall
from fleetrig.simulator.contract.clock import earliest_us


class CallEnd(StrEnum):
    """How a call has ended."""

    REPLIED = "replied"
    """By the first reply: a device that answers twice is heard once (spec 6, 19)."""
    TIMED_OUT = "timed out"
    LEFT = "left"
    """The device is gone, or came again by another connection."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """What whoever has asked is told. `reply` is there only if the call was answered."""

    end: CallEnd
    now_us: int
    reply: KuraPayload | None = None

    @property
    def is_success(self) -> bool:
        """The code is 200; an unknown one or none is an error of the protocol and no success (S-41)."""
        return self.reply is not None and self.reply.response_code == 200


Settle = Callable[[CallResult], Reaction]
Writer = Callable[[LiveClient, str, int], bytes]
"""The device's connection, the request id, the time -> the payload of a request. Raises Unencodable."""


@dataclass(slots=True, eq=False)
class OutstandingCall:
    """`request_id` is empty until it was sent; `session`: the device's connection that it goes to."""

    number: int
    call: DeviceCall
    settle: Settle
    session: int
    ends_us: int
    request_id: str = ""
    write: Writer | None = None
    """None: as the server writes its requests."""
    has_left: bool = False


class OutstandingCalls:
    """By number, and by request id once they are sent."""

    def __init__(self) -> None:
        self._by_number: dict[int, OutstandingCall] = {}
        self._by_request: dict[str, OutstandingCall] = {}
        self._of_session: dict[int, set[int]] = {}
        self._sends = Deadlines[int]()
        self._ends = Deadlines[int]()
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._by_number)

    def new_number(self) -> int:
        self._last_number += 1
        return self._last_number

    def put(self, call: OutstandingCall, send_us: int) -> None:
        """To be sent at `send_us`."""
        self._by_number[call.number] = call
        self._of_session.setdefault(call.session, set()).add(call.number)
        self._sends.put(call.number, send_us)
        self._ends.put(call.number, call.ends_us)

    def put_back(self, call: OutstandingCall, due_us: int) -> None:
        """It is over, and that has to be told once more."""
        self._by_number[call.number] = call
        self._of_session.setdefault(call.session, set()).add(call.number)
        self._ends.put(call.number, due_us)

    def sent(self, call: OutstandingCall, request_id: str) -> None:
        call.request_id = request_id
        self._by_request[request_id] = call

    def again(self, call: OutstandingCall, send_us: int) -> None:
        """Nobody has heard it: it is sent anew."""
        self._sends.put(call.number, send_us)

    def asked_by(self, request_id: str) -> OutstandingCall | None:
        return self._by_request.get(request_id)

    def take(self, number: int) -> OutstandingCall | None:
        """It is over. None when it has been before."""
        call = self._by_number.pop(number, None)
        if call is None:
            return None
        self._by_request.pop(call.request_id, None)
        self._sends.cancel(number)
        self._ends.cancel(number)
        of_session = self._of_session[call.session]
        of_session.discard(number)
        if not of_session:
            del self._of_session[call.session]
        return call

    def session_ended(self, session: int, now_us: int) -> None:
        """What was asked on that connection is due at once."""
        for number in self._of_session.get(session, ()):
            self._by_number[number].has_left = True
            self._ends.put(number, now_us)

    def next_due_us(self) -> int | None:
        return earliest_us(self._sends.next_due_us(), self._ends.next_due_us())

    def pop_to_send(self, now_us: int) -> OutstandingCall | None:
        number = self._sends.pop_due(now_us)
        return None if number is None else self._by_number[number]

    def pop_ended(self, now_us: int) -> OutstandingCall | None:
        number = self._ends.pop_due(now_us)
        return None if number is None else self.take(number)
