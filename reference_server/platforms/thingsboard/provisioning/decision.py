"""Whether a device is provisioned, in the order of the real server (spec 1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.provisioning.request import ProvisionRequest
from fleetrig.reference_server.platforms.thingsboard.state import attributes, devices, events, profiles
from fleetrig.reference_server.platforms.thingsboard.state.attributes import PROVISION_STATE, PROVISIONED
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import (
    FormedCredentials,
    basic_value,
    formed,
)
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.events import Event, EventType
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import JAVA_WHITE
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    Credentials,
    CredentialsType,
    Device,
    DeviceProfile,
    ProvisionType,
    Scope,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.simulator.contract.clock import US_PER_S

GIVES_UP_AFTER_US: Final = 10 * US_PER_S
"""After how long without a decision a transport answers by itself; a real one takes 10 to 16 s (1.6, S81)."""
NUL = "\0"
"""What the real server's database takes in no text: a look-up with it fails, and nothing answers the request."""


class Status(StrEnum):
    SUCCESS = "SUCCESS"
    NOT_FOUND = "NOT_FOUND"
    FAILURE = "FAILURE"


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of a request. `status` None: nothing, the caller runs into the internal time-out (S81)."""

    status: Status | None
    reason: str = ""
    """For a person, when it was refused: what was wrong and what to do."""
    device: Device | None = None
    credentials: Credentials | None = None
    """Of a SUCCESS."""
    changed: str = ""


def _learn_secrets(registry: Registry, request: ProvisionRequest) -> None:
    """No place in protobuf says what is a secret, be it a wrong one; JSON is masked by its members."""
    registry.learn("provision-secret", request.secret)
    registry.learn("access-token", request.token)
    registry.learn("mqtt-password", request.password)


def decide(registry: Registry, request: ProvisionRequest, now_us: int) -> Decision:
    """One request. What it changes stands in the registry's store."""
    if request.is_protobuf:
        _learn_secrets(registry, request)
    if request.credentials_type is None:
        return Decision(None, "credentialsType has a number that stands for no type: the server finds no answer")
    name = request.device_name.strip(JAVA_WHITE)
    if request.device_name and not name:
        return _failed("deviceName is nothing but blanks: leave it out or give the device a name")
    if not request.key or not request.secret:
        return _not_found("provisionDeviceKey or provisionDeviceSecret is empty")
    if NUL in request.key:
        return Decision(None, "provisionDeviceKey holds a NUL character: the server's look-up fails")
    profile = profiles.profile_by_key(registry, request.key)
    if profile is None:
        return _not_found("no device profile has this provisionDeviceKey: compare it with the profile's")
    if profile.provision_secret is None:
        return _not_found(f"profile {profile.name} has no secret: its provisioning was never set up")
    return _by_strategy(registry, request, profile, name, now_us)


def _by_strategy(
    registry: Registry, request: ProvisionRequest, profile: DeviceProfile, name: str, now_us: int
) -> Decision:
    strategy = profile.provision_type
    if strategy is ProvisionType.CERTIFICATE_CHAIN:
        return Decision(None, f"profile {profile.name} provisions by certificate chains: it answers no request")
    if strategy is ProvisionType.DISABLED:
        return _not_found(f"provisioning is disabled in profile {profile.name}: choose a strategy there")
    if profile.provision_secret != request.secret:
        return _not_found(f"provisionDeviceSecret is not that of profile {profile.name}")
    profiles.learn_secret(registry, profile)
    if NUL in name:
        return Decision(None, "deviceName holds a NUL character: the server's look-up fails")
    device = devices.device_named(registry, profile.tenant_id, name) if name else None
    if strategy is ProvisionType.CHECK_PRE_PROVISIONED:
        return _check_listed(registry, request, profile, device, name, now_us)
    if device is not None:
        events.note(registry, device.id, EventType.PROVISION_FAILURE, request.as_event, now_us)
        return _failed(f"there is a device {name} already: delete it, or let the device keep its credentials", device)
    return create(registry, request, profile, name, now_us)


