"""How a make of ThingsBoard device behaves; shared by a whole fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from fleetrig.simulator.backoff import Backoff
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttVersion

SCHEMES: Final = ("mqtt", "mqtts", "http", "https", "coap", "coaps")
MQTT_SCHEMES: Final = ("mqtt", "mqtts")
COAP_SCHEMES: Final = ("coap", "coaps")
MEASURED: Final[Mapping[str, Json]] = MappingProxyType({"temperature": 21.5})


@dataclass(frozen=True, slots=True)
class ThingsBoardSettings:
    """Raises UsageError for what no device could do."""

    provision_url: str
    """Where it asks for credentials, and how: `mqtt://host:1883`, `https://host`, `coap://host:5683` …"""
    telemetry_url: str = ""
    """Where it logs in with them; empty for the same place."""
    mqtt_version: MqttVersion = MqttVersion.V311
    asks_in_protobuf: bool = False
    """Instead of JSON; over MQTT and CoAP."""
    names_itself: bool = True
    """False: the request has no `deviceName`, and the server makes one up."""
    children: tuple[str, ...] | None = None
    """A gateway, and the devices behind it (D33); None for a device that is none."""
    telemetry: Mapping[str, Json] = field(default_factory=lambda: MEASURED)
    telemetry_interval_s: float = 60.0
    telemetry_messages: int | None = None
    """After so many in one power cycle it has nothing more to do; None: it goes on as long as it has power."""
    keep_alive_s: int = 60
    timeout_s: float = 30.0
    """How long it waits for any answer (D17)."""
    start_spread_s: float = 0.0
    """At power-on it waits for a time drawn from 0 to this before it calls anybody (D32)."""
    backoff: Backoff = field(default_factory=Backoff)
    failure_tries: int = 3
    """How often FAILURE is heard before it is final: until the next power-on."""
    login_tries: int = 3
    """How often stored credentials may be refused in a row (D21)."""
    provisions_anew: int = 1
    """How often in one power cycle it then asks for new ones."""

    stays_on: bool = False
    """A device that has nothing more to do waits for its power to be cut, as programs do that must not end."""

    def __post_init__(self) -> None:
        for url in (self.provision_url, self.telemetry_place):
            scheme, mark, host = url.partition("://")
            if scheme not in SCHEMES or not mark or not host.strip("/"):
                raise UsageError(f"a ThingsBoard device talks {', '.join(SCHEMES)}, got {url!r}")
        for name in ("timeout_s", "telemetry_interval_s", "keep_alive_s", "failure_tries", "login_tries"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be more than 0, got {getattr(self, name):g}")
        if self.asks_in_protobuf and scheme_of(self.provision_url) not in (*MQTT_SCHEMES, *COAP_SCHEMES):
            raise UsageError(f"protobuf is understood over MQTT and CoAP only, not by {self.provision_url}")
        if self.children is not None and scheme_of(self.telemetry_place) not in MQTT_SCHEMES:
            raise UsageError(f"gateways speak MQTT only, and this one would send to {self.telemetry_place}")

    @property
    def telemetry_place(self) -> str:
        return self.telemetry_url or self.provision_url


def scheme_of(url: str) -> str:
    return url.partition("://")[0]
