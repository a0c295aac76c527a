"""The words that `expect` can expect, each a model of its arguments. An editor shows the docstring for the word.

Judging by them is the business of `checks`. Whoever adds one gives arguments with units, a default for whatever has an
obvious one, and a line in `words.Check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, RootModel, model_validator

from fleetrig.harness.scenario_file.action_words import DeviceSelector
from fleetrig.harness.scenario_file.entry import OneWord
from fleetrig.harness.scenario_file.values import (
    AT_LEAST_ONCE,
    AllOrCount,
    AttributeText,
    Count,
    Duration,
    Glob,
    HowOften,
    HttpStatus,
    Model,
    Text,
    Word,
)
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.stages import Stage

TargetState = Literal["unknown", "registered", "pending", "in_sync", "error"]
ActionStatus = Literal[
    "scheduled", "running", "retrieved", "download", "downloaded", "warning", "finished", "error", "canceling",
    "canceled", "cancel_rejected", "wait_for_confirmation",
]  # fmt: skip


class Counted(DeviceSelector):
    """Checks that count events of the device lane."""

    times: HowOften = AT_LEAST_ONCE
    """How often each device does so by itself: a number for exactly so often, or bounds."""


class Sends(Counted):
    """Devices send requests like this. All that is given must fit."""

    name: Text | None = None
    """What the device calls it: poll, configData, deploymentBase, download, feedback-closed, … (glob)."""
    method: Text | None = None
    path: Glob | None = None
    """Glob over the raw path, without the query."""
    header: Mapping[str, Glob] = {}
    """Header names (in any case) and a glob for the value of each."""
    body_has: Mapping[str, Any] = {}
    """Dotted paths into the JSON body (`status.execution`, `chunks.0.part`) and the value of each. Text is a glob; null
    says that nothing may be there."""


class Receives(Counted):
    """Devices receive answers like this. All that is given must fit."""

    name: Text | None = None
    """What the device calls the request that was answered (glob)."""
    status: HttpStatus | None = None
    header: Mapping[str, Glob] = {}
    body_has: Mapping[str, Any] = {}
    """As for `sends`."""


class NoReply(Counted):
    """Devices get no usable answer: refused, reset, silence, or an answer that is cut."""

    name: Text | None = None
    """What the device calls the request (glob)."""


class Reaches(DeviceSelector):
    """Devices come to this stage of their life (and may leave it again)."""

    stage: Stage
    devices: AllOrCount = "all"
    """How many of them at least."""


class Seen(OneWord):
    """An event as `order` and `never` speak of it."""

    sends: Sends | None = None
    receives: Receives | None = None
    no_reply: NoReply | None = None
    reaches: Reaches | None = None

    @model_validator(mode="after")
    def _uncounted(self) -> Self:
        given = (getattr(self, word).model_fields_set for word in self.model_fields_set)
        if any({"times", "devices"} & names for names in given):
            raise ValueError("inside order and never nothing is counted: give times or devices in a check of its own")
        return self

    @property
    def arguments(self) -> Sends | Receives | NoReply | Reaches:
        found: Sends | Receives | NoReply | Reaches = getattr(self, self.word)
        return found


class Order(RootModel[tuple[Seen, ...]]):
    """For each device these happen in this order; other things may happen in between.

    Each step is the first fitting event after the step before.
    """

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _two_or_more(self) -> Self:
        if len(self.root) < 2:
            raise ValueError("expected at least two steps, since one has no order")
        return self

    @property
    def steps(self) -> tuple[Seen, ...]:
        return self.root


class Never(RootModel[Seen]):
    """No device ever does this."""

    model_config = ConfigDict(frozen=True)

    @property
    def what(self) -> Seen:
        return self.root


class Registry(DeviceSelector):
    """The server's records of the devices are like this, each of them."""

    devices: Count | None = None
    """The server has exactly so many records of these devices."""
    in_state: TargetState | None = None
    attributes: Mapping[str, AttributeText] = {}
    """Attributes that are there with exactly this value."""
    attribute_keys: tuple[Text, ...] | None = None
    """Exactly these attributes are there, whatever their values."""
    created_by: Text | None = None
    name: Text | None = None
    """The record's name; `{serial}` stands for the serial."""
    installed: Text | None = None
    """The version that the server believes to be installed."""
    assigned: Text | None = None
    """The version that the server wants to be installed."""
    action: ActionStatus | None = None
    """The status of the latest action."""
    open_actions: Count | None = None
    """So many actions are not over yet."""
    absent: bool = False
    """There is no record at all."""
    tokens_differ: bool = False
    """No two records hold the same token."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        given = self.model_fields_set - {"only"}
        if not given:
            raise ValueError("expected something to compare, such as in_state or attributes")
        if self.absent and len(given) > 1:
            raise ValueError("a record that is absent has nothing else to compare")
        return self


class Bounded(DeviceSelector):
    """Checks of a number against one or both bounds."""

    @model_validator(mode="after")
    def _has_bound(self) -> Self:
        if not {"at_least", "at_most", "at_least_s", "at_most_s"} & self.model_fields_set:
            raise ValueError("expected at_least, at_most or both")
        return self


class Gap(Bounded):
    """The time between one such request of a device and its next, every time."""

    between: Text = "poll"
    """What the device calls the request."""
    at_least_s: Duration | None = Field(None, alias="at_least")
    at_most_s: Duration | None = Field(None, alias="at_most")


class Rate(DeviceSelector):
    """How many such requests all devices together send at most in any window of this length."""

    of: Text = "poll"
    at_most: Count
    per_s: Duration = Field(1.0, alias="per")


class Attempts(Bounded):
    """The longest row of failed tries of one device: no usable answer, or a status of 400 and more."""

    of: Text = "poll"
    at_least: Count | None = None
    at_most: Count | None = None


class Spread(DeviceSelector):
    """How evenly such requests of all devices come: no window holds more than so many times the mean window.

    Windows count from the first such request of the phase to its last.
    """

    of: Text = "poll"
    peak_at_most: float = Field(gt=1)
    """The fullest window over the mean."""
    per_s: Duration = Field(1.0, alias="per")
    over_s: Duration | None = Field(None, alias="over")
    """So long at least counts as the whole span: who all come at once spread over nothing."""
    first: bool = False
    """Only the first such request of each device counts, as after an outage."""


class BacksOff(DeviceSelector):
    """The pauses between a device's failed tries grow: the later half takes so many times as long as the earlier."""

    of: Text = "poll"
    by: float = Field(1.5, gt=1)


