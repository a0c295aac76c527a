"""What can be read of DTLS datagrams without keys: heads of records, and of a ClientHello (RFC 6347 §4.1, §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECORD_HEAD_BYTES: Final = 13
LARGEST_RECORD_BYTES: Final = RECORD_HEAD_BYTES + (1 << 14) + 256
"""Payload, and what encryption may add to it."""

HANDSHAKE: Final = 22
APPLICATION_DATA: Final = 23
CONTENT_TYPES: Final = frozenset({20, 21, HANDSHAKE, APPLICATION_DATA})
MAJOR_VERSION: Final = 0xFE

CLIENT_HELLO: Final = 1
MESSAGE_HEAD_BYTES: Final = 12
RANDOM_AT: Final = RECORD_HEAD_BYTES + MESSAGE_HEAD_BYTES + 2
RANDOM_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class RecordHead:
    """The first record of a datagram. Epoch 0 is the handshake in clear."""

    content_type: int
    epoch: int


def first_record(datagram: bytes) -> RecordHead | None:
    """None for what is no DTLS, or more than one record can hold."""
    if not RECORD_HEAD_BYTES < len(datagram) <= LARGEST_RECORD_BYTES:
        return None
    if datagram[0] not in CONTENT_TYPES or datagram[1] != MAJOR_VERSION:
        return None
    return RecordHead(datagram[0], int.from_bytes(datagram[3:5], "big"))


def client_random(datagram: bytes) -> bytes | None:
    """Of a datagram that begins with a ClientHello: the number that tells this handshake from others; else None.

    A client says the same one again when it sends its hello again, and when it returns a cookie."""
    head = first_record(datagram)
    if head is None or (head.content_type, head.epoch) != (HANDSHAKE, 0):
        return None
    if datagram[RECORD_HEAD_BYTES] != CLIENT_HELLO or len(datagram) < RANDOM_AT + RANDOM_BYTES:
        return None
    return datagram[RANDOM_AT : RANDOM_AT + RANDOM_BYTES]


def in_datagrams(records: bytes, most_bytes: int) -> list[bytes]:
    """Whole records, several to a datagram: OpenSSL writes them one behind the other. A larger one goes alone."""
    datagrams: list[bytes] = []
    at = begin = 0
    while at < len(records):
        end = at + RECORD_HEAD_BYTES + int.from_bytes(records[at + 11 : at + RECORD_HEAD_BYTES], "big")
        if end - begin > most_bytes and at > begin:
            datagrams.append(records[begin:at])
            begin = at
        at = end
    return [*datagrams, records[begin:]] if records else datagrams
