"""Base64 as Java's basic decoder takes it: padding may be left out, and nothing else may be in it (no line breaks)."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Final

BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?", re.ASCII)


def decoded_base64(text: str) -> bytes:
    """Raises ValueError."""
    if BASE64.fullmatch(text) is None:
        raise ValueError("no Base64")
    return b64decode(text + "=" * (-len(text) % 4))
