"""What the CoAP software in front of a platform's handlers does by itself: Californium, and others.

A platform names these rules (`CoapPlatform.coap_rules`); its CoAP front follows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S

KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class CoapRules:
    """Times are those of RFC 7252 §4.8 unless it says otherwise."""

    empty_ack_after_us: int = 500 * US_PER_MS
    """A request that has no answer by then gets an empty acknowledgement, and its answer later in a message of its
    own (RFC 7252 §5.2.2)."""
    ack_timeout_us: int = 2 * US_PER_S
    """How long to wait for an acknowledgement before the first retransmission; then twice as long each time."""
    ack_random_factor: float = 1.5
    max_retransmit: int = 4
    block_size_exponent: int = 6
    """Blocks have at most 2 to the power of (exponent + 4) bytes: 6 is 1024 (RFC 7959 §2.2)."""
    preferred_size_exponent: int = 6
    """Of the blocks that are asked for, and of those that are sent where no size was asked for."""
    body_bytes: int = 1024 * KIB
    """The largest body of a request, in blocks or in one datagram; a larger one is answered by 4.13."""
    limits_single_datagrams: bool = True
    """`body_bytes` holds for a body in one datagram too; otherwise for blocks alone."""
    is_strict: bool = True
    """Requests are read as the RFCs say; otherwise as Californium 3 reads them (`coap_messages.lenient_reading`)."""
    further_options: frozenset[int] = frozenset()
    """Numbers of options that the platform knows beside those of the RFCs, critical or not. Of any other a critical one
    is answered by 4.02, and an elective one is not told."""
    idle_us: int = 300 * US_PER_S
    """An endpoint that was silent so long is forgotten."""
    observing_idle_us: int = 24 * 3_600 * US_PER_S
    """The same for one that observes something (RFC 7641 §4.5: it must be asked once a day whether it still does)."""
    flight_timeout_us: int = US_PER_S
    """DTLS: a flight of a handshake that nobody answers is sent again after so long, then after twice as long each time
    (RFC 6347 §4.2.4.1). Platforms wait for up to 9 s. It is never less than 1 s: OpenSSL counts too."""


PLAIN_COAP: Final = CoapRules()
