"""A store that fails: nothing counts that was not kept, and nobody waits for what has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from fleetrig.reference_server.northbound import CommandRefused
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import LateAnswer
from tests.conversation.talk import lines
from tests.reference_server.platforms.hono.adapter_rig import TENANT, AdapterRig, coap_answer, messages_in
from tests.reference_server.platforms.hono.http_requests import ask
from tests.reference_server.stores.failing import FailingStore


def well() -> FailingStore:
    store = FailingStore()
    store.fails = False
    return store


@dataclass
class Failing(AdapterRig):
    """A device over MQTT (session 1) and one over CoAP (session 2)."""

    store: MemoryStore = field(default_factory=well)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tenant()
        self.password("sensor1")
        self.key("sensor2")
        self.join(1, "sensor1")
        self.shakes(2, key_of=f"sensor2@{TENANT}")

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        assert isinstance(self.store, FailingStore)
        self.store.fails = True
        yield
        self.store.fails = False

    def takes_commands(self, device_id: str) -> bool:
        try:
            self.commands(device_id)
        except CommandRefused:
            return False
        return True

    def undelivered(self) -> list[object]:
        """The correlation ids that applications have been told of."""
        told = [one.properties for one in self.northbound() if one.topic.startswith("hono.command_response.")]
        return [properties["correlation-id"] for properties in told]


@pytest.fixture
def rig() -> Failing:
    return Failing()


def test_a_subscription_that_applications_do_not_know_of_is_none(rig: Failing) -> None:
    with rig.full_disk():
        assert rig.wants(1, "command///req/#") == ["1 SUBACK 128"]
    assert not rig.takes_commands("sensor1")
    assert rig.wants(1, "command///req/#") == ["1 SUBACK 0"]
    assert rig.takes_commands("sensor1")


def test_a_request_that_is_refused_does_not_wait(rig: Failing) -> None:
    with rig.full_disk():
        assert lines(rig.asks(2, "POST", "/telemetry?hono-ttd=5")) == ["2 5.03"]
    assert not rig.takes_commands("sensor2")
    assert rig.after(5) == []


def test_a_connection_that_has_ended_takes_no_commands(rig: Failing) -> None:
    rig.wants(1, "command///req/#")
    with rig.full_disk(), suppress(StoreFailed):
        rig.gone(1)
    assert not rig.takes_commands("sensor1")
    assert rig.join(3, "sensor1") == ["3 CONNACK 0"]


def test_connections_of_a_deleted_device_end_though_the_store_fails_then(rig: Failing) -> None:
    rig.api("DELETE", f"devices/{TENANT}/sensor1")
    with rig.full_disk():
        assert lines(rig.server.advance(rig.now_us)) == ["1 closed"]


def test_who_waits_is_answered_though_the_store_fails_then(rig: Failing) -> None:
    assert rig.asks(2, "POST", "/telemetry?hono-ttd=5") == []
    delivery = ask(rig, "POST", "/telemetry?hono-ttd=5", user="sensor1")
    with rig.full_disk():
        rig.now_us += 5 * US_PER_S
        coap, http = sorted(rig.server.advance(rig.now_us), key=lambda output: isinstance(output, LateAnswer))
    assert coap_answer(coap).code == "2.04"
    assert isinstance(http, LateAnswer)
    assert http.held_id == delivery.held_id
    due_us = rig.server.next_due_us()
    assert due_us is not None  # keep-alive
    assert due_us > rig.now_us


def test_a_command_that_could_not_be_delivered_is_delivered_later(rig: Failing) -> None:
    rig.wants(1, "command///req/#")
    rig.commands("sensor1")
    with rig.full_disk(), pytest.raises(StoreFailed):
        rig.server.advance(rig.now_us)
    (message,) = messages_in(rig.server.advance(rig.now_us))
    assert message.topic.startswith("command///req/")
    assert rig.after(2) == []
    assert rig.undelivered() == []


def test_applications_hear_of_an_undelivered_command_once_that_can_be_kept(rig: Failing) -> None:
    rig.wants(1, "command///req/#", qos=1)
    correlation_id = rig.commands("sensor1")
    assert len(rig.server.advance(rig.now_us)) == 1
    rig.now_us += 2 * US_PER_S
    with rig.full_disk(), pytest.raises(StoreFailed):
        rig.server.advance(rig.now_us)
    assert rig.undelivered() == []
    rig.after(0)
    assert rig.undelivered() == [correlation_id]
    rig.gone(1)
    rig.after(2)
    assert rig.undelivered() == [correlation_id]
