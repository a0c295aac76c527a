"""The `openssl` of a fake board: as much of it as a board needs that makes its key and asks for a certificate."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID


def openssl(arguments: list[str], files: dict[str, bytes]) -> tuple[bytes, int]:
    """A `ShellProgram`."""
    match arguments:
        case ["genpkey", *_, "-out", path, "2>/dev/null"]:
            made = ec.generate_private_key(ec.SECP256R1())
            files[path] = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            return b"", 0
        case ["req", "-new", "-key", path, "-subj", subject]:
            return _request(_key(files[path]), subject), 0
        case ["pkey", "-in", path, "-pubout"]:
            return _public(_key(files[path]).public_key()), 0
        case ["x509", "-in", path, "-noout", "-pubkey"]:
            return _public(x509.load_pem_x509_certificates(files[path])[0].public_key()), 0
    return b"openssl: no such command\n", 1


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _request(key: ec.EllipticCurvePrivateKey, subject: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject.removeprefix("/CN="))])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256()).public_bytes(Encoding.PEM)


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
