"""What can be read of DTLS datagrams without keys: heads of records, and of a ClientHello (RFC 6347 §4.1, §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECORD_HEAD_BYTES: Final = 13
LARGEST_RECORD_BYTES: Final = RECORD_HEAD_BYTES + (1 << 14) + 256
"""Payload, and what encryption may add to it."""

END_OF_NUMBERS: Final = 1 << 48

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


def client_random(datagram: bytes, head: RecordHead) -> bytes | None:
    """Of a datagram that begins with a ClientHello: the number that tells this handshake from others; else None.

    A client says the same one again when it sends its hello again, and when it returns a cookie."""
    if head.epoch or head.content_type != HANDSHAKE or len(datagram) < RANDOM_AT + RANDOM_BYTES:
        return None
    return datagram[RANDOM_AT : RANDOM_AT + RANDOM_BYTES] if datagram[RECORD_HEAD_BYTES] == CLIENT_HELLO else None


def sequence_number(datagram: bytes) -> int:
    """Of the first record, within its epoch."""
    return int.from_bytes(datagram[5:11], "big")


def renumbered(records: bytes, by: int) -> bytes:
    """With other sequence numbers for what is in clear, where nothing signs them."""
    moved = bytearray(records)
    at = 0
    while at < len(moved):
        if moved[at + 3 : at + 5] == b"\0\0":
            number = (int.from_bytes(moved[at + 5 : at + 11], "big") + by) % END_OF_NUMBERS
            moved[at + 5 : at + 11] = number.to_bytes(6, "big")
        at += RECORD_HEAD_BYTES + int.from_bytes(moved[at + 11 : at + RECORD_HEAD_BYTES], "big")
    return bytes(moved)


def in_datagrams(records: bytes, most_bytes: int) -> list[bytes]:
    """Whole records, several to a datagram: OpenSSL writes them one behind the other. A larger one goes alone."""
    if len(records) <= most_bytes:
        return [records] if records else []
    datagrams: list[bytes] = []
    at = begin = 0
    while at < len(records):
        end = at + RECORD_HEAD_BYTES + int.from_bytes(records[at + 11 : at + RECORD_HEAD_BYTES], "big")
        if end - begin > most_bytes and at > begin:
            datagrams.append(records[begin:at])
            begin = at
        at = end
    return [*datagrams, records[begin:]]
