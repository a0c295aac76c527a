"""CoAP's format (RFC 7252 §3), checked before aiocoap reads a datagram: it would take answers out of what breaks it."""

from __future__ import annotations

from typing import Final

HEADER_BYTES: Final = 4
LONGEST_TOKEN_BYTES: Final = 8
PAYLOAD_MARKER: Final = 0xFF
MOST_OPTIONS: Final = 255
"""No server says more. A datagram has room for 65,000, with which aiocoap would hold up a fleet for 0.3 s."""
ONE_MORE_BYTE: Final = 13
RESERVED: Final = 15


def check_format(datagram: bytes) -> None:
    """Raises ValueError for what is no message. Version, and what options mean, are for aiocoap to check."""
    if len(datagram) < HEADER_BYTES:
        raise ValueError("no header")
    token_bytes = datagram[0] & 0x0F
    at = HEADER_BYTES + token_bytes
    if token_bytes > LONGEST_TOKEN_BYTES or at > len(datagram):
        raise ValueError(f"a token length of {token_bytes}")
    if not datagram[1] and len(datagram) > HEADER_BYTES:
        raise ValueError("an empty message with something in it")
    for _ in range(MOST_OPTIONS + 1):
        if at >= len(datagram) or datagram[at] == PAYLOAD_MARKER:
            break
        at = _end_of_option(datagram, at)
    else:
        raise ValueError(f"more than {MOST_OPTIONS} options")
    if at > len(datagram) or at + 1 == len(datagram):
        raise ValueError("half an option, or a payload marker and no payload")


def _end_of_option(datagram: bytes, at: int) -> int:
    head = datagram[at]
    length_at = at + 1 + _more_bytes(head >> 4)
    value_at = length_at + _more_bytes(head & 0x0F)
    length = head & 0x0F
    if length >= ONE_MORE_BYTE:
        above = 13 if length == ONE_MORE_BYTE else 269
        length = above + int.from_bytes(datagram[length_at:value_at], "big")
    return value_at + length


def _more_bytes(nibble: int) -> int:
    """Of the number that stands for an option's delta or length."""
    if nibble == RESERVED:
        raise ValueError("an option's delta or length of 15")
    return max(0, nibble - ONE_MORE_BYTE + 1)
