"""Topic names and topic filters (MQTT 3.1.1 §4.7, MQTT 5 §4.7 and §4.8): what is wrong with one, and which fits which.

Everything takes time that grows with the length of its text alone: no regular expressions, nothing recursive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.simulator.contract.bounds import Bound

TOPIC_LEVELS: Final = Bound(200, "levels of a topic", "no platform uses a deeper one")
TOPIC_BYTES: Final = Bound(65_535, "bytes of a topic", "MQTT writes its length in two bytes")
SHARED: Final = "$share/"
ANY_LEVEL: Final = "+"
ANY_REST: Final = "#"


def levels_of(topic: str) -> list[str]:
    """`/a//b` has four levels: two of them are empty."""
    return topic.split("/")


def topic_flaw(topic: str) -> str:
    """Why nobody may publish to it; empty when somebody may."""
    if ANY_LEVEL in topic or ANY_REST in topic:
        return "a topic to publish to holds no wildcard"
    return _text_flaw(topic)


def filter_flaw(topic_filter: str) -> str:
    """Why it is no topic filter; empty when it is one. A shared subscription is one too (`is_shared`)."""
    if is_shared(topic_filter):
        share_name, slash, rest = topic_filter.removeprefix(SHARED).partition("/")
        if not share_name or not slash or ANY_LEVEL in share_name or ANY_REST in share_name:
            return "a shared subscription is $share/NAME/FILTER, and its name holds no wildcard"
        topic_filter = rest
    return _text_flaw(topic_filter) or _wildcard_flaw(levels_of(topic_filter))


def is_shared(topic_filter: str) -> bool:
    return topic_filter.startswith(SHARED)


def fits(filter_levels: Sequence[str], topic_levels: Sequence[str]) -> bool:
    """Whether a topic fits a filter; neither has a flaw. No wildcard stands for a first level with `$` (§4.7.2)."""
    if topic_levels[0].startswith("$") and filter_levels[0] in (ANY_LEVEL, ANY_REST):
        return False
    for at, level in enumerate(filter_levels):
        if level == ANY_REST:
            return True
        if at == len(topic_levels) or level not in (ANY_LEVEL, topic_levels[at]):
            return False
    return len(filter_levels) == len(topic_levels)


def _text_flaw(text: str) -> str:
    if not text:
        return "it is empty"
    if "\0" in text:
        return "it holds a NUL"
    if text.count("/") >= TOPIC_LEVELS.most:
        return f"it is too deep, expected {TOPIC_LEVELS}"
    if len(text) > TOPIC_BYTES.most:
        return f"it is too long, expected {TOPIC_BYTES}"
    return ""


def _wildcard_flaw(levels: Sequence[str]) -> str:
    for at, level in enumerate(levels):
        if level == ANY_REST and at < len(levels) - 1:
            return "# stands at the end of a filter only"
        if level not in (ANY_LEVEL, ANY_REST) and (ANY_LEVEL in level or ANY_REST in level):
            return "a wildcard is a whole level"
    return ""
