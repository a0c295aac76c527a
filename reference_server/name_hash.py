"""The hash of a name that `openssl x509 -issuer_hash` prints, by which proxies tell authorities apart."""

from __future__ import annotations

import hashlib

from cryptography import x509


def name_hash(name: x509.Name) -> str:
    """The hash of the name's canonical form (`X509_NAME_hash_ex`).

    SHA-1 over the relative names without the sequence around them, each value as UTF-8 in lower case with single
    blanks; of that the first four bytes, the last one first.
    """
    canonical = b"".join(_der(0x31, b"".join(sorted(map(_canonical, relative)))) for relative in name.rdns)
    return hashlib.sha1(canonical, usedforsecurity=False).digest()[3::-1].hex()


def _canonical(attribute: x509.NameAttribute[str | bytes]) -> bytes:
    value = attribute.value
    text = value.encode() if isinstance(value, str) else value
    lowered = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in b" ".join(text.split()))
    return _der(0x30, _oid(attribute.oid.dotted_string) + _der(0x0C, lowered))


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return _der(0x06, b"".join(map(_base_128, (first * 40 + second, *rest))))


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content
