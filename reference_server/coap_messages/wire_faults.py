"""What faults make of a datagram: shorter, or no message of the protocol."""

from __future__ import annotations

from fleetrig.simulator.contract.envelope import Send, WireForm


def distorted(datagram: bytes, send: Send | None) -> bytes:
    """The bytes that go out in place of it."""
    match send:
        case Send(form=WireForm.HALF, cut_after_bytes=cut):
            return datagram[: len(datagram) // 2 if cut is None else cut]
        case Send(form=WireForm.MALFORMED):
            # a token length of 15, and after it option heads of 15: both are reserved
            return bytes((datagram[0] | 0x0F,)) + datagram[1:4] + b"\xf0" * (len(datagram) - 4)
        case _:
            return datagram


def withheld_copies(send: Send | None) -> int:
    return send.copies if send is not None and send.form is WireForm.LOST else 0


def is_doubled(send: Send | None) -> bool:
    return send is not None and send.form is WireForm.TWICE
