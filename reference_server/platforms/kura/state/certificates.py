"""Certificates of accounts: what signs control messages, tokens, and devices' own certificates (spec 3.5).

Every one that is made here has an authority and a root of its own above it, so that who trusts one account's
certificates need not trust another's. The key is Ed25519, whose signatures are the same each time.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.platforms.kura.state.accounts import account_by_id
from fleetrig.reference_server.platforms.kura.state.errors import illegal, missing, stale
from fleetrig.reference_server.platforms.kura.state.records import (
    CERTIFICATE,
    INSTALLATION,
    ROOT_SCOPE,
    CertificateRecord,
    CertificateStatus,
    CertificateUsage,
)
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.certificates.authority import CertificateAuthority, read_authority
from fleetrig.simulator.certificates.keys import KeyKind, SigningKey, key_pem
from fleetrig.simulator.certificates.names import named
from fleetrig.simulator.certificates.pem import certificates_in, in_order, key_in, key_pem_in
from fleetrig.simulator.certificates.profile import FOR_CLIENTS, Validity, leaf_profile
from fleetrig.simulator.certificates.signing_request import read_request, requested_profile
from fleetrig.simulator.contract.clock import US_PER_S

VALID_DAYS: Final = 3_650
DEVICE_DAYS: Final = 365
DEVICE_AUTHORITY: Final = "device-ca"
"""The name of the root account's authority that issues certificates to devices."""
SEED_BYTES: Final = 32


def certificate_by_id(registry: Registry, certificate_id: str) -> CertificateRecord | None:
    return registry.store.get(CERTIFICATE, INSTALLATION, certificate_id)


def needed_certificate(registry: Registry, scope_id: str, certificate_id: str) -> CertificateRecord:
    """Raises Refused."""
    found = certificate_by_id(registry, certificate_id)
    if found is None or found.scope_id != scope_id:
        raise missing("certificateInfo", certificate_id)
    return found


def certificates_of(registry: Registry, scope_id: str) -> list[CertificateRecord]:
    """An account's own, in the order in which they were made."""
    found = registry.store.find(CERTIFICATE, INSTALLATION, "scope", scope_id)
    return sorted(found, key=lambda one: (one.created_us, one.id))


def inherited_certificates(registry: Registry, scope_id: str) -> list[CertificateRecord]:
    """An account's own, then what accounts above it forward, the nearest first."""
    account = account_by_id(registry, scope_id)
    if account is None:
        return []
    _, *above = reversed(account.path.strip("/").split("/"))
    forwarded = [one for other in above for one in certificates_of(registry, other) if one.forwardable]
    return [*certificates_of(registry, scope_id), *forwarded]


def signing_certificate(registry: Registry, scope_id: str, now_us: int) -> CertificateRecord | None:
    """What signs control messages to devices of an account: its own, or else an inherited one (3.5)."""
    return valid_certificate(registry, scope_id, CertificateUsage.DEVICE_MANAGEMENT, now_us)


def valid_certificate(
    registry: Registry, scope_id: str, usage: CertificateUsage, now_us: int
) -> CertificateRecord | None:
    """The first of its own and inherited ones with that usage that is VALID and in time."""
    for one in inherited_certificates(registry, scope_id):
        is_in_time = one.not_before_us <= now_us < one.not_after_us
        if usage in one.usages and one.status is CertificateStatus.VALID and is_in_time:
            return one
    return None


@lru_cache(maxsize=256)
def key_of(key_pem_text: str) -> SigningKey:
    """The private key of a certificate, read once."""
    key = key_in(key_pem_text.encode("ascii"))
    assert isinstance(key, SigningKey), "only such keys are kept"
    return key


def create_certificate(
    registry: Registry,
    scope_id: str,
    name: str,
    usages: tuple[CertificateUsage, ...],
    now_us: int,
    *,
    forwardable: bool = False,
    by: str = "",
) -> CertificateRecord:
    """A new one, with a new root and an authority between them. Raises Refused for a name that cannot be one."""
    _check_name(registry, scope_id, name)
    root = CertificateAuthority(f"{name} root", now_us, VALID_DAYS, registry.entropy.token_hex(SEED_BYTES))
    between = root.authority_below(f"{name} authority")
    key = between.keys.new_key(KeyKind.ED25519, name)
    profile = leaf_profile(named(name), Validity.days(now_us, VALID_DAYS), FOR_CLIENTS)
    own = between.issue(profile.without(x509.ExtendedKeyUsage), key.public_key(), name)
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (own, *between.path))
    return _keep(registry, scope_id, name, chain, key_pem(key), usages, forwardable, now_us, by)


