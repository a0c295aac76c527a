"""MQTT 3.1, 3.1.1 and 5 as neutral envelopes: packets, without saying which library carries them.

Sources: MQTT 3.1.1 (OASIS 2014) and MQTT 5.0 (OASIS 2019); the names are theirs. `code` is a return code of MQTT 3 or a
reason code of MQTT 5. `properties` exist in MQTT 5 only; user properties may repeat, so they are pairs.

Each packet has a `line`, by which faults, refusals, console, evidence and trace speak of it: `CONNECT gw-7`,
`CONNACK 5`, `PUBLISH /provision/request`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

PropertyValue = int | str | bytes | tuple[str, str]
Properties = tuple[tuple[str, PropertyValue], ...]
"""Name as in the standard, small letters with underscores (`reason_string`), and value; a user property is a pair."""


class MqttVersion(IntEnum):
    """The protocol level of a CONNECT."""

    V31 = 3
    V311 = 4
    V5 = 5


@dataclass(frozen=True, slots=True)
class MqttWill:
    """What the server publishes for a client that goes without a DISCONNECT."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class MqttConnect:
    """`clean_start` is the clean-session flag of MQTT 3. `user_name` None: the packet has none."""

    client_id: str = ""
    user_name: str | None = None
    password: bytes | None = None
    clean_start: bool = True
    keep_alive_s: int = 60
    version: MqttVersion = MqttVersion.V311
    will: MqttWill | None = None
    properties: Properties = ()

    @property
    def line(self) -> str:
        """`CONNECT`, the client id and the user name, as far as they are there."""
        return " ".join(filter(None, ["CONNECT", self.client_id, self.user_name]))


@dataclass(frozen=True, slots=True)
class MqttConnack:
    code: int = 0
    session_present: bool = False
    properties: Properties = ()

    @property
    def line(self) -> str:
        return f"CONNACK {self.code}"


@dataclass(frozen=True, slots=True)
class MqttPublish:
    """`packet_id` is 0 with QoS 0, and where the sender has yet to choose one."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0
    properties: Properties = ()

    @property
    def line(self) -> str:
        return f"PUBLISH {self.topic}"


class PublishAckKind(IntEnum):
    """The packets that answer a PUBLISH; the number is the packet type."""

    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7


@dataclass(frozen=True, slots=True)
class MqttPublishAck:
    """PUBACK for QoS 1; PUBREC, PUBREL and PUBCOMP for QoS 2."""

    kind: PublishAckKind
    packet_id: int
    code: int = 0
    properties: Properties = ()

    @property
    def line(self) -> str:
        return self.kind.name if self.code == 0 else f"{self.kind.name} {self.code}"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One filter of a SUBSCRIBE. All but `qos` are options of MQTT 5."""

    topic_filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


@dataclass(frozen=True, slots=True)
class MqttSubscribe:
    subscriptions: tuple[Subscription, ...]
    packet_id: int = 0
    properties: Properties = ()

    @property
    def line(self) -> str:
        return " ".join(["SUBSCRIBE", *(wanted.topic_filter for wanted in self.subscriptions)])


@dataclass(frozen=True, slots=True)
class MqttSuback:
    """One code for each filter: the QoS that was granted, or 0x80 and above for a refusal."""

    packet_id: int
    codes: tuple[int, ...]
    properties: Properties = ()

    @property
    def line(self) -> str:
        return " ".join(["SUBACK", *map(str, self.codes)])


@dataclass(frozen=True, slots=True)
class MqttUnsubscribe:
    topic_filters: tuple[str, ...]
    packet_id: int = 0
    properties: Properties = ()

    @property
    def line(self) -> str:
        return " ".join(["UNSUBSCRIBE", *self.topic_filters])


@dataclass(frozen=True, slots=True)
class MqttUnsuback:
    """Codes are there in MQTT 5 only."""

    packet_id: int
    codes: tuple[int, ...] = ()
    properties: Properties = ()

    @property
    def line(self) -> str:
        return " ".join(["UNSUBACK", *map(str, self.codes)])


@dataclass(frozen=True, slots=True)
class MqttPingreq:
    @property
    def line(self) -> str:
        return "PINGREQ"


@dataclass(frozen=True, slots=True)
class MqttPingresp:
    @property
    def line(self) -> str:
        return "PINGRESP"


@dataclass(frozen=True, slots=True)
class MqttDisconnect:
    """A server sends it in MQTT 5 only."""

    code: int = 0
    properties: Properties = ()

    @property
    def line(self) -> str:
        return "DISCONNECT" if self.code == 0 else f"DISCONNECT {self.code}"


@dataclass(frozen=True, slots=True)
class MqttAuth:
    """Extended authentication of MQTT 5."""

    code: int = 0
    properties: Properties = ()

    @property
    def line(self) -> str:
        return f"AUTH {self.code}"


MqttPacket = (
    MqttConnect
    | MqttConnack
    | MqttPublish
    | MqttPublishAck
    | MqttSubscribe
    | MqttSuback
    | MqttUnsubscribe
    | MqttUnsuback
    | MqttPingreq
    | MqttPingresp
    | MqttDisconnect
    | MqttAuth
)
