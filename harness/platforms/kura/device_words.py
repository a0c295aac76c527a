"""Further keys of `devices` for gateways: the parameters of their services, and what no gateway could do.

Names are those of the services' own properties (spec 1.3, 2.8, 4.1, 4.2), written as scenario files write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from fleetrig.harness.platforms.kura.settings import BOOTSTRAP
from fleetrig.harness.scenario_file.values import Count, Duration, Flag, LooseText, Model, PositiveCount, Scalar, Text

MOST_KEEP_ALIVE_S: Final = 65_535
MOST_IN_FLIGHT: Final = 10
"""Of the metatype (spec 4.2)."""
FOR_EVER: Final = -1


def _whole_seconds(seconds: float) -> float:
    if seconds < 1 or seconds != int(seconds):
        raise ValueError("expected whole seconds, at least 1s")
    return seconds


def _keep_alive(seconds: float) -> float:
    if not 1 <= seconds <= MOST_KEEP_ALIVE_S or seconds != int(seconds):
        raise ValueError(f"expected whole seconds, from 1s to {MOST_KEEP_ALIVE_S}s")
    return seconds


def _attempts(count: int) -> int:
    if count != FOR_EVER and count < 1:
        raise ValueError("expected -1 (for ever), or a number of at least 1")
    return count


def _something(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if not values:
        raise ValueError("expected at least one value, such as temperature: 21.5")
    return values


WholeSeconds = Annotated[Duration, AfterValidator(_whole_seconds)]
KeepAlive = Annotated[Duration, AfterValidator(_keep_alive)]
RetryAttempts = Annotated[int, Field(strict=True, le=1_000_000), AfterValidator(_attempts)]
InFlight = Annotated[int, Field(strict=True, ge=1, le=MOST_IN_FLIGHT)]
Telemetry = Annotated[Mapping[Text, Scalar], AfterValidator(_something)]
ClientIdWord = Literal["serial", "mac", "mac-with-colons"]
Quirk = Literal["poisoned-queue", "reply-answered", "no-jitter"]


class ProvisioningWords(Model):
    """The ProvisioningService of the devices."""

    enabled: Flag = True
    """false: nothing begins until an action says `start_provisioning`."""
    ca_authentication: Flag = True
    """The root of the chain that is received must be trusted by the device."""
    retry_interval_s: WholeSeconds = Field(60.0, alias="retry_interval")
    """From the start of one attempt to the start of the next."""
    retry_max_attempts: RetryAttempts = FOR_EVER
    """-1: for ever."""
    timeout_s: WholeSeconds = Field(60.0, alias="timeout")
    """Of one attempt as a whole."""
    broker_url: Text | None = None
    """The provision broker; that of the server under test when not given. Brokers of vendors are never called."""
    account: Text | None = None
    """The provisioning account; the server's own when not given."""
    user_name: Text | None = None
    """MAC and serial when not given: 00600CAABBCC-SN1."""
    asks_for_certificate: Flag = False
    """The request has a certificate signing request in its body."""


class DataServiceWords(Model):
    """The DataService of the devices: when they come back, and what they send first."""

    retry_interval_s: WholeSeconds = Field(60.0, alias="retry_interval")
    """`connect.retry-interval`."""
    reconnect: Literal["kura", "full-jitter"] = "kura"
    """kura: a whole second drawn from a fifth of the interval, then the fixed interval. full-jitter: each wait is drawn
    from 0 to a bound that doubles."""
    recovery: Flag = False
    """The watchdog reboots a device that cannot connect (`enable.recovery.on.connection.failure`)."""
    recovery_max_failures: PositiveCount = 10
    """After so many failures the watchdog reboots it."""
    in_flight: InFlight = 9
    """How many messages may wait for their acknowledgement."""
    rate_limit: Flag = True
    """Telemetry leaves once a second at most."""


class TransportWords(Model):
    """The MqttDataTransport of the devices."""

    keep_alive_s: KeepAlive = Field(30.0, alias="keep_alive")
    """`keep-alive`: a PINGREQ comes at least so often."""
    timeout_s: WholeSeconds = Field(10.0, alias="timeout")
    """How long it waits for a CONNACK and the like."""
    clean_session: Flag = True
    """false: the broker keeps its session."""
    lwt: Flag = True
    """false: no will (an empty `lwt.topic`)."""


