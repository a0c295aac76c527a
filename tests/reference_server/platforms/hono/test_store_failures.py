"""A store that fails: nothing counts that was not kept, and nobody waits for what has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from fleetrig.reference_server.northbound import CommandRefused
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.reference_server.stores.memory import MemoryStore
from tests.conversation.talk import lines
from tests.reference_server.platforms.hono.adapter_rig import TENANT, AdapterRig
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

    def ttds(self) -> list[tuple[str, str]]:
        return [(one.key, str(one.properties["ttd"])) for one in self.northbound() if "ttd" in one.properties]


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
