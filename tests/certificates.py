"""Throw-away certificates of tests, in the forms that servers and devices take."""

from __future__ import annotations

import ssl

from trustme import CA, KeyType, LeafCert

from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate
from fleetrig.simulator.contract.identity import ClientCertificate

P256 = KeyType.ECDSA


def of_server(leaf: LeafCert) -> ServerCertificate:
    return ServerCertificate(chain_pem(leaf), leaf.private_key_pem.bytes())


def of_device(leaf: LeafCert) -> ClientCertificate:
    return ClientCertificate(chain_der(leaf), leaf.private_key_pem.bytes())


def chain_pem(leaf: LeafCert) -> bytes:
    return b"".join(pem.bytes() for pem in leaf.cert_chain_pems)


def chain_der(leaf: LeafCert) -> tuple[bytes, ...]:
    return tuple(ssl.PEM_cert_to_DER_cert(pem.bytes().decode()) for pem in leaf.cert_chain_pems)


def long_chain(authority: CA, length: int) -> CA:
    """The last of so many authorities, each of them of the one before."""
    for _ in range(length):
        authority = authority.create_child_ca(key_type=P256)
    return authority


def trusting(*authorities: CA) -> ssl.SSLContext:
    """A device's context that trusts these and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for authority in authorities:
        authority.configure_trust(context)
    return context