class CloudServiceWords(Model):
    """The CloudService of the devices."""

    encode_gzip: Flag = True
    """Payloads are compressed where that makes them smaller."""
    payload_encoding: Literal["kura-protobuf", "simple-json"] = "kura-protobuf"
    """How payloads are written."""
    custom_name: LooseText = ""
    """The display name in BIRTH; the device's own when not given."""
    default_subscriptions: Flag = True
    """false: nobody can ask them anything."""


DEVICE_FIELDS: Final[Mapping[str, Any]] = {
    "tls": Annotated[Flag, Field(description="They connect over TLS.")],
    "provisioning": Annotated[ProvisioningWords, Field(description="Their ProvisioningService.")],
    "data_service": Annotated[DataServiceWords, Field(description="Their DataService.")],
    "transport": Annotated[TransportWords, Field(description="Their MqttDataTransport.")],
    "cloud_service": Annotated[CloudServiceWords, Field(description="Their CloudService.")],
    "client_id": Annotated[ClientIdWord, Field(description="serial when not given; mac is what gateways choose.")],
    "telemetry": Annotated[Telemetry, Field(description="What they measure.")],
    "at_least_once": Annotated[
        Flag,
        Field(description="true: telemetry of QoS 1, each of which waits for its PUBACK, as load runs measure it."),
    ],
    "telemetry_messages": Annotated[Count, Field(description="They send so many; 0: none.")],
    "trusts_authority": Annotated[
        Flag, Field(description="false: the root authority of the server's chains is not in their trust store.")
    ],
    "signed_control": Annotated[
        Literal["once-provisioned", "always", "never"],
        Field(description="When control messages have to be signed; once-provisioned when not given."),
    ],
    "clock_behind": Annotated[Duration, Field(description="Their clock is slow by so much.")],
    "clock_ahead": Annotated[Duration, Field(description="Their clock is fast by so much.")],
    "other_connections": Annotated[
        tuple[Text, ...],
        Field(
            description="Brokers with which other cloud connections of the same gateway are provisioned already; "
            "`server` is the one under test."
        ),
    ],
    "default_connection_only": Annotated[
        Flag, Field(description="As before ESF 7: only the default cloud connection can be provisioned.")
    ],
    "connection_name": Annotated[
        Text, Field(description="Which cloud connection it is; the default one if not given.")
    ],
    "shared_user": Annotated[
        Flag, Field(description="With credential: password: one user of the account for all of them.")
    ],
    "clones": Annotated[Flag, Field(description="All have the client id and the user of the first of them.")],
    "quirks": Annotated[tuple[Quirk, ...], Field(description="Defects of real gateways that they shall have.")],
}
"""Key -> the form of its value. Those that are not given are as the flow has them (`KuraSettings`)."""


def clocks_are_wrong_one_way(devices: Any) -> str:
    if devices.clock_behind is not None and devices.clock_ahead is not None:
        return "clock_behind and clock_ahead contradict each other: give one of them"
    return ""


def provisioning_is_for_strangers(devices: Any) -> str:
    """Devices with `password` may be moved later, so that their ProvisioningService has values, but it waits."""
    given = devices.provisioning
    if given is not None and given.enabled and devices.credential not in BOOTSTRAP:
        return (
            f"provisioning: devices with {devices.credential} are configured already: say enabled: false, and "
            "start_provisioning later"
        )
    return ""


def users_are_shared_by_who_has_one(devices: Any) -> str:
    if devices.shared_user and devices.credential != "password":
        return "shared_user is about devices with credential: password: a provision request has a user of its own"
    return ""


def full_jitter_is_random(devices: Any) -> str:
    given = devices.data_service
    if given is not None and given.reconnect == "full-jitter" and "no-jitter" in (devices.quirks or ()):
        return "reconnect: full-jitter and the quirk no-jitter contradict each other"
    return ""


def listeners_called(devices: Any) -> tuple[str, ...]:
    """Where the devices provision themselves, and where they go afterwards."""
    return ("mqtts" if devices.tls else "mqtt",)


DEVICE_RULES: Final = (
    clocks_are_wrong_one_way,
    provisioning_is_for_strangers,
    users_are_shared_by_who_has_one,
    full_jitter_is_random,
)
"""Each says in a sentence what no device could do; empty when nothing."""
