"""A device's download area: how much of each file it has, and the hashes so far. The bytes themselves are not kept.

A simulated device installs nothing, so a thousand devices may download the same image without a thousand copies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fleetrig.simulator.contract.bodies import Hashing
from fleetrig.simulator.contract.http import BodyPart, Headers, find_header

CONTENT_RANGE: Final = re.compile(r"\s*bytes\s+(\d{1,18})-.*", re.ASCII | re.IGNORECASE)


@dataclass(slots=True)
class StoredFile:
    """One file being downloaded; `take` appends."""

    stored_bytes: int = 0
    _hashes: Hashing = field(default_factory=Hashing)

    def take(self, part: BodyPart) -> None:
        self.stored_bytes += len(part)
        self._hashes.add(part)

    def hashes(self) -> Mapping[str, str]:
        """Of everything stored so far, lower-case hex by name."""
        return self._hashes.hexdigests()


class Storage:
    """The unfinished files of one bench, by device and name."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], StoredFile] = {}

    def open(self, serial: str, name: str, status: int, headers: Headers) -> StoredFile:
        """The file to append to: the old one for a 206 that says it goes on just where that ends, else a new one (V17).

        A 206 that begins elsewhere starts a new file too, which is too short to be taken for the whole.
        """
        known = self._files.get((serial, name))
        if known is not None and status == 206 and _begins_at(headers) == known.stored_bytes:
            return known
        fresh = self._files[serial, name] = StoredFile()
        return fresh

    def finished(self, serial: str, name: str) -> None:
        """Nothing will be appended any more, so nothing need be kept: hashes of a large fleet are large."""
        self._files.pop((serial, name), None)


def _begins_at(headers: Headers) -> int | None:
    """First byte of a `Content-Range` (RFC 9110 §14.4); None when it does not say."""
    found = CONTENT_RANGE.fullmatch(find_header(headers, "Content-Range") or "")
    return None if found is None else int(found[1])
