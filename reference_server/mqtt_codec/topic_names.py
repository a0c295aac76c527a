"""The form of a topic that something is published to (MQTT 5 §4.7). Topic filters are judged by platforms."""

from __future__ import annotations

from fleetrig.reference_server.mqtt_codec.fields import BrokenPacket
from fleetrig.simulator.contract.undecodable import Flaw


def check_topic_name(topic: str, what: str) -> None:
    """Raises BrokenPacket when it is empty [MQTT-4.7.3-1] or has wildcards in it [MQTT-3.3.2-2]."""
    if not topic:
        raise BrokenPacket(f"the {what} is empty", Flaw.PROTOCOL)
    if "#" in topic or "+" in topic:
        raise BrokenPacket(f"the {what} has a wildcard in it")
