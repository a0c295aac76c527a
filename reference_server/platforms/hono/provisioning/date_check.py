"""What the adapters for HTTP and MQTT ask of a client's certificate in the handshake (ValidityOnlyTrustManagerFactory).

Only that it counts now. Whose it is, and who vouches for it, is asked by the CONNECT or the request.
"""

from __future__ import annotations

from fleetrig.reference_server.platform import ACCEPTED, HandshakeAnswer
from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import Unreadable, read, refused_by_dates
from fleetrig.simulator.contract.handshake import TlsAlert


def judge_dates(chain: tuple[bytes, ...], now_us: int) -> HandshakeAnswer:
    """`chain` in DER as the peer has sent it, its own certificate first; not empty."""
    try:
        why = refused_by_dates(read(chain[0]).certificate, now_us)
    except Unreadable as unreadable:
        why = str(unreadable)
    return HandshakeAnswer(TlsAlert.CERTIFICATE_UNKNOWN, reason=why) if why else ACCEPTED
