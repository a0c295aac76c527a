"""A ThingsBoard device does the same in virtual time and over sockets, under faults and power cuts too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.records import ProvisionType
from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.mqtt import MqttVersion
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.flows.thingsboard.credentials import (
    AccessToken,
    Credentials,
    MqttBasic,
    OwnCertificate,
    ProvisionKey,
)
from tests.conversation.thingsboard_both_times import (
    CHAIN,
    KEY,
    SERIAL,
    TbScript,
    in_virtual_time,
    own_certificate,
    same_in_both,
)

pytestmark = pytest.mark.slow

BASIC = MqttBasic("c-1", "u-1", "p-1")
TRANSPORTS = ("mqtt", "http", "coap")


def variants() -> Iterator[Any]:
    """Each kind of credentials over each transport that can ask for it, used where it can be used."""
    for by in ("mqtt", "mqtts", "http", "https", "coap", "coaps"):
        yield pytest.param(TbScript(by), "ACCESS_TOKEN", id=f"a token of the server over {by}")
    for by in TRANSPORTS:
        yield pytest.param(TbScript(by, own=AccessToken("mine-0001")), "ACCESS_TOKEN", id=f"a token of its own, {by}")
        yield pytest.param(TbScript(by, "mqtt", own=BASIC), "MQTT_BASIC", id=f"MQTT_BASIC over {by}")
        yield pytest.param(
            TbScript(by, "mqtts", own=own_certificate(), shows=CHAIN), "X509_CERTIFICATE", id=f"X.509 over {by}"
        )
        listed = TbScript(by, strategy=ProvisionType.CHECK_PRE_PROVISIONED, listed=(SERIAL,))
        yield pytest.param(listed, "ACCESS_TOKEN", id=f"on the list, over {by}")
    yield pytest.param(TbScript("coaps", own=own_certificate(), shows=CHAIN), "X509_CERTIFICATE", id="X.509 over coaps")


@pytest.mark.parametrize(("script", "kind"), list(variants()))
def test_provisions_itself_and_is_accepted(script: TbScript, kind: str) -> None:
    told = same_in_both(script)
    remembered = told.memory["credentials"]
    assert isinstance(remembered, list)
    assert remembered[0] == kind
    assert told.stages == ["enrolling", "enrolled", "online"]
    assert told.steps.count("received telemetry") == 2
    assert set(told.verdicts.values()) == {"met"}
    assert told.exists


@pytest.mark.parametrize("version", list(MqttVersion))
@pytest.mark.parametrize("generation", [one for one in Profile if one is not Profile.AS_DOCUMENTED])
def test_each_generation_in_each_version_of_mqtt(generation: Profile, version: MqttVersion) -> None:
    """D03: the older ones acknowledge no subscription."""
    told = same_in_both(TbScript(generation=generation, settings={"mqtt_version": version}))
    assert told.stages == ["enrolling", "enrolled", "online"]
    assert set(told.verdicts.values()) == {"met"}


@pytest.mark.parametrize("by", ["mqtt", "coap"])
@pytest.mark.parametrize("own", [None, AccessToken("mine-0001"), BASIC, own_certificate()])
def test_asks_in_protobuf(by: str, own: Credentials | None) -> None:
    has_certificate = isinstance(own, OwnCertificate)
    shows, reports_by = (CHAIN, "mqtts") if has_certificate else (None, "mqtt")
    told = same_in_both(TbScript(by, reports_by, own=own, shows=shows, settings={"asks_in_protobuf": True}))
    assert told.stages == ["enrolling", "enrolled", "online"]
    assert set(told.verdicts.values()) == {"met"}


def test_every_step_over_mqtt() -> None:
    assert same_in_both(TbScript()).steps == [
        "power_on", "sent provision-connect", "received provision-connect", "connected provision-connect",
        "sent provision-subscribe", "sent provision-request", "received provision", "sent puback",
        "sent provision-leave", "disconnected", "sent login", "received login", "connected login",
        "sent telemetry", "received telemetry", "waited idle", "sent telemetry", "received telemetry",
        "sent leave", "disconnected", "ended",
    ]  # fmt: skip


def test_a_gateway_brings_its_children() -> None:
    told = same_in_both(TbScript(settings={"children": ("k-1", "k-2")}))
    assert told.steps.count("received gateway-connect") == 2
    assert told.steps.count("received gateway-telemetry") == 2
    assert told.stages[-1] == "online"


def test_a_chain_is_all_it_takes() -> None:
    told = same_in_both(TbScript("mqtts", key=None, shows=CHAIN))
    assert told.stages == ["enrolling", "enrolled", "online"]
    assert told.memory == {"stage": "enrolled", "credentials": ["X509_CERTIFICATE", None]}
    assert told.exists


@pytest.mark.parametrize("by", TRANSPORTS)
def test_a_wrong_secret_is_final(by: str) -> None:
    told = same_in_both(TbScript(by, key=ProvisionKey(KEY.key, "another")))
    assert told.memory == {"fault": "not_found"}
    assert told.stages == ["enrolling", "refused"]
    assert not told.exists


@pytest.mark.parametrize("by", TRANSPORTS)
def test_who_is_not_on_the_list_hears_failure_three_times(by: str) -> None:
    told = same_in_both(TbScript(by, strategy=ProvisionType.CHECK_PRE_PROVISIONED, listed=("another",)))
    assert told.memory == {"fault": "failure"}
    assert told.steps.count("received provision") == 3


LOST = {
    "mqtt": Fault(FaultKind.HALF_PACKET, "PUBLISH /provision/response", times=1),
    "http": Fault(FaultKind.LOST_REPLY, "POST /api/v1/provision", times=1, shows_as=Ending.RESET),
    "coap": Fault(FaultKind.LOST_DATAGRAM, "2.01", times=1, parameters={"copies": 20}),
}


@pytest.mark.parametrize("by", TRANSPORTS)
def test_a_lost_answer_is_a_dead_end_and_told_as_one(by: str) -> None:
    """The device exists, its credentials are nowhere, and nobody is asked again and again."""
    told = same_in_both(TbScript(by, faults=(LOST[by],), settings={"timeout_s": 1.5 if by == "coap" else 20.0}))
    assert told.memory == {"asked": True, "fault": "lost_answer"}
    assert told.stages == ["enrolling", "backing_off", "enrolling", "refused"]
    assert told.steps.count("received provision") == 1
    assert told.exists


@pytest.mark.parametrize("by", TRANSPORTS)
def test_older_servers_tell_who_is_on_the_list_twice(by: str) -> None:
    """Up to 4.2 a lost answer is no dead end there (S40)."""
    script = TbScript(
        by,
        strategy=ProvisionType.CHECK_PRE_PROVISIONED,
        generation=Profile.PREVIOUS,
        listed=(SERIAL,),
        faults=(LOST[by],),
        settings={"timeout_s": 1.5 if by == "coap" else 20.0},
    )
    told = same_in_both(script)
    assert told.stages == ["enrolling", "backing_off", "enrolling", "enrolled", "online"]
    assert told.memory.keys() == {"stage", "credentials"}


FAULTS = [
    pytest.param("http", Fault(FaultKind.OUTAGE, times=2, shows_as=Ending.RESET), id="HTTP reset"),
    pytest.param("http", Fault(FaultKind.OVERLOAD, times=2), id="HTTP 503"),
    pytest.param("mqtt", Fault(FaultKind.CONNECT_REFUSED, times=2), id="CONNECT refused"),
    pytest.param("mqtt", Fault(FaultKind.DROP_AFTER_CONNACK, times=1, shows_as=Ending.SILENCE), id="silent"),
    pytest.param("mqtt", Fault(FaultKind.WITHHELD_ACK, "SUBACK*", times=1), id="no SUBACK, D03"),
    pytest.param("mqtt", Fault(FaultKind.DUPLICATE_DELIVERY, "PUBLISH /provision/response"), id="twice, D18"),
    pytest.param("mqtt", Fault(FaultKind.WITHHELD_ACK, "PUBACK", times=2), id="no PUBACK"),
    pytest.param("coap", Fault(FaultKind.COAP_RESET, times=2), id="CoAP reset"),
    pytest.param("coap", Fault(FaultKind.LATENCY, "2.01", times=1, parameters={"delay_s": 0.7}), id="CoAP late, D27"),
    pytest.param("coap", Fault(FaultKind.LOST_DATAGRAM, "2.01", times=1), id="CoAP lost once"),
    pytest.param("coap", Fault(FaultKind.DUPLICATE_DATAGRAM, "2.01"), id="CoAP twice, D27"),
]


@pytest.mark.parametrize(("by", "fault"), FAULTS)
def test_what_passes_is_survived(by: str, fault: Fault) -> None:
    told = same_in_both(TbScript(by, faults=(fault,), settings={"timeout_s": 4.0 if by == "coap" else 1.5}))
    assert told.stages[-1] == "online"
    assert told.steps.count("received provision") >= 1
    assert told.memory.keys() == {"stage", "credentials"}


def points(by: str) -> list[str]:
    trigger = PowerCutTrigger()
    in_virtual_time(TbScript(by, cut=lambda: trigger))
    return list(trigger.passed)


@pytest.mark.parametrize(("by", "point"), [(by, point) for by in TRANSPORTS for point in points(by)])
def test_power_goes_at(by: str, point: str) -> None:
    """What was stored is used, what was not is asked for again; where the answer is gone, the dead end is told."""
    triggers: list[PowerCutTrigger] = []

    def cut() -> PowerCutTrigger:
        triggers.append(PowerCutTrigger(CutPoint.parse(point), off_s=0.02))
        return triggers[-1]

    told = same_in_both(TbScript(by, cut=cut))
    assert [trigger.fired for trigger in triggers] == [True, True]
    is_lost = told.memory.get("fault") == "lost_answer"
    assert told.exists
    assert is_lost is (point in LOSES[by]), told.steps
    assert told.stages[-1] == ("refused" if is_lost else "online")
    if not is_lost:
        assert told.memory.keys() == {"stage", "credentials"}
    assert told.steps.count("received provision") <= 2


STORES = "remember-asked-credentials-fault-stage#1:before"
LOSES = {
    "mqtt": {"provision-request#1:sent", "provision#1:before", "provision#1:answered", STORES},
    "http": {"provision#1:sent", "provision#1:answered", STORES},
    "coap": {"provision#1:sent", "provision#1:answered", STORES},
}
"""Where power may go after the server has heard of the device and before the device has its credentials."""
