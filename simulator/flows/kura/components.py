"""The configurable components of a gateway: their parameters, and their names in configurations (spec 1.3, 2.8, 4).

Each is a dataclass; `PROPERTIES` says which property of its pid is which of its fields, and of what type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

from fleetrig.simulator.contract.errors import UsageError

FOR_EVER: Final = -1
MOST_IN_FLIGHT: Final = 10
"""Of the metatype (spec 4.2)."""
MOST_KEEP_ALIVE_S: Final = 65_535
SCHEMES: Final = ("mqtt", "mqtts")
"""Kura also knows `ws` and `wss`, which no driver opens."""
MOST_RATE_PER_S: Final = 100_000.0
"""A rate limit above it limits nothing."""
MOST_NAME_BYTES: Final = 4_096
"""Of an account, a user name, a client id: topics made of them can be sent."""
MOST_PASSWORD_BYTES: Final = 65_535
"""What CONNECT has room for."""

Reconnect = Literal["kura", "full-jitter"]
PayloadEncoding = Literal["kura-protobuf", "simple-json"]


@dataclass(frozen=True, slots=True)
class ProvisioningService:
    """Raises UsageError for what no gateway accepts (G-10)."""

    enabled: bool = False
    provisioned: bool = False
    ca_authentication: bool = True
    """The root of the chain that is received must be in the trust store."""
    broker_url: str = ""
    account_name: str = "ec-provisioning"
    username: str = ""
    """Empty: MAC and serial number, `00600CAABBCC-SN1`."""
    password: str = field(default="", repr=False)
    activation_key: str = field(default="", repr=False)
    client_id: str = ""
    """Empty: the MAC."""
    retry_interval_s: int = 60
    """From the start of one attempt to the start of the next."""
    retry_max_attempts: int = FOR_EVER
    timeout_s: int = 60
    """Of one attempt as a whole."""

    def __post_init__(self) -> None:
        for name in ("retry_interval_s", "timeout_s"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, got {getattr(self, name):g}")
        if self.retry_max_attempts != FOR_EVER and self.retry_max_attempts < 1:
            raise UsageError(f"retry_max_attempts must be -1 (for ever) or at least 1, got {self.retry_max_attempts}")
        check_url(self.broker_url)
        check_names(account_name=self.account_name, username=self.username, client_id=self.client_id)
        check_password(self.password)


@dataclass(frozen=True, slots=True)
class MqttDataTransport:
    """Raises UsageError for what no gateway accepts."""

    broker_url: str = ""
    """Empty: there is no target yet."""
    account_name: str = "account-name"
    username: str = ""
    """Empty: CONNECT has none; the same for the password."""
    password: str = field(default="", repr=False)
    client_id: str = ""
    """Empty: the MAC, with its colons."""
    keep_alive_s: int = 30
    timeout_s: int = 10
    """Of all that the broker answers; three times as long for CONNECT."""
    clean_session: bool = True
    lwt_topic: str = "$EDC/#account-name/#client-id/MQTT/LWT"
    """Empty: no will."""
    lwt_payload: str = ""
    lwt_qos: int = 0
    lwt_retain: bool = False
    in_flight_persistence: str = "memory"
    protocol_version: int = 4

    def __post_init__(self) -> None:
        check_url(self.broker_url)
        check_names(account_name=self.account_name, username=self.username, client_id=self.client_id)
        check_names(lwt_topic=self.lwt_topic, lwt_payload=self.lwt_payload)
        check_password(self.password)
        if self.timeout_s < 1:
            raise UsageError(f"timeout_s must be at least 1, got {self.timeout_s:g}")
        if not 0 <= self.keep_alive_s <= MOST_KEEP_ALIVE_S:
            raise UsageError(f"keep_alive_s must be from 0 to {MOST_KEEP_ALIVE_S}, got {self.keep_alive_s:g}")
        if self.protocol_version not in (3, 4):
            raise UsageError(f"a gateway speaks MQTT 3.1 (3) and 3.1.1 (4), got {self.protocol_version}")
        if self.lwt_qos not in (0, 1, 2):
            raise UsageError(f"lwt_qos must be 0, 1 or 2, got {self.lwt_qos}")


@dataclass(frozen=True, slots=True)
class DataService:
    """Raises UsageError for what no gateway accepts."""

    auto_on_startup: bool = True
    """Kura's own default is false; a gateway in the field has it switched on."""
    retry_interval_s: int = 60
    reconnect: Reconnect = "kura"
    """Kura's law (spec 4.4), or each wait drawn from 0 to a bound that doubles: Kura has no such property."""
    recovery: bool = False
    recovery_max_failures: int = 10
    quiesce_timeout_s: int = 10
    housekeeper_interval_s: int = 900
    purge_age_s: int = 60
    store_capacity: int = 10_000
    republish_in_flight: bool = True
    most_in_flight: int = 9
    congestion_timeout_s: int = 0
    rate_limit: bool = True
    rate_limit_per_s: float = 1.0
    rate_limit_burst: int = 1
    maximum_payload_bytes: int = 16_777_216

    def __post_init__(self) -> None:
        for name in ("retry_interval_s", "recovery_max_failures", "store_capacity", "rate_limit_burst"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, got {getattr(self, name):g}")
        if not 1 <= self.most_in_flight <= MOST_IN_FLIGHT:
            raise UsageError(f"most_in_flight must be from 1 to {MOST_IN_FLIGHT}, got {self.most_in_flight}")
        if not 0 < self.rate_limit_per_s <= MOST_RATE_PER_S:
            raise UsageError(
                f"rate_limit_per_s must be more than 0 and at most {MOST_RATE_PER_S:g}, got {self.rate_limit_per_s:g}"
            )


@dataclass(frozen=True, slots=True)
class CloudService:
    """What a gateway says of itself."""

    display_name: str = "device-name"
    """`device-name`, `hostname`, `custom` or `server`."""
    custom_name: str = ""
    control_prefix: str = "$EDC"
    encode_gzip: bool = True
    republish_on_gps_lock: bool = False
    republish_on_tamper_event: bool = True
    default_subscriptions: bool = True
    payload_encoding: PayloadEncoding = "kura-protobuf"

    def __post_init__(self) -> None:
        if self.payload_encoding not in ("kura-protobuf", "simple-json"):
            raise UsageError(f"payload_encoding must be kura-protobuf or simple-json, got {self.payload_encoding!r}")
        check_names(control_prefix=self.control_prefix)


class Property(NamedTuple):
    """A property of a configuration; `type` as CONF-V1 has it."""

    field: str
    type: str


Component = ProvisioningService | MqttDataTransport | DataService | CloudService
C = TypeVar("C", ProvisioningService, MqttDataTransport, DataService, CloudService)
PropertyValues = Mapping[str, Any]
"""Id of a property -> its value."""

PIDS: Final[Mapping[str, type[Component]]] = {
    "org.eclipse.kura.provisioning.ProvisioningService": ProvisioningService,
    "org.eclipse.kura.core.data.transport.mqtt.MqttDataTransport": MqttDataTransport,
    "org.eclipse.kura.data.DataService": DataService,
    "org.eclipse.kura.cloud.CloudService": CloudService,
}
"""That of the ProvisioningService is not public: it is part of the open profile."""
PROVISIONING_PID, TRANSPORT_PID, DATA_PID, CLOUD_PID = PIDS

STRING, PASSWORD, BOOLEAN, INTEGER, FLOAT = "String", "Password", "Boolean", "Integer", "Float"
PROPERTIES: Final[Mapping[type[Component], Mapping[str, Property]]] = {
    ProvisioningService: {
        "enabled": Property("enabled", BOOLEAN),
        "provisioned": Property("provisioned", BOOLEAN),
        "ca-authentication": Property("ca_authentication", BOOLEAN),
        "broker-url": Property("broker_url", STRING),
        "account-name": Property("account_name", STRING),
        "username": Property("username", STRING),
        "password": Property("password", PASSWORD),
        "activation-key": Property("activation_key", PASSWORD),
        "client-id": Property("client_id", STRING),
        "retry-interval": Property("retry_interval_s", INTEGER),
        "retry-max-attempts": Property("retry_max_attempts", INTEGER),
        "timeout": Property("timeout_s", INTEGER),
    },
    MqttDataTransport: {
        "broker-url": Property("broker_url", STRING),
        "topic.context.account-name": Property("account_name", STRING),
        "username": Property("username", STRING),
        "password": Property("password", PASSWORD),
        "client-id": Property("client_id", STRING),
        "keep-alive": Property("keep_alive_s", INTEGER),
        "timeout": Property("timeout_s", INTEGER),
        "clean-session": Property("clean_session", BOOLEAN),
        "lwt.topic": Property("lwt_topic", STRING),
        "lwt.payload": Property("lwt_payload", STRING),
        "lwt.qos": Property("lwt_qos", INTEGER),
        "lwt.retain": Property("lwt_retain", BOOLEAN),
        "in-flight.persistence": Property("in_flight_persistence", STRING),
        "protocol-version": Property("protocol_version", INTEGER),
    },
    DataService: {
        "connect.auto-on-startup": Property("auto_on_startup", BOOLEAN),
        "connect.retry-interval": Property("retry_interval_s", INTEGER),
        "enable.recovery.on.connection.failure": Property("recovery", BOOLEAN),
        "connection.recovery.max.failures": Property("recovery_max_failures", INTEGER),
        "disconnect.quiesce-timeout": Property("quiesce_timeout_s", INTEGER),
        "store.housekeeper-interval": Property("housekeeper_interval_s", INTEGER),
        "store.purge-age": Property("purge_age_s", INTEGER),
        "store.capacity": Property("store_capacity", INTEGER),
        "in-flight-messages.republish-on-new-session": Property("republish_in_flight", BOOLEAN),
        "in-flight-messages.max-number": Property("most_in_flight", INTEGER),
        "in-flight-messages.congestion-timeout": Property("congestion_timeout_s", INTEGER),
        "enable.rate.limit": Property("rate_limit", BOOLEAN),
        "rate.limit.average": Property("rate_limit_per_s", FLOAT),
        "rate.limit.burst.size": Property("rate_limit_burst", INTEGER),
        "maximum.payload.size": Property("maximum_payload_bytes", INTEGER),
    },
    CloudService: {
        "device.display-name": Property("display_name", STRING),
        "device.custom-name": Property("custom_name", STRING),
        "topic.control-prefix": Property("control_prefix", STRING),
        "encode.gzip": Property("encode_gzip", BOOLEAN),
        "republish.mqtt.birth.cert.on.gps.lock": Property("republish_on_gps_lock", BOOLEAN),
        "republish.mqtt.birth.cert.on.tamper.event": Property("republish_on_tamper_event", BOOLEAN),
        "enable.default.subscriptions": Property("default_subscriptions", BOOLEAN),
        "payload.encoding": Property("payload_encoding", STRING),
    },
}


def check_url(url: str) -> None:
    """Raises UsageError for an address that no gateway can call; an empty one is none yet."""
    scheme, mark, _ = url.partition("://")
    if url and (scheme not in SCHEMES or not mark or not names_host(url)):
        raise UsageError(
            f"a gateway of the Kura namespace calls mqtt://HOST[:PORT] and mqtts://HOST[:PORT], got {url!r}"
        )


def names_host(url: str) -> bool:
    """It says where to call: a host, and if there is a port it is one."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        return False


def check_names(**texts: str) -> None:
    """Raises UsageError for what no MQTT packet can carry."""
    for name, text in texts.items():
        if "\0" in text or len(text.encode("utf-8", "replace")) > MOST_NAME_BYTES:
            raise UsageError(f"{name} must have at most {MOST_NAME_BYTES} bytes, and none of them NUL")


def check_password(password: str) -> None:
    if len(password.encode("utf-8", "replace")) > MOST_PASSWORD_BYTES:
        raise UsageError(f"a password has at most {MOST_PASSWORD_BYTES} bytes")


def values_of(component: Component) -> dict[str, Any]:
    """Its properties, as a configuration has them."""
    table = PROPERTIES[type(component)]
    return {name: getattr(component, one.field) for name, one in table.items()}


def changed(component: C, values: PropertyValues) -> C:
    """With other values; properties that it does not have change nothing. Raises UsageError for values it rejects."""
    if not values:
        return component
    table = PROPERTIES[type(component)]
    fields = {table[name].field: fitting(table[name], name, value) for name, value in values.items() if name in table}
    return replace(component, **fields)


def fitting(wanted: Property, name: str, value: Any) -> Any:
    """The value. Raises UsageError for one of another type."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        BOOLEAN: isinstance(value, bool),
        INTEGER: is_number and isinstance(value, int),
        FLOAT: is_number,
    }.get(wanted.type, isinstance(value, str))
    if not fits:
        raise UsageError(f"{name} is of the type {wanted.type}, got {value!r}")
    return value
