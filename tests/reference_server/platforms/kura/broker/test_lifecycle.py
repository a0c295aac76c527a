"""BIRTH, APPS, DC, LWT, take-over: what becomes of devices and connections (5.1, 5.2, S-31 to S-33)."""

from __future__ import annotations

import math
from dataclasses import replace

from fleetrig.reference_server.platforms.kura.broker.signing_in import MANAGES_DEVICES
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, KuraPosition, int32, string
from fleetrig.reference_server.platforms.kura.rest.events import event_document
from fleetrig.reference_server.platforms.kura.state.accounts import set_account_settings
from fleetrig.reference_server.platforms.kura.state.events import events_of
from fleetrig.reference_server.platforms.kura.state.permissions import BROKER_CONNECT
from fleetrig.reference_server.platforms.kura.state.records import Permission
from fleetrig.simulator.contract.clock import US_PER_MS
from tests.conversation.talk import lines
from tests.reference_server.platforms.kura.broker_rig import ACCOUNT, GATEWAY, BrokerRig, lwt, told

OWN = f"$EDC/{ACCOUNT}/{GATEWAY}/MQTT"


def connected(**connect: object) -> BrokerRig:
    rig = BrokerRig()
    rig.user()
    assert rig.join(1, **connect) == ["1 CONNACK 0"]  # type: ignore[arg-type]
    return rig


def test_birth_registers_a_device_with_what_it_says_of_itself() -> None:
    rig = connected()
    rig.events.clear()
    rig.birth(model_id="M", application_ids="CONF-V1,DEPLOY-V2", connection_interface="eth0 (AA)")
    device = rig.device()
    assert device.document == {
        "displayName": "Gateway",
        "serialNumber": "SN1",
        "modelId": "M",
        "applicationIdentifiers": "CONF-V1,DEPLOY-V2",
        "connectionInterface": "eth0 (AA)",
    }
    assert device.connection_id == rig.connection().id
    assert rig.resources() == ["BIRTH"]
    assert rig.steps() == ["birth_received", "device_registered"]
    rig.birth()
    assert rig.steps() == ["birth_received"]
    assert rig.resources() == ["BIRTH", "BIRTH"]