def create(registry: Registry, request: ProvisionRequest, profile: DeviceProfile, name: str, now_us: int) -> Decision:
    """A new device with the request's credentials, or with an access token. Nothing remains of a refused one (S18)."""
    try:
        new = devices.NewDevice(
            name or registry.new_word(),
            own_credentials(request),
            additional_info={"gateway": True} if request.gateway else None,
        )
        device = devices.create_device(registry, profile, new, now_us)
    except RuleBroken as broken:
        return _failed(f"the device cannot be created: {broken}")
    attributes.put_attributes(registry, device.id, Scope.SERVER, {PROVISION_STATE: PROVISIONED}, now_us)
    made = Event(EventType.ENTITY_CREATED, ms(now_us), {"name": device.name, "type": device.type})
    events.add(registry, device.id, made, Event(EventType.PROVISION_SUCCESS, ms(now_us), request.as_event))
    credentials = devices.credentials_of(registry, device.id)
    return Decision(Status.SUCCESS, device=device, credentials=credentials, changed=f"device {device.name} created")


def own_credentials(request: ProvisionRequest) -> FormedCredentials | None:
    """What a request brings, of the type that it says; None when it brings nothing (1.1). Raises RuleBroken."""
    if not request.brings_credentials:
        return None
    match request.credentials_type:
        case CredentialsType.MQTT_BASIC:
            value = basic_value(request.client_id, request.username, request.password)
            return formed(CredentialsType.MQTT_BASIC, None, value)
        case CredentialsType.X509_CERTIFICATE:
            return formed(CredentialsType.X509_CERTIFICATE, None, request.certificate)
        case CredentialsType.LWM2M_CREDENTIALS:
            return formed(CredentialsType.LWM2M_CREDENTIALS, None, None)
        case _:
            return formed(CredentialsType.ACCESS_TOKEN, request.token, None)


def _check_listed(
    registry: Registry, request: ProvisionRequest, profile: DeviceProfile, device: Device | None, name: str, now_us: int
) -> Decision:
    """The strategy CHECK_PRE_PROVISIONED_DEVICES."""
    if device is None:
        what = f"no device {name} was imported" if name else "the request names no device"
        return _failed(f"{what}: profile {profile.name} provisions listed devices only")
    if device.profile_id != profile.id:
        return _failed(f"device {name} is in profile {device.type}, not in {profile.name}", device)
    found = attributes.attribute(registry, device.id, Scope.SERVER, PROVISION_STATE)
    state = None if found is None else str(found.value)
    if state is not None and (registry.traits.answers_once or state != PROVISIONED):
        return _refuse_again(registry, request, device, state, now_us)
    attributes.put_attributes(registry, device.id, Scope.SERVER, {PROVISION_STATE: PROVISIONED}, now_us)
    events.note(registry, device.id, EventType.PROVISION_SUCCESS, request.as_event, now_us)
    credentials = devices.credentials_of(registry, device.id)
    if credentials is not None:
        devices.learn_credentials(registry, credentials)
    return Decision(Status.SUCCESS, device=device, credentials=credentials, changed=f"device {name} provisioned")


def _refuse_again(registry: Registry, request: ProvisionRequest, device: Device, state: str, now_us: int) -> Decision:
    if state != PROVISIONED and registry.traits.answers_once:
        return _failed(f"device {device.name} has the unknown provisionState {state}: delete the attribute", device)
    events.note(registry, device.id, EventType.PROVISION_FAILURE, request.as_event, now_us)
    return _failed(f"device {device.name} has provisionState {state}: delete the attribute to let it ask again", device)


def _not_found(reason: str) -> Decision:
    return Decision(Status.NOT_FOUND, reason)


def _failed(reason: str, device: Device | None = None) -> Decision:
    return Decision(Status.FAILURE, reason, device)
