"""What rows show in TLS and DTLS handshakes, and how they hear that it is not taken."""

from __future__ import annotations

import re
import ssl
from typing import Final

from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.transports.client_tls import take_up

ALERT: Final = re.compile(r"alert[ _]([a-z_]+(?: [a-z]+)*)")
"""As OpenSSL names one, in two ways: `SSLV3_ALERT_BAD_CERTIFICATE`, `tlsv1 alert unknown ca`."""


class HandshakeRefused(Exception):
    """The server ended the handshake. `alert` in the words of the standard, `bad_certificate`; empty without one."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = ALERT.search(text.lower())
        self.alert = found[1].replace(" ", "_") if found else ""


def any_certificate(shown: ClientCertificate | None = None) -> ssl.SSLContext:
    """Trusts whom it meets: who answers is none of the rows' business, what it answers is. Shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # a certificate that is refused is heard of in the handshake
    if shown is not None:
        take_up(context, shown)
    return context
