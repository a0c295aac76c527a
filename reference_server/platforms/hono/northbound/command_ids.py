"""The request ids of commands, as devices get them and give them back: options, length, correlation id, reply-to."""

from __future__ import annotations

import re
from typing import Final

KAFKA: Final = "2"
"""The options of a command that came over Kafka and whose reply-to does not name the device."""
ID: Final = re.compile(r"(\d)([0-9a-fA-F]{2})(.*)", re.DOTALL)


def request_id_of(correlation_id: str) -> str:
    """At most 255 characters can stand in a request id."""
    return f"{KAFKA}{len(correlation_id):02x}{correlation_id}"


def correlation_id_in(request_id: str) -> str | None:
    """None for what is no request id."""
    found = ID.fullmatch(request_id)
    if found is None or len(found[3]) < int(found[2], 16):
        return None
    return found[3][: int(found[2], 16)]
