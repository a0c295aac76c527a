"""How a make of gateway behaves; shared by a whole fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.flows.kura.components import (
    CloudService,
    DataService,
    MqttDataTransport,
    ProvisioningService,
    check_url,
)

MEASURED: Final[Mapping[str, Json]] = MappingProxyType({"temperature": 21.5})
HANDLERS: Final = ("CONF-V1", "CMD-V1", "DEPLOY-V2", "KEYS-V1", "KEYS-V2")

Quirk = Literal["poisoned-queue", "reply-answered", "no-jitter"]
"""Defects of real gateways. poisoned-queue: a reply that can never be published holds up all behind it (spec 2.5).
reply-answered: what comes under REPLY/ with ids is answered 400 (spec 2.5). no-jitter: all come back after 1 s."""
QUIRKS: Final = frozenset({"poisoned-queue", "reply-answered", "no-jitter"})
DISCONNECT: Final = "disconnect"
SignedControl = Literal["once-provisioned", "always", "never"]


@dataclass(frozen=True, slots=True)
class GatewayHardware:
    """What a gateway says of itself in BIRTH, and names itself by."""

    mac: str = ""
    """Of the main interface, with or without colons; empty: made from the serial, so that each device has its own."""
    serial_number: str | None = None
    """`kura.serialNumber`; None: the device's serial. Empty: it has none, and says UNKNOWN (G-03)."""
    model_id: str = "simulated-gateway"
    model_name: str = "Simulated gateway"
    part_number: str = "SIM-1"
    firmware_version: str = "1.0"
    bios_version: str = "1.0"
    kura_version: str = "KURA_6.0.0"
    connection_ip: str = "192.0.2.7"


@dataclass(frozen=True, slots=True)
class LocalChange:
    """What an operator changes on the gateway itself, so long after power-on."""

    after_s: float
    pid: str
    """`DISCONNECT`: the connection is ended by hand."""
    properties: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KuraSettings:
    """Raises UsageError for what no device could do."""

    provisioning: ProvisioningService = field(default_factory=ProvisioningService)
    transport: MqttDataTransport = field(default_factory=MqttDataTransport)
    """Where a gateway that is configured by hand connects; one that provisions itself gets it."""
    data: DataService = field(default_factory=DataService)
    cloud: CloudService = field(default_factory=CloudService)
    hardware: GatewayHardware = field(default_factory=GatewayHardware)
    client_id_with_colons: bool | None = None
    """How a MAC becomes a client id (N-03); None: as each service does, without in provisioning, with in transport."""
    trust_anchors: Mapping[str, str] = field(default_factory=dict)
    """SSLKeystore at the factory: alias -> certificate (PEM)."""
    signing_certificates: Mapping[str, str] = field(default_factory=dict)
    """DMKeystore at the factory: alias -> certificate (PEM) of who may sign control messages."""
    keystores: tuple[str, ...] = ("SSLKeystore", "HttpsKeystore", "DMKeystore")
    signed_control: SignedControl = "once-provisioned"
    """When control messages have to be signed (SIG-SIM1)."""
    asks_for_certificate: bool = False
    """The request has a certificate signing request in its body."""
    prov_app_id: str = "PROV-SIM1"
    applications: tuple[str, ...] = ()
    """Further ids of applications that BIRTH lists, and that answer as the recordings' test application does."""
    staging_s: float = 0.5
    """How long it takes to stage the material."""
    most_target_failures: int = 10
    """So often the target may fail before the old configuration comes back (spec 3.7)."""
    returns_between_attempts: bool = True
    """A gateway that has an old configuration is connected with that while it waits for its next attempt."""
    connection_name: str = ""
    """Which of the gateway's cloud connections this is; empty for the default one (ESF 7)."""
    other_instances: tuple[str, ...] = ()
    """Broker URLs with which other cloud connections of the same gateway are provisioned: refused locally (G-35)."""
    default_connection_only: bool = False
    """As before ESF 7: only the default cloud connection can be provisioned."""
    telemetry: Mapping[str, Json] = field(default_factory=lambda: MEASURED)
    telemetry_app: str = "telemetry"
    telemetry_topic: str = "data"
    telemetry_qos: int = 0
    telemetry_priority: int = 7
    telemetry_interval_s: float | None = 60.0
    """None: it measures nothing."""
    telemetry_messages: int | None = None
    """After so many in one power cycle it has nothing more to do; None: it goes on as long as it has power."""
    asks_for_acknowledgement: bool = False
    """Telemetry of QoS 1 waits for its PUBACK before anything else is done, as load runs measure it."""
    clock_error_s: float = 0.0
    """How far its clock is off; more than 0: fast."""
    clock_right_after_s: float | None = None
    """So long after power-on somebody sets it right; None: never."""
    local_changes: tuple[LocalChange, ...] = ()
    quirks: frozenset[str] = frozenset()
    reboot_s: float = 30.0
    """How long a gateway takes to start again when its watchdog, or an installation, has it reboot."""
    start_spread_s: float = 0.0
    """At power-on it waits for a time drawn from 0 to this before it calls anybody."""
    stays_on: bool = False
    """A device that has nothing more to do waits for its power to be cut, as programs do that must not end."""

    def __post_init__(self) -> None:
        if unknown := self.quirks - QUIRKS:
            raise UsageError(f"quirks are {', '.join(sorted(QUIRKS))}, got {', '.join(sorted(unknown))}")
        if "no-jitter" in self.quirks and self.data.reconnect == "full-jitter":
            raise UsageError("reconnect full-jitter and the quirk no-jitter contradict each other")
        if self.telemetry_qos not in (0, 1):
            raise UsageError(f"telemetry_qos must be 0 or 1, got {self.telemetry_qos}")
        if self.telemetry_interval_s is not None and not self.telemetry_interval_s > 0:
            raise UsageError(f"telemetry_interval_s must be more than 0, got {self.telemetry_interval_s:g}")
        for url in self.other_instances:
            check_url(url)
