"""Retained messages: the last one of each topic, for those who subscribe later (MQTT 3.1.1 §3.3.1.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleetrig.reference_server.mqtt_sessions.byte_budget import ByteBudget, size_bytes_of
from fleetrig.reference_server.mqtt_sessions.message_expiry import TimedMessage
from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.reference_server.mqtt_sessions.topic_filters import ANY_LEVEL, ANY_REST, fits, levels_of
from fleetrig.simulator.contract.bounds import Bound


class RetainedMessages:
    def __init__(self, limits: SessionLimits) -> None:
        self._limits = limits
        self._budget = ByteBudget(limits.retained_bytes)
        self._levels = ByteBudget(limits.retained_levels)
        self._messages: dict[str, tuple[TimedMessage, Sequence[str]]] = {}
        """Topic -> its message and its levels."""

    def __len__(self) -> int:
        return len(self._messages)

    def keep(self, message: TimedMessage) -> Bound | None:
        """In place of the topic's message so far; one without a payload only removes that.

        The bound, if there is one against it: then the topic has none.
        """
        publish = message.publish
        self._remove(publish.topic)
        if not publish.payload:
            return None
        if len(self._messages) >= self._limits.retained_messages.most:
            return self._limits.retained_messages
        levels = levels_of(publish.topic)
        if (bound := self._levels.take(len(levels))) is not None:
            return bound
        if (bound := self._budget.take(size_bytes_of(publish))) is not None:
            self._levels.give_back(len(levels))
            return bound
        self._messages[publish.topic] = (message, levels)
        return None

    def _remove(self, topic: str) -> None:
        if topic in self._messages:
            message, levels = self._messages.pop(topic)
            self._budget.give_back(size_bytes_of(message.publish))
            self._levels.give_back(len(levels))

    def matching(self, filter_levels: Sequence[str], now_us: int) -> list[TimedMessage]:
        """In the order in which they came. Those that have waited too long are forgotten [MQTT-3.3.2-5]."""
        found = list(self._fitting(filter_levels))
        for message in found:
            if message.is_over(now_us):
                self._remove(message.publish.topic)
        return [message.with_publish(message.as_of(now_us)) for message in found if not message.is_over(now_us)]

    def _fitting(self, filter_levels: Sequence[str]) -> Iterator[TimedMessage]:
        """Without wildcards it looks for one topic only."""
        if ANY_LEVEL in filter_levels or filter_levels[-1] == ANY_REST:
            yield from (message for message, levels in self._messages.values() if fits(filter_levels, levels))
        elif (found := self._messages.get("/".join(filter_levels))) is not None:
            yield found[0]
