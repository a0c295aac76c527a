"""CONNECT of a gateway to its target, as MqttDataTransport makes it, and what it cannot call (spec 4.1)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, NamedTuple

from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPublish,
    MqttVersion,
    MqttWill,
)
from fleetrig.simulator.effects import Connect, Disconnect, Effect, NoReply, Outcome, Reply
from fleetrig.simulator.flows.kura.birth import DC, dc_bytes, lifecycle_topic
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.naming import is_publishable, is_vendors, substituted

CONNECT_TIMEOUTS: Final = 3
"""CONNECT waits so many times its `timeout`."""
TEAR_DOWN_S: Final = 4.0
"""So long it takes to give up an attempt without an answer."""
OF_DEVICE: Final = frozenset({2, 4, 5})
"""CONNACK codes that speak of the device: they do not count for the connection monitor (spec 4.5)."""


class Trouble(NamedTuple):
    """Why there is no connection."""

    why: str
    is_refused: bool = False
    """The server has said no to this device."""
    is_local: bool = False
    """It was not even tried."""


def hello(life: GatewayLife) -> MqttConnect:
    """Parts that are empty are left out."""
    transport = life.transport
    will = None
    if transport.lwt_topic:
        topic = substituted(transport.lwt_topic, life.tokens)
        will = MqttWill(topic, transport.lwt_payload.encode(), transport.lwt_qos, transport.lwt_retain)
    return MqttConnect(
        life.target_client_id,
        transport.username or None,
        transport.password.encode() if transport.username and transport.password else None,
        transport.clean_session,
        transport.keep_alive_s,
        MqttVersion(transport.protocol_version),
        will,
    )


def why_not(url: str) -> str:
    """Why a gateway of this project does not call that broker; empty when it does."""
    if not url:
        return "no broker is configured"
    if is_vendors(url):
        return f"{url} is a broker of the vendor, which nothing that is simulated calls: give one on loopback"
    return ""


def sign_in(life: GatewayLife) -> Generator[Effect, Outcome, Trouble | None]:
    """One attempt; None when it is let in."""
    transport = life.transport
    if why := why_not(transport.broker_url):
        return Trouble(why, is_local=True)
    within_s, packet = float(CONNECT_TIMEOUTS * transport.timeout_s), hello(life)
    if packet.will is not None and not is_publishable(packet.will.topic):
        return Trouble("nothing can be published on the topic of the will")
    answer = yield from life.call(Connect("login", transport.broker_url.rstrip("/"), packet, within_s))
    match answer:
        case Reply(MqttConnack(code=0)):
            return None
        case Reply(connack):
            yield Disconnect()
            return Trouble(connack.line, is_refused=connack.code in OF_DEVICE)
        case NoReply(why):
            if why == "timeout":
                yield from life.rest(TEAR_DOWN_S, TEAR_DOWN_S, "tear-down")
            yield Disconnect()
            return Trouble(why)


def leave(life: GatewayLife) -> Generator[Effect, Outcome, None]:
    """In good order: DC, DISCONNECT."""
    at_ms = yield from life.clock_ms()
    topic = substituted(lifecycle_topic(life, DC), life.tokens)
    if (yield from life.say("dc", MqttPublish(topic, dc_bytes(life, at_ms)))):
        yield from life.say("leave", MqttDisconnect())
    yield Disconnect()
