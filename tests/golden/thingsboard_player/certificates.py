"""The certificates of a recording, by their names. All carry what the recorded ones did: basicConstraints alone."""

from __future__ import annotations

import ssl

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.certificates.names import named
from fleetrig.simulator.certificates.profile import DAY_US, CertificateProfile, Validity, extension
from fleetrig.simulator.contract.identity import ClientCertificate
from tests.reference_server.fronts.tls.tls_bench import show_certificate

EXPIRED_BEGINS_US, EXPIRED_ENDS_US = 9 * DAY_US, 2 * DAY_US


class Certificates:
    """Whoever is made may sign others, whatever its certificate says."""

    def __init__(self) -> None:
        self._made: dict[str, CertificateAuthority] = {}

    def make(self, name: str, common_name: str, signer: str | None, days: float, now_us: int) -> str:
        """Its certificate in PEM."""
        validity = Validity.days(now_us, days)
        if days < 0:
            validity = Validity.from_us(now_us - EXPIRED_BEGINS_US, now_us - EXPIRED_ENDS_US)
        if signer is None:
            self._made[name] = CertificateAuthority(common_name, now_us, validity=validity)
        else:
            self._made[name] = _signed(self._made[signer], common_name, validity, now_us)
        return self._made[name].certificate_pem.decode()

    def context(self, chain: list[str], key_of: str | None) -> ssl.SSLContext:
        """Shows a chain, or nothing; the server's own certificate is not what is judged."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # a refused chain is heard in the handshake
        if chain:
            shown = tuple(self._made[name].certificate.public_bytes(Encoding.DER) for name in chain)
            show_certificate(context, ClientCertificate(shown, self._made[key_of or chain[0]].key_pem))
        return context


def _signed(signer: CertificateAuthority, common_name: str, validity: Validity, now_us: int) -> CertificateAuthority:
    key = signer.keys.new_key(KeyKind.P256, common_name)
    constraints = extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    profile = CertificateProfile(named(common_name), validity, (constraints,))
    certificate = signer.issue(profile, key.public_key(), common_name)
    return CertificateAuthority("", now_us, existing=((certificate, *signer.path), key))
