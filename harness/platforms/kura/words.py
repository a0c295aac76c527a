"""The words of `do` that Kura adds, each a model of its arguments; `actions` performs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from fleetrig.harness.platforms.kura.request_terms import RequestTerms
from fleetrig.harness.platforms.kura.settings import NOTES, OF_SERVICES
from fleetrig.harness.scenario_file.action_words import ActionWord, Delete, DeviceSelector, describe_devices
from fleetrig.harness.scenario_file.settings_model import Settings
from fleetrig.harness.scenario_file.values import Duration, Flag, LooseText, Scalar, Text, Word

Signature = Literal["signed", "unsigned", "wrong", "replayed", "old", "changed_body", "unknown_alias"]
LoadedCertificate = Literal["signing", "authority"]
RotatedSecret = Literal["password", "signing_certificate"]
CouplingMode = Literal["INHERITED", "LOOSE", "STRICT"]


class ConfigureServices(Settings, ActionWord, forms=OF_SERVICES, notes=NOTES):
    """Changes the services of the run's accounts, under the names that Kapua's REST API gives their properties."""

    needs_arguments = True

    def describe(self) -> str:
        return "set " + ", ".join(f"{key} = {value}" for key, value in self.values.items()) + " in the accounts"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expected at least one entry")
        return self


class PreregisterGateways(DeviceSelector, ActionWord):
    """An operator makes the devices in the registry by hand, before their first BIRTH."""

    makes_known = True
    account: Word | None = None
    """The first of the run's accounts when not given."""

    def describe(self) -> str:
        return f"register {describe_devices(self.only)}{_in(self.account)}"


class CreateRequest(DeviceSelector, RequestTerms, ActionWord):
    """An operator makes a provision request for each device, with a new password for it.

    Devices that are told hold its user name, password and activation key from now on, as after a visit by a technician.
    """

    makes_known = True
    overwrite: Flag = False
    """A request that the account has for this client id is replaced (`overwriteIfDuplicate`)."""
    tell_device: Flag = True
    """false: the devices hold what they held; `write_provisioning` brings it to them over the air."""

    def describe(self) -> str:
        told = "" if self.tell_device else "; the devices are not told"
        return f"create a provision request for {describe_devices(self.only)}{self.describe_terms()}{told}"


class OfRequest(DeviceSelector, ActionWord):
    """What words about the newest provision request of each device have in common."""

    is_about_records = True
    account: Word | None = None
    """The account of the request; the one of the device's newest request when not given."""


class DeleteRequest(OfRequest):
    """An operator deletes the provision requests of devices."""

    def describe(self) -> str:
        return f"delete the provision requests of {describe_devices(self.only)}{_in(self.account)}"


class DisableRequest(OfRequest):
    """An operator disables the provision requests of devices."""

    def describe(self) -> str:
        return f"disable the provision requests of {describe_devices(self.only)}{_in(self.account)}"


class EnableRequest(OfRequest):
    """An operator enables the provision requests of devices again."""

    def describe(self) -> str:
        return f"enable the provision requests of {describe_devices(self.only)}{_in(self.account)}"


class StopJob(OfRequest):
    """An operator stops the provision jobs of devices."""

    def describe(self) -> str:
        return f"stop the provision jobs of {describe_devices(self.only)}{_in(self.account)}"


class ResetJob(OfRequest):
    """An operator resets the provision jobs of devices: one that has ended may begin again."""

    def describe(self) -> str:
        return f"reset the provision jobs of {describe_devices(self.only)}{_in(self.account)}"


class Switch(DeviceSelector, ActionWord):
    """What both directions have."""

    is_about_records = True
    what: Literal["device", "user"] = "device"
    """`user`: the one that the devices' connections have."""

    def _object(self) -> str:
        whom = describe_devices(self.only)
        return whom if self.what == "device" else f"the users of {whom}"


class Disable(Switch):
    """An operator disables devices, or their users."""

    def describe(self) -> str:
        return f"disable {self._object()}"


class Enable(Switch):
    """An operator enables what was disabled."""

    def describe(self) -> str:
        return f"enable {self._object()}"


