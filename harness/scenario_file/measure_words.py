"""The words that `expect` can expect of numbers: gaps, rates, rows of tries, pauses between them."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from fleetrig.harness.scenario_file.action_words import DeviceSelector
from fleetrig.harness.scenario_file.check_words import CheckWord
from fleetrig.harness.scenario_file.exchange_names import ExchangeName
from fleetrig.harness.scenario_file.values import (
    Count,
    Duration,
    Flag,
    FleetShare,
    Number,
    Window,
    whole_share_of_fleet,
)

POLL: Any = Field("poll", validate_default=True)
"""The usual exchange, where the flow has one of that name."""


class Bounded(DeviceSelector, CheckWord):
    """Checks of a number against one or both bounds."""

    @model_validator(mode="after")
    def _has_bound(self) -> Self:
        if not {"at_least", "at_most", "at_least_s", "at_most_s"} & self.model_fields_set:
            raise ValueError("expected at_least, at_most or both")
        bounds = {name: getattr(self, name) for name in self.model_fields_set if name.startswith("at_")}
        if not any(bounds.values()) and not any(name.startswith("at_most") for name in bounds):
            raise ValueError("at_least: 0 always holds: give a higher number, or at_most")
        for least, most in (("at_least", "at_most"), ("at_least_s", "at_most_s")):
            if (bounds.get(most) is not None) and (bounds.get(least) or 0) > bounds[most]:
                raise ValueError("at_most is less than at_least")
        return self


class Gap(Bounded):
    """The time between one such request of a device and its next, every time."""

    between: ExchangeName = POLL
    """What the device calls the request."""
    at_least_s: Duration | None = Field(None, alias="at_least")
    """No gap is shorter."""
    at_most_s: Duration | None = Field(None, alias="at_most")
    """No gap is longer; a device that falls silent breaks it too."""


def _some(number: int) -> int:
    if number < 1:
        raise ValueError("expected a number of at least 1 (`never: {sends: {name: …}}` is the check for none at all)")
    return number


class Rate(DeviceSelector, CheckWord):
    """The maximum number of such requests that all devices together send in any window of this length."""

    of: ExchangeName = POLL
    """What the device calls the request."""
    at_most: Annotated[
        Count, AfterValidator(_some), BeforeValidator(whole_share_of_fleet, json_schema_input_type=int | FleetShare)
    ]
    """A number of requests, or a share of the devices (`5%`): with that a scenario fits fleets of any size."""
    per_s: Window = Field(1.0, alias="per")
    """The length of each window."""
    curve: bool = False
    """The report draws their number in each such window, the runs of a matrix on one scale."""
    stop: Flag = True
    """The run ends as soon as there are too many; false: the phase goes on to its end, and its curve is whole."""

    def waits(self) -> bool:
        return False


class Attempts(Bounded):
    """The longest run of consecutive failures of one device: no usable answer, or a status of 400 or above."""

    of: ExchangeName = POLL
    """What the device calls the request."""
    at_least: Count | None = None
    """At least one device fails so often in a row, or oftener."""
    at_most: Count | None = None
    """No device fails oftener in a row."""

    def waits(self) -> bool:
        return bool(self.at_least)


class Spread(DeviceSelector, CheckWord):
    """How evenly requests are spread: no window has more than this many times the mean number of requests.

    Windows count from the first such request of the phase to its last.
    """

    of: ExchangeName = POLL
    """What the device calls the request."""
    peak_at_most: Number = Field(gt=1)
    """The fullest window over the mean."""
    per_s: Window = Field(1.0, alias="per")
    """The length of each window."""
    over_s: Duration | None = Field(None, alias="over")
    """The minimum length of the whole span, for fleets that all arrive at once."""
    first: bool = False
    """Only the first such request of each device counts, as after an outage."""


class BacksOff(DeviceSelector, CheckWord):
    """The pauses between a device's failed tries grow: the later half takes so many times as long as the earlier."""

    of: ExchangeName = POLL
    """What the device calls the request."""
    by: Number = Field(1.5, gt=1)
    """So many times."""


class Jitter(DeviceSelector, CheckWord):
    """Devices that fail together do not retry together: their pauses after the same failure differ."""

    of: ExchangeName = POLL
    """What the device calls the request."""
    at_least: Number = Field(0.1, gt=0)
    """The difference over the mean, in the median over all failures."""
