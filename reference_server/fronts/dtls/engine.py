"""DTLS without I/O: one peer's end of an association, and the listening that comes before it."""

from __future__ import annotations

from typing import Final

from OpenSSL import SSL

from fleetrig.reference_server.fronts.dtls.contexts import DtlsContexts, DtlsJudgement
from fleetrig.reference_server.fronts.dtls.records import in_datagrams, renumbered, sequence_number
from fleetrig.reference_server.fronts.tls.failure import TlsFailure
from fleetrig.reference_server.fronts.tls.judging_engine import JudgingEngine
from fleetrig.simulator.contract.handshake import ShownCertificate

DATAGRAM_BYTES: Final = 1_232
"""The largest of a handshake: the smallest link of IPv6 carries it (1,280 without the heads of IP and UDP)."""
FLIGHT_BYTES: Final = 8 * 1024
"""More than most flights have."""


class DtlsEngine(JudgingEngine):
    """A `TlsEngine` for datagrams: `feed` takes a whole one."""

    def __init__(self, contexts: DtlsContexts, judgement: DtlsJudgement) -> None:
        super().__init__(contexts[ShownCertificate.OWN], judgement)
        self.judgement = judgement
        self._contexts = contexts
        self._tls.set_ciphertext_mtu(DATAGRAM_BYTES)
        self._ahead = 0
        """A server goes on from the sequence number of the ClientHello that brought the cookie (RFC 6347 §4.2.1).
        OpenSSL 4.0 begins with 1: to a client that had to say its hello again those are old records."""

    def listen(self, hello: bytes) -> bool:
        """Looks at a ClientHello; keeps nothing of it until it brings back its cookie: True then.

        Otherwise there may be a HelloVerifyRequest to send. Raises TlsFailure.
        """
        self.feed(hello)
        try:
            self._tls.DTLSv1_listen()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise TlsFailure("malformed", f"what it sent is no ClientHello ({error})") from error
        self._ahead = max(0, sequence_number(hello) - 1)
        return True

    def show(self, shown: ShownCertificate) -> None:
        """Before the first `shake`."""
        if shown is not ShownCertificate.OWN:
            self._tls.set_context(self._contexts[shown])

    def shake(self) -> bool:
        try:
            return super().shake()
        except TlsFailure as failure:
            if not isinstance(failure.__cause__, SSL.SysCallError):
                raise
            why = "its handshake has a message of more than 100 KiB, or parts that do not fit together"
            raise TlsFailure("malformed", why) from failure.__cause__

    def send_again(self) -> bool:
        """Makes the flight that nobody answered ready again, if it is time (RFC 6347 §4.2.4): True then.

        OpenSSL counts on the machine's clock too, from 1 s on, doubling: earlier is too early. Raises TlsFailure.
        """
        try:
            return self._tls.DTLSv1_handle_timeout()
        except SSL.Error:
            raise TlsFailure("refused", "it did not go on with its handshake") from None

    def datagrams(self) -> list[bytes]:
        """What is to be sent now."""
        records = self.outgoing()
        return in_datagrams(renumbered(records, self._ahead) if self._ahead else records, DATAGRAM_BYTES)

    def outgoing(self) -> bytes:
        """As every engine's; a piece that is not full is the last one, which saves asking for another each time."""
        try:
            piece = self._tls.bio_read(FLIGHT_BYTES)
        except SSL.WantReadError:
            return b""
        return piece if len(piece) < FLIGHT_BYTES else piece + self.outgoing()
