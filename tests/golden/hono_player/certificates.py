"""The certificates of a row, by their names. All carry what the recorded ones did: nothing but an authority's mark."""

from __future__ import annotations

import ssl
from base64 import b64encode
from datetime import timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from fleetrig.simulator.certificates.profile import date_of
from fleetrig.simulator.contract.identity import ClientCertificate
from tests.reference_server.fronts.tls.tls_bench import show_certificate

NAMES: Final = {
    "CN": NameOID.COMMON_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "SN": NameOID.SERIAL_NUMBER,
    "E": NameOID.EMAIL_ADDRESS,
}
START_DAYS, END_DAYS = -1, 300
"""How long a certificate counts, unless its step says otherwise."""


class Certificates:
    def __init__(self) -> None:
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._made: dict[str, tuple[x509.Certificate, str]] = {}
        """Name -> a certificate and the name of its key."""

    def make(self, request: dict[str, Any], now_us: int) -> dict[str, str]:
        """What the names of a recording stand for then: `cert:NAME` and `spki:NAME`, both Base64 of DER."""
        name = request["name"]
        if "der" in request:
            return {f"cert:{name}": request["der"], f"spki:{name}": request["spki"]}
        key_name = request.get("key") or name
        key = self._keys.setdefault(key_name, ec.generate_private_key(ec.SECP256R1()))
        subject = x509.Name([x509.NameAttribute(NAMES[word], value) for word, value in request["subject"]])
        issuer, signer = subject, key
        if request.get("issuer"):
            above, above_key = self._made[request["issuer"]]
            issuer, signer = above.subject, self._keys[above_key]
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(date_of(now_us) + timedelta(request.get("start", START_DAYS)))
            .not_valid_after(date_of(now_us) + timedelta(request.get("end", END_DAYS)))
        )
        if request.get("ca"):
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        made = builder.sign(signer, hashes.SHA256())
        self._made[name] = made, key_name
        public_key = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        der = made.public_bytes(Encoding.DER)
        return {f"cert:{name}": b64encode(der).decode(), f"spki:{name}": b64encode(public_key).decode()}

    def of(self, name: str, chain: list[str] | None) -> ClientCertificate:
        """What a device shows: its certificate, and others behind it."""
        _, key_name = self._made[name]
        key = self._keys[key_name].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        shown = (self._made[one][0].public_bytes(Encoding.DER) for one in (name, *(chain or ())))
        return ClientCertificate(tuple(shown), key)

    def context(self, name: str, chain: list[str] | None) -> ssl.SSLContext:
        """Shows a certificate; the server's own is not judged. With TLS 1.2 a refusal is heard in the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        show_certificate(context, self.of(name, chain))
        return context


def alert_in(failure: ssl.SSLError) -> str:
    """`certificate unknown` of a handshake that the server has ended; empty if it was not told why."""
    reason = getattr(failure, "reason", None)  # one that OpenSSL's bindings did not make has none
    words = (reason or str(failure)).lower().replace("_", " ")
    return words.partition("alert ")[2]