class RevokeUser(DeviceSelector, ActionWord):
    """An operator deletes the users that devices have in an account: nobody signs in with them any more."""

    is_about_records = True
    account: Word | None = None
    """The first of the run's accounts when not given."""

    def describe(self) -> str:
        return f"delete the users of {describe_devices(self.only)}{_in(self.account)}"


class ResetLockout(DeviceSelector, ActionWord):
    """An operator unlocks the credentials of devices after too many wrong passwords."""

    is_about_records = True

    def describe(self) -> str:
        return f"unlock the credentials of {describe_devices(self.only)}"


class Couple(DeviceSelector, ActionWord):
    """An operator says how the connections of devices are coupled to users."""

    is_about_records = True
    needs_arguments = True
    mode: CouplingMode | None = None
    """`userCouplingMode`."""
    allow_user_change: Flag | None = None
    """A permit for one sign-in."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.mode is None and self.allow_user_change is None:
            raise ValueError("expected mode, allow_user_change or both")
        return self

    def describe(self) -> str:
        parts = [f"userCouplingMode = {self.mode}"] if self.mode is not None else []
        parts += [f"allowUserChange = {self.allow_user_change}"] if self.allow_user_change is not None else []
        return f"set {', '.join(parts)} for the connections of {describe_devices(self.only)}"


class Kick(DeviceSelector, ActionWord):
    """An operator ends the connections of devices (`_disconnect`)."""

    is_about_records = True

    def describe(self) -> str:
        return f"end the connections of {describe_devices(self.only)}"


# -- over the air: device management, which devices answer


class OverTheAir(DeviceSelector, ActionWord):
    """What words have in common that ask something of devices and wait for each answer."""

    is_about_records = True


class LoadCertificates(OverTheAir):
    """Loads certificates of an account's instance into the keystores of devices (KEYS), and reads them back."""

    account: Word | None = None
    """Whose; the account of each device's newest request when not given."""
    what: tuple[LoadedCertificate, ...] = Field(("signing", "authority"), min_length=1)
    """signing: who signs control messages, into DMKeystore. authority: the root of its chain, into SSLKeystore."""

    def describe(self) -> str:
        whose = f"of the account {self.account}" if self.account is not None else "of the account of the newest request"
        return f"load the {' and '.join(self.what)} certificates {whose} into {describe_devices(self.only)}"


class WriteProvisioning(OverTheAir):
    """Writes the newest request into the ProvisioningService of devices (CONF-V1), all but `enabled`."""

    def describe(self) -> str:
        return f"write the newest request into the ProvisioningService of {describe_devices(self.only)}"


class WriteConfiguration(OverTheAir):
    """Writes properties of a component of devices (CONF-V1)."""

    needs_arguments = True
    component: Text
    """Its pid, or the last part of it: MqttDataTransport."""
    properties: Mapping[Text, Scalar] = Field(min_length=1)
    """`{serial}` in a value stands for the serial."""

    def describe(self) -> str:
        return f"write {', '.join(self.properties)} of {self.component} into {describe_devices(self.only)}"


class TakeSnapshot(OverTheAir):
    """Has devices take a snapshot of their configuration."""

    def describe(self) -> str:
        return f"have {describe_devices(self.only)} take a snapshot"


class RollBack(OverTheAir):
    """Has devices go back to the snapshot before the last."""

    def describe(self) -> str:
        return f"have {describe_devices(self.only)} roll back to their last snapshot but one"


class SwitchProvisioning(DeviceSelector, ActionWord):
    """What both directions have."""

    on: Literal["cloud", "console"] = "cloud"
    """cloud: over the air, to devices that are connected. console: a technician writes it into the device, which
    starts again."""

    @property
    def where(self) -> str:
        return "over the air" if self.on == "cloud" else "on the console"

    def needs_device_access(self) -> str:
        return "on: console changes a device's inner life" if self.on == "console" else ""


class StartProvisioning(SwitchProvisioning):
    """Sets `enabled` true and `provisioned` false, in one request: devices provision themselves (again)."""

    makes_known = True

    def describe(self) -> str:
        return f"start the provisioning of {describe_devices(self.only)} {self.where}"


class StopProvisioning(SwitchProvisioning):
    """Sets `enabled` false: devices go back to the configuration that they had."""

    def describe(self) -> str:
        return f"stop the provisioning of {describe_devices(self.only)} {self.where}"


