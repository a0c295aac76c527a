"""What is said to the certificates of one peer, in TLS and DTLS."""

from __future__ import annotations

from collections.abc import Callable

from fleetrig.simulator.contract.handshake import TlsAlert

Certificates = tuple[bytes, ...]
"""As the peer sent them, DER, its own first; see `Session.certificates`."""


class CertificateJudgement:
    """Made once in a handshake, and only if the peer shows certificates."""

    __slots__ = ("_judge", "alert", "bug", "certificates", "is_made")

    def __init__(self, judge: Callable[[Certificates], TlsAlert | None]) -> None:
        """None is a yes."""
        self._judge = judge
        self.certificates: Certificates = ()
        self.is_made = False
        self.alert: TlsAlert | None = None
        self.bug: Exception | None = None
        """What `judge` raised: the peer gets the alert `internal_error`."""

    def make(self) -> None:
        """Asks the judge, the first time. Never raises: it is called from inside OpenSSL."""
        if self.is_made:
            return
        self.is_made = True
        try:
            self.alert = self._judge(self.certificates)
        except Exception as bug:  # noqa: BLE001 (whoever performs the handshake tells it)
            self.bug = bug
