"""Certificates of a run's devices: who issues them, and who is told to trust the issuer.

Two have to trust an authority: the proxy that ends TLS, which verifies, and the tenant, whose setting
`authentication.header.authority` lists what the proxy says of the issuer. Authorities of our own server's runs are made
for the run; a remote server trusts the one that its SERVER.yaml names.
"""

from __future__ import annotations

from fleetrig.harness.run.context import RunContext
from fleetrig.reference_server.authority import CertificateAuthority, read_authority
from fleetrig.reference_server.client_certificates import name_hash
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.identity import ClientCertificate

STRANGER = "fleetrig stranger CA"


class DeviceCertificates:
    """The authorities of one run, the newest last, and what they issue."""

    def __init__(self, context: RunContext) -> None:
        """Makes the first authority, or takes that of the server, and lets the proxy trust it. Raises UsageError."""
        self._context = context
        self._authorities: list[CertificateAuthority] = []
        self._stranger: CertificateAuthority | None = None
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
        return [name_hash(one.subject) for one in self._authorities[-1 if only_newest else 0 :]]

    def issue(self, kind: str, serial: str) -> ClientCertificate:
        """A certificate of a credential's kind, by the newest authority."""
        newest = self._authorities[-1]
        match kind:
            case "untrusted_certificate":
                self._stranger = self._stranger or self._made(STRANGER)
                return self._stranger.issue_client(serial)
            case "expired_certificate":
                return newest.issue_client(serial, expired=True)
            case "foreign_certificate":
                return newest.issue_client(f"not-{serial}")
            case _:
                return newest.issue_client(serial)

    def _made(self, name: str) -> CertificateAuthority:
        seed = self._context.new_token(f"first half of {name}") + self._context.new_token(f"second half of {name}")
        return CertificateAuthority(name, self._context.driver.now_us(), seed=seed)
