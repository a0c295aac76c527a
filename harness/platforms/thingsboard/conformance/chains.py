"""Certificates and connections that rows on chains use (docs/contracts/thingsboard.md §2.4)."""

from __future__ import annotations

import secrets
import ssl
import time
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.handshakes import any_certificate
from fleetrig.harness.platforms.thingsboard.conformance.row_client import Profile, RowClient, RowMqtt
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import ClientCertificate

CHAIN: Final = "X509_CERTIFICATE_CHAIN"
REFUSED: Final = ((4, "CONNACK 5"), (5, "CONNACK 0x87"))
"""(level, answer to CONNECT) of a certificate that does not get in."""


def authority(kind: KeyKind = KeyKind.P256) -> CertificateAuthority:
    """A new one: an authority stands behind one profile only."""
    now_us = time.time_ns() // 1000 + 60 * US_PER_S
    return CertificateAuthority(f"fleetrig conform {secrets.token_hex(4)}", now_us, kind=kind)


def chain_profile(
    client: RowClient, *path: CertificateAuthority, pattern: str = "(.*)", creates: bool = True, letter: str = "X"
) -> Profile:
    """A profile with the certificates of these authorities, which trusts the first."""
    more = {"certificateRegExPattern": pattern, "allowCreateNewDevicesByX509Certificate": creates}
    return client.new_profile(letter, CHAIN, "", "".join(ca.certificate_pem.decode() for ca in path), **more)


def leaf_alone(certificate: ClientCertificate) -> ClientCertificate:
    return ClientCertificate(certificate.chain[:1], certificate.key_pem)


def followed_by(certificate: ClientCertificate, ca: CertificateAuthority) -> ClientCertificate:
    """The leaf with its authority, which roots do not put into their chains."""
    root = ssl.PEM_cert_to_DER_cert(ca.certificate_pem.decode())
    return ClientCertificate((certificate.chain[0], root), certificate.key_pem)


def shown(client: RowClient, certificate: ClientCertificate, level: int = 4) -> RowMqtt:
    """A connection whose handshake has shown a chain. Raises HandshakeRefused."""
    return client.mqtt(level, "mqtts", any_certificate(certificate))


def expect_in(client: RowClient, certificate: ClientCertificate, level: int = 4, **connect: Any) -> RowMqtt:
    connection = shown(client, certificate, level)
    expect("the answer to CONNECT with a chain", "CONNACK 0", connection.connect(**connect))
    return connection


def expect_out(client: RowClient, certificate: ClientCertificate) -> None:
    """The handshake succeeds, CONNECT is refused, in both versions."""
    for level, line in REFUSED:
        expect("the answer to CONNECT with this certificate", line, shown(client, certificate, level).connect())
