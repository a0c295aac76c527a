"""The certificate that a server shows, with its key: from files that a user names, or from an authority."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import UsageError, system_said

CERTIFICATE_MARK: Final = b"CERTIFICATE-----"
KEY_MARK: Final = b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """PEM: `chain_pem` has the server's own first, then the authorities between it and the root."""

    chain_pem: bytes
    key_pem: bytes = field(repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Raises ssl.SSLError for what is no certificate and key, or not of each other."""
        with tempfile.TemporaryDirectory(prefix="fleetrig-tls-") as folder:  # ours alone; `ssl` reads files only
            chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
            chain.write_bytes(self.chain_pem)
            key.write_bytes(self.key_pem)
            context.load_cert_chain(chain, key, password=_no_password)


def read_server_certificate(certificate: Path, key: Path) -> ServerCertificate:
    """Raises UsageError for files that cannot be read or do not belong together."""
    found = ServerCertificate(_read(certificate), _read(key))
    if CERTIFICATE_MARK not in found.chain_pem:
        raise UsageError(f"{certificate} holds no PEM certificate (-----BEGIN {CERTIFICATE_MARK.decode()})")
    if KEY_MARK not in found.key_pem:
        advice = ": name the file of its key with --key" if key == certificate else ""
        raise UsageError(f"{key} holds no PEM private key (-----BEGIN {KEY_MARK.decode()}){advice}")
    try:
        found.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or ""):
            raise UsageError(
                f"the key in {key} does not belong to the certificate in {certificate}, the first one there"
            ) from error
        raise UsageError(f"{certificate} and {key} are no PEM certificate and key: {error.reason or error}") from error
    except _Encrypted:
        raise UsageError(f"the key in {key} is protected by a password: give one without") from None
    return found


class _Encrypted(Exception):
    pass


def _no_password() -> str:
    raise _Encrypted


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {system_said(error)}") from error
