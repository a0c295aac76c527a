"""What becomes of a packet on the wire by a fault: half of it, or as many bytes that are no packet."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.envelope import Send, WireForm
from fleetrig.simulator.contract.errors import ModelError

RESERVED_TYPE: Final = b"\x0f"
"""A first byte of packet type 0, with flags that nobody has: malformed in every version. The length stays as it was,
so that a client that reads packets by it gets one that it cannot take."""


def distorted(data: bytes, send: Send) -> tuple[bytes, str]:
    """What is sent in place of the packet, and what that is in words. Raises ModelError for other protocols' forms."""
    match send.form:
        case WireForm.HALF:
            count = len(data) // 2 if send.cut_after_bytes is None else min(len(data), send.cut_after_bytes)
            return data[:count], f"{count} of {len(data)} bytes, and nothing more"
        case WireForm.MALFORMED:
            return RESERVED_TYPE + data[1:], f"{len(data)} bytes of the reserved packet type 0"
        case _:
            raise ModelError(f"a packet of MQTT cannot be {send.form}")
