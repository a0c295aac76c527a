"""Why a device with a certificate is not let in, or none is made of it (spec 2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.certificates import DAY
from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, printable, quoted
from fleetrig.harness.platforms.thingsboard.doctor.chains import authority_in, broken_at, is_signed_by
from fleetrig.harness.platforms.thingsboard.doctor.effects import ChainReading, is_known, read_chain
from fleetrig.harness.platforms.thingsboard.doctor.facts import DeviceRecord, Facts, Kind, ProfileRecord, Strategy

X509: Final = "X509_CERTIFICATE"


def chain_slips(facts: Facts) -> Iterator[Diagnosis]:
    """What the files alone show."""
    if facts.presented.kind is not Kind.CERTIFICATE:
        return
    chain = facts.presented.chain
    leaf = chain[0]
    if reason := leaf.facts.outside(facts.now):
        yield Diagnosis(
            "leaf-dates", Weight.CAUSE,
            f"The device's certificate {reason}; this machine's clock says {facts.now:{DAY}}. The handshake succeeds, "
            "the login is refused (3.1.1: 5, MQTT 5: 0x87); dates of authorities do not count.",
            "Renew it, or correct the clock of who issued it.",
        )  # fmt: skip
    if (number := broken_at(chain)) is not None:
        issued, after = chain[number - 1], chain[number]
        yield Diagnosis(
            "chain-broken", Weight.CAUSE,
            f"Certificate {number} of the chain ({quoted(issued.common_name)}, issued by "
            f"{quoted(issued.facts.issuer_common_name)}) is not signed by the next one ({quoted(after.common_name)}): "
            "the server ends the TLS handshake.",
            "Put the chain in order: the device's certificate first, then who issued it, and so on.",
        )  # fmt: skip
    if not leaf.facts.is_for_clients:
        yield Diagnosis(
            "leaf-purpose", Weight.NOTE,
            "The certificate's extendedKeyUsage does not name clients. ThingsBoard itself does not look at it; "
            "proxies do.",
            "Issue it with clientAuth.",
        )  # fmt: skip


def chain_causes(facts: Facts) -> Iterator[Diagnosis]:
    """By what the account's tenant has."""
    if facts.tenant is None or facts.presented.kind is not Kind.CERTIFICATE or is_known(facts):
        return
    if broken_at(facts.presented.chain) is not None:
        return
    reading = read_chain(facts)
    if reading is None:
        yield _no_profile(facts)
    elif reading.fault:
        yield _pattern(facts, reading)
    else:
        yield from _device(facts, reading)


def _no_profile(facts: Facts) -> Diagnosis:
    assert facts.tenant is not None
    chain = facts.presented.chain
    profiles = [one for one in facts.tenant.profiles if one.strategy == Strategy.CHAIN]
    device = facts.tenant.device
    if device is not None and not profiles:
        return _other_credentials(device)
    for profile in profiles:
        authority = authority_in(profile.secret)
        if authority is not None and is_signed_by(chain[-1], authority):
            return _not_shown(facts, profile, authority.common_name)
    if not profiles:
        return Diagnosis(
            "no-chain-profile", Weight.CAUSE,
            "No device of this tenant has this certificate, and no device profile provisions by certificate chains.",
            "Enter the certificate as the credentials of its device (X.509), or make a profile with the strategy X.509 "
            "Certificates Chain and the certificate of the authority.",
        )  # fmt: skip
    backed = ", ".join(f"{quoted(one.name)} by {_authority_of(one)}" for one in profiles[:4])
    return Diagnosis(
        "other-authority", Weight.CAUSE,
        f"No device of this tenant has this certificate, and its chain ends with {quoted(chain[-1].common_name)}, "
        f"which backs no device profile. Those that there are: {backed}.",
        "Have the certificate issued by the authority of the profile, or make a profile for this authority (one "
        "authority backs one profile of the whole installation).",
    )  # fmt: skip


def _not_shown(facts: Facts, profile: ProfileRecord, authority: str) -> Diagnosis:
    alone = "shows its certificate alone" if len(facts.presented.chain) == 1 else "ends its chain too early"
    return Diagnosis(
        "authority-not-shown", Weight.CAUSE,
        f"The device {alone}. Profile {quoted(profile.name)} is backed by {quoted(authority)}, who issued it, but the "
        "server compares the certificates that are shown and has no trust store: unlike elsewhere the authority's "
        "own certificate has to be sent too.",
        "Append it to the device's chain, for instance:",
        ("cat device.pem authority.pem > chain.pem",),
    )  # fmt: skip


def _authority_of(profile: ProfileRecord) -> str:
    found = authority_in(profile.secret)
    return "a certificate that cannot be read" if found is None else quoted(found.common_name)


def _pattern(facts: Facts, reading: ChainReading) -> Diagnosis:
    pattern, common_name = reading.profile.pattern, facts.presented.chain[0].common_name
    about = f"certificateRegExPattern {quoted(printable(pattern))} of profile {quoted(reading.profile.name)}"
    if "no group" in reading.fault:
        return Diagnosis(
            "pattern-without-group", Weight.CAUSE,
            f"{about} has no group, and the device's name is its first group: nobody gets in.",
            "Put what is the name in brackets: (.*)",
        )  # fmt: skip
    if "cannot be read" in reading.fault:
        return Diagnosis(
            "pattern-unreadable", Weight.POSSIBLE,
            f"{about} could not be tried here: {reading.fault}. The server's expressions are Java's.",
            "Try it against the common name in an editor for Java's expressions.",
        )  # fmt: skip
    return Diagnosis(
        "common-name", Weight.CAUSE,
        f"{about} finds nothing in the common name {quoted(common_name)} of the certificate.",
        "Issue the certificate with a common name of that form, or correct the pattern; it is searched anywhere in "
        "the name, upper and lower case count.",
    )  # fmt: skip


def _device(facts: Facts, reading: ChainReading) -> Iterator[Diagnosis]:
    assert facts.tenant is not None
    device, profile = facts.tenant.device, reading.profile
    if device is None and not profile.creates:
        yield Diagnosis(
            "create-not-allowed", Weight.CAUSE,
            f"The tenant has no device {quoted(reading.name)} (so the pattern reads the common name), and profile "
            f"{quoted(profile.name)} creates none (allowCreateNewDevicesByX509Certificate is off).",
            "List the device with X.509 credentials, or let the profile create new devices.",
        )  # fmt: skip
    elif device is not None and device.profile != profile.name:
        yield Diagnosis(
            "other-profile", Weight.CAUSE,
            f"Device {quoted(device.name)} is in profile {quoted(device.profile)}, the chain leads to "
            f"{quoted(profile.name)}: refused.",
            "Move the device to that profile, or issue the certificate for another name.",
        )  # fmt: skip
    elif device is not None and device.credentials_type != X509:
        yield _other_credentials(device)


def _other_credentials(device: DeviceRecord) -> Diagnosis:
    return Diagnosis(
        "other-credentials-type", Weight.CAUSE,
        f"Device {quoted(device.name)} has credentials of the type {device.credentials_type}. A chain replaces "
        "certificates only: they stay as they are, and the login is refused.",
        f"Change its credentials to X.509 (Devices > {device.name} > Manage credentials), or let it use what it has.",
    )  # fmt: skip