class SendControl(DeviceSelector, ActionWord):
    """Sends a control message to devices, with a signature or without, and does not wait for the answer."""

    is_about_records = True
    app: Text = "CONF-V1"
    """Which application of the gateway it is for."""
    method: Literal["GET", "PUT", "POST", "DEL", "EXEC"] = "GET"
    """What is asked of it."""
    resource: LooseText = "configurations"
    """Of which resource; with slashes where it has parts."""
    metrics: Mapping[Text, Scalar] = {}
    """Metrics of its payload."""
    body: LooseText = ""
    """The body of its payload."""
    signature: Signature = "signed"
    """wrong: by a key that the device does not know. replayed: an earlier message once more. old: signed too long ago.
    changed_body: signed before the body was changed. unknown_alias: under a name that the keystore does not have."""
    requester: Text | None = None
    """`requester.client.id`; the server's own when not given."""
    times: int = Field(1, ge=1, le=100, strict=True)
    """How many, one right after the other."""

    def describe(self) -> str:
        what = f"{self.app}/{self.method}/{self.resource}".rstrip("/")
        return f"send {describe_devices(self.only)} the control message {what}, {self._how()}"

    def _how(self) -> str:
        how = {"wrong": "wrongly signed", "old": "signed too long ago", "changed_body": "changed after signing",
               "unknown_alias": "signed under an unknown alias"}  # fmt: skip
        return how.get(self.signature, self.signature) + (f", {self.times} times" if self.times > 1 else "")


# -- about devices themselves


class FactoryReset(DeviceSelector, ActionWord):
    """Devices forget everything that they have stored, and start again. The server is told nothing."""

    makes_known = True

    def describe(self) -> str:
        return f"{describe_devices(self.only)} forget everything and start again"


class SetClock(DeviceSelector, ActionWord):
    """Sets the clocks of devices right, or wrong; they start again."""

    behind_s: Duration = Field(0.0, alias="behind")
    """Slow by so much."""
    ahead_s: Duration = Field(0.0, alias="ahead")
    """Fast by so much."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.behind_s and self.ahead_s:
            raise ValueError("behind and ahead contradict each other: give one of them")
        return self

    def describe(self) -> str:
        how = f"slow by {self.behind_s:g} s" if self.behind_s else f"fast by {self.ahead_s:g} s"
        return f"set the clocks of {describe_devices(self.only)} {how if self.behind_s or self.ahead_s else 'right'}"

    def needs_device_access(self) -> str:
        return "set_clock changes a device's inner life"


class Rotate(DeviceSelector, ActionWord):
    """Replaces the passwords of devices on the server, or the certificate that signs an account's control messages."""

    is_about_records = True
    what: RotatedSecret
    """What is replaced."""
    tell_device: Flag = True
    """false: only the server has the new password. About passwords only."""
    account: Word | None = None
    """Whose certificate; the first of the run's accounts when not given."""

    def describe(self) -> str:
        if self.what == "signing_certificate":
            return f"replace the certificate that signs control messages{_in(self.account)}"
        told = "which are given it and restart" if self.tell_device else "which are not told"
        return f"replace the password of {describe_devices(self.only)} on the server, {told}"


def _in(account: str | None) -> str:
    return f" in the account {account}" if account is not None else ""


WORDS: Final[Mapping[str, type[ActionWord]]] = {
    "configure": ConfigureServices,
    "preregister": PreregisterGateways,
    "delete": Delete,
    "create_request": CreateRequest,
    "delete_request": DeleteRequest,
    "disable_request": DisableRequest,
    "enable_request": EnableRequest,
    "stop_job": StopJob,
    "reset_job": ResetJob,
    "disable": Disable,
    "enable": Enable,
    "revoke_user": RevokeUser,
    "reset_lockout": ResetLockout,
    "couple": Couple,
    "kick": Kick,
    "load_certificates": LoadCertificates,
    "write_provisioning": WriteProvisioning,
    "write_configuration": WriteConfiguration,
    "snapshot": TakeSnapshot,
    "rollback": RollBack,
    "start_provisioning": StartProvisioning,
    "stop_provisioning": StopProvisioning,
    "send_control": SendControl,
    "factory_reset": FactoryReset,
    "set_clock": SetClock,
    "rotate": Rotate,
}
