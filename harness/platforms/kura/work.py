"""Kura's part in one run: where each of its duties is done."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.platform import Record
from fleetrig.harness.platforms.kura import cleanup, setup
from fleetrig.harness.platforms.kura.actions import PERFORM
from fleetrig.harness.platforms.kura.device_settings import behaviour_of
from fleetrig.harness.platforms.kura.kura_run import KuraRun
from fleetrig.harness.platforms.kura.record import read_record
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.effects import Behaviour


class KuraWork:
    """A `Work`."""

    def __init__(self, context: RunContext) -> None:
        self.run = KuraRun(context)

    def setup(self) -> Director[None]:
        yield from setup.setup(self.run)

    def device(self, device: DeviceIdentity, unit: Unit) -> tuple[Credential | None, Behaviour]:
        del unit
        return self.run.credential_of(device.serial), behaviour_of(self.run, device.serial)

    def perform(self, words: ActionWord) -> Director[None]:
        yield from PERFORM[type(words)](self.run, words)

    def record(self, serial: str, wanted: frozenset[str]) -> AdminCall[Record | None]:
        return (yield from read_record(self.run, serial, wanted))

    def cleanup(self) -> Iterator[tuple[str, AdminCall[None]]]:
        yield from cleanup.steps(self.run)
