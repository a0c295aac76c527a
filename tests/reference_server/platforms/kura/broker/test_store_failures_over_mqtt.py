"""A store that fails or is slow: nothing is acknowledged that is not kept, and devices hear so (S-36)."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPingreq
from fleetrig.simulator.contract.session import Session
from tests.conversation.talk import lines
from tests.reference_server.platforms.kura.broker_rig import (
    BOOTSTRAP,
    GATEWAY,
    PASSWORD,
    BrokerRig,
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
