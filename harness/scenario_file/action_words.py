"""The words that `do` can do, each a model of its arguments. A docstring here is what an editor shows for the word.

Here are the words of the bench, and models that several platforms share; words of one platform stand in its folder
(`harness/platforms/<name>/words.py`). A new word is a model with units in its names, a default for whatever has an
obvious one and `describe`, and a line in a table: `BENCH_WORDS` and `run.actions.PERFORM`, or those of its platform.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final, Self

from pydantic import ConfigDict, Field, RootModel, model_validator

from fleetrig.harness.scenario_file.entry import WordModel
from fleetrig.harness.scenario_file.exchange_names import CutAt
from fleetrig.harness.scenario_file.values import DeviceCount, Duration, Glob, Model, RecordText, UnitList
from fleetrig.simulator.arrivals_shape import Shape
from fleetrig.simulator.contract.units import duration_text


class ActionWord(WordModel):
    """A word of `do`."""

    makes_known: ClassVar[bool] = False
    """True for a word by which a device can come to be known to the server."""

    def describe(self) -> str:
        """Describes the action, for `fleetrig plan`."""
        raise NotImplementedError

    def is_about_certificates(self) -> bool:
        """True when only devices that show certificates could notice it."""
        return False


class DeviceSelector(Model):
    """Words that can concern some of the devices."""

    only: Glob = "*"
    """Which devices, as a glob over their serials."""

    def globs(self) -> Iterator[str]:
        """The globs over serials that it is about."""
        yield self.only


def describe_devices(only: str) -> str:
    """`all devices`, or which ones."""
    return "all devices" if only == "*" else f"the devices {only}"


SHAPES: Final[Mapping[Shape, str]] = {
    Shape.EVEN: "one by one",
    Shape.AT_ONCE: "all at once",
    Shape.CITY: "district by district",
    Shape.DAILY: "few at night and most at noon",
    Shape.STEP: "few and then many",
    Shape.SPIKE: "half of them nearly at once",
    Shape.STEADY: "as if they had been on for long,",
}


class PowerOn(DeviceSelector, ActionWord):
    """Switches devices on."""

    makes_known = True
    spread_s: Duration | None = Field(None, alias="spread")
    """They start one by one over this time; `start_spread` of the devices when not given."""
    shape: Shape = Shape.EVEN
    """How they are spread over it."""
    cut_at: CutAt | None = None
    """Cut the power at this point of the device's life, once: `<effect>#<n>:before|sent|answered`."""
    off_s: Duration = Field(2.0, alias="off")
    """How long a device stays off after `cut_at`."""

    @model_validator(mode="after")
    def _has_the_spread_of_its_shape(self) -> Self:
        if self.shape is Shape.AT_ONCE and self.spread_s:
            raise ValueError("at_once switches on all in one moment: leave spread away, or take another shape")
        if self.shape not in (Shape.AT_ONCE, Shape.EVEN) and self.spread_s == 0:
            raise ValueError(f"{self.shape} needs a spread: over which time the devices are switched on")
        return self

    def describe(self) -> str:
        sentence = f"switch on {describe_devices(self.only)}"
        if self.spread_s or self.shape is not Shape.EVEN:
            sentence += f", {SHAPES[self.shape]}"
        if self.spread_s:
            sentence += f" over {duration_text(self.spread_s)}"
        if self.cut_at is not None:
            sentence += f"; cut the power of each once, at {self.cut_at}, for {duration_text(self.off_s)}"
        return sentence

    def needs_device_access(self) -> str:
        return "" if self.cut_at is None else "cut_at is a point of a device's inner life"


class PowerCut(DeviceSelector, ActionWord):
    """Cuts the power at once. Devices lose everything that they have not stored."""

    def describe(self) -> str:
        return f"cut the power of {describe_devices(self.only)}"


class CyclePower(DeviceSelector, ActionWord):
    """Cuts the power and switches on again."""

    makes_known = True
    off_s: Duration = Field(2.0, alias="off")
    """How long the devices stay off."""

    def describe(self) -> str:
        return f"switch {describe_devices(self.only)} off, and on again after {duration_text(self.off_s)}"


class Wait(ActionWord, RootModel[Duration]):
    """Lets time pass: `wait: 5s`."""

    model_config = ConfigDict(frozen=True)

    @property
    def for_s(self) -> float:
        return self.root

    def describe(self) -> str:
        return f"let {duration_text(self.for_s)} pass"


BENCH_WORDS: Final[Mapping[str, type[ActionWord]]] = {
    "power_on": PowerOn,
    "power_cut": PowerCut,
    "power_cycle": CyclePower,
    "wait": Wait,
}
"""What the bench does itself, whatever the platform."""


class Preregister(DeviceSelector, ActionWord):
    """Registers the devices before their first contact, with the token of each."""

    makes_known = True
    csv: UnitList | None = None
    """The units to register, in place of the devices: columns serial, and token, type, name, description if given."""
    batch: DeviceCount = 1000
    """Number of devices in one request."""
    name: RecordText | None = None
    """The record's name; `{serial}` stands for the serial."""
    description: RecordText | None = None
    """The record's description; `{serial}` stands for the serial."""

    def describe(self) -> str:
        whom = describe_devices(self.only) if self.csv is None else f"the units of {self.csv.name}"
        given = [f"{key} {text!r}" for key, text in (("name", self.name), ("description", self.description)) if text]
        return ", ".join([f"register {whom} ({self.batch} per request)", *given])

    def globs(self) -> Iterator[str]:
        """With a list, the list says which."""
        if self.csv is None:
            yield self.only


class Delete(DeviceSelector, ActionWord):
    """Deletes the devices' records on the server."""

    is_about_records = True

    def describe(self) -> str:
        return f"delete the records of {describe_devices(self.only)} on the server"
