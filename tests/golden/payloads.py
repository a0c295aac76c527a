"""Payloads of recordings: what is sent, and what came, as JSON has it."""

from __future__ import annotations

import json
from typing import Any


def payload_bytes(payload: Any) -> bytes:
    """A payload of a recording as it is sent."""
    match payload:
        case None:
            return b""
        case {"hex": str(digits), **rest} if not rest:
            return bytes.fromhex(digits)
        case {"fill": str(text), "bytes": int(length), **rest} if not rest:
            return text.encode() * length
        case str():
            return payload.encode()
        case _:
            return json.dumps(payload).encode()


def payload_value(data: bytes) -> Any:
    """JSON objects and arrays as what they say, else text, else {"hex"}; nothing at all is None."""
    if not data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"hex": data.hex()}
    if any(char < " " and char not in "\r\n\t" for char in text):
        return {"hex": data.hex()}
    if text[0] in "{[":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
