"""A store that fails or is slow: nothing is acknowledged that is not kept, and devices hear so (S-36)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.kura.device_management.outstanding_calls import CallResult
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCall
from fleetrig.reference_server.platforms.kura.state.device_records import ConnectionStatus
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Output
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPingreq
from fleetrig.simulator.contract.session import Session
from tests.conversation.talk import lines
from tests.reference_server.platforms.kura.broker_rig import (
    ACCOUNT,
    BOOTSTRAP,
    GATEWAY,
    PASSWORD,
    BrokerRig,
    lwt,
    start_metrics,
    told,
)
from tests.reference_server.stores.failing import FailingStore


def well() -> FailingStore:
    store = FailingStore()
    store.fails = False
    return store


@dataclass
class Failing(BrokerRig):
    """A device in provisioning by session 1, one of an account by session 2."""

    store: MemoryStore = field(default_factory=well)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request()
        self.user()
        self.bootstrap()
        self.join(2, "gw-2")

    def fails(self, *, now: bool = True) -> None:
        assert isinstance(self.store, FailingStore)
        self.store.fails = now


def test_a_request_is_answered_with_busy_and_can_be_said_again() -> None:
    rig = Failing()
    rig.fails()
    (reply,) = rig.ask()
    assert (reply.code, reply.text("prov.error"), "prov.retry-after" in reply.payload.metrics) == (500, "BUSY", True)
    rig.fails(now=False)
    assert rig.job().status is JobStatus.CREATED
    assert rig.ask()[0].code == 200


def test_a_birth_is_not_acknowledged_so_that_it_comes_again() -> None:
    rig = Failing()
    rig.fails()
    assert lines(rig.birth(2, "gw-2")) == ["2 closed"]
    rig.fails(now=False)
    assert not rig.has_device("gw-2")


def test_who_connects_is_told_to_come_later_and_pings_are_answered() -> None:
    rig = Failing()
    rig.sessions[3] = Session(id=3, listener="mqtt")
    rig.server.opened(rig.sessions[3], rig.now_us)
    rig.fails()
    hello = MqttConnect(GATEWAY, BOOTSTRAP, PASSWORD.encode())
    assert lines(rig.receive(3, hello))[-2:] == ["3 CONNACK 3", "3 closed"]
    assert lines(rig.receive(2, MqttPingreq())) == ["2 PINGRESP"]


def test_a_store_that_is_slower_than_a_gateway_waits_is_given_up() -> None:
    rig = BrokerRig()
    rig.request()
    rig.bootstrap()
    rig.fault(FaultKind.SLOW_STORE, parameters={"delay_s": 60})
    topic = f"$EDC/ec-provisioning/{GATEWAY}/PROV-SIM1/POST/request"
    said = rig.publish(1, topic, KuraPayload(metrics=start_metrics(GATEWAY)))
    assert [line.rpartition(" ")[2] for line in lines(said)] == ["+10000ms", "+10000ms"]
    assert [one.text("prov.error") for one in told(said)] == ["BUSY"]


def silent_for(rig: Failing, seconds: int) -> list[Output]:
    """What is due happens once, late."""
    rig.now_us += seconds * US_PER_S
    return list(rig.server.advance(rig.now_us))


def test_who_is_silent_for_too_long_is_closed_and_told_as_missing_though_the_store_fails_meanwhile() -> None:
    rig = Failing()
    rig.join(3, "gw-3", keep_alive_s=30, will=lwt("gw-3"))
    rig.birth(3, "gw-3")
    rig.join(4, "watch", "kapua-sys", "kapua-password", keep_alive_s=0)
    rig.hears(4, f"$EDC/{ACCOUNT}/gw-3/MQTT/LWT")
    rig.fails()

    said = silent_for(rig, 45)

    assert "3 closed" in lines(said)
    assert [one.topic for one in told(said) if one.session == 4] == [f"$EDC/{ACCOUNT}/gw-3/MQTT/LWT"]
    assert rig.connection("gw-3").status is ConnectionStatus.CONNECTED, "nothing can be kept"

    rig.fails(now=False)
    rig.later(0)

    assert rig.connection("gw-3").status is ConnectionStatus.MISSING
    assert rig.resources("gw-3") == ["BIRTH", "MISSING"]


def test_who_came_back_meanwhile_is_not_told_as_gone() -> None:
    rig = Failing()
    rig.join(3, "gw-3", keep_alive_s=30)
    rig.fails()
    assert "3 closed" in lines(silent_for(rig, 45))
    rig.fails(now=False)
    rig.join(5, "gw-3", keep_alive_s=0)

    rig.later(0)

    assert rig.connection("gw-3").status is ConnectionStatus.CONNECTED


def test_whoever_has_asked_a_device_is_told_again_what_could_not_be_kept() -> None:
    rig = Failing()
    told_at: list[int] = []

    def settle(result: CallResult) -> Reaction:
        told_at.append(result.now_us)
        return NOTHING

    call = DeviceCall(rig.account().id, "gw-2", "CONF-V1", "GET", "configurations", {}, timeout_ms=1_000)
    rig.platform._broker.calls.ask(call, settle, rig.now_us)
    rig.hears(2, "$EDC/#")
    rig.fails()
    with suppress(StoreFailed):
        silent_for(rig, 5)
    rig.fails(now=False)

    rig.later(5)

    assert len(told_at) == 2, "once in vain, and once for good"
