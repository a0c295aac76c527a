"""A connection as the server sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """What a front knows of the connection an envelope came on."""

    peer: str = "127.0.0.1"
    local_port: int = 80
