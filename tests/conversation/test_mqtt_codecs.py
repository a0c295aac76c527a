"""Devices speak MQTT by paho-mqtt, our server by a codec of its own: each reads what the other writes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.mqtt_codec.decoder import MqttDecoder
from fleetrig.reference_server.mqtt_codec.encoder import encode
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttVersion,
)
from fleetrig.simulator.contract.undecodable import Undecodable
from fleetrig.simulator.transports.paho_codec import PahoCodec
from tests.reference_server.mqtt_codec.packets import VERSIONS, client_streams, from_server

pytestmark = pytest.mark.slow

steadily = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
LIMIT_BYTES = 100_000
MOST_OF_PAHO = 268_435_455
"""paho writes no larger maximum packet size, though it is a number of four bytes (MQTT 5, 3.1.2.11.4)."""
BYTE_ORDER_MARK = "\ufeff"
"""paho takes it for an error in properties, though it may stand in any text (MQTT 5, 1.5.4)."""


def in_order_of_names(packet: MqttPacket | Undecodable) -> MqttPacket | Undecodable:
    """The order of properties says nothing, but of those with one name (MQTT 5, 2.2.2)."""
    if isinstance(packet, Undecodable | MqttPingreq | MqttPingresp):
        return packet
    packet = replace(packet, properties=tuple(sorted(packet.properties, key=lambda one: one[0])))
    if isinstance(packet, MqttConnect) and packet.will is not None:
        will = packet.will
        properties = tuple(sorted(will.properties, key=lambda one: one[0]))
        packet = replace(packet, will=replace(will, properties=properties))
    return packet


def can_be_written(packet: MqttPacket) -> bool:
    return not isinstance(packet, MqttConnect) or not any(
        name == "maximum_packet_size" and isinstance(value, int) and value > MOST_OF_PAHO
        for name, value in packet.properties
    )


@steadily
@given(client_streams())
def test_the_server_reads_what_a_device_writes(stream: tuple[MqttVersion, list[MqttPacket]]) -> None:
    device, server = PahoCodec(), MqttDecoder(LIMIT_BYTES)
    _, sent = stream
    assume(all(map(can_be_written, sent)))
    read = [packet for one in sent for packet in server.feed(device.encode(one))]
    assert list(map(in_order_of_names, read)) == list(map(in_order_of_names, sent))


@steadily
@given(VERSIONS, st.data())
def test_a_device_reads_what_the_server_writes(version: MqttVersion, data: st.DataObject) -> None:
    device = PahoCodec()
    device.encode(MqttConnect(version=version))
    sent = data.draw(st.lists(from_server(version).filter(lambda one: BYTE_ORDER_MARK not in repr(one)), max_size=8))
    device.feed(b"".join(encode(one, version) for one in sent))
    assert list(map(in_order_of_names, device.came)) == list(map(in_order_of_names, sent))
