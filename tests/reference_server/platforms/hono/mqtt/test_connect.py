"""CONNECT: who is let in, and the code of who is not, in both versions (spec 4.2, rows M01-M04, M07, M08, A07-A16)."""

from __future__ import annotations

import base64

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPublish,
    MqttVersion,
    MqttWill,
)
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.conversation.talk import lines
from tests.reference_server.platforms.hono.adapter_rig import (
    PASSWORD,
    TENANT,
    V5,
    AdapterRig,
    authority,
    certificate_text,
    chain,
    of_profile,
)


@pytest.fixture
def rig() -> AdapterRig:
    rig = AdapterRig()
    rig.tenant()
    rig.password("sensor1")
    return rig


def codes(rig: AdapterRig, user: str | None = None, password: str | None = PASSWORD, **how: object) -> tuple[str, str]:
    """What MQTT 3.1.1 and MQTT 5 are told."""
    said = []
    for session, version in ((1, MqttVersion.V311), (2, V5)):
        said.append(" ".join(rig.join(session, user, password, version=version, **how)))
    return said[0], said[1]


ACCEPTED = ("1 CONNACK 0", "2 CONNACK 0")
BAD = ("1 CONNACK 4 1 closed", "2 CONNACK 134 2 closed")
FORBIDDEN = ("1 CONNACK 5 1 closed", "2 CONNACK 135 2 closed")


def test_the_right_password(rig: AdapterRig) -> None:
    assert codes(rig, "sensor1") == ACCEPTED


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("sensor1", "wrong"),
        ("nobody", PASSWORD),
        ("sensor1@elsewhere", PASSWORD),
        ("sensor1@", PASSWORD),
        ("@", PASSWORD),
        ("sensor1", None),
        ("sensor1", ""),
        (None, None),
    ],
)
def test_what_is_no_right_password(rig: AdapterRig, user: str | None, password: str | None) -> None:
    assert codes(rig, user, password) == BAD
    assert {event.reason != "" for event in rig.events if event.kind == "refused"} == {True}


def test_a_user_name_without_a_tenant(rig: AdapterRig) -> None:
    rig.opens(1)
    said = lines(rig.to_server(1, MqttConnect(user_name="sensor1", password=PASSWORD.encode())))
    assert said == ["1 CONNACK 4", "1 closed"]


@pytest.mark.parametrize(("version", "said"), [(MqttVersion.V311, "CONNACK 4"), (V5, "CONNACK 134")])
def test_a_password_alone(rig: AdapterRig, version: MqttVersion, said: str) -> None:
    rig.opens(1)
    alone = MqttConnect(password=PASSWORD.encode(), version=version)
    assert lines(rig.to_server(1, alone)) == [f"1 {said}", "1 closed"]


def test_a_disabled_tenant(rig: AdapterRig) -> None:
    rig.api("PUT", f"tenants/{TENANT}", {"enabled": False})
    assert codes(rig, "sensor1") == FORBIDDEN


@pytest.mark.parametrize(
    "adapters", [[{"type": "hono-http", "enabled": True}], [{"type": "hono-mqtt", "enabled": False}]]
)
def test_an_adapter_that_the_tenant_does_not_use(rig: AdapterRig, adapters: list[object]) -> None:
    rig.api("PUT", f"tenants/{TENANT}", {"adapters": adapters})
    assert codes(rig, "sensor1") == FORBIDDEN


def test_a_disabled_device(rig: AdapterRig) -> None:
    rig.api("PUT", f"devices/{TENANT}/sensor1", {"enabled": False})
    assert codes(rig, "sensor1") == FORBIDDEN


def test_credentials_may_be_bound_to_a_client_id(rig: AdapterRig) -> None:
    rig.password("sensor2", ext={"client-id": "the-one"})
    assert codes(rig, "sensor2", client_id="the-one") == ACCEPTED
    assert codes(rig, "sensor2", client_id="another") == BAD
    assert codes(rig, "sensor2") == BAD


def test_the_session_is_never_there(rig: AdapterRig) -> None:
    for version in (MqttVersion.V31, MqttVersion.V311, V5):
        for clean in (True, False):
            rig.join(1, "sensor1", client_id="c-1", clean_start=clean, version=version)
            connacks = [one.envelope for one in rig.events if isinstance(one.envelope, MqttConnack)]
            assert [(one.code, one.session_present, one.properties) for one in connacks] == [(0, False, ())]
            rig.gone(1)
            rig.events.clear()


def test_without_a_client_id_the_session_must_be_clean(rig: AdapterRig) -> None:
    assert codes(rig, "sensor1", clean_start=False) == ("1 CONNACK 2 1 closed", "2 CONNACK 133 2 closed")


def test_mqtt_3_1_needs_a_short_client_id(rig: AdapterRig) -> None:
    for client_id, said in (("", ["1 closed"]), ("x" * 24, ["1 closed"]), ("x" * 23, ["1 CONNACK 0"])):
        assert rig.join(1, "sensor1", client_id=client_id, version=MqttVersion.V31) == said


