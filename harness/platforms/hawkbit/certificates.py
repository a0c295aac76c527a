"""Certificates of a run's devices: who issues them, and who is told to trust the issuer.

Two have to trust an authority: the proxy that ends TLS, which verifies, and the tenant, whose setting
`authentication.header.authority` lists what the proxy says of the issuer. Authorities of our own server's runs are made
for the run; a remote server trusts the one that its SERVER.yaml names.
"""

from __future__ import annotations

from collections.abc import Iterable

from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.reference_server.client_certificates import ClientAuthorities
from fleetrig.reference_server.name_hash import name_hash
from fleetrig.simulator.certificates.authority import CertificateAuthority, read_authority
from fleetrig.simulator.certificates.pem import client_certificate_in, common_name_of
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.identity import ClientCertificate, as_pem

STRANGER = "fleetrig stranger CA"


class DeviceCertificates:
    """The authorities of one run, the newest last, and what they issue."""

    def __init__(self, context: RunContext) -> None:
        """Makes the first authority, or takes that of the server, and lets the proxy trust it. Raises UsageError."""
        self._context = context
        self._authorities: list[CertificateAuthority] = []
        self._stranger: CertificateAuthority | None = None
        self._listed: dict[str, ClientCertificate] = {}
        self._told: dict[str, None] = {}
        """Issuers of listed certificates, as the tenant gets to know them."""
        given = context.server.client_ca
        if given is None:
            self.add_authority()
            return
        try:
            self._authorities.append(read_authority(given.pem, context.driver.now_us()))
        except ValueError as wrong:
            raise UsageError(f"client_ca of {context.server.name}: {wrong}") from None

    def add_authority(self) -> None:
        """Makes an authority that the proxy trusts beside those that it has. Raises BrokenBench on a remote server."""
        trusted = self._context.server.trusted
        if trusted is None:
            raise BrokenBench(
                f"nobody can tell the proxy in front of {self._context.server.name} to trust another authority; say "
                "needs: [reference] to skip the scenario there"
            )
        authority = self._made(f"fleetrig device CA {len(self._authorities) + 1}")
        trusted.add(authority.certificate_pem)
        self._authorities.append(authority)

    def told_as(self, *, only_newest: bool = False) -> list[str]:
        """What the tenant gets to know as issuer of each authority, or of the newest one."""
        given = self._context.server.client_ca
        if given is not None and given.told_as:
            return [given.told_as]
        listed = () if only_newest else self._told
        return [*listed, *(name_hash(one.subject) for one in self._authorities[-1 if only_newest else 0 :])]

    def issue(self, kind: str, serial: str) -> ClientCertificate:
        """A certificate of a credential's kind, by the newest authority. Raises UsageError for too long a serial."""
        issuer, name = self._authorities[-1], serial
        if kind == "untrusted_certificate":
            issuer = self._stranger = self._stranger or self._made(STRANGER)
        if kind == "foreign_certificate":
            name = f"not-{serial}"
        try:
            return issuer.issue_client(name, expired=kind == "expired_certificate")
        except ValueError as wrong:
            raise UsageError(f"no certificate for {serial}: {wrong}") from None

    def take_listed(self, units: Iterable[Unit]) -> None:
        """Takes certificates that a production list gives; our own server gets to trust their authorities.

        Raises UsageError for one that does not fit its unit.
        """
        for unit in units:
            if unit.certificate_pem is not None:
                serial = self._context.prefix + unit.serial
                self._listed[serial] = self._fitting(serial, unit.certificate_pem)

    def first(self, kind: str, serial: str) -> ClientCertificate:
        """What the factory gives a unit: the certificate of the list, or one that is issued now."""
        listed = self._listed.get(serial) if kind == "certificate" else None
        return listed or self.issue(kind, serial)

    def _fitting(self, serial: str, pem: bytes) -> ClientCertificate:
        try:
            certificate = client_certificate_in(pem)
        except ValueError as wrong:
            raise UsageError(f"the certificate of {serial}: {wrong}") from None
        if (name := common_name_of(certificate)) != serial:
            raise UsageError(f"the certificate of {serial} is for {name!r}{_why_prefixed(self._context.prefix)}")
        if (trusted := self._context.server.trusted) is not None:
            self._trust(trusted, serial, certificate)
        return certificate

    def _trust(self, trusted: ClientAuthorities, serial: str, certificate: ClientCertificate) -> None:
        now_us = self._context.driver.now_us()
        if trusted.verify(certificate.chain, now_us).reason:
            if len(certificate.chain) < 2:
                raise UsageError(
                    f"nobody knows the authority of {serial}'s certificate: put the authority's own certificate behind "
                    "it, into the same file, and the run's server will trust it"
                )
            trusted.add(as_pem(certificate.chain[-1]))
        self._told |= dict.fromkeys(trusted.verify(certificate.chain, now_us).issuer_hashes)

    def _made(self, name: str) -> CertificateAuthority:
        seed = self._context.new_token(f"first half of {name}") + self._context.new_token(f"second half of {name}")
        return CertificateAuthority(name, self._context.driver.now_us(), seed=seed)


def _why_prefixed(prefix: str) -> str:
    if not prefix:
        return ""
    return f": on a shared server units of a run are called {prefix}… and get certificates then; leave the column away"
