"""When bytes are compressed, and how far what is compressed is opened (spec 2.4)."""

from __future__ import annotations

import zlib
from typing import Final

from fleetrig.simulator.contract.bounds import Bound

MAGIC: Final = b"\x1f\x8b"
GZIP_WINDOW: Final = 31
"""zlib's number for a gzip header around the largest window."""
PLAIN_BYTES: Final = Bound(16_777_216, "bytes", "no gateway publishes more", "16 MiB")
MEMBERS: Final = Bound(100, "members of gzip", "gateways send one, and each costs a copy of what follows it")


class NoGzip(ValueError):
    """The bytes begin like gzip and are none, or hold more than anybody sends; says why."""


def compressed_if_shorter(plain: bytes) -> bytes:
    """As gateways send it with `encode.gzip`: small messages go out as they are."""
    packer = zlib.compressobj(wbits=GZIP_WINDOW)
    packed = packer.compress(plain) + packer.flush()
    return packed if len(packed) < len(plain) else plain


def opened(packed: bytes) -> bytes:
    """The content of gzip, of all its members; what stands behind them does not count. Raises NoGzip."""
    plain, members = bytearray(), 0
    while packed.startswith(MAGIC):
        members += 1
        if members > MEMBERS.most:
            raise NoGzip(f"expected {MEMBERS}")
        opener = zlib.decompressobj(GZIP_WINDOW)
        try:
            plain += opener.decompress(packed, PLAIN_BYTES.most + 1 - len(plain))
        except zlib.error as error:
            if plain:
                break
            raise NoGzip(f"it begins like gzip and is none: {error}") from None
        if len(plain) > PLAIN_BYTES.most:
            raise NoGzip(f"it opens to more than a payload holds: {PLAIN_BYTES}")
        if not opener.eof:
            raise NoGzip("gzip that ends too early")
        packed = opener.unused_data
    return bytes(plain)
