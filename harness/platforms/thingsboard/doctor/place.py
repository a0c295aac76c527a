"""What really speaks at a port where the device's own protocol got no sensible answer."""

from __future__ import annotations

import socket
import ssl
from typing import Final

from fleetrig.harness.conformance.mqtt_bytes import connect
from fleetrig.harness.platforms.thingsboard.doctor.way import PROVISION

WITHIN_S: Final = 3.0
FIRST_BYTES: Final = 16
OPENINGS: Final = (
    ("HTTP", b"GET / HTTP/1.0\r\n\r\n", b"HTTP/"),
    ("MQTT", connect(4, user_name=PROVISION), b"\x20\x02"),
)
"""Name, what is sent, how the answer begins. A provision session without a request does nothing."""


def spoken_at(host: str, port: int, within_s: float = WITHIN_S) -> str:
    """`TLS`, `HTTP` or `MQTT`; empty when it is none of them."""
    within_s = min(within_s, WITHIN_S)
    if _shakes_hands(host, port, within_s):
        return "TLS"
    return next((name for name, sent, begins in OPENINGS if _answer(host, port, sent, within_s).startswith(begins)), "")


def _shakes_hands(host: str, port: int, within_s: float) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), within_s) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except OSError:
        return False


def _answer(host: str, port: int, sent: bytes, within_s: float) -> bytes:
    try:
        with socket.create_connection((host, port), within_s) as connection:
            connection.sendall(sent)
            return connection.recv(FIRST_BYTES)
    except OSError:
        return b""
