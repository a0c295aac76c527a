"""The words that `do` can do, each a model of its arguments. A docstring here is what an editor shows for the word.

Performing them is the business of `actions`. Whoever adds one gives arguments with units, a default for whatever has an
obvious one, and a line in `words.Action`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, RootModel

from fleetrig.harness.scenario_file.values import (
    AttributeText,
    CutAt,
    Duration,
    Glob,
    Model,
    PositiveCount,
    Scalar,
    Size,
    Text,
    UnitList,
)

AttributesMode = Literal["merge", "replace", "remove"]


class DeviceSelector(Model):
    """Words that can concern some of the devices."""

    only: Glob = "*"
    """Which devices, as a glob over their serials."""


class Configure(RootModel[Annotated[Mapping[str, Scalar], Field(min_length=1)]]):
    """Changes settings of the tenant, under the names that the platform's management interface gives them."""

    model_config = ConfigDict(frozen=True)

    @property
    def settings(self) -> Mapping[str, Scalar]:
        return self.root


class Preregister(DeviceSelector):
    """Makes records for the devices before they call, with the token that each of them holds."""

    csv: UnitList | None = None
    """The units to register, in place of the devices: columns serial, token (optional), name, description."""
    batch: PositiveCount = 1000
    """How many go into one request."""
    name: Text | None = None
    """The record's name; `{serial}` stands for the serial."""
    description: Text | None = None
    """The record's description; `{serial}` stands for the serial."""


class PowerOn(DeviceSelector):
    """Switches devices on."""

    spread_s: Duration = Field(0.0, alias="spread")
    """They start one by one, evenly, over so long."""
    cut_at: CutAt | None = None
    """Cut the power at this point of the device's life, once: `<effect>#<n>:before|sent|answered`."""
    off_s: Duration = Field(2.0, alias="off")
    """How long a device stays off after `cut_at`."""


class PowerCut(DeviceSelector):
    """Cuts the power, wherever the devices happen to be. What they did not remember is gone."""


class PowerCycle(DeviceSelector):
    """Cuts the power and switches on again."""

    off_s: Duration = Field(2.0, alias="off")
    """How long the devices stay off."""


class Wait(RootModel[Duration]):
    """Lets time pass: `wait: 5s`."""

    model_config = ConfigDict(frozen=True)

    @property
    def for_s(self) -> float:
        return self.root


class Deploy(Model):
    """Makes an image of this version and size on the server and assigns it to the devices."""

    version: Text
    size_bytes: Size = Field(64 * 1024, alias="size")
    type: Literal["forced", "soft", "downloadonly"] = "forced"
    """How urgent: the platform's own word."""
    to: Glob = "*"
    """Which devices, as a glob over their serials."""
    before_contact: bool = False
    """Assign at once. Otherwise this waits until the server has heard of each of the devices."""


class Cancel(DeviceSelector):
    """Asks the server to cancel the running action (softly: the device has its say)."""

    version: Text | None = None
    """Of this deployment; the latest one when not given."""


class Delete(DeviceSelector):
    """Deletes the devices' records on the server."""


class Rotate(DeviceSelector):
    """Replaces tokens on the server by fresh ones."""

    what: Literal["target_token", "gateway_token"]
    tell_device: bool = True
    """Whether the devices hold the new token from now on, as after a visit by a technician."""


class SetAttributes(DeviceSelector):
    """What the devices report from now on, when they are asked."""

    attributes: Mapping[str, AttributeText] = Field(min_length=1)
    mode: AttributesMode = "merge"


class RequestAttributes(DeviceSelector):
    """Makes the server ask the devices for their attributes again."""
