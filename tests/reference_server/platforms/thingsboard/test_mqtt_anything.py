"""Whatever devices say in whatever order, and whatever an operator does meanwhile: nothing raises, nobody is spoken to
after the end, and nothing is left of who has gone."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.thingsboard.state.attributes import put_attributes
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import FormedCredentials
from fleetrig.reference_server.platforms.thingsboard.state.devices import delete_device, devices_of, save_credentials
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType, ProvisionType, Scope
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind
from fleetrig.simulator.contract.envelope import Close, Envelope, Output
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.reference_server.platforms.thingsboard.mqtt_rig import MqttRig, of_generation

QOS = st.integers(0, 2)
TOPICS = st.sampled_from(
    [
        "/provision/request", "/provision/request", "/provision/response", "v1/devices/me/telemetry", "v2/t", "v2/t/p",
        "v1/devices/me/attributes", "v1/devices/me/attributes/request/1", "v1/devices/me/attributes/request/²",
        "v1/devices/me/rpc/request/1", "v1/devices/me/rpc/request/-", "v1/devices/me/rpc/response/1", "v2/a/req/j/7",
        "v1/devices/me/claim", "v1/gateway/connect", "v1/gateway/disconnect", "v1/gateway/telemetry",
        "v1/gateway/attributes", "v1/gateway", "x", "", "+",
    ]
)  # fmt: skip
FILTERS = st.sampled_from(
    ["/provision/response", "v1/devices/me/attributes", "v1/devices/me/rpc/request/+", "v2/a", "v2/r/req/j/+", "#", "x"]
)
PAYLOADS = st.sampled_from(
    [
        b'{"provisionDeviceKey":"K","provisionDeviceSecret":"S"}',
        b'{"provisionDeviceKey":"K","provisionDeviceSecret":"S","deviceName":"d"}',
        b'{"provisionDeviceKey":"K","provisionDeviceSecret":"S","token":"T"}',
        b'{"provisionDeviceKey":"KX","provisionDeviceSecret":"PEM"}',
        b'{"provisionDeviceKey":null,"provisionDeviceSecret":"S"}',
        b'{"method":"getSessionLimits"}', b'{"method":{}}', b'{"device":"child","type":""}', b'{"device":{}}',
        b'{"d":[{"ts":1e400,"values":{}}]}', b'{"ts":"x","values":{}}', b'{"ts":1,"values":{"a":"1.0"}}',
        b'{"a":1e999999,"b":-0.0,"c":"9e9"}', b'{"a":[1,{"b":null}],"c":"\\ud800"}',
        b'{"clientKeys":[],"sharedKeys":1}',
        b'{"secretKey":{},"durationMs":"x"}', b"[[[", b"", b"\x1a\x0b\x0a\x06nobody\x12\x01x", b"\xff\xfe",
        b"null", b"{}", b'{"secretKey":"k","durationMs":1e999999999}', b'{"a":{"b":1e999,"c":0e999999999}}',
    ]
)  # fmt: skip
PACKETS: st.SearchStrategy[Envelope] = st.one_of(
    st.builds(
        MqttConnect,
        st.sampled_from(["", "c", "provision"]),
        st.sampled_from([None, "", "T", "G", "provision", "nobody"]),
        st.sampled_from([None, b"p", b"\xff"]),
        st.booleans(),
        version=st.sampled_from(MqttVersion),
    ),
    st.builds(MqttPublish, TOPICS, PAYLOADS, QOS, st.booleans(), st.booleans(), st.integers(1, 3)),
    st.builds(MqttPublish, TOPICS, PAYLOADS, QOS, packet_id=st.just(1)),
    st.builds(MqttSubscribe, st.lists(st.builds(Subscription, FILTERS, QOS), min_size=1, max_size=2).map(tuple)),
    st.builds(MqttUnsubscribe, st.lists(FILTERS, min_size=1, max_size=2).map(tuple)),
    st.builds(MqttPublishAck, st.sampled_from(PublishAckKind), st.integers(1, 3)),
    st.builds(Undecodable, st.sampled_from(Flaw), st.just("odd")),
    st.sampled_from([MqttPingreq(), MqttDisconnect(), MqttAuth(0x18)]),
)
DEEDS = st.sampled_from(["deletes", "changes tokens", "shares", "calls"])
STEPS = st.one_of(
    st.tuples(st.integers(1, 3), st.one_of(PACKETS, PACKETS, st.none())),
    st.tuples(st.just(0), st.one_of(DEEDS, st.floats(0, 70))),
)


@dataclass
class Crowd:
    """Three connections, opened as they are needed."""

    rig: MqttRig
    numbers: dict[int, int] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    opened: int = 0

    def say(self, who: int, packet: Envelope) -> None:
        if who not in self.numbers:
            self.opened += 1
            self.numbers[who] = self.opened
            self.rig.open(self.opened)
        self._take(self.rig.heard(self.numbers[who], packet))

    def leave(self, who: int) -> None:
        if (number := self.numbers.pop(who, None)) is not None:
            self.ended.add(number)
            self.rig.close(number)

    def operate(self, deed: str) -> None:
        for device in devices_of(self.rig.registry, self.rig.tenant_id):
            match deed:
                case "deletes":
                    delete_device(self.rig.registry, device)
                case "changes tokens":
                    new = FormedCredentials(CredentialsType.ACCESS_TOKEN, self.rig.registry.new_word())
                    save_credentials(self.rig.registry, self.rig.credentials(device), new)
                case "shares":
                    put_attributes(self.rig.registry, device.id, Scope.SHARED, {"a": 1}, self.rig.now_us)
                case _:
                    self.rig.registry.notify(Notice(NoticeKind.RPC_REQUESTED, device.id, {"method": "m"}))

    def wait(self, seconds: float) -> None:
        until_us = self.rig.now_us + round(seconds * 1_000_000)
        for _ in range(100):
            due_us = self.rig.server.next_due_us()
            if due_us is None or due_us > until_us:
                break
            self.rig.now_us = max(self.rig.now_us, due_us)
            self._take(list(self.rig.server.advance(self.rig.now_us)))
        else:
            pytest.fail("it never comes to rest")
        self.rig.now_us = until_us

    def _take(self, outputs: list[Output]) -> None:
        for output in outputs:
            assert output.session not in self.ended
            if isinstance(output, Close):
                self.ended.add(output.session)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(Profile), st.lists(STEPS, max_size=40))
def test_anything(profile: Profile, steps: list[tuple[int, Envelope | float | str | None]]) -> None:
    rig = of_generation(profile)
    rig.token("d", "T")
    rig.token("gw", "G", additional_info={"gateway": True})
    rig.profile("A", ProvisionType.ALLOW_CREATE)
    rig.profile("X", ProvisionType.CERTIFICATE_CHAIN, "KX", "PEM")
    crowd = Crowd(rig)
    for who, what in steps:
        match what:
            case None:
                crowd.leave(who)
            case float() | int():
                crowd.wait(what)
            case str():
                crowd.operate(what)
            case _:
                crowd.say(who, what)
    crowd.wait(1)
    for who in (1, 2, 3):
        crowd.leave(who)
    mqtt = rig.platform._mqtt
    assert rig.server.next_due_us() is None
    assert (mqtt._live._by_session, mqtt._live._by_device, mqtt._provisioning._known) == ({}, {}, {})
    assert mqtt._sessions.held_bytes == 0
