"""The words of `do` that ThingsBoard adds, each a model of its arguments; `actions` performs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import model_validator

from fleetrig.harness.platforms.thingsboard.settings import SETTINGS
from fleetrig.harness.scenario_file.action_words import (
    ActionWord,
    Delete,
    DeviceSelector,
    Preregister,
    describe_devices,
)
from fleetrig.harness.scenario_file.settings_model import Settings

RotatedSecret = Literal["provision_secret", "access_token", "certificate"]


class Configure(Settings, ActionWord, forms=SETTINGS):
    """Changes the device profile of the run, under the names that the platform's REST API gives its members."""

    needs_arguments = True

    def describe(self) -> str:
        return "set " + ", ".join(f"{key} = {value}" for key, value in self.values.items()) + " in the device profile"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected at least one entry")
        return self


class ImportDevices(Preregister):
    """Imports the devices before their first contact (bulk import), with the tokens that a list names."""

    def describe(self) -> str:
        return super().describe().replace("register ", "import ", 1)


class ResetProvisioning(DeviceSelector, ActionWord):
    """Deletes `provisionState` of devices: a device of the list may ask again, and is given what it has (spec 2.3)."""

    def describe(self) -> str:
        return f"delete provisionState of {describe_devices(self.only)}"


class FactoryReset(DeviceSelector, ActionWord):
    """Devices forget everything that they have stored, and start again. The server is told nothing."""

    makes_known = True

    def describe(self) -> str:
        return f"{describe_devices(self.only)} forget everything and start again"


class Rotate(DeviceSelector, ActionWord):
    """Replaces a secret on the server: the profile's, or the tokens of devices; or gives devices new certificates."""

    what: RotatedSecret
    tell_device: bool = False
    """Whether the devices hold the profile's new secret from now on, as after a visit by a technician."""

    def is_about_certificates(self) -> bool:
        return self.what == "certificate"

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        if self.tell_device and self.what != "provision_secret":
            raise ValueError("tell_device is about the provision_secret: a token is what the server gives to devices")
        return self

    def describe(self) -> str:
        whom = describe_devices(self.only)
        match self.what:
            case "certificate":
                return f"{whom} are given renewed certificates of the same authority and restart"
            case "access_token":
                return f"replace the access tokens of {whom} on the server, which are not told"
            case _:
                told = f"; {whom} are given it and restart" if self.tell_device else "; no device is told"
                return f"replace the provision secret of the device profile{told}"


WORDS: Final[Mapping[str, type[ActionWord]]] = {
    "configure": Configure,
    "preregister": ImportDevices,
    "delete": Delete,
    "reset_provisioning": ResetProvisioning,
    "factory_reset": FactoryReset,
    "rotate": Rotate,
}

__all__ = ["WORDS", "Configure", "Delete", "FactoryReset", "ImportDevices", "ResetProvisioning", "Rotate"]
