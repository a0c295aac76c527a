"""A platform that tells CoAP clients who they are: by pre-shared key, by certificate, or nobody."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from fleetrig.reference_server.platform import ACCEPTED, NOTHING, HandshakeAnswer, Reaction
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope, Send
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.session import Session

KEYS = {"dev-1": b"sixteen bytes!!!"}


class WhoPlatform:
    """A `SessionPlatform` and a `HandshakePlatform`: refuses those whose common name is that of an alert."""

    name = "who"

    def __init__(self, store: Store, blobs: Blobs, entropy: Entropy) -> None:
        pass

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        if session.psk_identity:
            return HandshakeAnswer(psk=KEYS.get(session.psk_identity))
        name = common_name(session)
        return HandshakeAnswer(TlsAlert(name), reason=f"so it wants: {name}") if name in set(TlsAlert) else ACCEPTED

    def opened(self, session: Session, now_us: int) -> Reaction:
        return NOTHING

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        if not isinstance(envelope, CoapRequest):
            return NOTHING
        who = session.psk_identity or common_name(session) or "nobody"
        payload = f"{who} at {session.server_name or 'no name'}".encode()
        return Reaction((Send(session.id, CoapResponse("2.05", payload, token=envelope.token)),))

    def closed(self, session: Session, now_us: int) -> Reaction:
        return NOTHING

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return ()

    def secrets(self) -> list[tuple[str, str]]:
        return []


def common_name(session: Session) -> str:
    if not session.certificates:
        return ""
    [name] = x509.load_der_x509_certificate(session.certificates[0]).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)
