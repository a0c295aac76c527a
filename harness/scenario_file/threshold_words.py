"""The words that `expect` has for load: shares that fail or come too late, and what ends a run early.

A load run, a run in real time and one in virtual time are judged by the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from fleetrig.harness.scenario_file.action_words import DeviceSelector
from fleetrig.harness.scenario_file.check_words import STAGES_ARE_INSIDE, CheckWord
from fleetrig.harness.scenario_file.exchange_names import ExchangeName
from fleetrig.harness.scenario_file.measure_words import POLL
from fleetrig.harness.scenario_file.values import Flag, Window
from fleetrig.simulator.contract.bounds import COUNT

EXPECTED: Final = "expected a number, or a share such as 1% or 0.5%"
WHOLE_PERCENT: Final = 100
ROUNDED_TO: Final = 6
"""Digits: 0.7% of 1,000 are 7, which floating point numbers miss by a little."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many at most: a number of them, or a share of all."""

    count: int | None = None
    share: float | None = None

    def allows(self, count: int, of: int) -> bool:
        if self.count is not None:
            return count <= self.count
        return count <= round((self.share or 0.0) * of, ROUNDED_TO)

    @property
    def can_mend(self) -> bool:
        """True when more of the others can make too many allowed again."""
        return self.share is not None

    def __str__(self) -> str:
        return str(self.count) if self.share is None else f"{self.share * WHOLE_PERCENT:g}%"


def allowance(value: Any) -> Allowance:
    if isinstance(value, Allowance):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        COUNT.check(value)
        return Allowance(count=value)
    number = value[:-1].strip() if isinstance(value, str) and value.endswith("%") else ""
    if not number.replace(".", "", 1).isascii() or not number.replace(".", "", 1).isdecimal():
        raise ValueError(EXPECTED)
    if float(number) >= WHOLE_PERCENT:
        raise ValueError("a share of 100% or more always holds: expected less")
    return Allowance(share=float(number) / WHOLE_PERCENT)


AtMost = Annotated[
    Allowance,
    PlainValidator(allowance),
    PlainSerializer(lambda value: value.count if value.share is None else str(value), when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$"}]}
    ),
]


class Threshold(DeviceSelector, CheckWord):
    """A check that can end a run early."""

    stop: Flag = False
    """The run ends as soon as too many of at least 100 are bad; else it is judged when the phase is over."""

    def waits(self) -> bool:
        return False


class AnsweredWithin(Threshold):
    """How long devices wait for such an answer: half of them at most `p50`, 99 of 100 at most `p99`."""

    of: ExchangeName = POLL
    """What the device calls the request."""
    p50_s: Window | None = Field(None, alias="p50")
    """Half of the answers take at most this long."""
    p99_s: Window | None = Field(None, alias="p99")
    """99 of 100 take at most this long."""

    @model_validator(mode="after")
    def _has_bound(self) -> Self:
        if self.p50_s is None and self.p99_s is None:
            raise ValueError("expected p50, p99 or both, such as p99: 2s")
        return self


class Errors(Threshold):
    """Few exchanges fail: no usable answer, or one that refuses. Of MQTT and CoAP too."""

    of: ExchangeName = "*"
    """What the device calls the exchange; all when not given."""
    at_most: AtMost
    """A number, or a share of all exchanges."""


class Dropped(Threshold):
    """Few starts are lost: a device was still busy when a whole interval was over, so a start of its schedule fell out.

    Each interval counts from the start before, whatever time its answers took.
    """

    of: ExchangeName = POLL
    """What each start begins with."""
    at_most: AtMost
    """A number, or a share of all starts."""


class TimeToOnline(Threshold):
    """How long devices take from power-on until they are online, with all their tries: each one once.

    A device that is not online yet when the phase is over is late.
    """

    p50_s: Window | None = Field(None, alias="p50")
    """Half of the devices take at most this long."""
    p99_s: Window | None = Field(None, alias="p99")
    """99 of 100 take at most this long."""
    at_most_s: Window | None = Field(None, alias="at_most")
    """All of them."""

    @model_validator(mode="after")
    def _has_bound(self) -> Self:
        if self.p50_s is None and self.p99_s is None and self.at_most_s is None:
            raise ValueError("expected p50, p99 or at_most, such as p99: 30s")
        return self

    def waits(self) -> bool:
        return True

    def needs_device_access(self) -> str:
        return STAGES_ARE_INSIDE
