"""A server that is killed in mid-provision and started again on the same store: what becomes of its devices.

The same story as scenarios/thingsboard/broker_restart*.yaml, with a process that really goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin, id_of
from fleetrig.harness.platforms.thingsboard.record import read_record
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.identity import DeviceIdentity, UserPassword
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Pause
from fleetrig.simulator.flows.thingsboard.credentials import ProvisionKey
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from fleetrig.simulator.stages import Stage
from tests.harness.served import Served

pytestmark = pytest.mark.slow

SERIALS = ("TB-1", "TB-2", "TB-3")
KEY = ProvisionKey("kill-nine-key", "kill-nine-secret")
LIMIT_S = 60.0
PROFILE = {
    "name": "makes", "type": "DEFAULT", "transportType": "DEFAULT", "provisionType": "ALLOW_CREATE_NEW_DEVICES",
    "provisionDeviceKey": KEY.key,
    "profileData": {"configuration": {"type": "DEFAULT"}, "transportConfiguration": {"type": "DEFAULT"},
                    "provisionConfiguration": {"type": "ALLOW_CREATE_NEW_DEVICES",
                                               "provisionDeviceSecret": KEY.secret}, "alarms": None},
}  # fmt: skip


class Bench:
    """Three devices, and the server that is killed under them."""

    def __init__(self, folder: Path, servers: ExitStack) -> None:
        self._folder, self._servers = folder, servers
        self.served = self._start("127.0.0.1:0", "127.0.0.1:0")
        self.trace = Trace()
        self.sent: set[str] = set()
        self.trace.listen(self._note)
        self.admin = ThingsBoardAdmin(
            f"http://{self.served.ready['http']}", UserPassword("tenant@thingsboard.org", "tenant"), "Tenant"
        )
        settings = ThingsBoardSettings(
            f"mqtt://{self.served.ready['mqtt']}", telemetry_interval_s=1.0, backoff=Backoff(Policy.FIXED, base_s=1.0)
        )
        self.agents = [Agent(DeviceIdentity(serial), ThingsBoardDevice(settings, KEY)) for serial in SERIALS]

    def _start(self, http: str, mqtt: str) -> Served:
        options = ("--platform", "thingsboard", "--http", http, "--mqtt", mqtt, "--control", "127.0.0.1:0")
        others = ("--mqtts", "127.0.0.1:0", "--coap", "127.0.0.1:0", "--coaps", "127.0.0.1:0")
        store = ("--store", f"sqlite:///{self._folder / 'fleet.db'}")
        return self._servers.enter_context(Served(self._folder, *options, *others, *store))

    def kill_and_restart(self) -> None:
        self.served.kill()
        self.served = self._start(self.served.ready["http"], self.served.ready["mqtt"])

    def _note(self, event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE and event.kind == "sent":
            self.sent.add(f"{event.device} {event.name}")

    def late_answers(self, hits: str) -> Director[None]:
        control = ControlInterface(f"http://{self.served.ready['control']}")
        yield from control.add_fault(Fault(FaultKind.LATENCY, hits, parameters={"delay_s": 600.0}))

    def until_sent(self, name: str) -> Director[None]:
        assert (yield Until(lambda: {f"{serial} {name}" for serial in SERIALS} <= self.sent, LIMIT_S))

    def until_all(self, stage: Stage) -> Director[None]:
        assert (yield Until(lambda: all(agent.stage is stage for agent in self.agents), LIMIT_S)), [
            (agent.stage, agent.remembered) for agent in self.agents
        ]

    def until_provisioned(self) -> Director[None]:
        """As the operator sees them: committed, whatever becomes of the answer."""
        for serial in SERIALS:
            while (record := (yield from read_record(self.admin, serial, frozenset()))) is None:
                yield Pause(0.05, 0.05, "look again")
            assert record.state == "provisioned"

    def delete_all(self) -> Director[None]:
        for serial in SERIALS:
            device = yield from self.admin.device(serial)
            assert device is not None
            yield from self.admin.delete_device(id_of(device))

    async def run(self, hits: str, waits_for: str, *, is_committed: bool) -> list[object]:
        """Returns the faults that the devices remember once the server is back and they have come to rest."""
        async with RealBench(self.trace) as bench:
            await bench.run(self.admin.save_profile(PROFILE))
            await bench.run(self.late_answers(hits))
            for agent in self.agents:
                bench.power_on(agent)
            await bench.run(self.until_sent(waits_for))
            if is_committed:
                await bench.run(self.until_provisioned())
            await asyncio.to_thread(self.kill_and_restart)
            await bench.run(self.until_all(Stage.REFUSED if is_committed else Stage.ONLINE))
            faults: list[object] = [agent.remembered.get("fault") for agent in self.agents]
            if is_committed:
                await bench.run(self.delete_all())
                for agent in self.agents:
                    bench.power_cut(agent)
                    bench.power_on(agent)
                await bench.run(self.until_all(Stage.ONLINE))
            return faults


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as servers:
        yield Bench(tmp_path, servers)


def test_killed_before_it_has_decided_devices_ask_again_and_are_provisioned(killed: Bench) -> None:
    assert asyncio.run(killed.run("CONNECT *", "provision-connect", is_committed=False)) == [None] * 3


def test_killed_after_the_commit_devices_know_that_their_answer_was_lost_until_an_operator_helps(killed: Bench) -> None:
    faults = asyncio.run(killed.run("PUBLISH /provision/request", "provision-request", is_committed=True))
    assert faults == ["lost_answer"] * 3
