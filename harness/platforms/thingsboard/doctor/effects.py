"""What a server would do upon what a device presents, by what an account sees: pure, and decided here once.

The doctor asks in earnest only where nothing can come of it but an answer; the page foretells by the same rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fleetrig.harness.platforms.thingsboard.doctor.chains import broken_at, device_name
from fleetrig.harness.platforms.thingsboard.doctor.document import NAME
from fleetrig.harness.platforms.thingsboard.doctor.facts import Facts, Kind, ProfileRecord, Strategy


class Effect(StrEnum):
    """What becomes of the tenant."""

    NOTHING = "nothing"
    CREATES = "creates a device"
    PROVISIONS = "provisions a listed device"
    REPLACES = "replaces the device's certificate"
    UNKNOWN = "cannot be foretold"


def effect(facts: Facts) -> Effect:
    """Of asking in earnest, now."""
    match facts.presented.kind:
        case Kind.REQUEST:
            return _of_request(facts)
        case Kind.CERTIFICATE:
            return _of_chain(facts)
        case _:
            return Effect.NOTHING


def _of_request(facts: Facts) -> Effect:
    """In the order of spec 1.3. A key that no profile of this tenant has may be another tenant's."""
    document, tenant, profile = facts.presented.document, facts.tenant, facts.profile
    assert document is not None
    if document.why_not:
        return Effect.UNKNOWN
    if document.fatal() or (document.text(NAME) and not facts.name):
        return Effect.NOTHING
    if tenant is None or profile is None:
        return Effect.UNKNOWN
    if not facts.secret_fits or profile.strategy not in (Strategy.CREATE, Strategy.CHECK):
        return Effect.NOTHING
    device = tenant.device
    if profile.strategy == Strategy.CREATE:
        return Effect.CREATES if device is None else Effect.NOTHING
    is_waiting = device is not None and device.profile == profile.name and device.state is None
    return Effect.PROVISIONS if is_waiting else Effect.NOTHING


@dataclass(frozen=True, slots=True)
class ChainReading:
    """What a chain profile makes of a chain. `name`: of the device; `fault`: why there is none."""

    profile: ProfileRecord
    name: str = ""
    fault: str = ""


def _of_chain(facts: Facts) -> Effect:
    tenant, chain = facts.tenant, facts.presented.chain
    if broken_at(chain) is not None:
        return Effect.NOTHING  # the handshake fails before anything is looked up (S79)
    if tenant is None:
        return Effect.UNKNOWN
    if is_known(facts):
        return Effect.NOTHING
    reading = read_chain(facts)
    if reading is None:
        return Effect.UNKNOWN  # an authority of another tenant's profile
    if reading.fault:
        return Effect.NOTHING
    device = tenant.device if tenant.device is not None and tenant.device.name == reading.name else None
    if device is None:
        return Effect.CREATES if reading.profile.creates else Effect.NOTHING
    if device.profile != reading.profile.name or device.credentials_type != "X509_CERTIFICATE":
        return Effect.NOTHING
    return Effect.REPLACES


def is_known(facts: Facts) -> bool:
    """The leaf is the certificate that a device of the tenant has; then nothing else is looked at (spec 2.4)."""
    tenant, leaf = facts.tenant, facts.presented.chain[0]
    if tenant is None:
        return False
    own = tenant.device is not None and tenant.device.credentials_type == "X509_CERTIFICATE"
    return bool(tenant.owner) or (own and tenant.device is not None and tenant.device.credentials_id == leaf.id)


def read_chain(facts: Facts) -> ChainReading | None:
    """By the profile that a certificate of the chain backs; None where none does."""
    profile = backed_profile(facts)
    if profile is None:
        return None
    try:
        name = device_name(profile.pattern, facts.presented.chain[0].common_name)
    except re.error as wrong:
        return ChainReading(profile, fault=f"the pattern cannot be read ({wrong})")
    except IndexError:
        return ChainReading(profile, fault="the pattern has no group")
    return ChainReading(profile, fault="the pattern finds nothing") if name is None else ChainReading(profile, name)


def backed_profile(facts: Facts) -> ProfileRecord | None:
    """The chain profile of the first certificate, from the leaf upwards, that backs one."""
    profiles = () if facts.tenant is None else facts.tenant.profiles
    chains = [one for one in profiles if one.strategy == Strategy.CHAIN]
    for shown in facts.presented.chain:
        found = next((one for one in chains if one.key == shown.id), None)
        if found is not None:
            return found
    return None
