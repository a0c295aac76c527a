"""TLS of devices: whom they trust, and the certificate that each of them shows.

A context of its own for each device would hold all trusted authorities again: those of a system take 50 ms and 800 KiB
each. Devices with certificates therefore share one context that trusts. It takes up the certificate of a device in the
moment in which a connection begins, and every connection keeps its own copy: OpenSSL makes that (SSL_new).

    bench = ClientTls(verify)
    tls = bench.of(agent.tls_credential)
    tls.context             # for libraries that use the standard library's ssl
    tls.trusted, tls.shown  # for those that do not
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate, TlsCredential


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class TrustedAuthorities:
    """Whom devices trust, for libraries that cannot use an `ssl.SSLContext`. One object for all devices of a bench."""

    certificates: tuple[bytes, ...] | None
    """DER; None stands for those of the system."""
    checks_chain: bool
    """False: whoever answers is trusted."""
    checks_host: bool
    """The server's certificate must be for the host that was asked for."""


@dataclass(frozen=True, slots=True)
class DeviceTls:
    """What one device shows in TLS and DTLS handshakes, and whom it trusts; each library makes of it what it needs."""

    bench: ClientTls
    context: ssl.SSLContext
    """Shows the certificate, where the device has one; it cannot show a pre-shared key."""
    shown: TlsCredential | None = None

    @property
    def trusted(self) -> TrustedAuthorities:
        """Raises UsageError for authorities that are none."""
        return self.bench.trusted


class ClientTls:
    """The TLS contexts of a bench. `verify`: the authorities to trust, True for the system's, False for anybody's."""

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        self._verify = verify
        self.plain = verify if isinstance(verify, ssl.SSLContext) else _context(verify=verify)
        """For connections that show no certificate."""
        self._showing: _Showing | None = None

    def of(self, shown: TlsCredential | None) -> DeviceTls:
        """For a device that shows this. Raises UsageError for authorities that are none."""
        return DeviceTls(self, self._context_of(shown), shown)

    @cached_property
    def trusted(self) -> TrustedAuthorities:
        """Raises UsageError for authorities that are none."""
        checks_chain = self.plain.verify_mode is ssl.CERT_REQUIRED
        certificates = None if self._verify is True else self._authorities() if checks_chain else ()
        return TrustedAuthorities(certificates, checks_chain, self.plain.check_hostname)

    def _context_of(self, shown: TlsCredential | None) -> ssl.SSLContext:
        if not isinstance(shown, ClientCertificate):
            return self.plain
        if self._showing is None:
            self._showing = _Showing(self._second_context())
        return DeviceContext.showing(shown, self._showing)

    def _second_context(self) -> ssl.SSLContext:
        """One that trusts the same, since a context never forgets a certificate again."""
        if not isinstance(self._verify, ssl.SSLContext):
            return _context(verify=self._verify)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = self.plain.check_hostname, self.plain.verify_mode
        if authorities := self._authorities():
            context.load_verify_locations(cadata=b"".join(authorities))
        return context

    def _authorities(self) -> tuple[bytes, ...]:
        authorities = self.plain.get_ca_certs(binary_form=True)
        if len(authorities) != self.plain.cert_store_stats()["x509"]:
            raise UsageError(
                "devices with certificates, and those over DTLS, need authorities to trust, and --ca has other"
                " certificates too"
            )
        return tuple(authorities)


class _Showing:
    """The shared context; a lock, since libraries begin handshakes in threads of their own."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.lock = threading.Lock()


class DeviceContext(ssl.SSLContext):
    """A context that shows one device's certificate. It holds nothing but that: 10 KiB instead of 800."""

    _certificate: ClientCertificate
    _shared: _Showing

    @classmethod
    def showing(cls, certificate: ClientCertificate, shared: _Showing) -> DeviceContext:
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context._certificate, context._shared = certificate, shared
        return context

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        """The same for all devices, so it concerns the shared context."""
        self._shared.context.set_alpn_protocols(alpn_protocols)

    def wrap_bio(self, *arguments: Any, **more: Any) -> ssl.SSLObject:
        with self._shared.lock:
            take_up(self._shared.context, self._certificate)
            return self._shared.context.wrap_bio(*arguments, **more)

    def wrap_socket(self, sock: socket.socket, *arguments: Any, **more: Any) -> ssl.SSLSocket:
        """The handshake comes after the lock: it would hold up all other devices. One that fails closes the socket."""
        more["do_handshake_on_connect"], handshakes = False, more.get("do_handshake_on_connect", True)
        with self._shared.lock:
            take_up(self._shared.context, self._certificate)
            wrapped = self._shared.context.wrap_socket(sock, *arguments, **more)
        if handshakes:
            try:
                wrapped.do_handshake()
            except OSError:
                wrapped.close()
                raise
        return wrapped


def take_up(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Connections that begin from now on show this certificate. Its key is never written to a disk."""
    file = os.memfd_create("fleetrig-certificate")
    try:
        os.write(file, certificate.key_pem + certificate.chain_pem)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    except ssl.SSLError as error:
        why = error.reason or error
        raise UsageError(f"a certificate and its key do not fit together or cannot be read: {why}") from None
    finally:
        os.close(file)


def _context(*, verify: bool) -> ssl.SSLContext:
    """It costs 50 ms and most of a MiB."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
