"""Topics that devices publish to: their segments, and the property bag at their end (PropertyBag)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import unquote_plus

BAG: Final = "/?"
SEPARATORS: Final = re.compile("[&;]")
MOST_PROPERTIES: Final = 1024
"""What the real server's decoder of query strings takes; the rest is not looked at."""
BROKEN_ESCAPE: Final = re.compile("%(?![0-9a-fA-F]{2})")
SECONDS: Final = re.compile(r"\+?[0-9]{1,18}", re.ASCII)


class TopicEndpoint(StrEnum):
    """What a message is, by the first segment of its topic."""

    TELEMETRY = "telemetry"
    EVENT = "event"
    COMMAND = "command"
    UNKNOWN = "unknown"


ENDPOINTS: Final = {
    "telemetry": TopicEndpoint.TELEMETRY,
    "t": TopicEndpoint.TELEMETRY,
    "event": TopicEndpoint.EVENT,
    "e": TopicEndpoint.EVENT,
    "command": TopicEndpoint.COMMAND,
    "c": TopicEndpoint.COMMAND,
}


@dataclass(frozen=True, slots=True)
class PublishedTopic:
    """`segments`: none is empty at the end, and the first never is. `properties` by their names in small letters."""

    segments: tuple[str, ...]
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def endpoint(self) -> TopicEndpoint:
        return ENDPOINTS.get(self.segments[0], TopicEndpoint.UNKNOWN)

    @property
    def tenant_id(self) -> str:
        return self.segment(1)

    @property
    def device_id(self) -> str:
        return self.segment(2)

    def segment(self, at: int) -> str:
        """Empty where there is none."""
        return self.segments[at] if at < len(self.segments) else ""

    @property
    def ttl_s(self) -> int | None:
        """How long an event is of use; None when the device does not say so, or not in whole seconds."""
        text = self.properties.get("hono-ttl", "")
        return int(text) if SECONDS.fullmatch(text) else None


def segments_of(topic: str) -> tuple[str, ...]:
    """As Java splits: empty ones at the end are none. Empty for a topic that is empty or begins with a slash."""
    return () if topic.startswith("/") else tuple(topic.rstrip("/").split("/")) if topic else ()


def read_topic(topic: str) -> PublishedTopic | None:
    """None for one that the adapter calls malformed."""
    path, bag, text = topic.rpartition(BAG)
    segments = segments_of(path if bag else topic)
    if not segments:
        return None
    properties = _properties(text) if bag else {}
    return None if properties is None else PublishedTopic(segments, properties)


def _properties(text: str) -> dict[str, str] | None:
    """The first of each name; None when an escape in it is broken."""
    found: dict[str, str] = {}
    for part in SEPARATORS.split(text)[:MOST_PROPERTIES]:
        if BROKEN_ESCAPE.search(part):
            return None
        name, _, value = part.lstrip("=").partition("=")
        if part:
            found.setdefault(unquote_plus(name).lower(), unquote_plus(value))
    return found
