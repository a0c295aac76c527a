"""HTTP requests that are answered later: kept with the faults that were drawn for them when they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fleetrig.reference_server.http_faults import distort
from fleetrig.reference_server.platform import HttpAnswer, Reaction
from fleetrig.reference_server.server_lane import ServerLane
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.http import HttpRequest


@dataclass(frozen=True, slots=True)
class _HeldRequest:
    request: HttpRequest
    """Without its body, which has been read."""
    faults: tuple[Fault, ...]
    until_us: int
    """Its turn in the queue: not answered before."""


class HeldRequests:
    """Each is answered once, or left by its client."""

    def __init__(self, lane: ServerLane) -> None:
        self._lane = lane
        self._by_id: dict[int, _HeldRequest] = {}

    def hold(self, held_id: int, request: HttpRequest, faults: Sequence[Fault], until_us: int) -> None:
        if held_id in self._by_id or not held_id:
            raise ModelError(f"a platform holds two requests under the id {held_id}")
        self._by_id[held_id] = _HeldRequest(replace(request, body=b""), tuple(faults), until_us)

    def leave(self, held_id: int) -> bool:
        """False when it has been answered, or left already."""
        return self._by_id.pop(held_id, None) is not None

    def answered(self, answer: LateAnswer, reaction: Reaction, now_us: int, *, is_traced: bool) -> list[LateAnswer]:
        """The answer as faults leave it; none for a request whose client has left."""
        held = self._by_id.pop(answer.held_id, None)
        response = answer.delivery.response
        if held is None or response is None:
            return []
        delivery = answer.delivery._replace(delay_us=max(answer.delivery.delay_us, held.until_us - now_us))
        for fault in held.faults:
            delivery = distort(fault, held.request, delivery)
        if is_traced:
            for fault in held.faults:
                self._lane.fault(held.request, fault, answer.session, now_us)
            told = HttpAnswer(response, reaction.reason, reaction.device, reaction.changed, steps=reaction.steps)
            self._lane.answered(told, answer.session, now_us)
            if held.faults:
                self._lane.delivered(delivery, reaction.device, answer.session, now_us)
        return [replace(answer, delivery=delivery)]
