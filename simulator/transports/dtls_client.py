"""The client's end of a DTLS 1.2 association (RFC 6347), in memory: datagrams in, datagrams out.

OpenSSL does the protocol, by pyOpenSSL. It reads the machine's clock for its retransmissions: whoever carries the
datagrams asks `due_in_s` and calls `advance` then. The key of a certificate goes to it in memory, never by a file.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from OpenSSL._util import ffi, lib
from OpenSSL.crypto import X509, X509Store

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey
from fleetrig.simulator.transports.client_tls import DeviceTls, TrustedAuthorities

DATAGRAM_BYTES: Final = 1_024
"""A handshake's largest. The smallest IPv6 link carries 1,232, but a server may read no more than its own transmission
unit and drop what is larger without a word: of one with Californium, whose unit was 1,024, 1,118 bytes were read and
1,175 were not."""
RECORD_BYTES: Final = 1 << 14
RECORD_HEAD_BYTES: Final = 13
DTLS1_2: Final = 0xFEFD

OF_CERTIFICATES: Final = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
)
OF_KEYS: Final = (
    b"ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES128-CBC-SHA256:PSK-AES128-GCM-SHA256:PSK-AES128-CCM8:PSK-AES128-CCM"
)
WITH_SHORT_TAGS: Final = b":@SECLEVEL=0"
"""OpenSSL counts the eight bytes of CCM8, which RFC 7925 §4.2 demands of devices, as weak."""

_stores: WeakKeyDictionary[TrustedAuthorities, X509Store] = WeakKeyDictionary()
"""All devices of a bench share what they trust."""


class DtlsClient:
    """One association. After every call `outgoing` may have something to send, also when the call raised.

    `start`, `take` and `advance` raise ssl.SSLError when the handshake or the association fails (the alert of a server
    is in its text), TimeoutError when OpenSSL has given up, EOFError when the server has said goodbye (close_notify).
    """

    def __init__(self, tls: DeviceTls, host: str) -> None:
        """`host` is asked for (SNI) and checked. Raises UsageError for what a device cannot show or trust."""
        self.is_open = False
        self._credential_callback: Any = None
        self._ssl = SSL.Connection(self._context(tls), None)
        self._ssl.set_connect_state()
        self._ssl.set_ciphertext_mtu(DATAGRAM_BYTES)
        _expect_host(self._ssl, host, checks=tls.trusted.checks_chain and tls.trusted.checks_host)

    def start(self) -> None:
        self._shake_hands()

    def take(self, datagram: bytes) -> Iterator[bytes]:
        """The application data of a datagram that came; what is no DTLS means nothing. Read it to its end."""
        if not RECORD_HEAD_BYTES < len(datagram) <= 4 * RECORD_BYTES:
            return
        self._ssl.bio_write(datagram)
        if not self.is_open:
            self._shake_hands()
        if self.is_open:
            yield from self._read()

    def due_in_s(self) -> float | None:
        """When `advance` has something to send again."""
        left_s: float | None = self._ssl.DTLSv1_get_timeout()
        return left_s

    def advance(self) -> None:
        """Sends a flight again, if it is time."""
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            raise TimeoutError("the server did not answer the DTLS handshake") from None

    def send(self, data: bytes) -> None:
        """One datagram of the application, `RECORD_BYTES` at most. Raises ssl.SSLError."""
        try:
            self._ssl.send(data)
        except SSL.Error as error:
            raise _failure(error, self._ssl) from None

    def say_goodbye(self) -> None:
        with suppress(SSL.Error):
            self._ssl.shutdown()

    def outgoing(self) -> list[bytes]:
        """Datagrams to send now."""
        records = b""
        with suppress(SSL.WantReadError):
            while True:
                records += self._ssl.bio_read(4 * RECORD_BYTES)
        return _packed(records)

    def _shake_hands(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            raise _failure(error, self._ssl) from None
        self.is_open = True

    def _read(self) -> Iterator[bytes]:
        try:
            while True:
                yield self._ssl.recv(RECORD_BYTES)
        except SSL.WantReadError:
            return
        except SSL.ZeroReturnError:
            raise EOFError("the server has closed the DTLS association") from None
        except SSL.Error as error:
            raise _failure(error, self._ssl) from None

    def _context(self, tls: DeviceTls) -> SSL.Context:
        context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
        context.set_min_proto_version(DTLS1_2)
        context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
        context.set_cipher_list((OF_KEYS if isinstance(tls.shown, PreSharedKey) else OF_CERTIFICATES) + WITH_SHORT_TAGS)
        match tls.shown:
            case PreSharedKey() as shown:
                self._credential_callback = _show_key(context, shown)
            case ClientCertificate() as shown:
                _show_certificate(context, shown)
            case None:
                pass
        if tls.trusted.checks_chain:
            _trust(context, tls.trusted)
        return context


def _show_certificate(context: SSL.Context, shown: ClientCertificate) -> None:
    try:
        own, *others = map(x509.load_der_x509_certificate, shown.chain)
        context.use_certificate(own)
        for other in others:
            context.add_extra_chain_cert(other)
        context.use_privatekey(load_pem_private_key(shown.key_pem, None))  # type: ignore[arg-type]
        context.check_privatekey()
    except (ValueError, TypeError, SSL.Error) as error:
        raise UsageError(f"a certificate and its key do not fit together or cannot be read: {error}") from None


def _show_key(context: SSL.Context, shown: PreSharedKey) -> Any:
    """The callback that names it: it must live as long as the context."""
    identity = shown.identity.encode() + b"\0"

    def name_key(_: Any, _hint: Any, identity_out: Any, identity_max: int, key_out: Any, key_max: int) -> int:
        if len(identity) > identity_max or len(shown.key) > key_max:
            return 0
        ffi.memmove(identity_out, identity, len(identity))
        ffi.memmove(key_out, shown.key, len(shown.key))
        return len(shown.key)

    signature = "unsigned int(SSL *, const char *, char *, unsigned int, unsigned char *, unsigned int)"
    callback = ffi.callback(signature, name_key)
    lib.SSL_CTX_set_psk_client_callback(context._context, callback)  # noqa: SLF001 (pyOpenSSL has no method for it)
    return callback


def _trust(context: SSL.Context, trusted: TrustedAuthorities) -> None:
    store = _stores.get(trusted)
    if store is None:
        store = _stores[trusted] = _store(trusted)
    context.set_verify(SSL.VERIFY_PEER)
    lib.X509_STORE_up_ref(store._store)  # noqa: SLF001 (pyOpenSSL has no method to share one)
    lib.SSL_CTX_set_cert_store(context._context, store._store)  # noqa: SLF001


def _store(trusted: TrustedAuthorities) -> X509Store:
    store = X509Store()
    if trusted.certificates is None:
        paths = ssl.get_default_verify_paths()
        if paths.cafile or paths.capath:
            store.load_locations(paths.cafile, paths.capath)
    for certificate in trusted.certificates or ():
        store.add_cert(X509.from_cryptography(x509.load_der_x509_certificate(certificate)))
    return store


def _expect_host(connection: SSL.Connection, host: str, *, checks: bool) -> None:
    parameters = lib.SSL_get0_param(connection._ssl)  # noqa: SLF001 (pyOpenSSL has no method to check a host)
    try:
        packed = ipaddress.ip_address(host).packed
    except ValueError:
        connection.set_tlsext_host_name(host.encode("idna"))
        if checks:
            lib.X509_VERIFY_PARAM_set1_host(parameters, host.encode("idna"), 0)
    else:
        if checks:
            lib.X509_VERIFY_PARAM_set1_ip(parameters, packed, len(packed))


def _failure(error: SSL.Error, connection: SSL.Connection) -> ssl.SSLError:
    """As the standard library says it."""
    match error.args:
        case ([*_, (_, _, str(said))], *_):  # what OpenSSL has noted, the last of it
            pass
        case _:  # SysCallError: a number and a word, or nothing at all
            said = "the association broke"
    result = lib.SSL_get_verify_result(connection._ssl)  # noqa: SLF001 (pyOpenSSL has no method for it)
    if "certificate verify failed" in said:
        said = f"{said}: {ffi.string(lib.X509_verify_cert_error_string(result)).decode()}"
        return ssl.SSLCertVerificationError(1, said)
    return ssl.SSLError(1, said)


def _packed(records: bytes) -> list[bytes]:
    """Datagrams of whole records (RFC 6347 §4.1): OpenSSL writes them one behind the other."""
    datagrams = [b""]
    while records:
        length = RECORD_HEAD_BYTES + int.from_bytes(records[11:RECORD_HEAD_BYTES])
        record, records = records[:length], records[length:]
        if datagrams[-1] and len(datagrams[-1]) + length > DATAGRAM_BYTES:
            datagrams.append(b"")
        datagrams[-1] += record
    return [datagram for datagram in datagrams if datagram]
