"""TLS contexts for listeners, from files that a user names or from a throw-away authority."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from fleetrig.reference_server.fronts.accepting import ProtocolFactory
from fleetrig.simulator.contract.errors import UsageError

ASKED_FOR: Final = "fleetrig_server_name"
"""The attribute of a TLS connection that keeps its server name: on the server side the library has none."""

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class ServerTls:
    """The TLS of a listener. With `asks_clients` it asks for certificates, and takes whatever they show."""

    def __init__(self, certificate: Path, key: Path, *, asks_clients: bool = False) -> None:
        """Raises UsageError for files that cannot be read or do not belong together."""
        self.context: ssl.SSLContext | None = tls_context(certificate, key)
        """What asyncio is to use; None where TLS is done above it."""
        self._wrap: Callable[[ProtocolFactory], asyncio.Protocol] | None = None
        self._shaking: set[asyncio.Transport] = set()
        if asks_clients:
            # Only here: most servers ask for no certificates, and the library takes long to import.
            from fleetrig.reference_server.fronts.tls.any_certificate import TlsConnection, asking_context

            self.context, self._wrap = None, partial(TlsConnection, asking_context(certificate, key), self._shaking)

    def around(self, make: ProtocolFactory) -> ProtocolFactory:
        """What makes the protocol of a TCP connection."""
        return make if self._wrap is None else partial(self._wrap, make)

    def give_up_handshakes(self) -> None:
        """Ends connections that no front knows of yet."""
        for transport in list(self._shaking):
            transport.abort()


class ThrowAwayTls:
    """A fresh authority and a server certificate of it; `ca` is the file that clients must trust, until `close`."""

    def __init__(self, hosts: Sequence[str], now_us: int, *, asks_clients: bool = False) -> None:
        # Only here: it takes longer to import than all the rest of the server together.
        from fleetrig.reference_server.authority import CertificateAuthority

        self._folder = Path(tempfile.mkdtemp(prefix="fleetrig-tls-"))
        try:
            authority = CertificateAuthority("fleetrig throw-away CA", now_us)
            self.ca = self._folder / "ca.pem"
            self.ca.write_bytes(authority.certificate_pem)
            issued = authority.issue_server(list(dict.fromkeys([*hosts, *LOOPBACK_NAMES])))
            both = self._folder / "server.pem"
            both.touch(mode=0o600)
            both.write_bytes(issued.key_pem + issued.certificate_pem)
            self.tls = ServerTls(both, both, asks_clients=asks_clients)
            both.unlink()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def peer_certificates(transport: asyncio.BaseTransport) -> tuple[bytes, ...]:
    """What the client showed in its handshake, DER, its own first; nothing when the context did not ask for it."""
    shown: tuple[bytes, ...] | None = transport.get_extra_info("peer_certificates")
    if shown is not None:
        return shown
    connection = transport.get_extra_info("ssl_object")
    if connection is None or connection.getpeercert(binary_form=True) is None:
        return ()
    # The library has a public method for this only from Python 3.13 on.
    chain = connection._sslobj.get_unverified_chain() or ()  # noqa: SLF001
    return tuple(ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in chain)


def server_name(transport: asyncio.BaseTransport) -> str:
    """The host that the client asked for in its handshake (SNI); empty when it named none."""
    name: str | None = transport.get_extra_info("server_name")
    if name is not None:
        return name
    return getattr(transport.get_extra_info("ssl_object"), ASKED_FOR, "")


def _note_server_name(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    setattr(connection, ASKED_FOR, name or "")


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context. Raises UsageError for files that cannot be read or do not belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    context.sni_callback = _note_server_name
    for path in (certificate, key):
        _check_readable(path)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or ""):
            raise UsageError(f"the key in {key} does not belong to the certificate in {certificate}") from error
        raise UsageError(f"{certificate} and {key} are no PEM certificate and key: {error.reason or error}") from error
    except _Encrypted:
        raise UsageError(f"the key in {key} is protected by a password: give one without") from None
    return context


class _Encrypted(Exception):
    pass


def _no_password() -> str:
    raise _Encrypted


def _check_readable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
