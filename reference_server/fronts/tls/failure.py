"""Why TLS with a peer came to nothing, in plain words."""

from __future__ import annotations

import re
from typing import Final, Literal

HANDSHAKE_BYTE: Final = 0x16
"""What every TLS connection begins with."""
MQTT_CONNECT: Final = re.compile(rb"\x10[\x00-\xff]{1,4}\x00[\x04\x06]MQ")
HTTP_METHOD: Final = re.compile(rb"[A-Z]{3,8} ")
ALERT_HEARD: Final = re.compile(r"(?:tls|ssl)\S* alert (?P<name>.+)")

WORDS: Final = {
    "certificate verify failed": "its certificate is not accepted",
    "peer did not return a certificate": "it shows no certificate, and this listener requires one",
    "excessive message size": "its certificates are larger than the 100 KiB that TLS libraries take",
    "unsupported protocol": "it speaks no TLS from 1.2 on",
    "no shared cipher": "it has no cipher suite in common with this server",
    "no suitable key share": "it has no key exchange in common with this server",
    "bad signature": "it does not hold the key of its certificate",
    "unexpected eof while reading": "it left without a goodbye",
}
"""OpenSSL's reasons that people meet."""
BY_ALERT: Final = {
    "unknown ca": "it does not trust the authority of this server's certificate",
    "bad certificate": "it does not accept this server's certificate",
    "certificate unknown": "it does not accept this server's certificate",
    "certificate expired": "it finds that this server's certificate is out of date",
}

FailureKind = Literal["malformed", "refused"]
"""The word of the network lane: what is no TLS, and what TLS ends by its own rules."""


class TlsFailure(Exception):
    """TLS has ended; the alert that says so to the peer lies ready in the engine. `why` is for the trace."""

    def __init__(self, kind: FailureKind, why: str) -> None:
        super().__init__(why)
        self.kind: FailureKind = kind
        self.why = why


def openssl_failure(reason: str, details: str = "") -> TlsFailure:
    """`reason` as OpenSSL words it, in the capitals of `ssl` or as pyOpenSSL has it; `details` of a verification."""
    said = reason.replace("_", " ").lower()
    if alert := ALERT_HEARD.fullmatch(said):
        name = alert["name"]
        by = BY_ALERT.get(name, "it does not go on")
        return TlsFailure("refused", f"{by}: it sent the alert {name.replace(' ', '_')}")
    if said in WORDS:
        return TlsFailure("refused", WORDS[said] + (f": {details}" if details else ""))
    return TlsFailure("malformed", f"what it sent is no TLS that can be read ({said or 'no reason given'})")


def no_tls(head: bytes) -> TlsFailure | None:
    """For the first bytes of a connection: what they are instead."""
    if head[:1] == bytes([HANDSHAKE_BYTE]):
        return None
    if HTTP_METHOD.match(head):
        return TlsFailure("malformed", "it sent an HTTP request without TLS")
    if MQTT_CONNECT.match(head):
        return TlsFailure("malformed", "it sent an MQTT CONNECT without TLS")
    return TlsFailure("malformed", "what it sent first is no TLS")
