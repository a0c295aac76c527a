"""Certificates: a proxy ends TLS and vouches for the device in two headers (docs/contracts/hawkbit.md §3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from fleetrig.harness.doctor.certificates import CertificateFacts
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.platforms.hawkbit.doctor.facts import Facts, Kind
from fleetrig.harness.platforms.hawkbit.doctor.ids import difference, nearness
from fleetrig.harness.platforms.hawkbit.doctor.tokens import CONFIGS, mode_off
from fleetrig.harness.platforms.hawkbit.doctor.vouching import (
    AUTHORITY_HEADER,
    IDENTITY_HEADER,
    OLD_AUTHORITY_HEADER,
    OLD_IDENTITY_HEADER,
    OWN_TEXT,
    Vouching,
    as_nginx_writes,
    forms,
    is_one_entry,
    matching,
    parts_of_names,
    pieces,
    quoted_for_nginx,
    vouching,
)
from fleetrig.harness.platforms.hawkbit.settings import HEADER_AUTHORITY, HEADER_MODE
from fleetrig.simulator.contract.header_text import why_no_header_text


def certificate(facts: Facts) -> Iterator[Diagnosis]:
    """What refuses a device with this certificate."""
    own = facts.presented.certificate
    if own is None:
        return
    yield from faults(facts)
    yield from _unsendable(facts)
    yield from mode_off(facts)
    yield from _authority(facts, own)
    yield from _headers(facts)


def faults(facts: Facts) -> Iterator[Diagnosis]:
    """What is wrong with the certificate itself, whatever the server is."""
    own = facts.presented.certificate
    if own is not None:
        yield from _dates(facts, own)
        yield from _purpose(own)
        yield from _identity(facts, own)


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


def _unsendable(facts: Facts) -> Iterator[Diagnosis]:
    """What stands in the certificate and in no header: then nothing could be asked as the device."""
    told = vouching(facts.presented, facts.config)
    if told is None:
        return
    sure = not facts.presented.has_key
    if why := why_no_header_text(told.identity.strip()):
        yield _malformed(
            f"common name {quoted(told.identity)} {why}: {IDENTITY_HEADER}", sure,
            "Issue certificates with ASCII names, and give the devices such controllerIds.",
        )  # fmt: skip
    elif not told.identity.isascii():
        yield Diagnosis(
            "certificate-escaped", Weight.NOTE,
            f"The common name {quoted(told.identity)} is sent here as it is, in Latin-1. nginx passes it on as "
            f"{as_nginx_writes(told.identity)}, which is no controllerId of this device: then hawkBit refuses it.",
            "Issue certificates with ASCII names, or see to it that your proxy sends what is sent here.",
        )  # fmt: skip
    if why := why_no_header_text(told.authority.strip()):
        yield _malformed(
            f"authority {quoted(told.authority)} {why}: {AUTHORITY_HEADER}",
            sure and facts.presented.authority is not None,
            "Let the proxy send a text of your own for this CA, in ASCII, list that for the tenant, and say it here "
            "with --authority TEXT.",
        )  # fmt: skip


def _malformed(what: str, sure: bool, change: str) -> Diagnosis:
    return Diagnosis(
        "certificate-malformed", Weight.CAUSE if sure else Weight.LIKELY,
        f"The {what} cannot carry it as it is. nginx writes such letters with backslashes, other proxies as UTF-8, "
        "which hawkBit reads as other letters.",
        change,
    )  # fmt: skip


def _authority(facts: Facts, own: CertificateFacts) -> Iterator[Diagnosis]:
    told = vouching(facts.presented, facts.config)
    if told is None or facts.config is None or facts.config.authority is None:
        return
    trusted = pieces(facts.config.authority)
    matched = matching(told.authority, trusted)
    if matched:
        yield from _too_wide(facts, told, trusted, matched)
        return
    if not any(trusted):
        yield Diagnosis(
            "authority-empty", Weight.CAUSE,
            f"Tenant {facts.tenant} trusts no authority: {HEADER_AUTHORITY} is empty.",
            f"Set it to exactly what the proxy sends as authority.{_one_entry(told)}",
            _trusting(facts, own, told),
        )  # fmt: skip
        return
    sure = facts.presented.authority is not None
    sent = quoted(told.authority) if sure else _every_form(own)
    yield Diagnosis(
        "authority-unknown", Weight.CAUSE if sure else Weight.LIKELY,
        f"Tenant {facts.tenant} trusts the authorities {_listed(trusted)}; {sent} is not among them."
        + ("" if sure else " What is compared is what the proxy sends: if that is a fixed text, say --authority TEXT."),
        "Let the proxy send one of these, or add what it sends (separated by commas, which no entry can hold)."
        + _one_entry(told),
        _trusting(facts, own, told),
    )  # fmt: skip


def _every_form(own: CertificateFacts) -> str:
    by_fingerprint = " or fingerprint" if own.issuer_fingerprints else ""
    return f"the issuer's name {quoted(own.issuer)}, in parts or as a whole{by_fingerprint},"


def _listed(trusted: Sequence[str]) -> str:
    return printable(", ".join(sorted(quoted(piece) for piece in set(trusted) if piece)), 160)


def _trusting(facts: Facts, own: CertificateFacts, told: Vouching) -> tuple[str, ...]:
    """Adds one entry that means this issuer and no other; the proxy has to send the same."""
    entry = told.authority if told.authority and _can_be_listed(told.authority) else _entry_for(own)
    before = (facts.config.authority or "").strip(" ,;") if facts.config is not None else ""
    added = ",".join(filter(None, [before, entry]))
    proxy = () if entry == told.authority else (f"proxy_set_header {AUTHORITY_HEADER} {quoted_for_nginx(entry)};",)
    return *facts.shell.curl("PUT", CONFIGS + HEADER_AUTHORITY, {"value": added}), *proxy


def _entry_for(own: CertificateFacts) -> str:
    known = [form.text for form in forms(own) if _can_be_listed(form.text)]
    return next(iter(known), OWN_TEXT)


def _can_be_listed(text: str) -> bool:
    """Sent as it is, and one entry of the list."""
    return is_one_entry(text) and not why_no_header_text(text.strip(" "))


def _one_entry(told: Vouching) -> str:
    if is_one_entry(told.authority):
        return ""
    return f" {quoted(told.authority)} would be split: let the proxy send a text without commas for this CA."


def _too_wide(facts: Facts, told: Vouching, trusted: Sequence[str], matched: Sequence[str]) -> Iterator[Diagnosis]:
    """The server splits both sides at commas and semicolons, and one part that is in both is enough."""
    shared = list(parts_of_names(trusted))
    if not is_one_entry(told.authority) and len(told.authorities) == 1:
        shared += [piece for piece in matched if piece not in shared]
    if not any(shared):
        return
    listed = _listed(shared)
    yield Diagnosis(
        "authority-by-part", Weight.NOTE,
        f"{HEADER_AUTHORITY} is split at commas and semicolons, and so is what the proxy sends; one part in both is "
        f"enough. Every authority whose name has {listed} in it is trusted, if the proxy passes its certificates on.",
        "Let the proxy send a text of your own for each CA, without commas (or its fingerprint), and list only that.",
    )  # fmt: skip


def open_door(facts: Facts) -> Iterator[Diagnosis]:
    """An empty entry is equal to an empty header: then anybody is let in who can reach the server (§3.3)."""
    if facts.config is None or not facts.config.is_on(Kind.CERTIFICATE) or not facts.same_tenant:
        return
    if facts.config.authority is None or "" not in pieces(facts.config.authority):
        return
    yield Diagnosis(
        "authority-open", Weight.NOTE,
        f"Tenant {facts.tenant} takes certificates, and {HEADER_AUTHORITY} "
        f"{'has an empty entry' if facts.config.authority else 'is empty'}: a request with {IDENTITY_HEADER} and an "
        f"empty {AUTHORITY_HEADER} is let in as any device, without any certificate.",
        f"List the authorities without empty entries, or turn {HEADER_MODE} off.",
    )  # fmt: skip


def _headers(facts: Facts) -> Iterator[Diagnosis]:
    told = vouching(facts.presented, facts.config)
    if told is None:
        return
    values = {told.identity: "$device", told.authority: told.in_nginx}
    lines = [
        f"proxy_set_header {name} {values.get(value) or quoted_for_nginx(value)};"
        for name, value in told.headers.items()
    ]
    lines = [f"{line}  # up to 0.10" if "X-Ssl-" in line else line for line in lines]
    before: tuple[str, ...] = ('map $ssl_client_s_dn $device { "~(^|,)CN=(?<cn>[^,]+)" $cn; }',)
    if any("${dollar}" in line for line in lines):
        before += ('geo $dollar { default "$"; }',)
    yield Diagnosis(
        "headers", Weight.NOTE,
        f"hawkBit sees no certificate, only what the proxy says of it. From 1.0 on: {IDENTITY_HEADER} and "
        f"{AUTHORITY_HEADER} (or {AUTHORITY_HEADER}-1, -2, …). Up to 0.10: {OLD_IDENTITY_HEADER} and "
        f"{OLD_AUTHORITY_HEADER}-1, -2, …. The names are start-up properties of the server.",
        "In nginx, what begins with map or geo beside `server`, the others where `ssl_verify_client on` holds:",
        (*before, *lines),
    )  # fmt: skip
