"""A difference in a terminal: first what it comes to, then verdicts, exchanges and times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.differences.many_runs import Compared, OnlyIn
from fleetrig.harness.differences.row_differences import RepeatedRow, RowChange, RowChangeKind
from fleetrig.harness.differences.run_difference import RunDifference, SharedChange, VerdictChange
from fleetrig.harness.differences.timing_differences import TimingChange
from fleetrig.simulator.contract.clock import US_PER_MS, to_s

SHOWN: Final = 40
"""So many of a kind are listed."""
MARKS: Final = {
    RowChangeKind.REMOVED: "-",
    RowChangeKind.ADDED: "+",
    RowChangeKind.ANSWER: "~",
    RowChangeKind.ORDER: "⇅",
    RowChangeKind.TIMES: "×",
}
WORDS: Final = {
    RowChangeKind.REMOVED: "only in A",
    RowChangeKind.ADDED: "only in B",
    RowChangeKind.ANSWER: "answered otherwise",
    RowChangeKind.ORDER: "in another order",
    RowChangeKind.TIMES: "repeated more or less often",
}


def difference_lines(found: Compared) -> Iterator[str]:
    """What one pair of runs comes to; one line if they are alike."""
    if isinstance(found, OnlyIn):
        yield f"{found.name}: only in {found.side}"
        return
    yield f"{names_text(found)}: {sentence_of(found)}"
    if found.is_alike:
        return
    yield from _part("verdicts", list(map(verdict_text, found.verdicts)))
    yield from _part("devices", list(devices_lines(found)))
    for change in RowChangeKind:
        same = [row for row in found.rows if row.change.change is change]
        yield from _part(WORDS[change], [f"{MARKS[change]} {row_text(row)}" for row in same])
    yield from _part("times (medians)", list(map(timing_text, found.timings)))


def names_text(found: RunDifference) -> str:
    """`hawkbit/demo`; `hawkbit/demo in A, mine/demo in B` of two different runs; `both` without names."""
    first, second = found.first.name, found.second.name
    if first and second and first != second:
        return f"{first} in A, {second} in B"
    return first or second or "both"


def closing_sentence(found: Sequence[Compared]) -> str:
    """`3 runs, 1 differs` and how."""
    pairs = [one for one in found if isinstance(one, RunDifference)]
    other = [one for one in pairs if not one.is_alike]
    alone = len(found) - len(pairs)
    if not other and not alone:
        return "no difference" if len(found) == 1 else f"{len(found):,} runs, no difference"
    if len(found) == 1:
        return sentence_of(pairs[0]) if pairs else "nothing stands on both sides"
    return f"{len(found):,} runs: {len(pairs) - len(other):,} alike, {len(other):,} differ, {alone:,} on one side only"


def sentence_of(found: RunDifference) -> str:
    """`2 verdicts differ, 1 exchange is answered otherwise, 3 times differ`."""
    if found.is_alike:
        return "alike"
    parts = [_counted(len(found.verdicts), "verdict differs", "verdicts differ")]
    for change in RowChangeKind:
        count = sum(1 for row in found.rows if row.change.change is change)
        parts.append(_counted(count, f"exchange {WORDS[change]}", f"exchanges {WORDS[change]}"))
    parts.append(_counted(len(found.lacking), "device only in A", "devices only in A"))
    parts.append(_counted(len(found.new), "device only in B", "devices only in B"))
    parts.append(_counted(len(found.timings), "time differs", "times differ"))
    return ", ".join(filter(None, parts))


def verdict_text(change: VerdictChange) -> str:
    """`~ first contact: reaches {stage: online}  holds → does not hold  (expected …)`."""
    match change.first, change.second:
        case None, second if second is not None:
            return f"+ {change.text}  {second.verdict}" + _said(second.said)
        case first, None if first is not None:
            return f"- {change.text}  {first.verdict}" + _said(first.said)
        case first, second if first is not None and second is not None:
            return f"~ {change.text}  {first.verdict} → {second.verdict}" + _said(second.said or first.said)
        case _:
            return ""


def row_text(found: SharedChange) -> str:
    """What differs, for how many devices, and where to look in both traces."""
    first, *others = found.devices
    whose = (first or "nobody's") + (f" and {len(others):,} more" if others else "")
    return f"{change_text(found.change)}  ({whose}; {places_text(found.change)})"


def change_text(change: RowChange) -> str:
    match change:
        case RowChange(RowChangeKind.ANSWER, RepeatedRow(row=ours), RepeatedRow(row=theirs)):
            return f"{ours.text} in A, {theirs.answer or 'no answer'} in B"
        case RowChange(RowChangeKind.TIMES, RepeatedRow(ours, times), RepeatedRow(times=others)):
            return f"{ours.text}, {times} in a row in A, {others} in B"
        case _:
            one = change.first or change.second
            return "" if one is None else one.row.text + (f" ×{one.times}" if one.times > 1 else "")


def places_text(change: RowChange) -> str:
    """`A line 12, B line 15`: lines of the trace."""
    ends = (("A", change.first), ("B", change.second))
    return ", ".join(f"{side} line {one.row.number}" for side, one in ends if one is not None)


def devices_lines(found: RunDifference) -> Iterator[str]:
    if found.paired_by_order:
        yield "no device has the same name in both: they are paired in the order in which they come"
    for mark, names in (("- only in A:", found.lacking), ("+ only in B:", found.new)):
        if names:
            more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
            yield f"{mark} {', '.join(name or 'nobody' for name in names[:5])}{more}"


def timing_text(change: TimingChange) -> str:
    return f"{change.subject}  {change.what} {shown_us(change.first_us)} → {shown_us(change.second_us)}"


def shown_us(time_us: int) -> str:
    """`12 ms`, `1.25 s`."""
    return f"{time_us / US_PER_MS:.3g} ms" if time_us < 1_000_000 else f"{to_s(time_us):,.4g} s"


def _part(title: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        return
    yield f"  {title}"
    yield from (f"    {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"    … and {len(lines) - SHOWN:,} more"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}" if count else ""


def _said(said: str) -> str:
    return f"  ({said})" if said else ""
