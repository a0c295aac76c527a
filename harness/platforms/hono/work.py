"""Hono's part in one run: where each of its duties is done."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.platform import Record
from fleetrig.harness.platforms.hono import cleanup, setup
from fleetrig.harness.platforms.hono.actions import PERFORM
from fleetrig.harness.platforms.hono.hono_run import HonoRun
from fleetrig.harness.platforms.hono.record import read_record
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.flows.hono.flow import HonoDevice


class HonoWork:
    """A `Work`."""

    def __init__(self, context: RunContext) -> None:
        self.run = HonoRun(context)
        self.run.admin.tenant = self.run.tenant

    def setup(self) -> Director[None]:
        yield from setup.setup(self.run)

    def device(self, device: DeviceIdentity, unit: Unit) -> tuple[Credential | None, HonoDevice]:
        del unit
        return self.run.device_of(device)

    def perform(self, words: ActionWord) -> Director[None]:
        yield from PERFORM[type(words)](self.run, words)

    def record(self, serial: str, wanted: frozenset[str]) -> AdminCall[Record | None]:
        return (yield from read_record(self.run, serial, wanted))

    def cleanup(self) -> Iterator[tuple[str, AdminCall[None]]]:
        yield from cleanup.steps(self.run)
