"""The server name (SNI) in a ClientHello, read without a library.

The standard library tells it to a callback, and writes a traceback to stderr for a name that is not ASCII.
"""

from __future__ import annotations

from typing import Final

HANDSHAKE: Final = 22
CLIENT_HELLO: Final = 1
SERVER_NAME: Final = 0
FIXED_BYTES: Final = 34
"""Version and random."""
LONGEST_BYTES: Final = 64 * 1024


class _Ended(Exception):
    pass


class _Fields:
    """Reads one field after the other. Raises _Ended when there is no more."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, length: int) -> bytes:
        found = self._data[self._at : self._at + length]
        if len(found) < length:
            raise _Ended
        self._at += length
        return found

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def vector(self, length_bytes: int) -> bytes:
        """What follows its own length."""
        return self.take(self.number(length_bytes))


def server_name_in(flight: bytes) -> str | None:
    """Of the first bytes of a TLS connection (RFC 8446 §4.1.2, RFC 6066 §3): empty for a hello that names no host.

    None for what is no ClientHello, or not yet a whole one."""
    try:
        message = _Fields(_handshake_bytes(flight))
        if message.number(1) != CLIENT_HELLO:
            return None
        hello = _Fields(message.vector(3))
        hello.take(FIXED_BYTES)
        for length_bytes in (1, 2, 1):  # session, cipher suites, compression
            hello.vector(length_bytes)
    except _Ended:
        return None
    try:
        return _name_in(_Fields(hello.vector(2)))
    except _Ended:
        return ""


def _handshake_bytes(flight: bytes) -> bytes:
    """What the handshake records hold: a hello may be cut into several."""
    records, found = _Fields(flight), b""
    try:
        while records.number(1) == HANDSHAKE:
            records.take(2)
            found += records.vector(2)
    except _Ended:
        pass
    return found


def _name_in(extensions: _Fields) -> str:
    while True:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == SERVER_NAME:
            names = _Fields(_Fields(content).vector(2))
            names.take(1)  # the type of the name: there is only one
            return names.vector(2).decode("ascii", "replace")
