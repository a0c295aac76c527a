"""Bytes that are no message of the protocol they came by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HEAD_BYTES: Final = 64


class Flaw(StrEnum):
    """What is wrong with the bytes, as far as it makes a difference to a server."""

    MALFORMED = "malformed"
    """They break the form of a packet: MQTT 5 calls it 0x81."""
    PROTOCOL = "protocol"
    """A packet that must not come now, or says what it must not say: 0x82."""
    UNKNOWN_VERSION = "unknown_version"
    """A CONNECT of a protocol level that nobody speaks: 0x84, and code 1 in MQTT 3.1.1."""
    TOO_LARGE = "too_large"
    """Larger than the listener takes: 0x95."""
    TOPIC_ALIAS = "topic_alias"
    """MQTT 5: a topic alias that the server has not granted: 0x94."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """The platform says what becomes of the session; its front reads nothing more from a connection after this.

    `why` is for the trace, `head` the first bytes (`HEAD_BYTES` at most) of what came.
    """

    flaw: Flaw
    why: str
    head: bytes = b""

    @property
    def line(self) -> str:
        return f"UNDECODABLE {self.flaw}"
