"""OpenSSL contexts for DTLS listeners, and what their callbacks ask of one peer's `DtlsJudgement`.

Pre-shared keys need no library of their own: the bindings that pyOpenSSL stands on have OpenSSL's callback for them,
the wheels carry it ready-made for every Python, and certificates and keys share one listener, one port and one
handshake that way. DTLSSocket has to be compiled with autotools and knows no certificates, python-mbedtls has no wheel
from Python 3.13 on. Measured beside them, OpenSSL also does on the wire what Californium and tinydtls do: a wrong key
is silence, because a Finished that cannot be decrypted is a lost datagram; the alert for an unknown identity
(`unknown_psk_identity`) is thrown away by `DtlsJudgement.is_silent`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from fleetrig.reference_server.fronts.datagrams import SocketAddress
from fleetrig.reference_server.fronts.tls.alerts import judge_certificates
from fleetrig.reference_server.fronts.tls.judgement import CertificateJudgement, Certificates
from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate
from fleetrig.simulator.certificates.pem import certificates_in, key_in
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.envelope import Conversation
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.session import Session

DTLS_1_2: Final = 0xFEFD
COOKIE_BYTES: Final = 20
CIPHERS: Final = ":".join(
    (
        *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-CCM8", "ECDHE-ECDSA-AES128-CCM"),
        *("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"),
        *("ECDHE-PSK-CHACHA20-POLY1305", "ECDHE-PSK-AES128-CBC-SHA256", "PSK-AES128-GCM-SHA256"),
        *("PSK-AES256-GCM-SHA384", "PSK-AES128-CCM8", "PSK-AES128-CCM", "PSK-AES128-CBC-SHA256"),
        "@SECLEVEL=0",  # OpenSSL counts the short tag of CCM8 as weak, which RFC 7925 §4 has every device speak
    )
).encode()

CertificateToShow = Callable[[ShownCertificate], ServerCertificate]


class DtlsJudgement(CertificateJudgement):
    """What the server says of one peer: asked by OpenSSL in the handshake. The app data of its connection."""

    __slots__ = ("_clock", "_server", "address", "cookie_secret", "is_silent", "session")

    def __init__(self, server: Conversation, clock: Clock, cookie_secret: bytes) -> None:
        super().__init__(self._judge_certificates)
        self._server = server
        self._clock = clock
        self.cookie_secret = cookie_secret
        self.address: SocketAddress = ()
        """Where the ClientHello came from that is being looked at."""
        self.session = Session()
        """Becomes what the handshake comes to."""
        self.is_silent = False
        """The peer is not told why its handshake ends."""

    def cookie(self) -> bytes:
        """Proves that a peer hears what is sent to its address (RFC 6347 §4.2.1)."""
        host, port, *_ = self.address
        return blake2b(f"{host} {port}".encode(), key=self.cookie_secret, digest_size=COOKIE_BYTES).digest()

    def key(self, identity: bytes) -> bytes | None:
        """The pre-shared key of an identity."""
        self.session = replace(self.session, psk_identity=identity.decode("utf-8", "backslashreplace"))
        try:
            key = self._server.psk(self.session, self._clock.now_us())
        except Exception as bug:  # noqa: BLE001 (it must not be raised into OpenSSL)
            self.bug, key = bug, None
        self.is_silent = key is None
        return key

    def _judge_certificates(self, certificates: Certificates) -> TlsAlert | None:
        self.session = replace(self.session, certificates=certificates)
        alert = self._server.handshake(self.session, self._clock.now_us())
        self.is_silent = alert is TlsAlert.SILENCE
        return alert


class DtlsContexts:
    """The contexts of one listener, one for each certificate that it shows; made when first asked for."""

    def __init__(self, to_show: CertificateToShow) -> None:
        self._to_show = to_show
        self._made: dict[ShownCertificate, SSL.Context] = {}

    def __getitem__(self, shown: ShownCertificate) -> SSL.Context:
        if shown not in self._made:
            self._made[shown] = dtls_context(self._to_show(shown))
        return self._made[shown]


def dtls_context(certificate: ServerCertificate) -> SSL.Context:
    """For connections whose app data is a `DtlsJudgement`."""
    context = SSL.Context(SSL.DTLS_SERVER_METHOD)
    context.set_min_proto_version(DTLS_1_2)
    context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # who resumes a session shows no certificate
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_cipher_list(CIPHERS)
    own, *others = certificates_in(certificate.chain_pem)
    context.use_certificate(own)
    for one in others:
        context.add_extra_chain_cert(one)
    context.use_privatekey(key_in(certificate.key_pem))  # type: ignore[arg-type]
    judge_certificates(context)
    context.set_cookie_generate_callback(lambda connection: _of(connection).cookie())
    context.set_cookie_verify_callback(lambda connection, cookie: hmac.compare_digest(_of(connection).cookie(), cookie))
    lib.SSL_CTX_set_psk_server_callback(context._context, _FIND_KEY)  # noqa: SLF001 (pyOpenSSL has no method for it)
    return context


def _of(connection: SSL.Connection) -> DtlsJudgement:
    found = connection.get_app_data()
    assert isinstance(found, DtlsJudgement)
    return found


@ffi.callback("unsigned int (*)(SSL *, const char *, unsigned char *, unsigned int)", error=0)  # type: ignore[untyped-decorator]
def _FIND_KEY(ssl: Any, identity: Any, key_out: Any, key_max: int) -> int:  # noqa: N802
    """RFC 4279 §2; 0 says that there is none."""
    key = _of(SSL.Connection._reverse_mapping[ssl]).key(ffi.string(identity))  # noqa: SLF001
    if not key or len(key) > key_max:
        return 0
    ffi.memmove(key_out, key, len(key))
    return len(key)
