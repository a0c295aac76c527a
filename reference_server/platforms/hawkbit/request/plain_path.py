"""A path whose ordinary letters came percent-encoded: `/%72est/v1` is `/rest/v1`, for the real server's routes too."""

from __future__ import annotations

import re
from typing import Final

ENCODED_PLAIN: Final = re.compile(r"%(3[0-9]|4[1-9a-fA-F]|5[0-9aA]|6[1-9a-fA-F]|7[0-9aA])")
"""Letters and digits. What else is encoded may mean something else when it is not, and is decoded after splitting."""


def decoded_where_plain(path: str) -> str:
    """The path with its letters and digits as they are. A percent sign that was encoded stays so."""
    return ENCODED_PLAIN.sub(lambda found: chr(int(found[1], 16)), path) if "%" in path else path
