"""The policy of the devices of a stored trace, to run a fleet with it: `--policy-from TRACE.jsonl`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fleetrig.harness.fleets.retry_classes import (
    RetryClass,
    RetryLaw,
    TooFewSamples,
    classified,
    law_without_chance,
    nice_s,
)
from fleetrig.harness.fleets.retry_likelihood import Sample, noise_s
from fleetrig.harness.fleets.retry_rows import RetryRow, TryLine, retries_in
from fleetrig.harness.scenario_file.backoff_text import policy_text, span_text
from fleetrig.simulator.backoff import Backoff
from fleetrig.simulator.contract.bounds import SPAN_S
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.units import duration_text

WANTED: Final = 12
ROWS_WITH_A_FIRST: Final = 3
"""So many rows of failures show that the first delay has a range of its own."""
OTHERS: Final = 0.2
"""So many of the devices that differ from the rest are more than chance."""
LONGEST_S: Final = SPAN_S.most / 10
"""A longer pause tells of a clock that was set; with it no number would be one that a scenario file takes."""
HOW: Final = (
    f"record a device while its server turns it away for at least {WANTED} tries: the faults overload and "
    "connect_refused do; an outage does for devices of ours alone, since a server sees nothing of it"
)


@dataclass(frozen=True, slots=True)
class PolicyFound:
    """`name`: what the tries are called in the trace."""

    law: RetryLaw
    name: str
    devices: int
    intervals_s: tuple[float, ...]
    was_asked: bool
    """An answer has named a time (Retry-After)."""

    @property
    def backoff(self) -> Backoff:
        return self.law.backoff

    def say(self) -> str:
        """One sentence."""
        who = "1 device" if self.devices == 1 else f"{self.devices} devices"
        name = self.name if self.name.isprintable() else ascii(self.name)
        unasked = "" if self.was_asked else "; no answer named a Retry-After, so it is taken not to obey one"
        return f"{self.law.samples} pauses between failed tries ({name}) of {who}: {law_text(self.law)}{unasked}"


def law_text(law: RetryLaw) -> str:
    """`exponential from 1s up to 120s, no jitter`."""
    backoff = law.backoff
    match law.kind:
        case RetryClass.NONE:
            said = "none, it waits for its next poll"
        case RetryClass.IMMEDIATE:
            said = "it tries again at once"
        case RetryClass.CONSTANT_JITTER:
            span = span_text(backoff.floor_s, backoff.cap_s)
            said = f"constant with jitter, {span} ({law.share:.0%} of it drawn)"
        case RetryClass.CONSTANT:
            said = f"constant, {duration_text(backoff.base_s)}, no jitter"
        case RetryClass.LINEAR | RetryClass.EXPONENTIAL:
            said = f"{policy_text(backoff)}, no jitter"
        case _:
            said = f"{policy_text(backoff)}, {law.share:.0%} of each delay drawn"
    if not law.is_cap_seen:
        said += "; it never came to its cap, which is taken to be about the longest pause"
    if backoff.first_s is not None:
        said += f"; the first after {span_text(*backoff.first_s)}"
    if backoff.honours_retry_after:
        said += f"; it obeys Retry-After, up to {duration_text(backoff.retry_after_spread_s)} later"
    return said + (f" ({law.probability:.0%} sure)" if law.probability < 1 else "")


def policy_of_trace(path: Path) -> PolicyFound:
    """Raises UsageError for what is no trace, or one that shows too little."""
    lines = retries_in(path)
    failing = {key: line for key, line in lines.items() if line.rows}
    if not failing:
        raise UsageError(f"{path} shows no failed try of any device; {HOW}")
    name = most_tried(failing)
    of_name = {device: line for (device, called), line in failing.items() if called == name}
    rows = [row for line in of_name.values() for row in line.rows if row.pauses_s]
    if not rows:
        raise UsageError(f"{path}: no failed {name} was followed by another; {HOW}")
    longest_s = max(pause_s for row in rows for pause_s in row.pauses_s)
    if longest_s > LONGEST_S:
        raise UsageError(
            f"{path} shows a pause of {duration_text(longest_s)}, which no device makes: its clock was set meanwhile"
        )
    intervals_s = tuple(
        interval_s for (_, called), line in lines.items() if called == name for interval_s in line.intervals_s
    )
    try:
        law = law_of(rows, intervals_s)
    except TooFewSamples as few:
        raise UsageError(f"{path}: not enough samples: {few}; {HOW}") from None
    _check_alike(path, of_name, law)
    return PolicyFound(law, name, len(of_name), intervals_s, was_asked=bool(_asked(rows)))


def most_tried(failing: dict[tuple[str, str], TryLine]) -> str:
    """The name with the most pauses."""
    counts: Counter[str] = Counter()
    for (_, name), line in failing.items():
        counts[name] += sum(len(row.pauses_s) for row in line.rows)
    return max(sorted(counts), key=counts.__getitem__)


def law_of(rows: Sequence[RetryRow], intervals_s: Sequence[float]) -> RetryLaw:
    """Raises TooFewSamples."""
    obeys = obeys_retry_after(rows)
    samples = [sample for row in rows for sample in row.samples(is_deaf=not obeys)]
    if obeys and not samples:
        raise TooFewSamples(
            "all pauses are those that the server had named (Retry-After), and none is the device's own"
        )
    law = _law_with_first(samples) or classified(samples, intervals_s)
    backoff = replace(law.backoff, honours_retry_after=obeys)
    if obeys:
        later_s = max(pause_s - asked_s for pause_s, asked_s in _asked(rows))
        backoff = replace(backoff, retry_after_spread_s=nice_s(max(0.0, later_s)))
    return replace(law, backoff=backoff)


def obeys_retry_after(rows: Sequence[RetryRow]) -> bool:
    """It never came earlier than it was asked to, and at times would have. Who was never asked is taken to be deaf."""
    asked = _asked(rows)
    own_s = [sample.pause_s for row in rows for sample in row.samples()]
    shows = [(pause_s, asked_s) for pause_s, asked_s in asked if not own_s or asked_s > min(own_s)]
    return bool(shows) and all(pause_s >= asked_s - noise_s(asked_s) for pause_s, asked_s in asked)


def _asked(rows: Sequence[RetryRow]) -> list[tuple[float, float]]:
    """Pauses for which the server had named a time, with that time."""
    pairs = [pair for row in rows for pair in zip(row.pauses_s, row.asked_s, strict=True)]
    return [(pause_s, asked_s) for pause_s, asked_s in pairs if asked_s is not None and pause_s >= 0]


def _law_with_first(samples: Sequence[Sample]) -> RetryLaw | None:
    """A constant pause but for the first, which is drawn from a range of its own."""
    first = [sample.pause_s for sample in samples if sample.failures == 1]
    rest = [sample for sample in samples if sample.failures > 1]
    if len(first) < ROWS_WITH_A_FIRST or len(rest) < ROWS_WITH_A_FIRST or law_without_chance(samples) is not None:
        return None
    law = law_without_chance(rest)
    if law is None or law.kind is not RetryClass.CONSTANT:
        return None
    backoff = replace(law.backoff, first_s=(nice_s(min(first)), nice_s(max(first))))
    return replace(law, backoff=backoff, samples=len(samples))


def _check_alike(path: Path, of_name: dict[str, TryLine], law: RetryLaw) -> None:
    """Raises UsageError when the devices are of several makes."""
    kinds: Counter[RetryClass] = Counter()
    for line in of_name.values():
        samples = [sample for row in line.rows for sample in row.samples(is_deaf=not law.backoff.honours_retry_after)]
        if len(samples) >= WANTED:
            kinds[classified(samples, line.intervals_s).kind] += 1
    others = sum(kinds.values()) - kinds[law.kind]
    if others > OTHERS * sum(kinds.values()):
        seen = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        raise UsageError(f"{path}: its devices differ ({seen}): give a trace of one make")
