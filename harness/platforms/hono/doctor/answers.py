"""Answers that do not go with what the registry shows: caches, other places, secrets that nobody can see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.hono.doctor.facts import Facts, Kind, Said
from fleetrig.harness.platforms.hono.doctor.foretelling import Foretold
from fleetrig.harness.platforms.hono.doctor.registration import owner_of

SLOW_TO_HEAR: Final = frozenset(
    {"issuer-unknown", "authority-expired", "authority-not-yet-valid", "another-key", "adapter-disabled",
     "adapter-not-listed", "auto-provisioning-off", "no-such-tenant", "credentials-disabled", "auth-id-unknown"}
)  # fmt: skip
"""What adapters go on for a while without."""
OF_SECRETS: Final = ("HTTP 401", "CONNACK 4")
"""What is said to a wrong password; to a wrong key there is no answer. Other refusals are of other things."""
UNAVAILABLE: Final = ("HTTP 503", "CONNACK 3", "CoAP 5.03")
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
    heard, is_certificate = facts.heard, facts.presented.kind is Kind.CERTIFICATE
    if heard is None:
        return
    if not is_certificate and (heard.said is Said.SILENCE or heard.line.startswith(OF_SECRETS)):
        yield _secret_differs(facts, foretold)
    elif is_certificate and any(one in heard.line for one in UNAVAILABLE):
        yield Diagnosis(
            "notification-not-sent", Weight.LIKELY,
            f"{heard.line}: the registry could not send the provisioning notification; until it can, the device stays "
            "locked out, though it is registered.",
            "See that the messaging network (Kafka, AMQP) takes events of this tenant.",
        )  # fmt: skip
    else:
        yield Diagnosis(
            "contradiction", Weight.POSSIBLE,
            f"By what the registry shows this device should have been let in, and it heard {heard.line}: {CACHES}, or "
            "the adapter asks another registry, or a limit of the tenant is reached (connections, data volume), or "
            "what the adapter needs is not there (503, CONNACK 3).",
            "Ask again in some minutes, and look at the adapter's log.",
        )  # fmt: skip


def _secret_differs(facts: Facts, foretold: Foretold) -> Diagnosis:
    kind, owner = facts.presented.kind, owner_of(facts, foretold.auth_id)
    which = f"that of device {quoted(owner.device.id)}" if owner is not None else "the registered one"
    return Diagnosis(
        "secret-differs", Weight.CAUSE if owner is not None else Weight.LIKELY,
        f"The {kind} is not {which}"
        + (": the credentials are there, enabled and in date." if owner is not None else ", or there is none.")
        + (" Over DTLS a wrong key and an unknown identity are answered by silence." if kind is Kind.KEY else ""),
        "Set it anew (PUT credentials, secrets with pwd-plain)" if kind is Kind.PASSWORD else
        "Set it anew (PUT credentials, secrets with key: Base64 of the bytes that the device has).",
    )  # fmt: skip
