"""The words of `do` that ThingsBoard adds, each a model of its arguments; `actions` performs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, model_validator

from fleetrig.harness.platforms.thingsboard.settings import NOTES, SETTINGS
from fleetrig.harness.scenario_file.action_words import (
    ActionWord,
    Delete,
    DeviceSelector,
    Preregister,
    describe_devices,
)
from fleetrig.harness.scenario_file.settings_model import Settings
from fleetrig.harness.scenario_file.values import RecordText

RotatedSecret = Literal["provision_secret", "access_token", "certificate"]


def _with_serial(name: str) -> str:
    """On a shared server all names of a run begin alike."""
    if not name.startswith("{serial}"):
        raise ValueError("expected a name that begins with {serial}, such as '{serial}-old'")
    return name


class Configure(Settings, ActionWord, forms=SETTINGS, notes=NOTES):
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
    """Imports the devices before their first contact (bulk import), with the credentials that they bring along.

    A list can name them: columns `token`, or `client_id`, `user_name` and `password`.
    """

    def describe(self) -> str:
        return super().describe().replace("register ", "import ", 1)


class DeleteRecords(Delete):
    """Deletes the devices' records on the server; their sessions end."""

    name: Annotated[RecordText, AfterValidator(_with_serial)] | None = None
    """The name that the record has been given: `{serial}` stands for the serial. The serial itself when not given."""

    def describe(self) -> str:
        return super().describe() + (f", which are called {self.name}" if self.name else "")


class ResetProvisioning(DeviceSelector, ActionWord):
    """Deletes `provisionState` of devices: a device of the list may ask again, and is given what it has."""

    is_about_records = True

    def describe(self) -> str:
        return f"delete provisionState of {describe_devices(self.only)}"


class FactoryReset(DeviceSelector, ActionWord):
    """Devices forget everything that they have stored, and start again. The server is told nothing."""

    makes_known = True

    def describe(self) -> str:
        return f"{describe_devices(self.only)} forget everything and start again"


class LoseCredentials(DeviceSelector, ActionWord):
    """Devices lose the credentials that they were given, remember all else, and start again."""

    makes_known = True

    def describe(self) -> str:
        return f"{describe_devices(self.only)} lose the credentials that they were given, and start again"

    def needs_device_access(self) -> str:
        return "lose_credentials changes a device's inner life"


class RestoreCredentials(DeviceSelector, ActionWord):
    """A technician writes the credentials that the server has into the devices, which start again."""

    def describe(self) -> str:
        return f"write the credentials that the server has into {describe_devices(self.only)}, which start again"

    def needs_device_access(self) -> str:
        return "restore_credentials changes a device's inner life"


class Rename(DeviceSelector, ActionWord):
    """An operator gives the devices' records other names; the devices are told nothing."""

    is_about_records = True

    to: Annotated[RecordText, AfterValidator(_with_serial)]
    """`{serial}` stands for the serial; `{serial}` alone gives a record its old name back."""

    def describe(self) -> str:
        return f"rename the records of {describe_devices(self.only)} to {self.to}"


class Rotate(DeviceSelector, ActionWord):
    """Replaces a secret on the server: the profile's, or the tokens of devices; or gives devices new certificates."""

    what: RotatedSecret
    """What is replaced."""
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
    "delete": DeleteRecords,
    "reset_provisioning": ResetProvisioning,
    "factory_reset": FactoryReset,
    "lose_credentials": LoseCredentials,
    "restore_credentials": RestoreCredentials,
    "rename": Rename,
    "rotate": Rotate,
}

__all__ = [
    "WORDS", "Configure", "DeleteRecords", "FactoryReset", "ImportDevices", "LoseCredentials", "Rename",
    "ResetProvisioning", "RestoreCredentials", "Rotate",
]  # fmt: skip
