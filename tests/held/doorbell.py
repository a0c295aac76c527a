"""The smallest platform that holds requests: whoever waits at the door hears the bell, or nothing in time.

GET /wait?MS       held so long: 200 with what was rung, else 408
POST /ring         200; everybody who waits hears the body
GET /              200
POST /kept         held, and its transaction fails
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fleetrig.reference_server.http_container import PLAIN_CONTAINER, HttpContainerRules
from fleetrig.reference_server.platform import NOTHING, HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import Envelope, LateAnswer
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session


@dataclass
class Doorbell:
    """A `HoldingPlatform`; also a `SessionPlatform`, so that what a request makes due is done at once."""

    store: Store
    blobs: Blobs | None = None
    entropy: Entropy | None = None
    name: str = "doorbell"
    container_rules: HttpContainerRules = PLAIN_CONTAINER
    waiting: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Held request -> its session, and when its time is over."""
    rung: list[bytes] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    """The held requests whose clients have left."""
    last_id: int = 0

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        if request.path == "/ring":
            self.rung.append(body_bytes(request.body))
        if request.path != "/wait":
            return HttpAnswer(HttpResponse(200))
        self.last_id += 1
        held_id, until_us = self.last_id, now_us + int(request.query) * US_PER_MS
        self.store.when_settled(lambda committed: self._keep(held_id, session.id, until_us) if committed else None)
        return HeldRequest(held_id, "door")

    def _keep(self, held_id: int, session: int, until_us: int) -> None:
        self.waiting[held_id] = (session, until_us)

    def left(self, held_id: int, now_us: int) -> None:
        del self.waiting[held_id]
        self.gone.append(held_id)

    def next_due_us(self) -> int | None:
        if self.rung:
            return 0
        return min((until_us for _, until_us in self.waiting.values()), default=None)

    def advance(self, now_us: int) -> Sequence[Reaction]:
        rung, self.rung = self.rung, []
        heard = [self._answer(held_id, HttpResponse(200, body=rung[0])) for held_id in list(self.waiting) if rung]
        late = [held_id for held_id, (_, until_us) in self.waiting.items() if until_us <= now_us]
        return [*heard, *(self._answer(held_id, HttpResponse(408), "nobody rang") for held_id in late)]

    def _answer(self, held_id: int, response: HttpResponse, reason: str = "") -> Reaction:
        session, _ = self.waiting.pop(held_id)
        return Reaction((LateAnswer(session, held_id, Delivery(response)),), reason, "door")

    def secrets(self) -> list[tuple[str, str]]:
        return []

    def opened(self, session: Session, now_us: int) -> Reaction:
        return NOTHING

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        return NOTHING

    def closed(self, session: Session, now_us: int) -> Reaction:
        return NOTHING
