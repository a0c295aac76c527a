"""A gateway provisions itself: its attempts, what it believes, and what it keeps (rows G-01 to G-24, G-33 to G-36)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Send
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.handshake import ShownCertificate
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttDisconnect, MqttPingreq, MqttPublish, MqttVersion
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.flows.kura import protobuf
from fleetrig.simulator.flows.kura.components import PROVISIONING_PID, ProvisioningService
from fleetrig.simulator.flows.kura.keystore import certificate_pem
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, int32, string
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings, LocalChange
from tests.simulator.flows.kura.broker import (
    ACME,
    CLIENT_ID,
    DAY,
    MAC,
    NOW,
    OTHER,
    PROVISION_URL,
    Asked,
    Broker,
    Reply,
    Run,
    configured,
    given,
    issued,
    provisioned_by,
    refusal,
    silence,
)

REQUEST = f"$EDC/ec-provisioning/{CLIENT_ID}/PROV-SIM1/POST/request"
USER = f"{CLIENT_ID}-SN1"


def run_with(answer: Reply, seconds: float = 60.0, **settings: Any) -> Run:
    """A gateway, and a server with another answer to its request."""
    broker = Broker()
    broker.answers["request"] = answer
    return Run(provisioned_by(**settings), broker=broker).run(seconds)


def with_chain(*chain: Any) -> Reply:
    return lambda broker, asked: given(asked, chain="\n".join(map(certificate_pem, chain)))


def connects(run: Run) -> list[float]:
    return run.broker.times(MqttConnect)


def test_nothing_is_called_unless_it_is_enabled() -> None:
    """G-01."""
    settings = provisioned_by()
    run = Run(KuraSettings(provisioning=ProvisioningService(broker_url=PROVISION_URL), hardware=settings.hardware))
    run.run(600)

    assert not run.broker.packets
    assert run.stage == "enrolling"


def test_names_are_made_of_mac_and_serial() -> None:
    """G-02."""
    hello = Run(provisioned_by()).run(1).broker.of(MqttConnect)[0]

    assert (hello.client_id, hello.user_name, hello.password) == (CLIENT_ID, f"{CLIENT_ID}-SN1", b"bootstrap")
    assert hello.version is MqttVersion.V311


def test_without_a_serial_it_says_unknown() -> None:
    """G-03."""
    hardware = GatewayHardware(mac=MAC, serial_number="")
    hello = Run(provisioned_by(hardware=hardware)).run(1).broker.of(MqttConnect)[0]

    assert hello.user_name == f"{CLIENT_ID}-UNKNOWN"


def test_it_subscribes_before_it_asks() -> None:
    """G-04."""
    lines = Run(provisioned_by()).run(1).broker.lines(1)

    assert lines[0].startswith("CONNECT")
    assert lines[1].startswith(f"SUBSCRIBE $EDC/ec-provisioning/{CLIENT_ID}/PROV-SIM1/REPLY/#")
    assert lines[2] == f"PUBLISH {REQUEST}"


def test_the_request_has_all_that_the_profile_wants() -> None:
    run = Run(provisioned_by(provisioning={"activation_key": "key-1"})).run(1)
    asked = run.broker.asked[0].payload

    assert asked.text("requester.client.id") == CLIENT_ID
    assert asked.text("prov.profile") == "PROV-SIM1"
    assert asked.int32("prov.attempt") == 1
    assert asked.text("activation.key") == "key-1"
    assert asked.text("serial_number") == "SN1"
    assert 16 <= len(asked.data("prov.nonce") or b"") <= 64
    assert len(asked.text("request.id") or "") >= 16


def test_success_commits_leaves_and_goes_to_the_target() -> None:
    """G-05."""
    run = Run(provisioned_by()).run(60)
    first, second = run.broker.lines(1), run.broker.lines(2)

    assert run.flags == (False, True)
    assert run.memory["snapshots"]
    assert first[-1] == "DISCONNECT"
    assert second[0] == f"CONNECT {CLIENT_ID} dev-user"
    assert second[1] == f"PUBLISH $EDC/acct/{CLIENT_ID}/MQTT/BIRTH"
    left_s, came_s = run.broker.times(MqttDisconnect)[0], connects(run)[1]
    assert 0 < came_s - left_s <= 12 + 5
    assert run.stage == "online"


@pytest.mark.parametrize(
    "cut",
    ["provision-confirmed#1:answered", "provision-confirm#1:sent", "provision#1:answered", "provision-request#1:sent",
     "remember-components-fault-job-keystores-previous-signed-stage#1:before", "pause-reconnect#1:before"],
)  # fmt: skip
def test_a_power_cut_leaves_the_old_configuration_or_the_new_one(cut: str) -> None:
    """G-06, G-07: before the commit it asks again, after it never."""
    run = Run(provisioned_by(), trigger=PowerCutTrigger(CutPoint.parse(cut), 1.0)).run(120)
    requests = [one for one in run.broker.asked if one.resource == "request"]

    assert run.stage == "online"
    assert run.flags == (False, True)
    assert len(requests) == (1 if cut.startswith("pause") else 2)
    assert len({one.request_id for one in run.broker.asked}) == len(run.broker.asked)


@pytest.mark.parametrize("code", [4, 5])
def test_it_gives_up_after_so_many_attempts(code: int) -> None:
    """G-08."""
    broker = Broker()
    broker.codes[USER] = code
    run = Run(provisioned_by(provisioning={"retry_max_attempts": 3}), broker=broker).run(600)

    assert [round(b - a, 3) for a, b in pairwise(connects(run))] == [5.0, 5.0]
    assert run.flags == (None, None)
    assert run.memory["fault"] == "gave_up"
    assert run.stage == "refused"


def test_it_tries_for_ever_without_drift() -> None:
    """G-09, G-16: the same for a refusal that says that there is no use."""
    for answer in (None, refusal(400, "BAD_ACTIVATION_KEY")):
        broker = Broker()
        if answer is None:
            broker.codes[USER] = 5
        else:
            broker.answers["request"] = answer
        run = Run(provisioned_by(), broker=broker).run(100)

        assert len(connects(run)) >= 20
        assert {round(b - a, 3) for a, b in pairwise(connects(run))} == {5.0}


@pytest.mark.parametrize(
    "wrong", [{"retry_max_attempts": 0}, {"retry_max_attempts": -2}, {"retry_interval_s": 0}, {"timeout_s": 0}]
)
def test_impossible_parameters_are_rejected(wrong: dict[str, Any]) -> None:
    """G-10."""
    with pytest.raises(UsageError, match=next(iter(wrong))):
        ProvisioningService(**wrong)


def test_a_broker_that_says_nothing_is_given_up_in_time() -> None:
    """G-11."""
    broker = Broker()
    broker.codes[USER] = None
    run = Run(provisioned_by(provisioning={"retry_interval_s": 30}), broker=broker).run(25)
    closed = [at_us for at_us, session, what in broker.server.told if what == "closed"]

    began_s = connects(run)[0]
    assert (closed[0] - broker.server.told[0][0]) / 1e6 == pytest.approx(10.0, abs=1.0)
    assert began_s <= 5.0


def test_without_a_reply_it_leaves_in_time() -> None:
    """G-12, G-13: the next attempt follows at once when the interval is over."""
    run = run_with(silence)
    left = run.broker.times(MqttDisconnect)

    assert left[0] - connects(run)[0] == pytest.approx(10.0, abs=1.0)
    assert [round(b - a, 2) for a, b in pairwise(connects(run))][:3] == [10.0, 10.0, 10.0]


def test_a_late_reply_is_ignored_and_nothing_is_used_twice() -> None:
    """G-14."""
    first: list[Asked] = []

    def late(broker: Broker, asked: Asked) -> KuraPayload | None:
        first.append(asked)
        return None

    run = run_with(late, 12.0)
    topic = f"$EDC/ec-provisioning/{CLIENT_ID}/PROV-SIM1/REPLY/{first[0].request_id}"
    run.push(topic, given(first[0]))
    run.run(3.0)

    assert run.flags == (None, None)
    assert first[0].request_id != first[1].request_id
    assert first[0].payload.data("prov.nonce") != first[1].payload.data("prov.nonce")


def test_a_nonce_that_is_not_echoed_fails() -> None:
    """G-15."""
    run = run_with(lambda broker, asked: given(asked, prov_nonce=Metric(MetricType.BYTES, b"x" * 32)), 4.0)

    assert run.flags == (None, None)
    assert run.stage == "backing_off"


def test_a_reply_to_another_request_is_ignored() -> None:
    """G-15: the right one comes after it."""

    def two(broker: Broker, asked: Asked) -> KuraPayload | None:
        topic = f"$EDC/ec-provisioning/{CLIENT_ID}/PROV-SIM1/REPLY/other"
        wrong = MqttPublish(topic, protobuf.encode(KuraPayload(metrics={"response.code": int32(400)})))
        broker.server.acts.append((0, [Send(1, wrong)]))
        return given(asked)

    assert run_with(two).flags == (False, True)


def test_the_server_may_want_it_later() -> None:
    """G-17."""
    run = run_with(refusal(500, "BUSY", 120), 300.0)

    assert {round(b - a) for a, b in pairwise(connects(run))} == {120}


@pytest.mark.parametrize("code", [202, 0, None])
def test_another_code_is_no_success(code: int | None) -> None:
    said = {} if code is None else {"response.code": int32(code)}
    run = run_with(lambda broker, asked: KuraPayload(metrics=said), 4.0)

    assert run.flags == (None, None)
    assert run.stage == "backing_off"


ROOT, MIDDLE, LEAF = ACME.chain
EXPIRED = issued("acme-int", ACME.keys[1], "acme-root", ACME.keys[0], ca=True, ends=NOW - DAY)
STRANGE = issued("acme-int", ACME.keys[1], "acme-root", OTHER.keys[0], ca=True)
NO_AUTHORITY = issued("acme-int", ACME.keys[1], "acme-root", ACME.keys[0], ca=False)
SELF_SIGNED = issued("acme-dm", ACME.keys[2], "acme-dm", ACME.keys[2], ca=True)


@pytest.mark.parametrize("chain", [(LEAF, MIDDLE, ROOT), (LEAF, MIDDLE)], ids=["root", "issuer"])
def test_a_chain_that_is_trusted(chain: tuple[Any, ...]) -> None:
    """G-18, G-20."""
    assert run_with(with_chain(*chain)).flags == (False, True)


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        ((MIDDLE, LEAF, ROOT), "not issued by the next"),
        ((LEAF, ROOT), "not issued by the next"),
        ((LEAF, EXPIRED, ROOT), "out of date"),
        ((LEAF, STRANGE, ROOT), "not issued by the next"),
        ((LEAF, NO_AUTHORITY, ROOT), "not issued by the next"),
        ((SELF_SIGNED,), "signed itself"),
        ((), "no chain"),
        (tuple(reversed(OTHER.chain)), "not in the trust store"),
    ],
)
def test_a_chain_that_is_not_believed(chain: tuple[Any, ...], why: str) -> None:
    """G-19, G-21, G-23: nothing is stored, and the flags stay."""
    run = run_with(with_chain(*chain), 4.0)
    reasons = [event.reason for event in run.events if event.kind == "entered" and event.stage == "backing_off"]
    confirmed = [one for one in run.broker.asked if one.resource == "confirm"]

    assert reasons
    assert why in reasons[0]
    assert run.memory.keys() <= {"rejected_control"}
    assert not confirmed


def test_without_the_check_a_chain_is_only_read() -> None:
    """G-22."""
    unchecked = {"ca_authentication": False}
    stranger = with_chain(*reversed(OTHER.chain))

    assert run_with(stranger, provisioning=unchecked).flags == (False, True)
    assert run_with(lambda broker, asked: given(asked, chain="no certificate"), 4.0, provisioning=unchecked).flags == (
        None,
        None,
    )


def test_a_connection_that_is_lost_while_it_stages_is_tried_again() -> None:
    """G-33."""

    def drops(broker: Broker, asked: Asked) -> KuraPayload | None:
        if len(broker.asked) == 1:
            broker.server.acts.append((broker.server.told[-1][0] + 100_000, [Close(1, Ending.CLOSED)]))
        return given(asked)

    run = run_with(drops)

    assert [one.resource for one in run.broker.asked] == ["request", "request", "confirm"]
    assert run.flags == (False, True)


def test_a_confirmation_that_is_not_answered_is_repeated() -> None:
    """G-34."""
    broker = Broker()

    def second_time(broker: Broker, asked: Asked) -> KuraPayload | None:
        confirms = [one for one in broker.asked if one.resource == "confirm"]
        return KuraPayload(metrics={"response.code": int32(200)}) if len(confirms) > 1 else None

    broker.answers["confirm"] = second_time
    run = Run(provisioned_by(), broker=broker).run(60)
    confirms = [one for one in broker.asked if one.resource == "confirm"]

    assert len(confirms) == 2
    assert len({one.request_id for one in confirms}) == 2
    assert {one.payload.text("prov.job.id") for one in confirms} == {"job-1"}
    assert [event.name for event in run.events if event.kind == "remembered"].count("snapshots") == 1


def test_a_refused_confirmation_is_no_permission() -> None:
    broker = Broker()
    broker.answers["confirm"] = refusal(400, "STOPPED")
    run = Run(provisioned_by(), broker=broker).run(4)

    assert run.flags == (None, None)


def test_two_connections_of_one_gateway_cannot_be_with_one_instance() -> None:
    """G-35: refused locally; another port is another instance."""
    second = Run(provisioned_by(connection_name="second", other_instances=(PROVISION_URL,))).run(60)
    other = Run(provisioned_by(connection_name="second", other_instances=("mqtt://provision.test:1884",))).run(60)

    assert not second.broker.packets
    assert second.memory["fault"] == "refused_locally"
    assert other.flags == (False, True)


def test_before_esf_7_only_the_default_connection_is_provisioned() -> None:
    assert not Run(provisioned_by(connection_name="second", default_connection_only=True)).run(60).broker.packets
    assert Run(provisioned_by(default_connection_only=True)).run(60).flags == (False, True)


@pytest.mark.parametrize(
    "url",
    ["mqtts://broker-sandbox.everyware-cloud.com:8883", "mqtts://broker-sbx.everyware.io:8883",
     "mqtts://broker-eurotech-provision.everyware-cloud.com:8883"],
)  # fmt: skip
def test_brokers_of_the_vendor_are_values_and_are_never_called(url: str) -> None:
    settings = provisioned_by()
    service = ProvisioningService(enabled=True, broker_url=url)
    run = Run(KuraSettings(provisioning=service, hardware=settings.hardware)).run(600)
    given_it = run_with(lambda broker, asked: given(asked, prov_broker__url=string(url)), 600)

    assert not run.broker.packets
    assert run.memory["fault"] == "refused_locally"
    assert "vendor" in next(event.reason for event in run.events if event.stage == "refused")
    assert {one.user_name for one in given_it.broker.of(MqttConnect)} == {USER}


def test_the_target_may_name_it_otherwise() -> None:
    """G-36."""
    run = run_with(lambda broker, asked: given(asked, client_id="gw-77"))

    assert run.broker.lines(2)[1] == "PUBLISH $EDC/acct/gw-77/MQTT/BIRTH"


def test_a_request_for_a_certificate_is_signed_and_stored() -> None:
    def answer(broker: Broker, asked: Asked) -> KuraPayload | None:
        assert (asked.payload.body or b"").startswith(b"-----BEGIN CERTIFICATE REQUEST")
        return given(asked, prov_device_cert=string(ACME.leaf_pem))

    run = run_with(answer, asks_for_certificate=True)

    assert run.memory["keystores"]["SSLKeystore"]["provisioned-device"]["type"] == "PRIVATE_KEY"
    assert run_with(lambda broker, asked: given(asked), 4.0, asks_for_certificate=True).flags == (None, None)


@pytest.mark.parametrize("at_s", [0.001, 0.3, 9.0])
def test_it_can_be_switched_off_at_any_time(at_s: float) -> None:
    """G-32: it is gone within 2 s, and its old configuration is as it was."""
    broker = Broker()
    broker.answers["request"] = given_late if at_s < 9 else silence
    off = LocalChange(at_s, PROVISIONING_PID, {"enabled": False})
    run = Run(provisioned_by(local_changes=(off,), provisioning={"retry_interval_s": 60}), broker=broker).run(120)

    assert run.flags == (False, None)
    assert len(connects(run)) <= 1
    closed = [at_us for at_us, _, what in broker.server.told if what == "closed"]
    assert not closed or (closed[0] - broker.server.told[0][0]) / 1e6 <= at_s + 2


def given_late(broker: Broker, asked: Asked) -> KuraPayload | None:
    return given(asked)


def test_random_start_is_in_whole_seconds() -> None:
    starts = []
    for seed in range(40):
        run = Run(provisioned_by(provisioning={"retry_interval_s": 60}), seed=seed).run(15)
        starts.append(connects(run)[0])

    assert {start_s % 1 for start_s in starts} == {0.0}
    assert min(starts) == 1.0
    assert 8.0 <= max(starts) <= 11.0


def test_a_restart_counts_attempts_anew() -> None:
    """Spec 1.4: after it has given up."""
    broker = Broker()
    broker.codes[USER] = 5
    again = LocalChange(100.0, PROVISIONING_PID, {"enabled": True})
    settings = provisioned_by(local_changes=(again,), provisioning={"retry_max_attempts": 2})
    run = Run(settings, broker=broker).run(300)

    assert len([at_s for at_s in connects(run) if at_s < 100]) == 2
    assert len([at_s for at_s in connects(run) if at_s >= 100]) == 2


def test_configurations_in_the_reply_are_applied() -> None:
    body = (
        b'<esf:configurations xmlns:esf="e"><esf:configuration pid="org.eclipse.kura.cloud.CloudService">'
        b'<esf:properties><esf:property name="device.display-name" array="false" type="String"><esf:value>custom'
        b'</esf:value></esf:property><esf:property name="device.custom-name" array="false" type="String"><esf:value>'
        b"Gate 9</esf:value></esf:property></esf:properties></esf:configuration></esf:configurations>"
    )
    run = run_with(lambda broker, asked: given(asked, body=body))
    birth = run.broker.said(f"$EDC/acct/{CLIENT_ID}/MQTT/BIRTH")[0]

    assert birth.text("display_name") == "Gate 9"
    assert run_with(lambda broker, asked: given(asked, body=b"<x"), 4.0).flags == (None, None)


def test_a_wrong_clock_fails_closed_until_it_is_set() -> None:
    """G-52."""
    years = -20 * 365 * 86_400.0
    run = Run(provisioned_by(clock_error_s=years, clock_right_after_s=30.0)).run(120)

    assert run.flags == (False, True)
    assert connects(run)[-2] >= 30.0
    assert Run(provisioned_by(clock_error_s=years)).run(60).flags == (None, None)


# A target that fails


def test_a_target_that_fails_ten_times_is_left_again() -> None:
    """G-31."""
    old = configured().transport
    broker = Broker()
    broker.codes["dev-user"] = 5
    settings = provisioned_by(transport=old, data=configured().data)
    run = Run(settings, broker=broker).run(1_200)
    users = [one.user_name for one in broker.of(MqttConnect)]

    assert users.count("dev-user") == 10
    assert users[-1] == "dev"
    assert run.memory["fault"] == "rolled_back"
    assert run.stage == "online"
    assert broker.of(MqttConnect)[-1].client_id == "gw-1"


def test_one_that_had_no_target_before_begins_anew() -> None:
    broker = Broker()
    broker.codes["dev-user"] = 5
    run = Run(provisioned_by(), broker=broker).run(1_500)

    assert len([one for one in broker.asked if one.resource == "request"]) >= 2
    assert run.flags[1] is not None


def test_it_stays_alive_while_it_waits_for_long() -> None:
    run = run_with(silence, 59.0, provisioning={"timeout_s": 60, "retry_interval_s": 5})

    assert [round(at_s) for at_s in run.broker.times(MqttPingreq)] == [30]
    assert len(connects(run)) == 1


def test_a_broker_that_nobody_vouches_for_is_told_nothing() -> None:
    """G-24: TLS fails, which is an attempt as any other."""
    broker = Broker()
    broker.server.shown_certificate = lambda session, now_us: ShownCertificate.STRANGER  # type: ignore[method-assign]
    settings = provisioned_by(provisioning={"retry_max_attempts": 2})
    service = replace(settings.provisioning, broker_url="mqtts://provision.test:8883")
    run = Run(replace(settings, provisioning=service), broker=broker).run(60)

    assert [event.reason for event in run.events if event.kind == "no_reply"] == ["tls", "tls"]
    assert not broker.packets
    assert run.memory["fault"] == "gave_up"
