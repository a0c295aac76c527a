"""Further keys of `devices` for Hono's devices: all that the flow can do, and what no device could."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fleetrig.harness.platforms.hono.settings import IN_HANDSHAKES
from fleetrig.harness.scenario_file.values import Duration, Flag, PositiveCount, Scalar, Text

MOST_KEEP_ALIVE_S: Final = 65_535
MOST_TTD_S: Final = 60
"""Longest that adapters let a device wait for a command over HTTP and CoAP, unless they are told otherwise."""


def _written(value: Any) -> Any:
    """YAML takes `5` for a number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _whole_seconds(seconds: float) -> float:
    if not 1 <= seconds <= MOST_KEEP_ALIVE_S or seconds != int(seconds):
        raise ValueError(f"expected whole seconds, from 1s to {MOST_KEEP_ALIVE_S}s")
    return seconds


def _waited_seconds(seconds: float) -> float:
    if not 1 <= seconds <= MOST_TTD_S or seconds != int(seconds):
        raise ValueError(f"expected whole seconds, from 1s to {MOST_TTD_S}s")
    return seconds


def _something(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if not values:
        raise ValueError("expected at least one value, such as temperature: 21.5")
    return values


MqttVersionWord = Annotated[Literal["3.1.1", "5"], BeforeValidator(_written)]
KeepAlive = Annotated[Duration, AfterValidator(_whole_seconds)]
WaitForCommands = Annotated[Duration, AfterValidator(_waited_seconds)]
Telemetry = Annotated[Mapping[Text, Scalar], AfterValidator(_something)]

DEVICE_FIELDS: Final[Mapping[str, Any]] = {
    "endpoint": Annotated[Literal["telemetry", "event"], Field(description="What they send; telemetry if not given.")],
    "at_least_once": Annotated[Flag, Field(description="false: QoS 0, or requests that are not confirmable.")],
    "telemetry": Annotated[Telemetry, Field(description="What they say; `n`, the number of the message, is added.")],
    "telemetry_messages": Annotated[PositiveCount, Field(description="They leave after so many.")],
    "waits_for_commands": Annotated[
        WaitForCommands, Field(description="How long in each request (hono-ttd); over MQTT they always listen then.")
    ],
    "mqtt_version": Annotated[MqttVersionWord, Field(description="3.1.1 when not given.")],
    "keep_alive": Annotated[KeepAlive, Field(description="Of MQTT: a PINGREQ comes at least so often.")],
    "gateway": Annotated[Flag, Field(description="They act for others; with `children` they do anyway.")],
    "names_tenant": Annotated[Flag, Field(description="In the handshake (SNI): the first label of the host's name.")],
    "refused_tries": Annotated[PositiveCount, Field(description="How often in a row they may be refused.")],
    "conflict_tries": Annotated[PositiveCount, Field(description="How often they come back soon after a 409.")],
    "clones": Annotated[Flag, Field(description="All show what the first of them has: one device, many at once.")],
}
"""Key -> the form of its value. Those that are not given are as the flow has them (`HonoSettings`)."""


def mqtt_is_spoken(devices: Any) -> str:
    given = [name for name in ("mqtt_version", "keep_alive") if getattr(devices, name) is not None]
    return f"{given[0]} is about MQTT, and these devices use {devices.over}" if given and devices.over != "mqtt" else ""


def events_are_sent_at_least_once(devices: Any) -> str:
    if devices.endpoint == "event" and devices.at_least_once is False:
        return "events are sent at least once: Hono takes no other"
    return ""


def credentials_can_be_used(devices: Any) -> str:
    """Which kinds of credentials let a device in where (spec 4)."""
    over, kind = devices.over, devices.credential
    if over == "coap" and kind not in IN_HANDSHAKES:
        return f"{kind} lets nobody in over coap: say credential: psk, or certificate"
    if over != "coap" and kind == "psk":
        return f"psk lets nobody in over {over}: say over: coap, or credential: password"
    return ""


def names_are_said_in_handshakes(devices: Any) -> str:
    if devices.names_tenant and devices.credential not in IN_HANDSHAKES:
        return f"names_tenant is about handshakes, and {devices.credential} is shown later"
    return ""


def gateways_have_children(devices: Any) -> str:
    if devices.children and devices.gateway is False:
        return "children stand behind gateways: leave `gateway: false` away"
    return ""


def listeners_called(devices: Any) -> tuple[str, ...]:
    """Where the devices send; what they show in handshakes they show over TLS and DTLS."""
    return (f"{devices.over}s" if devices.credential in IN_HANDSHAKES else devices.over,)


DEVICE_RULES: Final = (
    mqtt_is_spoken,
    events_are_sent_at_least_once,
    credentials_can_be_used,
    names_are_said_in_handshakes,
    gateways_have_children,
)
"""Each says in a sentence what no device could do; empty when nothing."""
