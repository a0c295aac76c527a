"""Who may not connect, who is silent for too long, and who says too much before or when logging in (section 5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.attributes import put_attributes
from fleetrig.reference_server.platforms.thingsboard.state.devices import delete_device
from fleetrig.reference_server.platforms.thingsboard.state.records import ProvisionType, Scope
from fleetrig.reference_server.platforms.thingsboard.state.settings import IpGuardSettings, Settings
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPingreq,
    MqttPublish,
    MqttPublishAck,
    MqttVersion,
    PublishAckKind,
)
from fleetrig.simulator.contract.session import Session
from tests.conversation.talk import lines
from tests.reference_server.platforms.thingsboard.mqtt_rig import TELEMETRY, MqttRig

V5 = MqttVersion.V5
GUARDED = replace(Settings(), ip_guard=IpGuardSettings(is_on=True))


class Guarded(MqttRig):
    """Sessions of several addresses."""

    last = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.token("d", "T")

    def tries(self, user_name: str, peer: str = "10.0.0.1") -> list[str]:
        """What a new connection hears, without its number."""
        self.last += 1
        session = Session(peer, id=self.last, listener="mqtt")
        said = lines(self.server.opened(session, self.now_us))
        if not said:
            said = lines(self.server.receive(session, MqttConnect(user_name=user_name, client_id="x"), self.now_us))
        self.server.closed(session, self.now_us)
        return [line.partition(" ")[2] for line in said]


REFUSED = ["CONNACK 5", "closed"]


def test_ten_wrong_logins_close_the_door_for_a_minute() -> None:
    rig = Guarded(settings=GUARDED)
    assert [rig.tries("nobody") for _ in range(10)] == [REFUSED] * 10
    assert rig.tries("T") == ["closed"], "for good tokens too"
    assert rig.tries("provision") == ["closed"], "and for who provisions"
    assert rig.tries("T", "10.0.0.2") == ["CONNACK 0"], "not for others"
    rig.after(30)
    assert rig.tries("T") == ["closed"]
    rig.after(30.001)
    assert rig.tries("nobody") == REFUSED, "tries meanwhile did not prolong it"
    assert rig.tries("T") == ["closed"], "but one more is enough"
    assert "blocked for a while" in rig.reasons()[-1]


def test_one_good_login_clears_the_address() -> None:
    rig = Guarded(settings=GUARDED)
    for _ in range(3):
        assert [rig.tries("nobody") for _ in range(9)] == [REFUSED] * 9
        assert rig.tries("T") == ["CONNACK 0"]


def test_provisioning_counts_neither_way() -> None:
    rig = Guarded(settings=GUARDED)
    rig.profile("A", ProvisionType.ALLOW_CREATE)
    assert [rig.tries("nobody") for _ in range(9)] == [REFUSED] * 9
    for _ in range(20):
        assert rig.tries("provision") == ["CONNACK 0"]
    assert rig.tries("nobody") == REFUSED
    assert rig.tries("nobody") == ["closed"]


def test_an_address_is_forgotten_after_ten_minutes() -> None:
    rig = Guarded(settings=GUARDED)
    assert [rig.tries("nobody") for _ in range(9)] == [REFUSED] * 9
    rig.after(601)
    assert [rig.tries("nobody") for _ in range(10)] == [REFUSED] * 10
    assert rig.tries("nobody") == ["closed"]


def test_a_device_that_is_deleted_while_connected_counts_as_a_wrong_login() -> None:
    rig = Guarded(settings=replace(Settings(), ip_guard=IpGuardSettings(is_on=True, wrong_logins=1)))
    found = rig.named("d")
    assert found is not None
    rig.join(100, user_name="T")
    delete_device(rig.registry, found)
    assert rig.after(0) == ["100 closed"]
    assert rig.tries("T", "127.0.0.1") == ["closed"]


def test_by_default_nobody_is_kept_out() -> None:
    rig = Guarded()
    assert [rig.tries("nobody") for _ in range(30)] == [REFUSED] * 30


@pytest.mark.parametrize(("version", "end"), [(MqttVersion.V311, ["1 closed"]), (V5, ["1 DISCONNECT 131", "1 closed"])])
def test_who_is_silent_for_ten_minutes_is_closed(version: MqttVersion, end: list[str]) -> None:
    """Keep-alive counts nowhere, what the server says neither; a session to provision is not timed."""
    rig = MqttRig()
    device = rig.token("d", "T")
    rig.join(1, user_name="T", version=version, keep_alive_s=1)
    rig.subscribe(1, "v1/devices/me/attributes")
    rig.provision(2)
    rig.after(500)
    rig.say(1, MqttPingreq())
    rig.after(500)
    put_attributes(rig.registry, device.id, Scope.SHARED, {"a": 1}, rig.now_us)
    assert len(rig.after(99.999)) == 1
    assert rig.after(0.001) == end
    assert rig.after(3_600) == []


def test_what_comes_before_a_connect_is_kept_up_to_a_hundred() -> None:
    """`server.mqtt…msg_queue_size_per_device_limit`; the connection is closed without a word, whatever its version."""
    rig = MqttRig()
    rig.open(1)
    assert [rig.say(1, MqttPublish(TELEMETRY, b"{}")) for _ in range(100)] == [[]] * 100
    assert rig.say(1, MqttPublish(TELEMETRY, b"{}")) == ["1 closed"]


@pytest.mark.parametrize(
    ("version", "heard"),
    [
        (MqttVersion.V311, ["3 CONNACK 3", "3 closed"]),
        (V5, ["3 CONNACK 159", "3 DISCONNECT 150", "3 closed"]),
    ],
)
def test_a_session_that_opens_is_a_message(version: MqttVersion, heard: list[str]) -> None:
    """3.1: `rate limit on session open`; MQTT 5 is told in two words. So is one that ends, which nobody is told."""
    rig = MqttRig(settings=replace(Settings(), tenant_configuration={"transportDeviceMsgRateLimit": "2:60"}))
    rig.token("d", "T")
    for session in (1, 2):
        assert rig.join(session, user_name="T") == [f"{session} CONNACK 0"]
    assert rig.join(3, user_name="T", version=version) == heard
    assert rig.publish(TELEMETRY, {"a": 1}, 2) == ["2 PUBACK"], "telemetry is counted apart"
    assert rig.provision(4) == ["4 CONNACK 0"], "provisioning is not"
    rig.after(30)
    assert rig.join(5, user_name="T") == ["5 CONNACK 0"]
    rig.after(60)
    for session in (1, 2):
        rig.close(session)
    assert rig.join(6, user_name="T") == ["6 CONNACK 3", "6 closed"]


def test_an_acknowledgement_that_nobody_awaits_is_not_heard() -> None:
    rig = MqttRig()
    rig.token("d", "T")
    rig.join(1, user_name="T")
    rig.after(599)
    assert rig.say(1, MqttPublishAck(PublishAckKind.PUBACK, 1)) == []
    assert rig.after(1) == ["1 closed"]
