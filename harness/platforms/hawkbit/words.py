"""The words of `do` that hawkBit adds, each a model of its arguments; `actions` performs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, Strict, model_validator

from fleetrig.harness.platforms.hawkbit.confirmation_words import SetConfirmation
from fleetrig.harness.platforms.hawkbit.deploy_words import Deploy
from fleetrig.harness.platforms.hawkbit.settings import NOTES, SETTINGS
from fleetrig.harness.scenario_file.action_words import (
    ActionWord,
    Delete,
    DeviceSelector,
    Preregister,
    describe_devices,
)
from fleetrig.harness.scenario_file.settings_model import Settings
from fleetrig.harness.scenario_file.values import AttributeText, Glob, ImageSize, Model, Text, readable_size, up_to
from fleetrig.simulator.contract.bounds import Bound

AttributesMode = Literal["merge", "replace", "remove"]
Percent = Annotated[int, Strict(), Field(ge=0, le=100)]
Groups = Annotated[int, Strict(), Field(ge=1), up_to(Bound(10_000, "groups", "no server makes more"))]
"""The quota `maxRolloutGroupsPerRollout` is 500; a start-up property changes it."""
RotatedSecret = Literal["target_token", "gateway_token", "certificate", "authority"]


class Configure(Settings, ActionWord, forms=SETTINGS, notes=NOTES):
    """Changes settings of the tenant, under the names that the platform's management interface gives them."""

    needs_arguments = True

    def describe(self) -> str:
        return "set " + ", ".join(f"{key} = {value}" for key, value in self.values.items())

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected at least one entry")
        return self


class PreregisterTargets(Preregister):
    """Registers the devices before their first contact, with the token of each."""

    type: Text | None = None
    """The name of their target type; a column `type` of a unit list wins. It must exist, unless `create_type`."""
    create_type: bool = False
    """Makes the target types that are named but not there; they go when the run on a shared server ends."""
    account: Literal["admin", "line"] = "admin"
    """Who asks for it: the operator, or the account of the manufacturing line, which may only create targets."""

    def describe(self) -> str:
        parts = [super().describe()]
        if self.type is not None:
            parts.append(f"target type {self.type!r}")
        if self.create_type:
            parts.append("missing target types made first")
        if self.account == "line":
            parts.append("with the account of the line")
        return ", ".join(parts)


class Rollout(Model, ActionWord):
    """Makes an image of this version on the server and brings it to the devices group by group."""

    version: Text
    """The version of what is rolled out."""
    size_bytes: ImageSize = Field(64 * 1024, alias="size")
    """Of its image."""
    type: Literal["forced", "soft", "downloadonly"] = "forced"
    """How urgent: the platform's own word."""
    to: Glob = "*"
    """Which devices, as a glob over their serials; those that were registered first are in the first group."""
    groups: Groups = 1
    """Into so many equal groups."""
    success_percent: Percent = 50
    """So many of a group must succeed before the next one begins."""
    error_percent: Percent = 50
    """More failures of a group than this pause the rollout."""

    def describe(self) -> str:
        image = f"an image of {readable_size(self.size_bytes)}"
        groups = "one group" if self.groups == 1 else f"{self.groups} groups"
        whom = describe_devices(self.to)
        goes_on = f"the next group begins when {self.success_percent} % succeed"
        pauses = f"more than {self.error_percent} % failures pause it"
        what = f"create version {self.version} ({image}) and roll it out"
        return f"{what} to {whom} in {groups} ({self.type}): {goes_on}, {pauses}"

    def globs(self) -> Iterator[str]:
        yield self.to


class MoveRollout(Model, ActionWord):
    """Pauses, resumes or stops the rollout of a version, or begins its next group."""

    version: Text
    """The rollout of this version."""
    move: Literal["pause", "resume", "stop", "next_group"]
    """What is done with it."""

    def describe(self) -> str:
        what = "begin the next group of" if self.move == "next_group" else self.move
        return f"{what} the rollout of version {self.version}"


class Cancel(DeviceSelector, ActionWord):
    """Asks the server to cancel the running action (softly: the device has its say)."""

    version: Text | None = None
    """Of this deployment; the latest one when not given."""

    def describe(self) -> str:
        which = "latest open action" if self.version is None else f"deployment of version {self.version}"
        return f"ask the server to cancel the {which} of {describe_devices(self.only)}"


class Rotate(DeviceSelector, ActionWord):
    """Replaces tokens on the server by fresh ones, certificates by those of the newest authority.

    A new `authority` is trusted beside those that are there, until `retire_authorities`.
    """

    what: RotatedSecret
    """What is replaced."""
    tell_device: bool = True
    """Whether the devices hold the new token or certificate from now on, as after a visit by a technician."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.what == "certificate" and not self.tell_device:
            raise ValueError("a new certificate that no device holds changes nothing: leave tell_device away")
        return self

    def is_about_certificates(self) -> bool:
        return self.what in ("certificate", "authority")

    def describe(self) -> str:
        what = self.what.replace("_", " ")
        if self.is_about_certificates():
            return self._describe_certificates()
        told = "are given the new one and restart" if self.tell_device else "keep the old one"
        return f"replace the {what} on the server; {describe_devices(self.only)} {told}"

    def _describe_certificates(self) -> str:
        whom = describe_devices(self.only)
        given = f"{whom} are given certificates of the newest authority and restart"
        if self.what == "certificate":
            return given
        return f"trust a new authority too; {given if self.tell_device else f'{whom} keep their certificates'}"


class RetireAuthorities(Model, ActionWord):
    """From now on only the newest authority is trusted to issue certificates of devices."""

    def is_about_certificates(self) -> bool:
        return True

    def describe(self) -> str:
        return "trust certificates of the newest authority only"


class SetAttributes(DeviceSelector, ActionWord):
    """What the devices report from now on, when they are asked."""

    attributes: Mapping[str, AttributeText] = Field(min_length=1)
    """Name -> value."""
    mode: AttributesMode = "merge"
    """What becomes of those that the server has already."""

    def describe(self) -> str:
        whom = describe_devices(self.only)
        if self.mode == "remove":
            return f"remove attributes {', '.join(self.attributes)} on {whom}; running devices restart"
        report = ", ".join(f"{key} = {value}" for key, value in self.attributes.items())
        return f"let {whom} report {report} (mode {self.mode}); running devices restart"

    def needs_device_access(self) -> str:
        return "set_attributes changes a device's inner life"


class RequestAttributes(DeviceSelector, ActionWord):
    """Makes the server ask the devices for their attributes again."""

    def describe(self) -> str:
        return f"make the server ask {describe_devices(self.only)} for their attributes"


WORDS: Final[Mapping[str, type[ActionWord]]] = {
    "configure": Configure,
    "preregister": PreregisterTargets,
    "deploy": Deploy,
    "rollout": Rollout,
    "move_rollout": MoveRollout,
    "cancel": Cancel,
    "delete": Delete,
    "rotate": Rotate,
    "retire_authorities": RetireAuthorities,
    "set_attributes": SetAttributes,
    "request_attributes": RequestAttributes,
    "set_confirmation": SetConfirmation,
}

__all__ = [
    "WORDS",
    "Cancel",
    "Configure",
    "Deploy",
    "MoveRollout",
    "PreregisterTargets",
    "RequestAttributes",
    "RetireAuthorities",
    "Rollout",
    "Rotate",
    "SetAttributes",
    "SetConfirmation",
]
