"""The words of `do` that Hono adds, each a model of its arguments; `actions` performs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import model_validator

from fleetrig.harness.platforms.hono.settings import NOTES, SETTINGS
from fleetrig.harness.scenario_file.action_words import ActionWord, Delete, DeviceSelector, describe_devices
from fleetrig.harness.scenario_file.settings_model import Settings
from fleetrig.harness.scenario_file.values import Model, Scalar, Text

Switched = Literal["tenant", "device", "credentials"]
RotatedSecret = Literal["certificate", "subject", "authority", "password", "psk"]


def _said(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


class ConfigureTenant(Settings, ActionWord, forms=SETTINGS, notes=NOTES):
    """Changes the tenant of the run, under the names that the management API gives its members."""

    needs_arguments = True

    def describe(self) -> str:
        return "set " + ", ".join(f"{key} = {_said(value)}" for key, value in self.values.items()) + " in the tenant"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected at least one entry")
        return self


class RegisterDevices(DeviceSelector, ActionWord):
    """An operator makes the devices by hand before their first contact, with their credentials."""

    makes_known = True
    credentials: bool = True
    """false: only the devices; `add_credentials` is the next step."""

    def describe(self) -> str:
        what = "with their credentials" if self.credentials else "without credentials"
        return f"register {describe_devices(self.only)} {what}"


class AddCredentials(DeviceSelector, ActionWord):
    """An operator gives registered devices their credentials."""

    is_about_records = True

    def describe(self) -> str:
        return f"give {describe_devices(self.only)} their credentials on the server"


class Switch(DeviceSelector, ActionWord):
    """What both directions have."""

    is_about_records = True
    what: Switched = "device"
    """What is switched; `tenant` is about all of them."""

    @model_validator(mode="after")
    def _tenants_have_no_serials(self) -> Self:
        if self.what == "tenant" and self.only != "*":
            raise ValueError("only: a tenant is switched for all of its devices")
        return self

    def _object(self) -> str:
        whom = describe_devices(self.only)
        return {"tenant": "the tenant", "device": whom, "credentials": f"the credentials of {whom}"}[self.what]


class Disable(Switch):
    """An operator disables the tenant, devices, or their credentials."""

    def describe(self) -> str:
        return f"disable {self._object()}"


class Enable(Switch):
    """An operator enables what was disabled."""

    def describe(self) -> str:
        return f"enable {self._object()}"


class DeleteTenant(Model, ActionWord):
    """An operator deletes the tenant, with its devices and their credentials."""

    def describe(self) -> str:
        return "delete the tenant"


class TrustAuthority(Model, ActionWord):
    """The tenant trusts the newest authority of the run, beside those that it trusts."""

    def describe(self) -> str:
        return "let the tenant trust the newest authority too"

    def is_about_certificates(self) -> bool:
        return True


class RetireTenantAuthorities(Model, ActionWord):
    """The tenant forgets all authorities but the newest."""

    all: bool = False
    """The newest too."""

    def describe(self) -> str:
        return f"let the tenant forget all authorities{'' if self.all else ' but the newest'}"

    def is_about_certificates(self) -> bool:
        return True


class RotateCredentials(DeviceSelector, ActionWord):
    """Replaces what devices prove themselves with. Devices that are told restart with it.

    `certificate`: renewed, the same subject with another key, by the newest authority. `subject`: the same with another
    OU. `authority`: the tenant trusts one more authority, which signs the renewed certificates.
    """

    what: RotatedSecret
    """What is replaced."""
    tell_device: bool = True
    """false: only the server has the new password or key."""

    def is_about_certificates(self) -> bool:
        return self.what in ("certificate", "subject", "authority")

    @model_validator(mode="after")
    def _somebody_is_told(self) -> Self:
        if self.is_about_certificates() and not self.tell_device:
            raise ValueError("tell_device: false is about a password or psk: certificates are in devices only")
        return self

    def describe(self) -> str:
        whom = describe_devices(self.only)
        match self.what:
            case "certificate":
                return f"{whom} are given renewed certificates of the newest authority and restart"
            case "subject":
                return f"{whom} are given certificates with another subject (OU) and restart"
            case "authority":
                return f"let the tenant trust one more authority; {whom} are given its certificates and restart"
            case _:
                told = "which are given it and restart" if self.tell_device else "which are not told"
                return f"replace the {self.what} of {whom} on the server, {told}"


class Authorize(DeviceSelector, ActionWord):
    """An operator says whether gateways may provision the devices behind them (`auto-provisioning-enabled`)."""

    is_about_records = True
    may_provision: bool = True
    """false: they may not, from now on."""

    def describe(self) -> str:
        return f"{'let' if self.may_provision else 'forbid'} {describe_devices(self.only)} to provision edge devices"


class SendCommand(DeviceSelector, ActionWord):
    """An application asks something of devices, each as soon as it listens."""

    is_about_records = True
    name: Text
    """Of the command; our own devices obey `setInterval`, and answer others with what they were sent."""
    payload: Mapping[Text, Scalar] = {}
    """Sent as JSON."""
    one_way: bool = False
    """The application waits for no response."""

    def describe(self) -> str:
        return f"send the command {self.name}{' (one-way)' if self.one_way else ''} to {describe_devices(self.only)}"


WORDS: Final[Mapping[str, type[ActionWord]]] = {
    "configure": ConfigureTenant,
    "preregister": RegisterDevices,
    "add_credentials": AddCredentials,
    "delete": Delete,
    "delete_tenant": DeleteTenant,
    "disable": Disable,
    "enable": Enable,
    "trust_authority": TrustAuthority,
    "retire_authorities": RetireTenantAuthorities,
    "rotate": RotateCredentials,
    "authorize": Authorize,
    "command": SendCommand,
}
