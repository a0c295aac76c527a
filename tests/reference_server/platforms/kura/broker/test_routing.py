"""Who hears what: messages between clients of one account, watchers, echoes, and what is dropped (N-01, S-28)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, string
from fleetrig.simulator.contract.mqtt import MqttPublish
from tests.conversation.talk import lines
from tests.reference_server.platforms.kura.broker_rig import (
    ACCOUNT,
    GATEWAY,
    PASSWORD,
    PROVISION,
    BrokerRig,
    told,
)


def meeting(**settings: Any) -> BrokerRig:
    """A gateway by session 1, a requester by 2, an administrator by 9."""
    rig = BrokerRig()
    rig.settings = replace(rig.settings, **settings)
    rig.start()
    rig.user()
    rig.join(1)
    rig.hears(1, f"$EDC/{ACCOUNT}/{GATEWAY}/#")
    rig.join(2, "SRV-1", "acct-admin")
    rig.hears(2, f"$EDC/{ACCOUNT}/SRV-1/#")
    rig.join(9, "watch", "kapua-sys", "kapua-password")
    return rig


def test_a_requester_asks_a_gateway_and_hears_its_reply() -> None:
    rig = meeting()
    asked = told(rig.publish(2, f"$EDC/{ACCOUNT}/{GATEWAY}/CONF-V1/GET/configurations", b"\x01"))
    assert [(one.session, one.topic) for one in asked] == [(1, f"$EDC/{ACCOUNT}/{GATEWAY}/CONF-V1/GET/configurations")]
    replied = told(rig.publish(1, f"$EDC/{ACCOUNT}/SRV-1/CONF-V1/REPLY/42", b"\x02", qos=0))
    assert [(one.session, one.data) for one in replied] == [(2, b"\x02")]


def test_watchers_of_everything_do_not_see_control_messages() -> None:
    rig = meeting()
    assert rig.hears(9, "#") == ["9 SUBACK 1"]
    assert [one.session for one in told(rig.birth())] == [1]
    assert [one.session for one in told(rig.publish(1, f"{ACCOUNT}/{GATEWAY}/APP/t", b"x"))] == [9]
    assert rig.hears(9, "$EDC/#") == ["9 SUBACK 1"]
    assert sorted(one.session for one in told(rig.birth())) == [1, 9]


def test_a_gateway_hears_its_own_control_messages() -> None:
    rig = meeting()
    assert [(one.session, one.topic) for one in told(rig.birth())] == [(1, f"$EDC/{ACCOUNT}/{GATEWAY}/MQTT/BIRTH")]


def test_what_is_not_ones_own_is_dropped_and_acknowledged_and_on_record() -> None:
    rig = meeting()
    rig.join(3, "gw-3")
    rig.hears(9, "#", "$EDC/#")
    rig.events.clear()
    forbidden = (f"$EDC/{ACCOUNT}/{GATEWAY}/CONF-V1/PUT/x", f"{ACCOUNT}/{GATEWAY}/APP/t", "x", "$SYS/x")
    for topic in forbidden:
        assert lines(rig.publish(3, topic, b"x")) == ["3 PUBACK"]
    assert [reason.partition(":")[0] for reason in rig.reasons()] == [
        f"gw-3 may not publish to {topic}" for topic in forbidden
    ]
    assert [stage for stage, client, _ in rig.audited() if client == "gw-3"] == ["publish"] * 4


def test_a_payload_may_be_as_large_as_gateways_send_them_and_no_larger() -> None:
    rig = meeting(payload_bytes=1_024)
    topic = f"{ACCOUNT}/{GATEWAY}/APP/t"
    assert lines(rig.publish(1, topic, bytes(1_024))) == ["1 PUBACK"]
    assert lines(rig.publish(1, topic, bytes(1_025))) == ["1 closed"]
    assert rig.reasons() == [f"a message to {topic} of 1,025 bytes, where 1,024 are taken"]
    assert [stage for stage, *_ in rig.audited()] == ["publish"]


def test_a_device_in_provisioning_reaches_nothing_but_its_own_control_topic() -> None:
    rig = meeting()
    rig.request("gw-8")
    rig.request("gw-7")
    rig.bootstrap(7, "gw-7")
    rig.bootstrap(8, "gw-8")
    rig.hears(9, "#", "$EDC/#")
    forged = f"$EDC/{PROVISION}/gw-7/PROV-SIM1/REPLY/r-1"
    for topic in (forged, f"$EDC/{PROVISION}/gw-7/PROV-SIM1/POST/request", f"{PROVISION}/gw-8/APP/t", f"{PROVISION}/x"):
        assert lines(rig.publish(8, topic, b"x")) == ["8 PUBACK"]


def test_a_message_is_delivered_to_who_comes_back_to_its_session() -> None:
    rig = meeting()
    rig.join(4, "SRV-2", "acct-admin", clean_start=False)
    rig.hears(4, f"$EDC/{ACCOUNT}/SRV-2/#")
    rig.leaves(4)
    rig.publish(1, f"$EDC/{ACCOUNT}/SRV-2/CONF-V1/REPLY/42", b"\x02")
    assert rig.join(5, "SRV-2", "acct-admin", clean_start=False) == [
        "5 CONNACK 0",
        f"5 PUBLISH $EDC/{ACCOUNT}/SRV-2/CONF-V1/REPLY/42",
    ]


def test_what_is_retained_comes_to_who_subscribes_later() -> None:
    rig = meeting()
    rig.receive(1, MqttPublish(f"{ACCOUNT}/{GATEWAY}/APP/t", b"x", 1, retain=True, packet_id=7))
    assert rig.hears(2, f"{ACCOUNT}/#") == ["2 SUBACK 1", f"2 PUBLISH {ACCOUNT}/{GATEWAY}/APP/t"]


def test_rubbish_goes_through_and_harms_nobody() -> None:
    rig = meeting()
    for rubbish in (b"", b"\xff" * 40, b"\x1f\x8b\x08", b"{", KuraPayload(metrics={"a": string("\x00")})):
        for below in ("MQTT/BIRTH", "MQTT/DC", "MQTT/APPS", "APP/GET/x", "MQTT", "MQTT/", ""):
            assert lines(rig.publish(1, f"$EDC/{ACCOUNT}/{GATEWAY}/{below}", rubbish))[0] == "1 PUBACK"
    assert rig.join(5, "gw-5", "dev", PASSWORD) == ["5 CONNACK 0"]
