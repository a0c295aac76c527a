"""hawkBit's part in one run: where each of its duties is done."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.platform import Record
from fleetrig.harness.platforms.hawkbit import cleanup, setup
from fleetrig.harness.platforms.hawkbit.actions import PERFORM
from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun
from fleetrig.harness.platforms.hawkbit.record import read_record
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice


class HawkbitWork:
    """A `Work`."""

    def __init__(self, context: RunContext) -> None:
        self.run = HawkbitRun(context)

    def setup(self) -> Director[None]:
        yield from setup.setup(self.run)

    def device(self, device: DeviceIdentity, unit: Unit) -> tuple[Credential | None, HawkbitDevice]:
        """The token of the production list, or a fresh one; the settings of the `devices` block."""
        run = self.run
        run.learn_unit(device.serial, unit)
        credential = run.credential_of(device.serial)
        return credential, HawkbitDevice(run.settings_of(unit), credential)

    def perform(self, words: ActionWord) -> Director[None]:
        yield from PERFORM[type(words)](self.run, words)

    def record(self, serial: str, wanted: frozenset[str]) -> AdminCall[Record | None]:
        return (yield from read_record(self.run.admin, serial, wanted, self.run.context.prefix))

    def cleanup(self) -> Iterator[tuple[str, AdminCall[None]]]:
        run = self.run
        yield from cleanup.steps(run.admin, run.context.prefix, run.configured, with_types=bool(run.made_types))
