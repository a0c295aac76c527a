"""What the loss of datagrams means in virtual time, where no message layer repeats anything (RFC 7252 §4.2)."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.clock import US_PER_MS

ACK_TIMEOUT_US: Final = 2_500 * US_PER_MS
"""The middle of the range that RFC 7252 §4.8 allows: 2 to 3 s."""
MAX_RETRANSMIT: Final = 4


def repeated_after_us(copies: int) -> int | None:
    """How much later a confirmable message arrives when its first `copies` datagrams are lost; None: never."""
    return None if copies > MAX_RETRANSMIT else ACK_TIMEOUT_US * ((1 << copies) - 1)
