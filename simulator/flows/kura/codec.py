"""Payloads on the wire: protobuf or JSON, gzip where it is shorter, and bytes that are neither (spec 2.4, 2.7)."""

from __future__ import annotations

import gzip
import zlib
from typing import Final

from fleetrig.simulator.flows.kura import json_payload, protobuf
from fleetrig.simulator.flows.kura.payload import KuraPayload

GZIP_MAGIC: Final = b"\x1f\x8b"
GZIP_WINDOW: Final = 31
COMPRESSION: Final = 6
"""The usual one: a gateway's library takes it."""
MOST_UNPACKED_BYTES: Final = 32 * 1024 * 1024
"""Twice the largest payload that may be published: what unpacks to more is a bomb, and is taken as it is."""
MOST_MEMBERS: Final = 100
"""Each costs a copy of all that follows; nobody compresses a message in more than one."""
SHORTEST_MEMBER_BYTES: Final = 18
"""A gateway does not look at so little behind a member."""
SIMPLE_JSON: Final = "simple-json"


def to_wire(payload: KuraPayload, *, encoding: str, gzips: bool) -> bytes:
    """Raises ValueError for what cannot be encoded."""
    if encoding == SIMPLE_JSON:
        return json_payload.encode(payload)
    plain = protobuf.encode(payload)
    return shorter(plain) if gzips else plain


def shorter(plain: bytes) -> bytes:
    """In gzip if that is shorter."""
    packed = gzip.compress(plain, COMPRESSION, mtime=0)
    return packed if len(packed) < len(plain) else plain


def from_wire(data: bytes, *, encoding: str) -> KuraPayload | None:
    """What is no payload becomes a body. None only for JSON that is no object: that message is lost."""
    if encoding == SIMPLE_JSON:
        return json_payload.decode(data)
    read = protobuf.decode(unpacked(data))
    return KuraPayload(body=data) if read is None else read


def unpacked(data: bytes) -> bytes:
    """All members of gzip, without what stands behind them; the bytes themselves where they only look like gzip."""
    if not data.startswith(GZIP_MAGIC):
        return data
    plain, packed = b"", data
    for _ in range(MOST_MEMBERS):
        unpacking = zlib.decompressobj(GZIP_WINDOW)
        try:
            plain += unpacking.decompress(packed, MOST_UNPACKED_BYTES + 1 - len(plain))
        except zlib.error:
            return data
        if not unpacking.eof or len(plain) > MOST_UNPACKED_BYTES:
            return data
        packed = unpacking.unused_data
        if len(packed) <= SHORTEST_MEMBER_BYTES or not packed.startswith(GZIP_MAGIC):
            return plain
    return data