class Jitter(DeviceSelector):
    """Devices that fail together do not try again together: their pauses after the same failure differ."""

    of: Text = "poll"
    at_least: float = Field(0.1, gt=0)
    """The difference over the mean, in the median over all failures."""


class KeepsRunning(DeviceSelector):
    """No program of a device ends by itself. Where devices are programs this is expected of every phase."""


class KeepsSecrets(DeviceSelector):
    """No token stands in what the programs of the devices write."""


class OneAddress(Model):
    """Each id comes from one address. Two addresses that take turns are two devices with one id."""


class Refused(DeviceSelector):
    """The server refused a device, and knows why. All devices are counted together."""

    reason_has: Text | None = None
    """A part of the reason."""
    times: HowOften = AT_LEAST_ONCE


class FaultBit(Model):
    """A fault really bit. Without this a scenario can pass because nothing went wrong."""

    kind: FaultKind
    times: HowOften = AT_LEAST_ONCE


class Record(Model):
    """Writes the manufacturing record, as CSV and JSON: serial, controllerId, fingerprint and verdict of each unit.

    A unit has passed when it knows that it was accepted, and the server knows the unit.
    """

    file: Word = "manufacturing-record"
    """The name of both files, without ending, in the folder of the run's results."""
    passed: AllOrCount = "all"
    """How many units must have passed."""
