"""Certificates: a proxy ends TLS and vouches for the device in two headers (docs/contracts/hawkbit.md §3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from fleetrig.harness.doctor.certificates import CertificateFacts
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.platforms.hawkbit.doctor.facts import Facts, Presented
from fleetrig.harness.platforms.hawkbit.doctor.ids import difference, nearness
from fleetrig.harness.platforms.hawkbit.doctor.tokens import CONFIGS, mode_off
from fleetrig.harness.platforms.hawkbit.settings import HEADER_AUTHORITY

IDENTITY_HEADER: Final = "X-Controller-Id"
AUTHORITY_HEADER: Final = "X-Authority"
OLD_IDENTITY_HEADER: Final = "X-Ssl-Client-Cn"
OLD_AUTHORITY_HEADER: Final = "X-Ssl-Issuer-Hash"


def certificate(facts: Facts) -> Iterator[Diagnosis]:
    """What refuses a device with this certificate."""
    own = facts.presented.certificate
    if own is None:
        return
    yield from faults(facts)
    yield from mode_off(facts)
    yield from _authority(facts, own)
    yield _headers(facts, own)


def faults(facts: Facts) -> Iterator[Diagnosis]:
    """What is wrong with the certificate itself, whatever the server is."""
    own = facts.presented.certificate
    if own is not None:
        yield from _dates(facts, own)
        yield from _purpose(own)
        yield from _identity(facts, own)


def proxy_headers(presented: Presented) -> dict[str, str]:
    """What a proxy would add for this certificate, in the names of both generations."""
    own = presented.certificate
    if own is None:
        return {}
    headers = {IDENTITY_HEADER: own.common_name, OLD_IDENTITY_HEADER: own.common_name}
    for number, authority in enumerate(authorities(presented), 1):
        headers |= {f"{name}-{number}": authority for name in (AUTHORITY_HEADER, OLD_AUTHORITY_HEADER)}
    return {name: value for name, value in headers.items() if value.isascii() and value.isprintable()}


def authorities(presented: Presented) -> list[str]:
    """What a proxy may pass on as the issuer: what the user says it does, else every name we know of it."""
    own = presented.certificate
    if presented.authority or own is None:
        return [presented.authority] if presented.authority else []
    return [name for name in (own.issuer_common_name, *own.issuer_fingerprints) if name]


def _dates(facts: Facts, own: CertificateFacts) -> Iterator[Diagnosis]:
    when = facts.now + timedelta(seconds=facts.skew_s or 0.0)
    if reason := own.outside(when):
        clock = "the server's clock" if facts.skew_s is not None else "the clock of this machine"
        yield Diagnosis(
            "certificate-dates", Weight.CAUSE,
            f"The device's certificate {reason}; {clock} says {when:%Y-%m-%d %H:%M} UTC. The proxy ends such a "
            "handshake, whatever hawkBit thinks.",
            "Issue a new certificate, or set the clock that is wrong.",
        )  # fmt: skip


def _purpose(own: CertificateFacts) -> Iterator[Diagnosis]:
    if not own.is_for_clients:
        yield Diagnosis(
            "certificate-purpose", Weight.LIKELY,
            "The device's certificate is not for clients: its extendedKeyUsage lacks clientAuth. TLS libraries refuse "
            "it when a device shows it, whatever authority has issued it.",
            "Issue it with extendedKeyUsage = clientAuth.",
        )  # fmt: skip


def _identity(facts: Facts, own: CertificateFacts) -> Iterator[Diagnosis]:
    name, wanted = own.common_name, facts.controller_id
    if name == wanted:
        return
    if not name:
        cause = f"The certificate has no common name ({printable(own.subject)}), so a proxy has no identity to pass on."
    else:
        how = difference(wanted, name) if nearness(wanted, name) >= 1 else "is another name"
        cause = (
            f"The certificate says CN {quoted(name)}, the device asks for {quoted(wanted)} ({how}). The identity that "
            "the proxy passes on must equal the controllerId in the path, case included."
        )
    yield Diagnosis(
        "identity-differs", Weight.CAUSE, cause,
        f"Let the device call itself {quoted(name)}, or issue a certificate with CN {quoted(wanted)}. If your proxy "
        "takes the identity from elsewhere (subjectAltName, serial), compare that."
        if name
        else f"Issue a certificate with CN {quoted(wanted)}.",
    )  # fmt: skip


def _authority(facts: Facts, own: CertificateFacts) -> Iterator[Diagnosis]:
    if facts.config is None or facts.config.authority is None:
        return
    passed_on = authorities(facts.presented)
    added = ",".join(filter(None, [facts.config.authority.strip(" ,;"), passed_on[0] if passed_on else "NAME"]))
    command = facts.shell.curl("PUT", CONFIGS + HEADER_AUTHORITY, {"value": added})
    if not facts.config.authorities:
        yield Diagnosis(
            "authority-empty", Weight.CAUSE,
            f"Tenant {facts.tenant} trusts no authority: {HEADER_AUTHORITY} is empty.",
            "Set it to exactly what the proxy sends as authority.",
            command,
        )  # fmt: skip
        return
    if facts.config.authorities.intersection(name.lower() for name in passed_on):
        return
    sure = bool(facts.presented.authority)
    listed = ", ".join(sorted(facts.config.authorities))
    sent = quoted(passed_on[0]) if sure else f"the issuer's common name {quoted(own.issuer_common_name)} or fingerprint"
    yield Diagnosis(
        "authority-unknown", Weight.CAUSE if sure else Weight.LIKELY,
        f"Tenant {facts.tenant} trusts the authorities {printable(listed, 160)}; {sent} is not among them."
        + ("" if sure else " What is compared is what the proxy sends: if that is a fixed text, say --authority TEXT."),
        "Let the proxy send one of these, or add what it sends (separated by commas, which no entry can hold).",
        command,
    )  # fmt: skip


def _headers(facts: Facts, own: CertificateFacts) -> Diagnosis:
    listed = (facts.config.authority or "") if facts.config is not None else ""
    authority = facts.presented.authority or listed.replace(";", ",").partition(",")[0].strip()
    authority = authority or own.issuer_common_name or "NAME"
    return Diagnosis(
        "headers", Weight.NOTE,
        f"hawkBit sees no certificate, only what the proxy says of it. From 1.0 on: {IDENTITY_HEADER} and "
        f"{AUTHORITY_HEADER} (or {AUTHORITY_HEADER}-1, -2, …). Up to 0.10: {OLD_IDENTITY_HEADER} and "
        f"{OLD_AUTHORITY_HEADER}-1, -2, …. The names are start-up properties of the server.",
        "In nginx, the first line beside `server`, the others where `ssl_verify_client on` holds:",
        (
            'map $ssl_client_s_dn $device { "~(^|,)CN=(?<cn>[^,]+)" $cn; }',
            f"proxy_set_header {IDENTITY_HEADER} $device;",
            f'proxy_set_header {AUTHORITY_HEADER} "{printable(authority)}";',
        ),
    )  # fmt: skip