def test_devices_are_let_in_side_by_side_with_one_client_id(rig: AdapterRig) -> None:
    assert rig.join(1, "sensor1", client_id="same") == ["1 CONNACK 0"]
    assert rig.join(2, "sensor1", client_id="same") == ["2 CONNACK 0"]
    assert lines(rig.to_server(1, MqttPingreq())) == ["1 PINGRESP"]


def test_properties_of_a_connect_mean_nothing(rig: AdapterRig) -> None:
    odd = (("authentication_method", "x"), ("session_expiry_interval", 99), ("receive_maximum", 1))
    assert rig.join(1, "sensor1", version=V5, properties=odd) == ["1 CONNACK 0"]


def test_a_will_is_never_published(rig: AdapterRig) -> None:
    rig.join(1, "sensor1", will=MqttWill("event", b"{}", 1))
    rig.gone(1)
    assert rig.northbound() == []


def test_a_second_connect_ends_the_connection_without_a_word(rig: AdapterRig) -> None:
    rig.join(1, "sensor1", version=V5)
    assert lines(rig.to_server(1, MqttConnect(version=V5))) == ["1 closed"]


def test_who_says_nothing_is_gone_after_90_s(rig: AdapterRig) -> None:
    rig.opens(1)
    assert rig.after(89.9) == []
    assert rig.after(0.2) == ["1 closed"]


def test_keep_alive_counts_in_whole_seconds(rig: AdapterRig) -> None:
    rig.join(1, "sensor1", keep_alive_s=1, version=V5)
    assert rig.after(1.9) == []
    assert rig.after(0.2) == ["1 closed"]


def test_what_comes_before_a_connect_ends_the_connection(rig: AdapterRig) -> None:
    rig.opens(1)
    assert lines(rig.to_server(1, MqttPublish("telemetry"))) == ["1 closed"]


@pytest.mark.parametrize("packet", [MqttConnack(), MqttAuth()])
def test_what_no_client_sends_comes_to_nothing(rig: AdapterRig, packet: MqttConnack | MqttAuth) -> None:
    rig.join(1, "sensor1", version=V5)
    assert lines(rig.to_server(1, packet)) == []
    assert lines(rig.to_server(1, MqttPingreq())) == ["1 PINGRESP"]


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        (Flaw.UNKNOWN_VERSION, ["1 CONNACK 1", "1 closed"]),
        (Flaw.MALFORMED, ["1 closed"]),
        (Flaw.TOO_LARGE, ["1 closed"]),
        (Flaw.PROTOCOL, ["1 closed"]),
    ],
)
def test_what_cannot_be_decoded(rig: AdapterRig, flaw: Flaw, said: list[str]) -> None:
    rig.opens(1)
    assert lines(rig.to_server(1, Undecodable(flaw, "a test"))) == said


def test_what_cannot_be_decoded_of_who_is_connected(rig: AdapterRig) -> None:
    rig.join(1, "sensor1", version=V5)
    assert lines(rig.to_server(1, Undecodable(Flaw.TOO_LARGE, "a test"))) == ["1 closed"]


# Limits


def test_a_tenant_may_have_so_many_connections() -> None:
    rig = AdapterRig()
    rig.tenant(resource_limits={"max-connections": 1})
    rig.password("sensor1")
    assert rig.join(1, "sensor1") == ["1 CONNACK 0"]
    assert rig.join(2, "sensor1") == ["2 CONNACK 5", "2 closed"]
    assert rig.join(3, "sensor1", version=V5) == ["3 CONNACK 151", "3 closed"]
    rig.gone(1)
    assert rig.join(4, "sensor1") == ["4 CONNACK 0"]


def test_a_tenant_may_be_connected_for_so_long() -> None:
    """Connections that have ended count, and those that last; a new period begins with nothing."""
    rig = AdapterRig()
    limit = {"effective-since": "2025-12-01T00:00:00Z", "max-minutes": 10}
    rig.tenant(resource_limits={"connection-duration": {**limit, "period": {"mode": "days", "no-of-days": 1}}})
    rig.password("sensor1")
    for session in (1, 2):
        assert rig.join(session, "sensor1", keep_alive_s=0) == [f"{session} CONNACK 0"]
    rig.after(3 * 60)
    rig.gone(1)
    rig.after(3 * 60)
    assert rig.join(3, "sensor1", keep_alive_s=0) == ["3 CONNACK 0"]
    rig.after(60)
    assert rig.join(4, "sensor1", keep_alive_s=0) == ["4 CONNACK 5", "4 closed"]
    assert rig.join(5, "sensor1", version=V5) == ["5 CONNACK 151", "5 closed"]
    for session in (2, 3):
        rig.gone(session)
    assert rig.join(6, "sensor1") == ["6 CONNACK 5", "6 closed"]
    rig.after(86_400)
    assert rig.join(7, "sensor1") == ["7 CONNACK 0"]


