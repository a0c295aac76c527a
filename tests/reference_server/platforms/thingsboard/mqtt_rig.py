"""ThingsBoard's MQTT in memory, with time that stands still, and words for what tests say and see."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import basic_value, formed
from fleetrig.reference_server.platforms.thingsboard.state.devices import (
    NewDevice,
    create_device,
    credentials_by_id,
    credentials_of,
    device_named,
)
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.people import open_installation
from fleetrig.reference_server.platforms.thingsboard.state.profiles import create_profile, profile_named
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    TENANT,
    Credentials,
    CredentialsType,
    Device,
    DeviceProfile,
    ProvisionType,
)
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.reference_server.stores.interface import Blobs
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPublish,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from tests.conversation.talk import Talk

V5 = MqttVersion.V5
REQUEST = "/provision/request"
RESPONSE = "/provision/response"
TELEMETRY = "v1/devices/me/telemetry"


class NoBlobs:
    """The platform keeps no files."""


@dataclass
class MqttRig(Talk):
    """Lines as `Talk` gives them: `1 CONNACK 0`, `1 PUBACK 144`, `1 closed`. Packet ids are 7."""

    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        super().__post_init__()
        blobs: Blobs = NoBlobs()  # type: ignore[assignment]
        self.platform = ThingsBoardPlatform(self.store, blobs, SeededEntropy(1), self.settings)
        self.registry = self.platform.registry
        self.serve(self.platform)
        open_installation(self.registry, self.now_us)
        self.tenant_id = next(self.store.scan(TENANT, "installation")).id

    # The operator

    def profile(self, name: str, strategy: ProvisionType, key: str = "K", secret: str = "S", **more: Any) -> None:
        configuration = {"type": strategy, "provisionDeviceSecret": secret, **more}
        profile = DeviceProfile(
            self.registry.new_id(self.now_us),
            self.tenant_id,
            0,
            name,
            provision_type=strategy,
            provision_device_key=key,
            profile_data={"provisionConfiguration": configuration},
        )
        create_profile(self.registry, profile)

    def device(self, name: str, kind: CredentialsType, credentials_id: str, value: str = "", **fields: Any) -> Device:
        profile = profile_named(self.registry, self.tenant_id, "default")
        assert profile is not None
        new = NewDevice(name, formed(kind, credentials_id, value or None), **fields)
        return create_device(self.registry, profile, new, self.now_us)

    def token(self, name: str, token: str = "T", **fields: Any) -> Device:
        return self.device(name, CredentialsType.ACCESS_TOKEN, token, **fields)

    def basic(self, name: str, client_id: str = "", user_name: str = "", password: str = "") -> Device:
        return self.device(name, CredentialsType.MQTT_BASIC, "", basic_value(client_id, user_name, password))

    def named(self, name: str) -> Device | None:
        return device_named(self.registry, self.tenant_id, name)

    def credentials(self, device: Device) -> Credentials:
        found = credentials_of(self.registry, device.id)
        assert found is not None
        return found

    def is_known(self, credentials_id: str) -> bool:
        return credentials_by_id(self.registry, credentials_id) is not None

    # Devices

    def join(self, session: int = 1, *, certificates: tuple[bytes, ...] = (), **fields: Any) -> list[str]:
        """Opens a session and says CONNECT. Text for a password will do."""
        if isinstance(fields.get("password"), str):
            fields["password"] = fields["password"].encode()
        self.session = Session(id=session, listener="mqtts", certificates=certificates)
        opened = list(self.server.opened(self.session, self.now_us))
        heard = self.server.receive(self.session, MqttConnect(**fields), self.now_us)
        return said([*opened, *heard])

    def connects(self, session: int, **fields: Any) -> list[str]:
        """On a session that is open."""
        return said(self.heard(session, MqttConnect(**fields)))

    def connack(self, session: int, **fields: Any) -> MqttConnack:
        first = self.heard(session, MqttConnect(**fields))[0]
        assert isinstance(first, Send)
        assert isinstance(first.envelope, MqttConnack)
        return first.envelope

    def provision(self, session: int = 1, **fields: Any) -> list[str]:
        return self.join(session, user_name="provision", **fields)

    def subscribe(self, session: int = 1, topic_filter: str = RESPONSE, qos: int = 1) -> list[str]:
        return self.say(session, MqttSubscribe((Subscription(topic_filter, qos),), packet_id=7))

    def unsubscribe(self, session: int = 1, topic_filter: str = RESPONSE) -> list[str]:
        return self.say(session, MqttUnsubscribe((topic_filter,), packet_id=7))

    def publish(self, topic: str, payload: Any, session: int = 1, qos: int = 1) -> list[str]:
        """Bytes, or a document."""
        return said(self.published(topic, payload, session, qos))

    def published(self, topic: str, payload: Any, session: int = 1, qos: int = 1) -> list[Output]:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.heard(session, MqttPublish(topic, data, qos, packet_id=7 if qos else 0))

    def request(self, session: int = 1, qos: int = 1, key: str = "K", secret: str = "S", **members: Any) -> list[str]:
        body = {"provisionDeviceKey": key, "provisionDeviceSecret": secret, **members}
        return self.publish(REQUEST, body, session, qos)

    def reasons(self) -> list[str]:
        """Of all refusals since the last call."""
        found = [event.reason for event in self.events if event.kind == "refused"]
        self.events.clear()
        return found


def said(outputs: list[Output]) -> list[str]:
    """As `Talk` has it; messages with their QoS and payload, protobuf in hex."""
    return [_line(output) for output in outputs]


def _line(output: Output) -> str:
    match output:
        case Send(session, MqttPublish(topic, payload, qos)):
            text = payload.decode() if payload[:1] in (b"{", b"[") else payload.hex()
            return f"{session} PUBLISH {topic} q{qos} {text}"
        case Send(session, envelope):
            return f"{session} {envelope.line}"
        case _:
            return f"{output.session} {output.ending}" if hasattr(output, "ending") else str(output)


def of_generation(profile: Profile) -> MqttRig:
    return MqttRig(settings=replace(Settings(), profile=profile))