def import_certificate(
    registry: Registry,
    scope_id: str,
    name: str,
    pem: str,
    usages: tuple[CertificateUsage, ...],
    now_us: int,
    *,
    forwardable: bool = False,
    by: str = "",
) -> CertificateRecord:
    """One that others have made: PEM of its chain and its private key. Raises Refused."""
    _check_name(registry, scope_id, name)
    for line in key_pem_in(pem.encode("ascii", "replace")).decode("ascii").splitlines()[1:-1]:
        registry.learn("private-key", line)
    try:
        data = pem.encode("ascii")
        key, others = key_in(data), certificates_in(data)
    except ValueError as error:
        raise illegal("certificateInfo.certificate", "…", f"PEM of a chain and its key: {error}") from None
    own = next((one for one in others if isinstance(key, SigningKey) and one.public_key() == key.public_key()), None)
    if own is None:
        raise illegal("certificateInfo.certificate", "…", "the key belongs to none of the certificates")
    if CertificateUsage.DEVICE_MANAGEMENT in usages and isinstance(key, Ed448PrivateKey):
        raise illegal("certificateInfo.certificate", "…", "control messages are not signed with Ed448: use Ed25519")
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in in_order(own, others))
    if CertificateUsage.JWT in usages:
        raise illegal("certificateInfo.certificateUsages", "JWT", "this server signs tokens with its own certificates")
    return _keep(registry, scope_id, name, chain, key_pem_in(data), usages, forwardable, now_us, by)


def set_certificate_status(
    registry: Registry, found: CertificateRecord, status: CertificateStatus, optlock: int, now_us: int, by: str
) -> CertificateRecord:
    """Raises Refused when somebody was faster."""
    if optlock != found.optlock:
        raise stale("certificateInfo")
    changed = replace(found, status=status, optlock=found.optlock + 1, modified_us=now_us, modified_by=by)
    registry.store.put(CERTIFICATE, INSTALLATION, changed)
    return changed


def delete_certificate(registry: Registry, found: CertificateRecord) -> None:
    registry.store.delete(CERTIFICATE, INSTALLATION, found.id)


def create_device_authority(registry: Registry, now_us: int) -> CertificateRecord:
    """What issues certificates to devices that ask for one in their provisioning request (1.6)."""
    root = CertificateAuthority("Device CA", now_us, VALID_DAYS, registry.entropy.token_hex(SEED_BYTES))
    usages = (CertificateUsage.TLS,)
    return _keep(
        registry,
        ROOT_SCOPE,
        DEVICE_AUTHORITY,
        root.path_pem,
        root.key_pem,
        usages,
        forwardable=True,
        now_us=now_us,
        by="",
    )


def issue_device_certificate(registry: Registry, csr: bytes, client_id: str, now_us: int) -> str:
    """PEM of a device's certificate; its name is the client id, whatever it asked for.

    Raises ValueError for a request that is none, LookupError if no authority is there that may issue one.
    """
    request = read_request(csr)
    found = _device_authority(registry, now_us)
    authority = read_authority(f"{found.chain_pem}{found.key_pem}".encode("ascii"), now_us)
    profile = requested_profile(
        request, Validity.days(now_us, DEVICE_DAYS), subject=named(client_id[:64]), takes_names=False
    )
    number = registry.entropy.token_hex(16)
    return authority.issue(profile, request.public_key(), number).public_bytes(Encoding.PEM).decode("ascii")


def _device_authority(registry: Registry, now_us: int) -> CertificateRecord:
    """An administrator may have deleted or revoked it. Raises LookupError."""
    for one in certificates_of(registry, ROOT_SCOPE):
        is_valid = one.status is CertificateStatus.VALID and one.not_before_us <= now_us < one.not_after_us
        if one.name == DEVICE_AUTHORITY and is_valid:
            return one
    raise LookupError(f"the root account has no valid certificate {DEVICE_AUTHORITY}, which issues those of devices")


def _check_name(registry: Registry, scope_id: str, name: str) -> None:
    if not 1 <= len(name) <= 48:
        raise illegal("certificateInfo.name", name[:80], "1 to 48 characters")
    if any(one.name == name for one in certificates_of(registry, scope_id)):
        raise illegal("certificateInfo.name", name, "the account has a certificate of this name")


def _keep(
    registry: Registry,
    scope_id: str,
    name: str,
    chain: bytes,
    key: bytes,
    usages: tuple[CertificateUsage, ...],
    forwardable: bool,
    now_us: int,
    by: str,
) -> CertificateRecord:
    own = certificates_in(chain)[0]
    made = CertificateRecord(
        registry.new_id(),
        scope_id,
        name,
        chain.decode("ascii"),
        key.decode("ascii"),
        usages,
        forwardable,
        not_before_us=round(own.not_valid_before_utc.timestamp()) * US_PER_S,
        not_after_us=round(own.not_valid_after_utc.timestamp()) * US_PER_S,
        created_us=now_us,
        created_by=by,
        modified_us=now_us,
        modified_by=by,
    )
    registry.store.put(CERTIFICATE, INSTALLATION, made)
    return made
