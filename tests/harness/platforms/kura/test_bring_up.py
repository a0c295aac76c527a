"""`board bring-up --against`: a board is told its activation key over its console, and passes once it is managed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from fleetrig.hil.units.unit_record import UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.flows.kura.components import DataService, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import KuraSettings
from fleetrig.simulator.stages import Stage
from tests.harness.bench.factory import Factory
from tests.harness.command import Done, fleetrig

pytestmark = pytest.mark.slow

WITHIN_S: Final = 25.0
ACCOUNT: Final = "platform: kura\nuser: kapua-sys\npassword: kapua-password\n"


class Firmware:
    """Provisions itself with what the board was told, and stays connected until it is let go."""

    def __init__(self) -> None:
        self.may_go = threading.Event()

    def __call__(self, has: Mapping[str, str]) -> int:
        service = ProvisioningService(
            enabled=True, ca_authentication=False, broker_url=has["BROKER"], account_name=has["ACCOUNT"],
            username=has["NAME"], password=has["PASSWORD"], activation_key=self.key(has), client_id=has["ID"],
            retry_interval_s=2, timeout_s=5,
        )  # fmt: skip
        data = DataService(retry_interval_s=5)
        settings = KuraSettings(provisioning=service, data=data, telemetry_interval_s=1.0)
        agent = Agent(DeviceIdentity(has["ID"]), KuraGateway(settings))
        asyncio.run(self._live(agent))
        return 200 if agent.stage is Stage.ONLINE else 0

    def key(self, has: Mapping[str, str]) -> str:
        return has["KEY"]

    async def _live(self, agent: Agent) -> None:
        async with RealBench(Trace()) as bench:
            await bench.run(self._switched_on(bench, agent))

    def _switched_on(self, bench: RealBench, agent: Agent) -> Director[Any]:
        bench.power_on(agent)
        yield Until(self.may_go.is_set, WITHIN_S)


class ForgetfulFirmware(Firmware):
    """Knows no activation key."""

    def key(self, has: Mapping[str, str]) -> str:
        return ""


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    with Factory(tmp_path, "kura") as one:
        yield one


def bring_up(factory: Factory, firmware: Firmware, *words: str) -> Done:
    bench = factory.write_bench()
    server = factory.folder / "SERVER.yaml"
    server.write_text(f"{ACCOUNT}http: {factory.url}\nmqtt: {factory.urls['mqtt'].removeprefix('mqtt://')}\n")
    against = ("--against", str(server), "--profile", "line-1", "--transport", "mqtt")
    try:
        return fleetrig(
            "board", "bring-up", *against, *words, "--bench", str(bench), "--desk", "desk", cwd=factory.folder
        )
    finally:
        firmware.may_go.set()


def records(factory: Factory) -> list[UnitRecord]:
    return UnitRecords(factory.folder / "units").all()


def test_a_unit_is_told_its_activation_key_and_passes_once_it_is_managed(factory: Factory) -> None:
    firmware = Firmware()
    board = factory.add("left", firmware)
    done = bring_up(factory, firmware, "left=GW-1", "--seen-within", "25")
    assert done.stdout == "left  GW-1  attempt 1  passed\n", done.stderr
    (record,) = records(factory)
    assert record.credential_kind == "activation_key"
    assert board.statuses == [200]
    assert board.identity["ACCOUNT"] == "ec-provisioning"
    key = board.identity["KEY"]
    assert len(key) == 32, "as the server draws it (spec 1.5)"
    kept = "\n".join(path.read_text() for path in factory.folder.glob("units/**/*") if path.is_file())
    assert "GW-1" in kept
    for secret in (key, board.identity["PASSWORD"]):
        assert secret not in kept + done.stdout + done.stderr


def test_a_unit_that_does_not_say_its_key_fails_with_what_the_server_knows(factory: Factory) -> None:
    firmware = ForgetfulFirmware()
    factory.add("left", firmware)
    done = bring_up(factory, firmware, "left=GW-1", "--seen-within", "2")
    assert done.returncode == 1
    assert "its provision job is CREATED, and in the account line-1 it is not connected" in done.stdout
    (record,) = records(factory)
    assert record.verdict is UnitVerdict.FAILED
