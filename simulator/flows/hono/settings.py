"""How a make of Hono device behaves; shared by a whole fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from fleetrig.simulator.backoff import Backoff
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttVersion

HTTP_SCHEMES: Final = ("http", "https")
MQTT_SCHEMES: Final = ("mqtt", "mqtts")
COAP_SCHEMES: Final = ("coap", "coaps")
SCHEMES: Final = (*HTTP_SCHEMES, *MQTT_SCHEMES, *COAP_SCHEMES)
MQTT_VERSIONS: Final = (MqttVersion.V311, MqttVersion.V5)
"""What the adapter speaks (spec 4.2)."""
NOT_IN_TOPICS: Final = frozenset("/+#")
"""What a level of an MQTT topic cannot have."""
MEASURED: Final[Mapping[str, Json]] = MappingProxyType({"temperature": 21.5})


class Endpoint(StrEnum):
    TELEMETRY = "telemetry"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class HonoSettings:
    """Raises UsageError for what no device could do."""

    url: str
    """The adapter that it talks to, and how: `https://host:8443`, `mqtts://host`, `coaps://host:5684` … Over TLS the
    host is what is asked for in the handshake (SNI); its first label may name the tenant (spec 5)."""
    endpoint: Endpoint = Endpoint.TELEMETRY
    at_least_once: bool = True
    """QoS 1, or a confirmable request. False: at most once, which events cannot be."""
    telemetry: Mapping[str, Json] = field(default_factory=lambda: MEASURED)
    """What it says; `n`, the number of the message in this power cycle, is added."""
    telemetry_interval_s: float = 60.0
    telemetry_messages: int | None = None
    """After so many in one power cycle it has nothing more to do; None: it goes on as long as it has power."""
    edge_devices: tuple[str, ...] | None = None
    """A gateway, and the device-ids behind it; None for a device that is none."""
    ttd_s: int | None = None
    """Waits for commands: over HTTP and CoAP for so long in each of its requests (`hono-ttd`), over MQTT always."""
    mqtt_version: MqttVersion = MqttVersion.V311
    keep_alive_s: int = 60
    timeout_s: float = 30.0
    """How long it waits for any answer (D11)."""
    start_spread_s: float = 0.0
    """At power-on it waits for a time drawn from 0 to this before it calls anybody."""
    backoff: Backoff = field(default_factory=Backoff)
    refused_tries: int = 6
    """How often in a row it may be refused before it gives up, until the next power-on (D04, D05, D09)."""
    conflict_tries: int = 5
    """How often it comes back soon after a lost race (D06); then it backs off like after any failure."""
    stays_on: bool = False
    """A device that has nothing more to do waits for its power to be cut, as programs do that must not end."""

    def __post_init__(self) -> None:
        scheme, mark, host = self.url.partition("://")
        if scheme not in SCHEMES or not mark or not host.strip("/"):
            raise UsageError(f"a Hono device talks {', '.join(SCHEMES)}, got {self.url!r}")
        for name in ("timeout_s", "telemetry_interval_s", "keep_alive_s", "refused_tries"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be more than 0, got {getattr(self, name):g}")
        if self.ttd_s is not None and self.ttd_s < 1:
            raise UsageError(f"ttd_s must be at least 1, got {self.ttd_s}")
        if self.endpoint is Endpoint.EVENT and not self.at_least_once:
            raise UsageError("events are sent at least once: Hono takes no other")
        for device_id in self.edge_devices or () if scheme in MQTT_SCHEMES else ():
            if NOT_IN_TOPICS & {*device_id}:
                raise UsageError(f"over MQTT a device-id is a level of a topic and has no / + #, got {device_id!r}")
        if self.mqtt_version not in MQTT_VERSIONS:
            raise UsageError("Hono speaks MQTT 3.1.1 and 5")

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0]
