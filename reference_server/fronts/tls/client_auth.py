"""What a TLS listener wants of certificates of clients."""

from __future__ import annotations

from enum import StrEnum


class ClientAuth(StrEnum):
    """The names are for what a client may do; what happens to it otherwise is said at each."""

    NONE = "none"
    """Nobody is asked for one."""
    OPTIONAL = "optional"
    """Who shows one must show one of a trusted authority, that counts by the machine's clock; else an alert.

    The platform is asked as well, but when it refuses the connection ends without its alert."""
    REQUIRED = "required"
    """As `OPTIONAL`, and who shows none gets an alert too."""
    ANY = "any"
    """Whatever is shown, the platform judges it in the handshake (`HandshakePlatform`), or later, or not at all."""
