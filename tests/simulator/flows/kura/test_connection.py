"""How a gateway connects, comes back and leaves (rows G-37 to G-41, G-47, N-02, N-03, spec 4)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_s
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttDisconnect, MqttPingreq, MqttPublish, MqttSubscribe
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.flows.kura.components import (
    DATA_PID,
    TRANSPORT_PID,
    CloudService,
    DataService,
    MqttDataTransport,
)
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.payload import MetricType
from fleetrig.simulator.flows.kura.settings import DISCONNECT, KuraSettings, LocalChange
from tests.simulator.flows.kura.broker import Broker, Run, configured

BIRTH = "$EDC/acct/gw-1/MQTT/BIRTH"


def every(interval_s: int, **more: Any) -> DataService:
    return DataService(retry_interval_s=interval_s, **more)


def test_the_order_at_connect_is_that_of_real_gateways() -> None:
    run = Run(configured()).run(20)
    hello = run.broker.of(MqttConnect)[0]

    assert run.broker.lines(1)[:3] == ["CONNECT gw-1 dev", f"PUBLISH {BIRTH}", "SUBSCRIBE $EDC/acct/gw-1/#"]
    assert hello.keep_alive_s == 30
    assert hello.clean_start
    assert (hello.will.topic, hello.will.payload, hello.will.qos) == ("$EDC/acct/gw-1/MQTT/LWT", b"", 0)
    assert run.broker.of(MqttSubscribe)[0].subscriptions[0].qos == 1
    assert run.broker.of(MqttPublish)[0].qos == 1


def test_what_is_empty_is_left_out() -> None:
    """N-03: with the colons of real Kura, unless the switch says otherwise."""
    empty = {"client_id": "", "username": "", "password": "pw", "lwt_topic": ""}
    hello = Run(configured(transport=empty)).run(20).broker.of(MqttConnect)[0]
    plain = Run(configured(transport=empty, client_id_with_colons=False)).run(20).broker.of(MqttConnect)[0]

    assert (hello.client_id, hello.user_name, hello.password, hello.will) == ("00:60:0C:AA:BB:CC", None, None, None)
    assert plain.client_id == "00600CAABBCC"


def test_a_client_id_is_sanitised() -> None:
    """N-02."""
    run = Run(configured(transport={"client_id": "a/b+c#d.e"})).run(20)

    assert run.broker.lines(1)[:2] == ["CONNECT a-b-c-d-e dev", "PUBLISH $EDC/acct/a-b-c-d-e/MQTT/BIRTH"]


def test_birth_has_all_that_it_must_have() -> None:
    """G-49."""
    birth = Run(configured(applications=("APP-V1",))).run(20).broker.said(BIRTH)[0]
    needed = (
        "uptime display_name model_name model_id part_number serial_number available_processors total_memory "
        "firmware_version cpu_version bios_version os os_version os_arch jvm_name jvm_version jvm_profile jvm_vendor "
        "jdk_vendor_version kura_version application_framework application_framework_version osgi_framework "
        "osgi_framework_version connection_interface connection_ip accept_encoding application_ids payload_encoding"
    )

    assert {birth.metrics[name].type for name in needed.split(" ")} == {MetricType.STRING}
    assert birth.text("application_ids") == "APP-V1,CONF-V1,CMD-V1,DEPLOY-V2,KEYS-V1,KEYS-V2"
    assert birth.text("application_framework") == "Kura"
    assert birth.position is not None
    assert (birth.position.latitude, birth.position.longitude, birth.position.altitude) == (0.0, 0.0, 0.0)
    assert birth.timestamp_ms is not None


def losses(interval_s: int, count: int, **more: Any) -> list[float]:
    """How long each of so many gateways waits for its first attempt."""
    broker, waits = Broker(), []
    bench = broker.bench = VirtualBench(broker.server, Trace(), seed=3)
    settings = configured(data=every(interval_s, **more))
    for number in range(count):
        bench.power_on(Agent(DeviceIdentity(f"SN{number}"), KuraGateway(settings)))
    bench.run_for(interval_s // 5 + 2.0)
    waits += [at_s for at_s, _, one in broker.packets if isinstance(one, MqttConnect)]
    return waits


@pytest.mark.slow
def test_the_first_delay_is_a_whole_second_of_a_fifth() -> None:
    """G-38: R = 60, a thousand gateways: 1 s twice as often as each of 2 to 11 s (chi-square, 10 degrees, 0.1 %)."""
    waits = Counter(losses(60, 1_000))
    expected = {1.0: 1_000 / 6, **{float(second): 1_000 / 12 for second in range(2, 12)}}

    assert set(waits) == set(expected)
    assert sum((waits[at] - n) ** 2 / n for at, n in expected.items()) < 29.6


@pytest.mark.parametrize(("interval_s", "seconds"), [(5, {1.0}), (14, {1.0}), (15, {1.0, 2.0}), (20, {1.0, 2.0, 3.0})])
def test_short_intervals_have_less_of_it(interval_s: int, seconds: set[float]) -> None:
    """G-39."""
    assert set(losses(interval_s, 60)) == seconds


def test_further_attempts_follow_at_a_fixed_rate() -> None:
    """G-38, G-39: from start to start, without growth."""
    broker = Broker()
    broker.codes["dev"] = 3
    times = Run(configured(data=every(60)), broker=broker).run(3_000).broker.times(MqttConnect)

    assert {round(b - a, 3) for a, b in pairwise(times)} == {60.0}
    assert len(times) >= 49


def test_an_attempt_that_takes_longer_makes_the_next_begin_at_once() -> None:
    """G-11 of the recordings: a broker that says nothing, timeout 5: 19 s an attempt."""
    broker = Broker()
    broker.codes["dev"] = None
    times = (
        Run(configured(data=every(10), transport={"timeout_s": 5}), broker=broker).run(100).broker.times(MqttConnect)
    )

    assert [round(b - a, 2) for a, b in pairwise(times)][:3] == [19.0, 19.0, 19.0]


def test_every_loss_begins_a_new_cycle() -> None:
    run = Run(configured(data=every(10))).run(5)
    for _ in range(3):
        run.drop()
        lost_s = run.now_s
        run.run(5)
        assert run.broker.times(MqttConnect)[-1] - lost_s == pytest.approx(1.0, abs=0.01)


def test_full_jitter_waits_longer_and_longer() -> None:
    broker = Broker()
    broker.codes["dev"] = 3
    times = Run(configured(data=every(10, reconnect="full-jitter")), broker=broker).run(600).broker.times(MqttConnect)
    waits = [b - a for a, b in pairwise(times)]

    assert 0 < min(waits) < 10 < max(waits) <= 50.1
    assert len({round(wait, 3) for wait in waits}) == len(waits)


def test_a_changed_transport_takes_it_through_a_new_connection() -> None:
    """G-40: DC, DISCONNECT, CONNECT; no will."""
    change = LocalChange(20.0, TRANSPORT_PID, {"username": "dev-2"})
    run = Run(configured(data=every(10), local_changes=(change,))).run(40)

    assert run.broker.lines(1)[-2:] == ["PUBLISH $EDC/acct/gw-1/MQTT/DC", "DISCONNECT"]
    assert run.broker.lines(2)[0] == "CONNECT gw-1 dev-2"
    dc = run.broker.said("$EDC/acct/gw-1/MQTT/DC")[0]
    assert set(dc.metrics) == {"uptime", "display_name"}


def test_a_disconnect_by_hand_lasts_until_something_is_changed() -> None:
    """Spec 4.6; switching auto-on-startup off does not end a connection."""
    changes = (
        LocalChange(20.0, DATA_PID, {"connect.auto-on-startup": True}),
        LocalChange(30.0, DISCONNECT),
        LocalChange(320.0, DATA_PID, {"connect.retry-interval": 10}),
    )
    run = Run(configured(data=every(10), local_changes=changes)).run(340)
    connects = run.broker.times(MqttConnect)

    assert len(connects) == 2
    assert connects[1] >= 320.0
    assert run.broker.times(MqttDisconnect) == [pytest.approx(30.0, abs=0.1)]


def test_it_pings_and_notices_a_dead_connection() -> None:
    run = Run(configured()).run(100)

    assert [round(b - a) for a, b in pairwise(run.broker.times(MqttPingreq))] == [30, 30]


@pytest.mark.parametrize("counts", [True, False])
def test_the_watchdog_reboots_a_gateway_that_cannot_connect(counts: bool) -> None:
    """G-47: max 3, 5 intervals after the last check-in; never for a wrong password."""
    broker = Broker()
    broker.codes["dev"] = 3 if counts else 5
    settings = configured(data=every(10, recovery=True, recovery_max_failures=3))
    run = Run(settings, broker=broker).run(400)
    reboots = [event for event in run.events if event.reason == "reboot"]
    third_s = run.broker.times(MqttConnect)[2]

    assert bool(reboots) is counts
    if counts:
        began_s = to_s(reboots[0].at_us - VIRTUAL_EPOCH_US) - settings.reboot_s
        assert began_s == pytest.approx(third_s + 5 * 10, abs=0.1)


def test_messages_in_flight_go_once_more_on_a_new_session() -> None:
    """Nine without PUBACK, BIRTH among them; then the rest waits, and all come in order on the next connection."""
    broker = Broker()
    broker.acknowledges = False
    settings = configured(
        data=every(5, rate_limit=False), telemetry_interval_s=0.1, telemetry_qos=1, telemetry_messages=20,
    )  # fmt: skip
    run = Run(settings, broker=broker).run(10)
    first = [one for one in broker.of(MqttPublish, 1) if one.qos]
    broker.acknowledges = True
    run.drop()
    run.run(10)
    again = [one for one in broker.of(MqttPublish, 2) if one.qos]

    assert len(first) == 9
    assert [one.topic for one in again[:2]] == [BIRTH, BIRTH]
    assert not any(one.dup for one in again)
    assert [one.payload for one in again[2:10]] == [one.payload for one in first[1:]]
    assert len(again) == 2 + 20


def test_telemetry_leaves_once_a_second() -> None:
    """G-51 is about replies, which pass: see test_requests."""
    settings = configured(telemetry_interval_s=0.25, telemetry_messages=8)
    run = Run(settings).run(20)
    times = [at_s for at_s, _, one in run.broker.packets if isinstance(one, MqttPublish) and "telemetry" in one.topic]

    assert len(times) == 8
    assert all(b - a >= 0.99 for a, b in pairwise(times[1:]))


def test_a_gateway_with_nothing_more_to_do_leaves_in_good_order() -> None:
    run = Run(configured(telemetry_interval_s=1.0, telemetry_messages=3)).run(60)

    assert run.broker.lines(1)[-2:] == ["PUBLISH $EDC/acct/gw-1/MQTT/DC", "DISCONNECT"]
    assert run.events[-1].kind == "ended"


def test_json_payloads_and_no_subscription() -> None:
    settings = configured(cloud=CloudService(payload_encoding="simple-json", default_subscriptions=False))
    run = Run(settings).run(20)

    assert run.broker.of(MqttPublish)[0].payload.startswith(b'{"sentOn":')
    assert not run.broker.of(MqttSubscribe)


@pytest.mark.parametrize(
    "wrong",
    [{"broker_url": "http://x"}, {"timeout_s": 0}, {"keep_alive_s": 70_000}, {"protocol_version": 5}, {"lwt_qos": 3}],
)
def test_a_transport_that_cannot_be_is_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        MqttDataTransport(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"quirks": frozenset({"none"})}, {"telemetry_qos": 2}, {"telemetry_interval_s": 0.0}]
)
def test_settings_that_cannot_be_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        KuraSettings(**wrong)


def test_an_abrupt_end_is_none_in_good_order() -> None:
    """G-41: the broker has a will to publish; the gateway says nothing."""
    run = Run(configured()).run(20)
    run.bench.power_cut(run.agent)

    assert "DISCONNECT" not in run.broker.lines(1)
    assert run.broker.of(MqttConnect)[0].will.payload == b""


def test_a_broker_that_drops_every_session_is_called_every_second_at_short_intervals() -> None:
    broker = Broker()
    run = Run(configured(data=every(5)), broker=broker).run(1.5)
    for _ in range(5):
        run.server_sends(Close(run.session, Ending.RESET))
        run.run(1.1)

    assert len(broker.times(MqttConnect)) == 6


@pytest.mark.parametrize("is_poisoned", [False, True])
def test_a_topic_with_an_unknown_token_is_refused_locally(is_poisoned: bool) -> None:
    """N-04: later messages still go; in a real gateway they do not."""
    quirks = frozenset({"poisoned-queue"}) if is_poisoned else frozenset()
    settings = configured(telemetry_topic="#unknown", telemetry_interval_s=1.0, telemetry_messages=2, quirks=quirks)
    run = Run(settings).run(60)

    assert [one.topic for one in run.broker.of(MqttPublish)][:1] == [BIRTH]
    assert not [topic for topic in run.broker.topics() if "unknown" in topic]
    assert (run.events[-1].kind == "ended") is not is_poisoned


def test_an_unsent_payload_beyond_the_limit_disturbs_nothing() -> None:
    """C-09: refused at once, connection untouched."""
    data = every(5, maximum_payload_bytes=2_000)
    settings = configured(data=data, telemetry={"text": "x" * 3_000}, telemetry_interval_s=1.0, telemetry_messages=3,
                          cloud=CloudService(encode_gzip=False))  # fmt: skip
    run = Run(settings).run(30)

    assert not [topic for topic in run.broker.topics() if "telemetry" in topic]
    assert run.broker.lines(1)[-1] == "DISCONNECT"
