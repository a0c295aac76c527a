"""Further keys of `devices` for ThingsBoard's devices: all that the flow can do, and what no device could."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fleetrig.harness.platforms.thingsboard.settings import CERTIFICATES, CHAINS, TLS_OF
from fleetrig.harness.scenario_file.values import Count, Duration, Flag, PositiveCount, Scalar, Text

Transport = Literal["mqtt", "http", "coap"]
MOST_KEEP_ALIVE_S: Final = 65_535


def _written(value: Any) -> Any:
    """YAML takes `3.1` and `5` for numbers."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _whole_seconds(seconds: float) -> float:
    if not 1 <= seconds <= MOST_KEEP_ALIVE_S or seconds != int(seconds):
        raise ValueError(f"expected whole seconds, from 1s to {MOST_KEEP_ALIVE_S}s")
    return seconds


def _something(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if not values:
        raise ValueError("expected at least one value, such as temperature: 21.5")
    return values


MqttVersionWord = Annotated[Literal["3.1", "3.1.1", "5"], BeforeValidator(_written)]
KeepAlive = Annotated[Duration, AfterValidator(_whole_seconds)]
Telemetry = Annotated[Mapping[Text, Scalar], AfterValidator(_something)]

DEVICE_FIELDS: Final[Mapping[str, Any]] = {
    "telemetry_over": Annotated[Transport, Field(description="Where they send telemetry; as they ask when not given.")],
    "mqtt_version": Annotated[MqttVersionWord, Field(description="3.1.1 when not given.")],
    "asks_in_protobuf": Annotated[Flag, Field(description="They ask in protobuf instead of JSON.")],
    "names_itself": Annotated[Flag, Field(description="false: no deviceName; the server makes one up.")],
    "gateway": Annotated[Flag, Field(description="They ask to be gateways; with `children` they are anyway.")],
    "telemetry": Annotated[Telemetry, Field(description="What they send.")],
    "telemetry_messages": Annotated[PositiveCount, Field(description="They leave after so many.")],
    "keep_alive": Annotated[KeepAlive, Field(description="Of MQTT: a PINGREQ comes at least so often.")],
    "failure_tries": Annotated[PositiveCount, Field(description="How often FAILURE is heard before it is final.")],
    "login_tries": Annotated[PositiveCount, Field(description="How often in a row credentials may be refused.")],
    "provisions_anew": Annotated[Count, Field(description="How often they then ask for new ones.")],
}
"""Key -> the form of its value. Those that are not given are as the flow has them (`ThingsBoardSettings`)."""


def _telemetry_over(devices: Any) -> str:
    place: str = devices.telemetry_over or devices.over
    return place


def protobuf_is_understood(devices: Any) -> str:
    if devices.asks_in_protobuf and devices.over == "http":
        return "asks_in_protobuf: ThingsBoard understands protobuf over mqtt and coap, and these devices ask over http"
    return ""


def mqtt_is_spoken(devices: Any) -> str:
    given = [name for name in ("mqtt_version", "keep_alive") if getattr(devices, name) is not None]
    if given and "mqtt" not in (devices.over, _telemetry_over(devices)):
        return f"{given[0]} is about MQTT, and these devices use {devices.over} only"
    return ""


def gateways_speak_mqtt(devices: Any) -> str:
    if devices.children and devices.gateway is False:
        return "children stand behind gateways: leave `gateway: false` away"
    if (devices.children or devices.gateway) and _telemetry_over(devices) != "mqtt":
        return "gateways send over MQTT: say over: mqtt, or telemetry_over: mqtt"
    return ""


def credentials_can_be_used(devices: Any) -> str:
    """Which kinds of credentials let a device in where (spec 3.1, 3.3, 3.4)."""
    place, kind = _telemetry_over(devices), devices.credential
    if kind == "mqtt_basic" and place != "mqtt":
        return f"mqtt_basic lets nobody in over {place}: say telemetry_over: mqtt"
    if kind == "certificate" and place == "http":
        return "a certificate lets nobody in over http: say telemetry_over: mqtt, or coap"
    if kind in CHAINS and not devices.over == place == "mqtt":
        return f"{kind}: ThingsBoard looks at chains over mqtt only"
    return ""


def chains_ask_for_nothing(devices: Any) -> str:
    if devices.credential not in CHAINS:
        return ""
    asked = {"names_itself": devices.names_itself, "gateway": devices.gateway, "asks_in_protobuf":
             devices.asks_in_protobuf}  # fmt: skip
    given = [name for name, value in asked.items() if value is not None] + ["children"] * bool(devices.children)
    return f"{given[0]} is about a request, and a device with {devices.credential} makes none" if given else ""


def listeners_called(devices: Any) -> tuple[str, ...]:
    """Where the devices ask and send telemetry; with certificates over TLS."""
    has_certificate = devices.credential in CERTIFICATES
    return tuple(TLS_OF[place] if has_certificate else place for place in (devices.over, _telemetry_over(devices)))


DEVICE_RULES: Final = (
    protobuf_is_understood,
    mqtt_is_spoken,
    gateways_speak_mqtt,
    credentials_can_be_used,
    chains_ask_for_nothing,
)
"""Each says in a sentence what no device could do; empty when nothing."""
