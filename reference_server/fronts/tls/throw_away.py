"""Certificates of a throw-away authority: the own one of a server that was given none, and all that faults show."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate
from fleetrig.simulator.contract.handshake import ShownCertificate

if TYPE_CHECKING:
    from fleetrig.simulator.certificates.authority import CertificateAuthority, Issued

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1", "*.sni.localhost")
"""The last one for devices that name a tenant in the handshake: a certificate for `*.localhost` is good for nobody."""
WRONG_NAME: Final = "another-server.invalid"
AUTHORITY_NAME: Final = "fleetrig throw-away CA"
LONG_CHAIN_AUTHORITIES: Final = 8
"""No more: libraries for small devices verify no longer chains, and the chain is a good one."""
LONG_NAME_UNITS: Final = 14
"""Organisational units in the name of each, 64 characters long: they are what makes 16 KiB of so few certificates."""


class ServerCertificates:
    """The certificates of a server by what it is to show, for TLS and DTLS; each is made when it is first shown.

    `own` is what a user has given; without it the own one is of the throw-away authority too.
    """

    def __init__(self, hosts: Sequence[str], now_us: int, own: ServerCertificate | None = None) -> None:
        self._hosts = list(dict.fromkeys([*hosts, *LOOPBACK_NAMES]))
        self._now_us = now_us
        self._made = {} if own is None else {ShownCertificate.OWN: own}
        self._authority: CertificateAuthority | None = None
        self.ca = self._ca_file() if own is None else None
        """The file with the authority's certificate, until `close`."""

    def of(self, shown: ShownCertificate) -> ServerCertificate:
        """The certificate, the authorities between it and the root, and its key."""
        found = self._made.get(shown)
        if found is None:
            issued = self._issued(shown)
            found = self._made[shown] = ServerCertificate(issued.certificate_pem, issued.key_pem)
        return found

    def close(self) -> None:
        if self.ca is not None:
            shutil.rmtree(self.ca.parent, ignore_errors=True)

    def _ca_file(self) -> Path:
        pem = self._trusted().certificate_pem
        ca = Path(tempfile.mkdtemp(prefix="fleetrig-tls-"), "ca.pem")
        ca.write_bytes(pem)
        return ca

    def _issued(self, shown: ShownCertificate) -> Issued:
        from fleetrig.simulator.certificates.profile import Validity

        match shown:
            case ShownCertificate.OWN:
                return self._trusted().issue_server(self._hosts)
            case ShownCertificate.EXPIRED:
                return self._trusted().issue_server(self._hosts, validity=Validity.expired(self._now_us))
            case ShownCertificate.NOT_YET_VALID:
                return self._trusted().issue_server(self._hosts, validity=Validity.later(self._now_us))
            case ShownCertificate.WRONG_NAME:
                return self._trusted().issue_server([WRONG_NAME])
            case ShownCertificate.STRANGER:
                return self._new_authority().issue_server(self._hosts)
            case ShownCertificate.LONG_CHAIN:
                return self._long_chain()

    def _trusted(self) -> CertificateAuthority:
        if self._authority is None:
            self._authority = self._new_authority()
        return self._authority

    def _new_authority(self) -> CertificateAuthority:
        # Only here: it takes longer to import than all the rest of the server together.
        from fleetrig.simulator.certificates.authority import CertificateAuthority

        return CertificateAuthority(AUTHORITY_NAME, self._now_us)

    def _long_chain(self) -> Issued:
        from cryptography import x509

        units = [x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 64)] * LONG_NAME_UNITS
        authority = self._trusted()
        for number in range(LONG_CHAIN_AUTHORITIES):
            own = x509.NameAttribute(x509.NameOID.COMMON_NAME, f"intermediate {number + 1}")
            authority = authority.authority_below(x509.Name([*units, own]))
        return authority.issue_server(self._hosts)
