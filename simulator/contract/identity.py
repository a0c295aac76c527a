"""Who a device is and what it proves that with. No secret is ever printed: a repr shows kind and a short hash."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass


def mask(kind: str, secret: str) -> str:
    """`kind:4f2a`: enough to tell two secrets apart and to see that one was rotated, never enough to use it."""
    return f"{kind}:{hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()[:4]}"


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What the factory knows of a device. `tenant` and `serial` name it on the server."""

    serial: str
    tenant: str = "DEFAULT"
    model: str = ""
    hw_revision: str = ""
    gateway: str = ""
    """The serial of the gateway that it is or stands behind: all of a gateway share a connection and their power."""


@dataclass(frozen=True, slots=True, repr=False)
class TargetToken:
    """hawkBit's token of one device (`Authorization: TargetToken …`)."""

    token: str

    def __repr__(self) -> str:
        return mask("target-token", self.token)


@dataclass(frozen=True, slots=True, repr=False)
class GatewayToken:
    """hawkBit's token of all devices of a tenant (`Authorization: GatewayToken …`)."""

    token: str

    def __repr__(self) -> str:
        return mask("gateway-token", self.token)


@dataclass(frozen=True, slots=True, repr=False)
class UserPassword:
    """A user name and its password (HTTP Basic)."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"{self.user}/{mask('password', self.password)}"


@dataclass(frozen=True, slots=True, repr=False)
class ClientCertificate:
    """What a device shows in TLS handshakes: `chain` in DER, its own certificate first, and its private key in PEM."""

    chain: tuple[bytes, ...]
    key_pem: bytes

    @property
    def chain_pem(self) -> bytes:
        """The chain as TLS libraries read it from a file."""
        return b"".join(map(as_pem, self.chain))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its own certificate, in hex: it is public."""
        return hashlib.sha256(self.chain[0]).hexdigest()

    def __repr__(self) -> str:
        return f"client-certificate:{self.fingerprint[:4]}"


@dataclass(frozen=True, slots=True, repr=False)
class PreSharedKey:
    """What a device has instead of a certificate in DTLS handshakes (RFC 4279). Its identity is public."""

    identity: str
    key: bytes

    def __repr__(self) -> str:
        return f"{self.identity}/{mask('pre-shared-key', self.key.hex())}"


def as_pem(der: bytes) -> bytes:
    """A certificate in PEM."""
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


TlsCredential = ClientCertificate | PreSharedKey
"""What transports show in handshakes: no flow sees it go."""

Credential = TargetToken | GatewayToken | UserPassword | TlsCredential
"""Later platforms add their own kinds here."""
