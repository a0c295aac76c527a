"""Two runs laid on each other: what has another verdict, what devices do otherwise, what takes another time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.differences.exchange_rows import DeviceRows
from fleetrig.harness.differences.row_differences import (
    RepeatedRow,
    RowChange,
    RowChangeKind,
    changes_between,
    shortened,
)
from fleetrig.harness.differences.timing_differences import TimingChange, times_of, timing_changes
from fleetrig.harness.differences.verdict_rows import VerdictRow

USUAL_WITHIN: Final = 0.2


@dataclass(frozen=True, slots=True)
class RunRows:
    """A run as rows; `name` is what both are called by, `place` where its trace or file lies."""

    name: str
    place: str
    verdicts: Sequence[VerdictRow]
    rows: DeviceRows = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """None where that run has no such row."""

    first: VerdictRow | None
    second: VerdictRow | None

    @property
    def text(self) -> str:
        row = self.first or self.second
        return "" if row is None else row.text


@dataclass(slots=True)
class SharedChange:
    """One change, and the devices that it is the same for."""

    change: RowChange
    devices: list[str]


@dataclass(frozen=True, slots=True)
class RunDifference:
    """`lacking`: devices of the first run that the second has not; `new`: the other way round."""

    first: RunRows
    second: RunRows
    verdicts: Sequence[VerdictChange]
    rows: Sequence[SharedChange]
    timings: Sequence[TimingChange]
    lacking: Sequence[str] = ()
    new: Sequence[str] = ()
    paired_by_order: bool = False
    """No device has the same name in both."""

    @property
    def is_other(self) -> bool:
        """Something else happened; that it took another time alone is no such thing."""
        changed = any(one.change.change is not RowChangeKind.TIMES for one in self.rows)
        return bool(self.verdicts or changed or self.lacking or self.new)

    @property
    def is_alike(self) -> bool:
        return not (self.is_other or self.rows or self.timings)


def difference_of(first: RunRows, second: RunRows, within: float = USUAL_WITHIN) -> RunDifference:
    """`within`: times that differ by no more than this share are the same."""
    by_order = bool(first.rows and second.rows) and first.rows.keys().isdisjoint(second.rows)
    pairs = list(zip(first.rows, second.rows, strict=False) if by_order else _same_names(first.rows, second.rows))
    ours, theirs = {one for one, _ in pairs}, {other for _, other in pairs}
    times = times_of(first.rows, first.verdicts), times_of(second.rows, second.verdicts)
    return RunDifference(
        first,
        second,
        verdict_changes(first.verdicts, second.verdicts),
        _fleet_changes(first.rows, second.rows, pairs),
        timing_changes(*times, within),
        [name for name in first.rows if name not in ours] if second.rows else (),
        [name for name in second.rows if name not in theirs] if first.rows else (),
        by_order,
    )


def verdict_changes(first: Sequence[VerdictRow], second: Sequence[VerdictRow]) -> list[VerdictChange]:
    """In the order of the first, then what only the second has."""
    others = {row.key: row for row in second}
    found = [VerdictChange(row, other) for row in first if _differs(row, other := others.pop(row.key, None))]
    return found + [VerdictChange(None, row) for row in others.values()]


def _differs(row: VerdictRow, other: VerdictRow | None) -> bool:
    return other is None or other.verdict != row.verdict


def _same_names(first: DeviceRows, second: DeviceRows) -> Iterator[tuple[str, str]]:
    return ((name, name) for name in first if name in second)


def _fleet_changes(first: DeviceRows, second: DeviceRows, pairs: Sequence[tuple[str, str]]) -> list[SharedChange]:
    """Most devices of a fleet do the same, so the same is looked at once."""
    known: dict[tuple[object, ...], list[RowChange]] = {}
    found: dict[tuple[object, ...], SharedChange] = {}
    for name, other in pairs:
        ours, theirs = shortened(first[name]), shortened(second[other])
        shape = (_shape(ours), _shape(theirs))
        changes = known.get(shape)
        if changes is None:
            changes = known[shape] = changes_between(ours, theirs)
        for key in dict.fromkeys(change.key for change in changes):
            change = next(one for one in changes if one.key == key)
            found.setdefault(key, SharedChange(change, [])).devices.append(name)
    return sorted(found.values(), key=lambda one: -len(one.devices))


def _shape(rows: Sequence[RepeatedRow]) -> tuple[object, ...]:
    return tuple((one.key, one.times) for one in rows)
