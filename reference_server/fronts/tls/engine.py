"""TLS without I/O: what every library for it has to do for a listener."""

from __future__ import annotations

from typing import Protocol

BLOCK_BYTES = 64 * 1024


class TlsEngine(Protocol):
    """The server's end of one TLS connection, in memory. `feed`, `shake` and `read` raise TlsFailure."""

    @property
    def server_name(self) -> str:
        """The host that the client asked for (SNI); empty when it named none, or has not said so yet."""

    def feed(self, ciphertext: bytes) -> None:
        """Takes what came from the peer."""

    def shake(self) -> bool:
        """Goes on with the handshake as far as it can; True when it is done."""

    def certificates(self) -> tuple[bytes, ...]:
        """What the client showed, DER, its own first."""

    def read(self) -> bytes | None:
        """The next piece of what the peer said; None until more comes, empty after its goodbye (close_notify)."""

    def write(self, data: memoryview) -> int:
        """Encrypts the beginning of it; how much that was. Raises TlsFailure."""

    def end(self) -> None:
        """Says goodbye (close_notify). What went wrong before or goes wrong now is silent."""

    def outgoing(self) -> bytes:
        """What is to go to the peer now: ciphertext, alerts; empty for nothing."""
