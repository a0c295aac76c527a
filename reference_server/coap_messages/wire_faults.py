"""What faults make of a datagram. Whatever is sent once more is whole again, unless it gets lost."""

from __future__ import annotations

from fleetrig.simulator.contract.envelope import Send, WireForm


def first_transmission(datagram: bytes, send: Send | None) -> tuple[bytes, ...]:
    """The datagrams that go out in place of one, when it is sent for the first time."""
    match send:
        case Send(form=WireForm.HALF, cut_after_bytes=cut):
            return (datagram[: len(datagram) // 2 if cut is None else cut],)
        case Send(form=WireForm.MALFORMED):
            # a token length of 15, and after it option heads of 15: both are reserved
            return (bytes((datagram[0] | 0x0F,)) + datagram[1:4] + b"\xf0" * (len(datagram) - 4),)
        case Send(form=WireForm.LOST):
            return ()
        case Send(form=WireForm.TWICE):
            return datagram, datagram
        case _:
            return (datagram,)


def lost_repetitions(send: Send | None) -> int:
    """How many of its repetitions get lost too."""
    return send.copies - 1 if send is not None and send.form is WireForm.LOST else 0
