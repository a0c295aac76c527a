"""One unit on one board: held, claimed, written down, then up the ladder; its record is whole before anyone is told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from fleetrig.harness.bench.opened_board import OpenedBoard, opened_board
from fleetrig.harness.bench.unit_climbs import UnitClimbs, UnitOrder
from fleetrig.harness.bench.unit_provisioning import UnitProvisioning
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.flasher import OnProgress
from fleetrig.hil.units.bring_up import BringUp, Rung, verdict_of
from fleetrig.hil.units.unit_record import UnitMeasure, UnitPhase, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.errors import FleetrigError


@dataclass(slots=True)
class UnitMaking:
    """The bench's part in it, the same for all boards of a command."""

    records: UnitRecords
    reservations: Reservations
    clock: Clock
    folder_of: Callable[[str], Path]
    """A board's own folder, by its name."""
    lock_folder: Path | None = None
    """Where those who share the desk lock ports."""
    opening: Callable[[UnitOrder], AbstractAsyncContextManager[OpenedBoard]] | None = None
    """For whoever has the boards open already; otherwise each is opened for its attempt."""
    provisioning: UnitProvisioning | None = None
    """For orders that go so far."""
    on_phase: Callable[[UnitOrder, UnitPhase], None] = lambda order, phase: None
    on_progress: Callable[[UnitOrder], OnProgress] = field(default=lambda order: lambda progress: None)

    async def make(self, order: UnitOrder) -> UnitRecord:
        """The record as it was written, whatever became of the unit.

        Raises before anything is written down: UnitRefused, PortBusy, OutOfService. CancelledError after it was.
        """
        with self.reservations.held(order.spec.name, f"board bring-up {order.identity.serial}"):
            await self._check_is_new(order)
            with self.records.attempt(order.identity, again=order.again) as attempt:
                return await self._attempt(order, self._begun(order, attempt))

    async def _check_is_new(self, order: UnitOrder) -> None:
        """A unit that an earlier attempt of ours has made known may be tried again."""
        if (provisioning := self.provisioning) is not None and order.goal is Rung.PROVISIONED:
            earlier = self.records.of(order.identity.serial)
            was_tried = order.again or any(record.server == provisioning.server for record in earlier)
            await provisioning.check_is_new(order.identity, was_tried=was_tried)

    def _begun(self, order: UnitOrder, attempt: int) -> UnitRecord:
        image = order.image
        record = UnitRecord(
            attempt,
            order.identity,
            order.station,
            order.spec.name,
            order.spec.type,
            self.clock.now_us(),
            image=image.path.name if image else "",
            image_sha256=image.sha256 if image else "",
        )
        self.records.write(record)
        return record

    async def _attempt(self, order: UnitOrder, record: UnitRecord) -> UnitRecord:
        def note(change: Callable[[UnitRecord], UnitRecord]) -> None:
            nonlocal record
            record = change(record)
            self.records.write(record)

        def phase_ended(phase: UnitPhase) -> None:
            took = UnitMeasure(phase.name, round(phase.took_s, 3), "s")
            note(lambda record: record.with_phase(phase).with_measure(took))
            self.on_phase(order, phase)

        climbs = UnitClimbs(
            order, lambda: self._opening(order), self.clock, note, self.on_progress(order), self.provisioning
        )
        ended: tuple[UnitVerdict, str] | None = None
        try:
            async with climbs.stack:
                await BringUp(climbs.by_rung(), self.clock, phase_ended).reach(order.goal)
            ended = UnitVerdict.PASSED, ""
        except (BoardFailed, FleetrigError) as error:
            ended = verdict_of(error), str(error)
        finally:
            verdict, reason = ended or (UnitVerdict.STOPPED, f"stopped; the board is {climbs.left_in}: begin anew")
            note(lambda record: record.ended(self.clock.now_us(), verdict, reason))
        return record

    def _opening(self, order: UnitOrder) -> AbstractAsyncContextManager[OpenedBoard]:
        if self.opening is not None:
            return self.opening(order)
        name = order.spec.name
        known = None if self.provisioning is None else self.provisioning.site.secrets
        return opened_board(order.spec, self.folder_of(name), self.clock, self.lock_folder, secrets=known)
