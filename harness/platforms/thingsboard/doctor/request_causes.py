"""Why a request is not granted, by what an account sees of the tenant: in the server's own order (spec 1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.thingsboard.admin import PROVISION_STATE, SERVER_SCOPE
from fleetrig.harness.platforms.thingsboard.doctor.document import KEY, SECRET
from fleetrig.harness.platforms.thingsboard.doctor.facts import (
    PROVISIONED,
    DeviceRecord,
    Facts,
    ProfileRecord,
    Said,
    Strategy,
    masked,
)
from fleetrig.harness.platforms.thingsboard.doctor.near import but_for, hint

CHOOSE: Final = (
    "Choose a strategy in the profile (Device profiles > its name > Device provisioning): "
    '"Allow to create new devices" or "Check for pre-provisioned devices"; it holds from the next request on.'
)


def request_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Nothing without an account, and nothing for a request that is no request."""
    document = facts.presented.document
    if facts.tenant is None or document is None or not document.has_effect():
        return
    if not document.text(KEY) or not document.text(SECRET):
        return
    profile = facts.profile
    if profile is None:
        yield _unknown_key(facts)
    elif profile.strategy == Strategy.CHAIN:
        yield _chain_key(profile)
    elif profile.strategy == Strategy.DISABLED:
        yield _disabled(profile)
    elif not facts.secret_fits:
        yield _other_secret(facts, profile)
    elif profile.strategy == Strategy.CREATE:
        yield from _creating(facts)
    else:
        yield from _listed(facts, profile)


def _unknown_key(facts: Facts) -> Diagnosis:
    assert facts.tenant is not None
    document = facts.presented.document
    assert document is not None
    key = document.text(KEY)
    profiles = facts.tenant.profiles
    alike = next((one for one in profiles if one.key and but_for(one.key, key)), None)
    swapped = next((one for one in profiles if one.secret == key and one.key == document.text(SECRET)), None)
    heard = facts.heard
    if heard is not None and heard.said is Said.FAILURE:
        return Diagnosis(
            "other-tenant", Weight.LIKELY,
            f"No profile of this tenant has the key ({masked('provision-key', key)}), but the server knows it: keys "
            "are unique over the whole installation, and this one belongs to another tenant, where the device "
            "appears.",
            "Use the key of the profile that is meant, or look with an account of the other tenant.",
        )  # fmt: skip
    if swapped is not None:
        return Diagnosis(
            "key-and-secret-swapped", Weight.CAUSE,
            f"Key and secret stand in each other's place: they are those of profile {quoted(swapped.name)}.",
            "Swap them on the device.",
        )  # fmt: skip
    how = f" That of {quoted(alike.name)} is the same{but_for(alike.key, key)}." if alike else ""
    return Diagnosis(
        "unknown-key", Weight.CAUSE,
        f"No device profile has this provisionDeviceKey ({masked('provision-key', key)}): NOT_FOUND.{how} Profiles "
        f"with a key: {_with_keys(profiles)}.",
        "Give the device the key of its profile (Device profiles > its name > Device provisioning).",
    )  # fmt: skip


def _with_keys(profiles: tuple[ProfileRecord, ...]) -> str:
    named = [f"{quoted(one.name)} ({masked('provision-key', one.key)})" for one in profiles if one.key][:5]
    return ", ".join(named) or "none"


def _chain_key(profile: ProfileRecord) -> Diagnosis:
    return Diagnosis(
        "chain-profile-key", Weight.CAUSE,
        f"The key is that of profile {quoted(profile.name)}, which provisions by certificate chains. No request is "
        "ever answered there: the server gives up after 10 to 16 s (MQTT closes, HTTP 500, CoAP 5.00).",
        "Let the device connect over MQTT with TLS and show its certificate with its authority's, or give it the key "
        "of another profile.",
    )  # fmt: skip


def _disabled(profile: ProfileRecord) -> Diagnosis:
    return Diagnosis(
        "provisioning-disabled", Weight.CAUSE,
        f"Provisioning is disabled in profile {quoted(profile.name)}, as in every new profile: NOT_FOUND, even with "
        "the right key and secret.", CHOOSE,
    )  # fmt: skip


def _other_secret(facts: Facts, profile: ProfileRecord) -> Diagnosis:
    assert facts.tenant is not None
    assert facts.presented.document is not None
    secret, stored = facts.presented.document.text(SECRET), profile.secret or ""
    owner = next((one.name for one in facts.tenant.profiles if secret and one.secret == secret), "")
    if profile.secret is None:
        cause = f"Profile {quoted(profile.name)} has no secret"
    elif owner:
        cause = f"The secret is that of profile {quoted(owner)}, the key that of {quoted(profile.name)}"
    else:
        cause = (
            f"The secret of profile {quoted(profile.name)} is another one{but_for(stored, secret)}: the device has "
            f"{masked('provision-secret', secret)}, the server {masked('provision-secret', stored)}"
        )
    return Diagnosis(
        "secret-differs", Weight.CAUSE, f"{cause}: NOT_FOUND.",
        "Give the device the secret of the profile whose key it has; a new one that is saved counts at once.",
    )  # fmt: skip


