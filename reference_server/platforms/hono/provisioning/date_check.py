"""What the adapters for HTTP and MQTT ask of a client's certificate in the handshake (ValidityOnlyTrustManagerFactory).

Only that it counts now, and that all of the chain can be read. Whose it is, and who vouches for it, is asked by the
CONNECT or the request.
"""

from __future__ import annotations

from cryptography import x509

from fleetrig.reference_server.platform import ACCEPTED, HandshakeAnswer
from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import Unreadable, read, refused_by_dates
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY
from fleetrig.simulator.contract.handshake import TlsAlert


def judge_dates(chain: tuple[bytes, ...], now_us: int) -> HandshakeAnswer:
    """`chain` in DER as the peer has sent it, its own certificate first; not empty."""
    try:
        flaws = [_refused_by_java(read(der).certificate) for der in chain]
    except (Unreadable, *UNREADABLE_BY_LIBRARY) as unreadable:
        flaws = [str(unreadable)[:200] or "it cannot be read"]
    if unread := next(filter(None, flaws), ""):
        return HandshakeAnswer(TlsAlert.BAD_CERTIFICATE, reason=unread)
    why = refused_by_dates(read(chain[0]).certificate, now_us)
    return HandshakeAnswer(TlsAlert.CERTIFICATE_UNKNOWN, reason=why) if why else ACCEPTED


def _refused_by_java(certificate: x509.Certificate) -> str:
    """Java takes a certificate with extensions and without a subject only for one with a critical alternative name."""
    extensions = certificate.extensions
    if certificate.subject.rdns or not len(extensions):
        return ""
    names = (one for one in extensions if one.oid == x509.SubjectAlternativeName.oid)
    return "" if any(one.critical for one in names) else "a certificate of the chain has extensions and no subject"
