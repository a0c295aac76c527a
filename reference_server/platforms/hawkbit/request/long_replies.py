"""Replies that take long to make: made step by step, while devices are served, and given when they are whole."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply, Steps
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import LateAnswer


@dataclass(frozen=True, slots=True)
class LongReply:
    """`answer` makes an HTTP answer of the reply, `refuse` of what went wrong on the way."""

    session: int
    steps: Steps
    answer: Callable[[Reply], HttpAnswer]
    refuse: Callable[[HawkbitError | StoreFailed | OSError], HttpAnswer]
    since_us: int


class LongReplies:
    """All that are being made, each a step at a time, by turns."""

    def __init__(self) -> None:
        self._replies: OrderedDict[int, LongReply] = OrderedDict()
        self._last_id = 0

    @property
    def due_us(self) -> int | None:
        """Since when there is something to do."""
        return next(iter(self._replies.values())).since_us if self._replies else None

    def hold(self, reply: LongReply) -> HeldRequest:
        self._last_id += 1
        self._replies[self._last_id] = reply
        return HeldRequest(self._last_id)

    def leave(self, held_id: int) -> None:
        """Nobody waits for it any more. Harmless once it was given."""
        reply = self._replies.pop(held_id, None)
        if reply is not None:
            reply.steps.close()

    def step(self) -> list[Reaction]:
        """The next step of whose turn it is; with its last one its answer."""
        if not self._replies:
            return []
        held_id = next(iter(self._replies))
        reply = self._replies[held_id]
        try:
            next(reply.steps)
        except StopIteration as end:
            answer = reply.answer(end.value)
        except (HawkbitError, StoreFailed, OSError) as wrong:
            answer = reply.refuse(wrong)
        else:
            self._replies.move_to_end(held_id)
            return []
        del self._replies[held_id]
        late = LateAnswer(reply.session, held_id, Delivery(answer.response))
        return [Reaction((late,), device=answer.device, reason=answer.reason, changed=answer.changed)]