def test_a_tenant_that_has_sent_enough_may_not_connect() -> None:
    rig = AdapterRig()
    rig.tenant(resource_limits={"data-volume": {"effective-since": "2025-12-01T00:00:00Z", "max-bytes": 3}})
    rig.password("sensor1")
    assert rig.join(1, "sensor1") == ["1 CONNACK 0"]
    assert rig.publish(1, "telemetry", b"abc") == ["1 PUBACK"]
    assert rig.join(2, "sensor1", version=V5) == ["2 CONNACK 151", "2 closed"]


@pytest.mark.parametrize("profile", [Profile.JDBC, Profile.MONGODB])
def test_the_recorded_servers_enforce_no_such_limit(profile: Profile) -> None:
    rig = of_profile(profile)
    rig.tenant(resource_limits={"max-connections": 0})
    rig.password("sensor1")
    assert rig.join(1, "sensor1") == ["1 CONNACK 0"]


def test_a_device_that_is_refused_for_a_limit_is_registered_all_the_same() -> None:
    """A52."""
    rig, devices = AdapterRig(), authority()
    rig.trusting(devices)
    members = rig.shown(f"tenants/{TENANT}")
    rig.api("PUT", f"tenants/{TENANT}", {**members, "resource-limits": {"max-connections": 0}})
    assert rig.join(1, certificates=chain(devices)) == ["1 CONNACK 5", "1 closed"]
    assert len(rig.device_ids()) == 1


def test_the_adapter_may_have_so_many_connections() -> None:
    rig = AdapterRig(settings=Settings(mqtt_connections=1))
    rig.tenant()
    rig.password("sensor1")
    assert rig.join(1, "sensor1") == ["1 CONNACK 0"]
    assert rig.join(2, "sensor1") == ["2 CONNACK 3", "2 closed"]
    assert rig.join(3, "sensor1", version=V5) == ["3 CONNACK 156", "3 closed"]


# Certificates


def test_a_first_contact_and_a_later_one() -> None:
    rig, devices = AdapterRig(), authority()
    rig.trusting(devices)
    shown = chain(devices)
    assert codes(rig, certificates=shown) == ACCEPTED
    assert len(rig.device_ids()) == 1
    steps = [event.name for event in rig.events if event.kind == "step"]
    assert steps[:5] == [
        *("tenant_found", "certificate_validated", "credentials_created", "notification_sent", "registration_asserted")
    ]
    assert steps[5:] == ["tenant_found", "certificate_validated", "credentials_found", "registration_asserted"]
    assert len(rig.northbound()) == 1


def test_a_certificate_of_nobody() -> None:
    rig = AdapterRig()
    rig.trusting(authority())
    stranger = authority("O=Other,CN=devices", "2")
    for server_name in ("", "localhost", "nosuch.example.com", f"{TENANT}.example.com"):
        assert codes(rig, certificates=chain(stranger), server_name=server_name) == BAD
    assert rig.device_ids() == []


def test_after_a_certificate_of_nobody_the_password_counts(rig: AdapterRig) -> None:
    """The chain of handlers goes on when a certificate leads to no tenant (ChainAuthHandler)."""
    stranger = chain(authority("O=Other,CN=devices", "2"))
    assert codes(rig, "sensor1", certificates=stranger) == ACCEPTED
    assert codes(rig, "sensor1", "wrong", certificates=stranger) == BAD


def test_a_certificate_that_is_trusted_decides_alone(rig: AdapterRig) -> None:
    devices = authority()
    rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": [{"cert": certificate_text(devices)}]})
    assert codes(rig, "sensor1", certificates=chain(devices)) == BAD


def test_an_expired_certificate_comes_to_no_connect(rig: AdapterRig) -> None:
    devices = authority()
    rig.api("PUT", f"tenants/{TENANT}", {"trusted-ca": [{"cert": certificate_text(devices)}]})
    assert rig.join(1, certificates=chain(devices, expired=True)) == ["1 refused in the handshake"]
    (refused,) = [event for event in rig.events if event.kind == "refused"]
    assert refused.name == "handshake: certificate_unknown"
    assert "expired" in refused.reason


def test_garbage_for_a_certificate(rig: AdapterRig) -> None:
    assert rig.join(1, certificates=(b"garbage",)) == ["1 refused in the handshake"]


# Generation 1


def test_generation_1_does_not_speak_mqtt_5() -> None:
    rig = of_profile(Profile.OLD)
    rig.api("POST", "tenants", {"tenant-id": TENANT})
    assert rig.join(1, "sensor1", version=V5) == ["1 CONNACK 1", "1 closed"]


def test_a_password_in_the_user_name_stands_in_no_trace(rig: AdapterRig) -> None:
    """Base64 of `user:password` as the user name, and no password."""
    user_name = base64.b64encode(f"sensor1@{TENANT}:{PASSWORD}".encode()).decode()
    rig.opens(1)
    connect = MqttConnect("", user_name=user_name, password=b"")
    assert lines(rig.to_server(1, connect)) == ["1 CONNACK 0"]
    told = "".join(map(str, rig.events))
    assert user_name in told
    written = rig.secrets.hide(told)
    assert user_name not in written
    assert PASSWORD not in written