# -- ALLOW_CREATE_NEW_DEVICES


def _creating(facts: Facts) -> Iterator[Diagnosis]:
    tenant, profile = facts.tenant, facts.profile
    assert tenant is not None
    assert profile is not None
    if tenant.device is not None:
        yield _exists(facts, tenant.device, profile)
    elif 0 < tenant.most_devices <= tenant.devices:
        yield Diagnosis(
            "limit-reached", Weight.CAUSE,
            f"The tenant has {tenant.devices} devices, and its limit is {tenant.most_devices}: every new one is a "
            "FAILURE.",
            "Delete devices, or have the system administrator raise maxDevices in the tenant's profile.",
        )  # fmt: skip


def _exists(facts: Facts, device: DeviceRecord, profile: ProfileRecord) -> Diagnosis:
    where = "this profile" if device.profile == profile.name else f"profile {quoted(device.profile)}"
    was = "it was provisioned before" if device.state == PROVISIONED else "it was never provisioned"
    return Diagnosis(
        "already-exists", Weight.CAUSE,
        f"There is a device {quoted(device.name)} already, in {where} ({was}): names are unique in the tenant, and "
        "this strategy only creates. FAILURE, for ever: also for a device that lost its credentials or whose reply "
        "was lost.",
        "If this is that device, delete the old one: the next request creates it anew, with new credentials and "
        "without its data. Or keep it, and give the device its credentials by hand.",
        facts.shell.call("DELETE", f"/device/{device.id}"),
    )  # fmt: skip


# -- CHECK_PRE_PROVISIONED_DEVICES


def _listed(facts: Facts, profile: ProfileRecord) -> Iterator[Diagnosis]:
    assert facts.tenant is not None
    device = facts.tenant.device
    if not facts.name:
        yield Diagnosis(
            "no-name", Weight.CAUSE,
            f"The request names no device, but profile {quoted(profile.name)} provisions listed devices only: FAILURE.",
            "Send deviceName.",
        )  # fmt: skip
    elif device is None:
        yield Diagnosis(
            "not-listed", Weight.CAUSE,
            f"The tenant has no device {quoted(facts.name)}, and profile {quoted(profile.name)} provisions listed "
            f"devices only: FAILURE.{hint(facts.name, facts.tenant.names, 'device')} Names have upper and lower case.",
            "Correct the name, or list the device:",
            facts.shell.call("POST", "/device", {"name": facts.name, "type": profile.name}),
        )  # fmt: skip
    elif device.profile != profile.name:
        yield Diagnosis(
            "other-profile", Weight.CAUSE,
            f"Device {quoted(device.name)} is in profile {quoted(device.profile)}, the key is that of "
            f"{quoted(profile.name)}: FAILURE.",
            f"Give the device the key and secret of {quoted(device.profile)}, or move it:",
            facts.shell.call("POST", "/device", {
                "id": {"entityType": "DEVICE", "id": device.id}, "name": device.name, "type": profile.name,
                "deviceProfileId": {"entityType": "DEVICE_PROFILE", "id": profile.id},
            }),
        )  # fmt: skip
    elif device.state is not None:
        yield _provisioned(facts, device)


def _provisioned(facts: Facts, device: DeviceRecord) -> Diagnosis:
    """One that answers all the same is from before 4.2.1.1 (spec 1.7)."""
    path = f"/plugins/telemetry/DEVICE/{device.id}/{SERVER_SCOPE}?keys={PROVISION_STATE}"
    if device.state == PROVISIONED:
        cause = (
            f"Device {quoted(device.name)} is provisioned already ({PROVISION_STATE} is {PROVISIONED}), and since "
            "4.2.1.1 each listed device is answered once: FAILURE, also for one that lost its credentials or whose "
            "reply was lost."
        )
    else:
        cause = (
            f"The server attribute {PROVISION_STATE} of {quoted(device.name)} is {quoted(device.state or '')}, a value "
            f"that the server does not know: FAILURE. Only a device without the attribute is provisioned."
        )
    return Diagnosis(
        "already-provisioned" if device.state == PROVISIONED else "unknown-state", Weight.CAUSE, cause,
        "Delete the attribute (another value does not help); its credentials stay as they are.",
        facts.shell.call("DELETE", path),
    )  # fmt: skip
