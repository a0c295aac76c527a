"""Heads that came before, byte for byte: a device asks the same thing again and again, and its head is read once."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.fronts.http.request_head import HEAD_BYTES, RequestHead, find_head, parse_head
from fleetrig.reference_server.stores.recent import MISSING, Recent

KNOWN_HEADS: Final = 16_384
"""Of as many devices, each with one question. Usual heads take some 20 MiB then, the longest 64."""
KNOWN_BYTES: Final = 1_024
"""Longer heads are read each time."""
END: Final = b"\r\n\r\n"


class KnownHeads:
    """What `parse_head` makes of a head depends on its bytes alone, so it may be kept."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        self._heads: Recent[bytes, RequestHead] = Recent(KNOWN_HEADS)

    def read(self, data: bytes) -> tuple[RequestHead | None, int]:
        """The head that `data` begins with, and its length; None while it is not whole. Raises Malformed."""
        end = data.find(END, 0, KNOWN_BYTES) + len(END)
        if end >= len(END):
            known = self._heads.get(data if end == len(data) else data[:end])
            if known is not MISSING:
                return known, end
        end = find_head(data[: HEAD_BYTES + 1] if len(data) > HEAD_BYTES else data)
        if not end:
            return None, 0
        head = parse_head(data[:end])
        if end <= KNOWN_BYTES:
            self._heads.put(data[:end], head)
        return head, end
