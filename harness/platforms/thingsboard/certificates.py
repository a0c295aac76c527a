"""Certificates of a run's devices: the authority that its device profile names, and a stranger's."""

from __future__ import annotations

import base64
from typing import Final

from fleetrig.harness.run.context import RunContext
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.profile import Validity
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate

RENEWED_DAYS: Final = 30


class DeviceCertificates:
    """Made for one run. ThingsBoard wants the authority's certificate in the chain that a device shows (spec 2.4)."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._own = self._made(f"{context.prefix}fleetrig device CA")
        self._stranger: CertificateAuthority | None = None
        self._renewals = 0

    @property
    def authority_pem(self) -> str:
        return self._own.certificate_pem.decode()

    def first(self, kind: str, serial: str) -> ClientCertificate:
        """What the factory gives a unit of this credential. Raises UsageError for too long a serial."""
        issuer = self._own
        if kind == "strangers_chain":
            issuer = self._stranger = self._stranger or self._made("fleetrig stranger CA")
        try:
            return with_authority(issuer.issue_client(serial, expired=kind == "expired_chain"), issuer)
        except ValueError as wrong:
            raise UsageError(f"no certificate for {serial}: {wrong}") from None

    def renewed(self, certificate: ClientCertificate) -> ClientCertificate:
        """The same name, another key, of the same authority."""
        self._renewals += 1
        validity = Validity.days(self._context.driver.now_us(), RENEWED_DAYS + self._renewals)
        return with_authority(self._own.renew(certificate, validity), self._own)

    def _made(self, name: str) -> CertificateAuthority:
        seed = self._context.new_token(f"first half of {name}") + self._context.new_token(f"second half of {name}")
        return CertificateAuthority(name, self._context.driver.now_us(), seed=seed)


def with_authority(certificate: ClientCertificate, issuer: CertificateAuthority) -> ClientCertificate:
    """The chain with its root, which others leave out."""
    root = der_of(issuer.certificate_pem)
    return ClientCertificate((*(one for one in certificate.chain if one != root), root), certificate.key_pem)


def der_of(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(pem.splitlines()[1:-1]))
