"""Requests that are answered later: they wait for a command (`hono-ttd`), or the registry takes its time.

What they have brought is accepted already. They are kept in memory and by no transaction, as the real adapter does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.hono.commands.router import CommandConsumer, CommandRouter, RoutedCommand
from fleetrig.reference_server.platforms.hono.http.replies import ACCEPTED, command_answer
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.http import Headers, HttpResponse

MOST_HELD: Final = 8_192
"""Who has been held longest is answered before its time."""


@dataclass(frozen=True, slots=True)
class HeldUpload:
    """`consumer` None: it waits for time to pass only."""

    session: int
    device: str
    consumer: CommandConsumer | None = None
    headers: Headers = ()
    """Of the answer, beside its own."""

    def answer(self, held_id: int, response: HttpResponse) -> LateAnswer:
        whole = replace(response, headers=(*response.headers, *self.headers))
        return LateAnswer(self.session, held_id, Delivery(whole))


class HeldUploads:
    def __init__(self, router: CommandRouter) -> None:
        self._router = router
        self._latest = 0
        self._held: dict[int, HeldUpload] = {}
        """In the order in which they came."""
        self._deadlines = Deadlines[int]()

    def next_id(self) -> int:
        self._latest += 1
        return self._latest

    def hold(self, held_id: int, held: HeldUpload, due_us: int, now_us: int) -> None:
        self._held[held_id] = held
        self._deadlines.put(held_id, due_us)
        if held.consumer is not None:
            self._router.begin(held.consumer)
        if len(self._held) > MOST_HELD:
            self._deadlines.put(next(iter(self._held)), now_us)

    def deliver(self, routed: RoutedCommand) -> Reaction | None:
        """None when nobody waits for it any more."""
        held_id = routed.consumer.key
        held = self._take(held_id)
        if held is None:
            return None
        answer = held.answer(held_id, command_answer(routed.command))
        changed = f"command {routed.command.name} handed over"
        return Reaction((answer,), device=held.device, changed=changed)

    def left(self, held_id: int) -> None:
        """Its client has gone. Harmless once it was answered."""
        self._take(held_id)

    def next_due_us(self) -> int | None:
        return self._deadlines.next_due_us()

    def advance(self, now_us: int) -> Iterator[Reaction]:
        while (held_id := self._deadlines.pop_due(now_us)) is not None:
            held = self._take(held_id)
            assert held is not None, "whoever has a deadline is held"
            yield Reaction((held.answer(held_id, ACCEPTED),), device=held.device)

    def _take(self, held_id: int) -> HeldUpload | None:
        held = self._held.pop(held_id, None)
        if held is not None:
            self._deadlines.cancel(held_id)
            if held.consumer is not None:
                self._router.end(held.consumer)
        return held
