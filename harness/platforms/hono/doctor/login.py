"""Devices with a password or a pre-shared key: `auth-id@tenant` and a secret (spec 4.1 to 4.3)."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.hono.doctor.facts import TYPES, Facts, Kind, TenantRecord
from fleetrig.harness.servers.description import did_you_mean


def parts_of(login: str) -> tuple[str, str]:
    """auth-id and tenant: the first @ splits. The tenant is empty without one."""
    auth_id, _, tenant = login.partition("@")
    return auth_id, tenant


def login_tenant(facts: Facts) -> TenantRecord | None:
    """By its id or alias."""
    wanted = parts_of(facts.presented.login)[1]
    return next((one for one in facts.tenants if wanted and wanted in (one.id, one.alias)), None)


def login_form(facts: Facts) -> Iterator[Diagnosis]:
    """What is wrong with the words alone."""
    presented = facts.presented
    if presented.kind is Kind.CERTIFICATE:
        return
    auth_id, tenant = parts_of(presented.login)
    if "@" not in presented.login:
        yield Diagnosis(
            "login-without-tenant", Weight.CAUSE,
            f"The {'identity' if presented.kind is Kind.KEY else 'user name'} {quoted(presented.login)} is no "
            "auth-id@tenant: without @ no tenant is looked for (401 malformed credentials, CONNACK 4; over "
            "DTLS no session).",
            f"Let the device call itself {quoted(presented.login + '@TENANT')}.",
        )  # fmt: skip
    elif not auth_id or not tenant:
        yield Diagnosis(
            "login-without-tenant", Weight.CAUSE,
            f"In {quoted(presented.login)} the {'auth-id' if not auth_id else 'tenant'} is empty.",
            "Let the device call itself auth-id@tenant.",
        )  # fmt: skip


def no_tenant(facts: Facts) -> Iterator[Diagnosis]:
    """No tenant has that name."""
    auth_id, wanted = parts_of(facts.presented.login)
    if not wanted or facts.is_offline:
        return
    names = [one.id for one in facts.tenants] + [one.alias for one in facts.tenants if one.alias]
    if auth_id in names:
        yield Diagnosis(
            "login-swapped", Weight.CAUSE,
            f"The login {quoted(facts.presented.login)} has tenant and auth-id in each other's place: there is a "
            f"tenant {quoted(auth_id)}, and none called {quoted(wanted)}.",
            f"Let the device call itself {quoted(f'{wanted}@{auth_id}')}.",
        )  # fmt: skip
        return
    more = " What stands behind the first @ is the tenant." if "@" in wanted else ""
    yield Diagnosis(
        "no-such-tenant", Weight.CAUSE,
        f"There is no tenant {quoted(wanted)}{did_you_mean(wanted, names)}.{more} Told as 401, CONNACK 4.",
        "Correct the tenant behind the @, or create it.",
    )  # fmt: skip


def unknown_login(facts: Facts, tenant: TenantRecord) -> Iterator[Diagnosis]:
    """No device has such credentials."""
    if facts.devices is None:
        return
    auth_id = parts_of(facts.presented.login)[0]
    kind = TYPES[facts.presented.kind]
    entries = [(device, entry) for device in facts.devices for entry in device.entries or ()]
    other = next(((device, entry) for device, entry in entries if entry.get("auth-id") == auth_id), None)
    own = next((one for one in facts.devices if one.id == auth_id), None)
    told = "Told as 401, CONNACK 4; over DTLS no session comes about."
    weight = Weight.CAUSE if facts.knows_all_devices else Weight.POSSIBLE
    if other is not None:
        yield Diagnosis(
            "credentials-of-another-type", weight,
            f"Device {quoted(other[0].id)} has {other[1].get('type')} credentials of the auth-id {quoted(auth_id)}, "
            f"and none of the type {kind}, which this login needs. {told}",
            f"Give it {kind} credentials too, or let it use what it has.",
        )  # fmt: skip
    elif own is not None and own.entries:
        have = ", ".join(quoted(str(one.get("auth-id"))) for one in own.entries[:3])
        yield Diagnosis(
            "device-id-for-auth-id", weight,
            f"{quoted(auth_id)} is the device's id. Credentials are found by their auth-id; the device's: {have}. "
            f"{told}",
            f"Let the device call itself {quoted(str(own.entries[0].get('auth-id')) + '@' + tenant.id)}.",
        )  # fmt: skip
    else:
        known = [str(entry.get("auth-id")) for _, entry in entries if entry.get("type") == kind]
        yield Diagnosis(
            "auth-id-unknown", weight,
            f"No device of {tenant.called} that was looked at has {kind} credentials of the auth-id "
            f"{quoted(auth_id)}{did_you_mean(auth_id, known)}. {told}",
            "Correct the auth-id before the @, or register credentials with it.",
        )  # fmt: skip
