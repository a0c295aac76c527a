"""As much of DER as names need: elements with their tags, and OBJECT IDENTIFIERs as text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

SEQUENCE: Final = 0x30
SET: Final = 0x31
OID: Final = 0x06
LONG: Final = 0x80


class DerElement(NamedTuple):
    """`whole` with its tag and length, `value` without."""

    tag: int
    value: bytes
    whole: bytes


def elements(der: bytes) -> Iterator[DerElement]:
    """One after the other. Raises ValueError for what is no DER; tags of several bytes are none here."""
    at = 0
    while at < len(der):
        begins, ends = _extent(der, at)
        yield DerElement(der[at], der[begins:ends], der[at:ends])
        at = ends


def first_element(der: bytes) -> bytes:
    """Without what stands behind it. Raises ValueError."""
    _, ends = _extent(der, 0)
    return der[:ends]


def children(der: bytes, tag: int) -> Iterator[DerElement]:
    """The elements of one that has that tag. Raises ValueError."""
    found = next(elements(der), None)
    if found is None or found.tag != tag:
        raise ValueError(f"expected an element with the tag {tag:#04x}")
    return elements(found.value)


def encoded(tag: int, value: bytes) -> bytes:
    length = len(value)
    if length < LONG:
        return bytes((tag, length)) + value
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, LONG | len(digits))) + digits + value


@lru_cache(maxsize=64)
def oid_text(value: bytes) -> str:
    """`2.5.4.3`. Raises ValueError."""
    arcs, arc = list[int](), 0
    if not value or value[-1] & LONG:
        raise ValueError("an OBJECT IDENTIFIER that is not finished")
    for byte in value:
        arc = arc << 7 | byte & 0x7F
        if not byte & LONG:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _extent(der: bytes, at: int) -> tuple[int, int]:
    """Where the value of the element at `at` begins, and where it ends."""
    if at + 2 > len(der):
        raise ValueError("DER that is not finished")
    length, begins = der[at + 1], at + 2
    if length & LONG:
        digits = length & 0x7F
        if not 1 <= digits <= 4 or begins + digits > len(der):
            raise ValueError("DER with a length that is none")
        length, begins = int.from_bytes(der[begins : begins + digits], "big"), begins + digits
    if begins + length > len(der):
        raise ValueError("DER that is not finished")
    return begins, begins + length
