"""Topic aliases of MQTT 5 (§3.3.2.3.4): a number that stands for a topic on one connection."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.mqtt_codec.fields import BrokenPacket
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.contract.undecodable import Flaw


class TopicAliases:
    """Those that a client has set, `maximum` of them at most: what its CONNACK granted."""

    __slots__ = ("_maximum", "_topics")

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._topics: dict[int, str] = {}

    def resolved(self, publish: MqttPublish) -> MqttPublish:
        """The same PUBLISH with its topic and without an alias, which means nothing beyond its connection.

        Raises BrokenPacket for an alias that was not granted, and for one without a topic that was never set.
        """
        alias = next((value for name, value in publish.properties if name == "topic_alias"), None)
        if not isinstance(alias, int):
            return self._named(publish)
        if not 1 <= alias <= self._maximum:
            raise BrokenPacket(f"topic alias {alias}, where {self._maximum} are granted", Flaw.TOPIC_ALIAS)
        if publish.topic:
            self._topics[alias] = publish.topic
        elif alias not in self._topics:
            raise BrokenPacket(f"topic alias {alias} stands for nothing so far", Flaw.PROTOCOL)
        left = tuple(one for one in publish.properties if one[0] != "topic_alias")
        return replace(publish, topic=self._topics[alias], properties=left)

    def _named(self, publish: MqttPublish) -> MqttPublish:
        if not publish.topic:
            raise BrokenPacket("a PUBLISH has neither a topic nor a topic alias", Flaw.PROTOCOL)
        return publish
