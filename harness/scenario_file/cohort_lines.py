"""Several makes in one fleet: `devices.cohorts`, each with what it does otherwise than the block says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from fleetrig.harness.scenario_file.backoff_line import BackoffLine, ShareOfRequests
from fleetrig.harness.scenario_file.values import Duration, FleetCount, Model, Number, Window, Word

ROUNDING: Final = 1e-9
OTHERWISE: Final = ("interval_s", "poll_jitter", "backoff", "timeout_s")
"""What a cohort can have of its own."""


class CohortLine(Model):
    """Devices of one make. What is not said here is as the block says it."""

    name: Word
    """By which reports call it."""
    share: ShareOfRequests | None = None
    """How much of the fleet, such as 30%."""
    count: FleetCount | None = None
    """How many devices, in place of share."""
    interval_s: Duration | None = Field(None, alias="interval")
    """How often they poll; as the block says when not given."""
    poll_jitter: Annotated[Number, Field(ge=0, le=1)] | None = None
    """How much their pauses vary; as the block says when not given."""
    backoff: BackoffLine | None = None
    """How long they wait after failures; as the block says when not given."""
    timeout_s: Window | None = Field(None, alias="timeout")
    """How long they wait for an answer; as the block says when not given."""

    @model_validator(mode="after")
    def _is_a_part(self) -> Self:
        if (self.share is None) == (self.count is None):
            raise ValueError("expected share or count: how much of the fleet it is")
        return self

    def otherwise(self) -> dict[str, Any]:
        """The fields of the block that it changes."""
        given = ((name, getattr(self, name)) for name in OTHERWISE)
        return {name: value for name, value in given if value is not None}


def only_these(*names: str) -> Callable[[Any], str]:
    """A rule of a platform (`Vocabulary.device_rules`): cohorts of its devices can differ in these keys alone."""

    def rule(devices: Any) -> str:
        for line in devices.cohorts:
            for name in sorted(line.otherwise()):
                key = CohortLine.model_fields[name].alias or name
                if key not in names:
                    these = " and ".join(names) or "nothing"
                    return f"the cohort {line.name!r} has {key} of its own: devices of this flow can differ in {these}"
        return ""

    return rule


def cohort_counts(lines: Sequence[CohortLine], count: int) -> tuple[int, ...]:
    """How many devices each has, of so many. Raises ValueError when they do not make up the fleet."""
    names = [line.name for line in lines]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two cohorts are called {twice!r}")
    counts = tuple(_counts(lines, count))
    if none := next((name for name, each in zip(names, counts, strict=True) if not each), None):
        raise ValueError(f"the cohort {none!r} has no devices: of {count} devices it is too small a share")
    return counts


def _counts(lines: Sequence[CohortLine], count: int) -> Iterator[int]:
    shares = [line.share for line in lines if line.share is not None]
    if not shares:
        given = [line.count or 0 for line in lines]
        if sum(given) != count:
            raise ValueError(f"the cohorts have {sum(given):,} devices together, and the fleet has {count:,} (count)")
        yield from given
        return
    if len(shares) < len(lines):
        raise ValueError("expected a share of each cohort, or the count of each: not some of both")
    if abs(sum(shares) - 1) > ROUNDING:
        raise ValueError(f"the shares of the cohorts are {100 * sum(shares):g}% together, expected 100%")
    ends = [0, *(round(share * count) for share in accumulate(shares))]
    yield from (end - begin for begin, end in pairwise(ends))
