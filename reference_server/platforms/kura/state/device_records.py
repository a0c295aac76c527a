"""Devices, their connections and what happened to them, each in the partition of its account (spec 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.state.records import CouplingMode
from fleetrig.reference_server.stores.interface import Kind


class DeviceStatus(StrEnum):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class ConnectionStatus(StrEnum):
    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True)
class Device:
    """`document` has the members of the REST API that BIRTH or an administrator has filled in (5.5)."""

    id: str
    scope_id: str
    client_id: str
    status: DeviceStatus = DeviceStatus.ENABLED
    connection_id: str = ""
    last_event_id: int = 0
    born_us: int = 0
    """When its last BIRTH came; 0: never."""
    birth_sent_ms: int = 0
    """The time that its newest BIRTH or APPS bears: an older one that comes later changes nothing (2.2)."""
    provisioned_us: int = 0
    """When a provision job was completed by its BIRTH: its control messages are signed from then on; 0: never."""
    document: Mapping[str, Any] = field(default_factory=dict)
    tag_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    created_us: int = 0
    created_by: str = ""
    modified_us: int = 0
    modified_by: str = ""
    optlock: int = 1


@dataclass(frozen=True, slots=True)
class DeviceConnection:
    """What the broker knows of a client id, now and since its last CONNECT."""

    id: str
    scope_id: str
    client_id: str
    user_id: str
    status: ConnectionStatus = ConnectionStatus.CONNECTED
    protocol: str = "MQTT"
    client_ip: str = ""
    server_ip: str = ""
    connected_us: int = 0
    """When its present or last session began: what is older says nothing about it (S-31)."""
    allow_user_change: bool = False
    user_coupling_mode: CouplingMode = CouplingMode.INHERITED
    reserved_user_id: str = ""
    authentication_type: str = "USER_PASS"
    created_us: int = 0
    created_by: str = ""
    modified_us: int = 0
    modified_by: str = ""
    optlock: int = 1


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """A device event: a lifecycle message, a management call, a step of provisioning (1.5 "Audit", 5.1)."""

    number: int
    scope_id: str
    device_id: str
    received_us: int
    resource: str
    """`BIRTH`, `APPLICATION`, `DEATH`, `MISSING`, `PROVISIONED`, `CERTIFICATE_UPDATED`, `CONF-V1` …"""
    action: str = "CREATE"
    response_code: str = "ACCEPTED"
    sent_us: int | None = None
    event_message: str = ""
    position: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Something that was refused or decided (S-37): never with a password, a key or an activation key."""

    number: int
    at_us: int
    stage: str
    """`connect`, `request`, `confirm`, `birth`, `publish`, `reply`, `login` …"""
    reason: str
    scope_id: str = ""
    client_id: str = ""
    username: str = ""
    remote_address: str = ""
    request_id: str = ""
    """Of the provision request concerned."""


DEVICE: Final = Kind(
    "kura.device",
    Device,
    lambda device: device.id,
    {"client": lambda device: (device.client_id,)},
)
CONNECTION: Final = Kind(
    "kura.connection",
    DeviceConnection,
    lambda connection: connection.id,
    {
        "client": lambda connection: (connection.client_id,),
        "reserved": lambda connection: (connection.reserved_user_id,) if connection.reserved_user_id else (),
        "user": lambda connection: (connection.user_id,),
    },
)
EVENT: Final = Kind("kura.event", DeviceEvent, lambda event: event.number, {"device": lambda event: (event.device_id,)})
AUDIT: Final = Kind(
    "kura.audit",
    AuditRecord,
    lambda record: record.number,
    {"client": lambda record: (record.client_id,) if record.client_id else ()},
)
"""In the partition of the installation: who is refused may belong to no account."""
