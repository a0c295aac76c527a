"""DTLS handshakes (DeviceRegistryBasedCertificateVerifier, DeviceRegistryBasedPskStore).

All of the sign-in happens here, provisioning included; whether tenant, adapter and device are enabled is asked later.
"""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fleetrig.reference_server.platform import HandshakeAnswer
from fleetrig.reference_server.platforms.hono.coap.identities import Identities
from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import Unreadable, read
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import COAP, Denied, psk_for, with_certificate
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.session import Session

NO_CLIENT_ID: Final = ""
CLIENT_AUTHENTICATION: Final = x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH


def judge(registry: Registry, identities: Identities, session: Session, now_us: int) -> HandshakeAnswer:
    """`session` has `certificates` or a `psk_identity`."""
    if session.psk_identity or not session.certificates:
        return _by_key(registry, identities, session, now_us)
    if why := _unfit(session.certificates[0]):
        return HandshakeAnswer(TlsAlert.BAD_CERTIFICATE, reason=why)
    found = with_certificate(registry, session.certificates, session.server_name, COAP, NO_CLIENT_ID, now_us)
    if isinstance(found, Denied):
        return HandshakeAnswer(
            TlsAlert.BAD_CERTIFICATE, None, found.reason, found.called, found.changed, found.rollback, found.steps
        )
    identities.judged(session.id, found)
    return HandshakeAnswer(device=found.called, changed=found.changed, steps=found.steps)


def _by_key(registry: Registry, identities: Identities, session: Session, now_us: int) -> HandshakeAnswer:
    """Without a key there is no session, and no alert either (C02). Who proves to have it is known by the session."""
    found = psk_for(registry, session.psk_identity, now_us)
    if isinstance(found, Denied):
        return HandshakeAnswer(reason=found.reason, device=found.called, steps=found.steps)
    key, signed_in = found
    identities.judged(session.id, signed_in)
    return HandshakeAnswer(psk=key, device=signed_in.called, steps=signed_in.steps)


def _unfit(der: bytes) -> str:
    """Why a certificate is none for clients; empty when it is (CertPathUtil.canBeUsedForAuthentication)."""
    try:
        certificate = read(der).certificate
        return _key_flaw(certificate) or _usage_flaw(certificate.extensions)
    except Unreadable as unreadable:
        return str(unreadable)
    except UNREADABLE_BY_LIBRARY:
        return "the extensions of the certificate cannot be read"


def _key_flaw(certificate: x509.Certificate) -> str:
    """The real adapter takes EC and RSA keys here, though it offers ECDHE_ECDSA alone, and none of Ed25519."""
    if isinstance(certificate.public_key(), ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return ""
    return "its key is neither EC nor RSA, which is what DTLS takes"


def _usage_flaw(extensions: x509.Extensions) -> str:
    for extension in extensions:
        match extension.value:
            case x509.KeyUsage() as usage if not usage.digital_signature:
                return "its key usage is not digitalSignature: it cannot be used for client authentication"
            case x509.ExtendedKeyUsage() as usages if CLIENT_AUTHENTICATION not in usages:
                return "its extended key usage is not clientAuth: it cannot be used for client authentication"
    return ""
