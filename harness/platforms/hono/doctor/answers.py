"""Answers that do not go with what the registry shows: caches, other places, secrets that nobody can see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.hono.doctor.facts import Facts, Kind
from fleetrig.harness.platforms.hono.doctor.foretelling import Foretold
from fleetrig.harness.platforms.hono.doctor.registration import owner_of

SLOW_TO_HEAR: Final = frozenset(
    {"issuer-unknown", "authority-expired", "authority-not-yet-valid", "another-key", "adapter-disabled",
     "adapter-not-listed", "auto-provisioning-off", "no-such-tenant", "credentials-disabled", "auth-id-unknown"}
)  # fmt: skip
"""What adapters go on for a while without."""
CACHES: Final = (
    "adapters keep what they know of a tenant and of credentials for a while (60 s with a JDBC registry, 180 s with "
    "MongoDB), unless the tenant has ext invalidate-cache-on-update"
)


def contradictions(facts: Facts, foretold: Foretold) -> Iterator[Diagnosis]:
    """The device was let in though it should not have been."""
    against = [one for one in foretold.causes if one.weight is Weight.CAUSE]
    if not against:
        return
    names = ", ".join(one.name for one in against)
    is_cached = any(one.name in SLOW_TO_HEAR for one in against)
    why = CACHES if is_cached else "the adapter asks another registry than was looked at here"
    tenant = foretold.tenant or next(iter(facts.tenants), None)
    yield Diagnosis(
        "cached" if is_cached else "contradiction", Weight.NOTE,
        f"By what the registry shows this device should have been refused ({names}). It was let in: {why}.",
        "Ask again in some minutes; set ext invalidate-cache-on-update in the tenant to have changes heard at once.",
        facts.shell.tenant(tenant.id, '.ext["invalidate-cache-on-update"]=true')
        if is_cached and tenant is not None and tenant.id and not tenant.drops_caches else (),
    )  # fmt: skip


def unexplained(facts: Facts, foretold: Foretold) -> Iterator[Diagnosis]:
    """The device was refused though nothing seems to be in the way."""
    presented = facts.presented
    if presented.kind is not Kind.CERTIFICATE:
        owner = owner_of(facts, foretold.auth_id)
        which = f"that of device {quoted(owner.device.id)}" if owner is not None else "the registered one"
        certain = Weight.CAUSE if owner is not None else Weight.LIKELY
        yield Diagnosis(
            "secret-differs", certain,
            f"The {presented.kind} is not {which}"
            + (": the credentials are there, enabled and in date." if owner is not None else ", or there is none.")
            + (" Over DTLS a wrong key and an unknown identity are answered by silence." if presented.kind is Kind.KEY
               else ""),
            "Set it anew (PUT credentials, secrets with pwd-plain)" if presented.kind is Kind.PASSWORD else
            "Set it anew (PUT credentials, secrets with key: Base64 of the bytes that the device has).",
        )  # fmt: skip
        return
    heard = facts.heard
    line = "" if heard is None else heard.line
    if "CONNACK 3" in line or "503" in line or "5.03" in line:
        yield Diagnosis(
            "notification-not-sent", Weight.LIKELY,
            f"{line}: the registry could not send the provisioning notification; until it can, the device stays locked "
            "out, though it is registered.",
            "See that the messaging network (Kafka, AMQP) takes events of this tenant.",
        )  # fmt: skip
        return
    yield Diagnosis(
        "contradiction", Weight.POSSIBLE,
        f"By what the registry shows this device should have been let in, and it heard {line}: {CACHES}, or the "
        "adapter asks another registry, or a limit of the tenant is reached (connections, data volume).",
        "Ask again in some minutes, and look at the adapter's log.",
    )  # fmt: skip