def test_a_metric_of_another_type_is_not_taken_for_a_text_and_an_empty_name_keeps_the_old_one() -> None:
    rig = connected()
    rig.birth()
    metrics = {"display_name": string(""), "serial_number": int32(5)}
    rig.publish(1, f"{OWN}/BIRTH", KuraPayload(rig.now_us // US_PER_MS, metrics=metrics))
    assert rig.device().document["displayName"] == "Gateway"
    assert rig.device().document["serialNumber"] == "SN1"


def test_an_older_birth_that_comes_later_changes_nothing() -> None:
    rig = connected()
    rig.birth(display_name="new")
    older = KuraPayload(rig.now_us // US_PER_MS - 5_000, metrics={"display_name": string("old")})
    rig.publish(1, f"{OWN}/BIRTH", older)
    assert rig.device().document["displayName"] == "new"
    assert rig.resources() == ["BIRTH", "BIRTH"]


def test_a_clock_that_was_wrong_does_not_shut_out_what_comes_later() -> None:
    """And no date can say that time: the list of events is none the worse for it."""
    rig = connected()
    for sent_ms in (1 << 62, -1):
        rig.publish(1, f"{OWN}/BIRTH", KuraPayload(sent_ms, metrics={"display_name": string("wrong")}))
    rig.now_us += 1_000_000
    rig.birth(display_name="right")
    device = rig.device()
    assert device.document["displayName"] == "right"
    events = [event_document(one) for one in events_of(rig.registry, device.scope_id, device.id)]
    assert ["sentOn" in one for one in events] == [False, False, True]


def test_a_place_that_is_no_number_is_left_out() -> None:
    """JSON has no word for it."""
    rig = connected()
    rig.publish(1, f"{OWN}/BIRTH", KuraPayload(position=KuraPosition(math.nan, 13.0, altitude=math.inf)))
    (event,) = events_of(rig.registry, rig.device().scope_id, rig.device().id)
    assert event.position == {"longitude": 13.0}


def test_the_place_of_a_device_is_in_its_event() -> None:
    rig = connected()
    rig.publish(1, f"{OWN}/BIRTH", KuraPayload(1_000, KuraPosition(46.0, 13.0)))
    (event,) = events_of(rig.registry, rig.account().id, rig.device().id)
    assert (event.position, event.sent_us) == ({"latitude": 46.0, "longitude": 13.0}, 1_000_000)


def test_apps_needs_a_device_and_may_come_twice() -> None:
    rig = connected()
    apps = KuraPayload(rig.now_us // US_PER_MS, metrics={"application_ids": string("A,B")})
    rig.publish(1, f"{OWN}/APPS", apps)
    assert not rig.has_device()
    rig.birth()
    rig.publish(1, f"{OWN}/APPS", apps)
    rig.publish(1, f"{OWN}/APPS", apps)
    assert rig.device().document["applicationIdentifiers"] == "A,B"
    assert rig.resources() == ["BIRTH", "APPLICATION", "APPLICATION"]


def test_an_account_that_is_full_takes_no_device_and_keeps_the_session() -> None:
    rig = connected()
    set_account_settings(rig.registry, rig.account(), replace(rig.account().settings, infinite_devices=False))
    rig.events.clear()
    assert lines(rig.birth()) == ["1 PUBACK"]
    assert not rig.has_device()
    assert rig.reasons() == [f"account {ACCOUNT} may have 0 devices: allow more in its settings"]
    assert rig.hears(1, f"$EDC/{ACCOUNT}/{GATEWAY}/#") == ["1 SUBACK 1"]


def test_a_birth_that_is_no_payload_registers_nothing() -> None:
    rig = connected()
    for data in (b'{"metrics":{}}', b"\xff\xff", b"\x1f\x8b\x08\x00broken"):
        rig.publish(1, f"{OWN}/BIRTH", data)
    assert not rig.has_device()
    assert [stage for stage, _, _ in rig.audited()] == ["birth"] * 3


def test_who_manages_devices_does_not_give_birth_to_them() -> None:
    rig = connected()
    rig.join(2, "SRV-1", "acct-admin")
    assert lines(rig.publish(2, f"{OWN}/BIRTH", KuraPayload(1)))[0] == "2 PUBACK"
    assert not rig.has_device()
    assert not rig.has_device("SRV-1")


def test_dc_and_disconnect_leave_a_connection_disconnected() -> None:
    rig = connected(will=lwt())
    rig.birth()
    rig.publish(1, f"{OWN}/DC", KuraPayload(1), qos=0)
    assert rig.connection().status == "CONNECTED"
    rig.join(9, "watch", "kapua-sys", "kapua-password")
    rig.hears(9, "$EDC/#")
    assert rig.leaves() == ["1 closed"]
    assert rig.connection().status == "DISCONNECTED"
    assert rig.resources() == ["BIRTH", "DEATH"]


def test_a_silent_device_is_missing_after_its_keep_alive() -> None:
    rig = connected(will=lwt(), keep_alive_s=30)
    rig.birth()
    rig.join(9, "watch", "kapua-sys", "kapua-password", keep_alive_s=0)
    rig.hears(9, "$EDC/#")
    assert not told(rig.later(44))
    assert rig.connection().status == "CONNECTED"
    assert [one.topic for one in told(rig.later(1))] == [f"{OWN}/LWT"]
    assert rig.connection().status == "MISSING"
    assert rig.resources() == ["BIRTH", "MISSING"]


def test_a_device_that_vanishes_without_a_will_is_disconnected() -> None:
    rig = connected()
    rig.birth()
    rig.vanishes()
    assert rig.connection().status == "DISCONNECTED"
    assert rig.resources() == ["BIRTH"]


def test_a_will_to_another_topic_does_not_make_it_missing() -> None:
    rig = connected(will=replace(lwt(), topic=f"{ACCOUNT}/{GATEWAY}/gone"))
    rig.vanishes()
    assert rig.connection().status == "DISCONNECTED"


def test_a_will_that_may_not_be_published_is_not() -> None:
    rig = connected(will=lwt("gw-2"))
    rig.join(9, "watch", "kapua-sys", "kapua-password")
    rig.hears(9, "$EDC/#")
    assert not told(rig.vanishes())
    assert rig.connection().status == "DISCONNECTED"


def test_an_lwt_in_the_name_of_another_tells_nothing_of_either() -> None:
    rig = BrokerRig()
    scope_id = rig.account().id
    rig.user("dev", ACCOUNT, Permission(*BROKER_CONNECT, scope_id), Permission(*MANAGES_DEVICES, scope_id))
    rig.join(2, "gw-2")
    rig.join(1, will=lwt("gw-2"))
    rig.hears(2, f"$EDC/{ACCOUNT}/gw-2/#")
    assert [one.topic for one in told(rig.vanishes(1))] == [f"$EDC/{ACCOUNT}/gw-2/MQTT/LWT"]
    assert (rig.connection().status, rig.connection("gw-2").status) == ("DISCONNECTED", "CONNECTED")


def test_the_will_of_a_connection_that_was_replaced_does_not_make_the_client_missing() -> None:
    rig = connected(will=lwt())
    rig.birth()
    rig.join(9, "watch", "kapua-sys", "kapua-password")
    rig.hears(9, "$EDC/#")
    rig.now_us += 1_000_000
    said = rig.join(2, will=lwt())
    assert said == ["1 closed", f"9 PUBLISH {OWN}/LWT", "2 CONNACK 0"]
    rig.vanishes(1)
    assert rig.connection().status == "CONNECTED"
    rig.birth(2)
    assert rig.resources() == ["BIRTH", "BIRTH"]
    rig.vanishes(2)
    assert rig.connection().status == "MISSING"


def test_a_connection_that_is_replaced_in_the_same_moment_leaves_the_client_connected() -> None:
    rig = connected()
    assert rig.join(2) == ["1 closed", "2 CONNACK 0"]
    rig.vanishes(1)
    assert rig.connection().status == "CONNECTED"


def test_its_own_lwt_makes_a_device_missing_until_it_connects_again() -> None:
    rig = connected()
    rig.birth()
    rig.publish(1, f"{OWN}/LWT", b"")
    assert rig.connection().status == "MISSING"
    rig.leaves()
    assert rig.connection().status == "MISSING"
    rig.join()
    assert rig.connection().status == "CONNECTED"
