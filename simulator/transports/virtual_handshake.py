"""Handshakes of virtual time: devices trust the server's own certificate and no other, servers judge what is shown."""

from __future__ import annotations

from fleetrig.simulator.contract.envelope import Conversation
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey, TlsCredential
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.transports.loopback_names import server_name_in


def certificates_of(shown: TlsCredential | None) -> tuple[bytes, ...]:
    """As a session has them."""
    return shown.chain if isinstance(shown, ClientCertificate) else ()


def session_of(where: str, session_id: int, shown: TlsCredential | None) -> Session:
    """A connection to this URL as a listener sees it. A pre-shared key counts over DTLS only, as in real time."""
    scheme = where.partition(":")[0]
    if not scheme.endswith("s"):
        return Session(id=session_id, listener=scheme)
    return Session(
        id=session_id,
        listener=scheme,
        tls=True,
        server_name=server_name_in(where),
        certificates=certificates_of(shown),
        psk_identity=shown.identity if isinstance(shown, PreSharedKey) and scheme == "coaps" else "",
    )


def handshake_ends(
    server: Conversation, session: Session, now_us: int, shown: TlsCredential | None = None
) -> TlsAlert | None:
    """The alert with which a handshake ends, whoever ends it; None when it succeeds."""
    if session.psk_identity and isinstance(shown, PreSharedKey):
        return None if server.psk(session, now_us) == shown.key else TlsAlert.SILENCE
    certificate = server.shown_certificate(session, now_us)
    if certificate not in (ShownCertificate.OWN, ShownCertificate.LONG_CHAIN):
        return TlsAlert.BAD_CERTIFICATE
    return server.handshake(session, now_us) if session.certificates else None
