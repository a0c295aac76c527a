"""How long a message may wait for a client (MQTT 5 §3.3.2.3.3): what has waited longer is not delivered any more."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleetrig.simulator.contract.clock import US_PER_S, to_us
from fleetrig.simulator.contract.mqtt import MqttPublish

EXPIRY = "message_expiry_interval"


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """`expires_us` None: it may wait for ever."""

    publish: MqttPublish
    expires_us: int | None = None

    def is_over(self, now_us: int) -> bool:
        return self.expires_us is not None and self.expires_us < now_us

    def as_of(self, now_us: int) -> MqttPublish:
        """With the time that is left, in whole seconds [MQTT-3.3.2-6]."""
        if self.expires_us is None or not self.publish.properties:
            return self.publish
        left_s = -(-(self.expires_us - now_us) // US_PER_S)
        properties = tuple((name, left_s if name == EXPIRY else value) for name, value in self.publish.properties)
        return replace(self.publish, properties=properties)

    def with_publish(self, publish: MqttPublish) -> TimedMessage:
        """Another form of the same message: a client of MQTT 3 is not told, and does not get it too late either."""
        return TimedMessage(publish, self.expires_us)


def timed(publish: MqttPublish, now_us: int) -> TimedMessage:
    """A message that has come now."""
    for name, value in publish.properties:
        if name == EXPIRY and isinstance(value, int):
            return TimedMessage(publish, now_us + to_us(value))
    return TimedMessage(publish)
