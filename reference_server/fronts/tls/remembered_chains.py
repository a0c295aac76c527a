"""The authorities that clients have shown above their certificates, for when they resume a session of TLS 1.2.

A ticket brings back the client's own certificate only (RFC 5077 §4); the platform is to see the whole chain as before.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from fleetrig.reference_server.fronts.tls.judgement import Certificates

MOST: Final = 16_384
"""Clients. Beyond, all are forgotten, and whoever resumes then shows its own certificate only."""
MOST_CHAINS: Final = 256
"""Different ones: devices of one authority share theirs."""
LONGEST_BYTES: Final = 16 * 1024


class RememberedChains:
    """By a digest of the client's certificate: what stood above it last."""

    def __init__(self) -> None:
        self._above: dict[bytes, Certificates] = {}
        self._alike: dict[Certificates, Certificates] = {}

    def remember(self, shown: Certificates) -> None:
        own, *others = shown
        above = tuple(others)
        if sum(map(len, above)) > LONGEST_BYTES:
            return
        if len(self._above) >= MOST or len(self._alike) >= MOST_CHAINS:
            self._above.clear()
            self._alike.clear()
        self._above[sha256(own).digest()] = self._alike.setdefault(above, above)

    def of(self, own: bytes) -> Certificates:
        """The whole chain, as far as it is remembered."""
        return (own, *self._above.get(sha256(own).digest(), ()))
