"""What went wrong, counted over all events of a run: those that differ in names, numbers and times only are one."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from fleetrig.harness.traces.event_words import EventWords

OWN_FIGURES: Final = re.compile(r" to #\d+| after (?:\d+ min(?: \d+ s)?|[\d.]+ (?:µs|ms|s))(?![\w.])")
OWN_NUMBERS: Final = re.compile(r"(?<=[-/_A-Za-z])\d{2,}")
"""Of devices, ids in paths; not a status, which stands alone."""
MOST_CAUSES: Final = 1_000
REST: Final = "other"
SHOWN_CAUSES: Final = 30


class WrongCauses:
    """Told every event that went wrong."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def take(self, words: EventWords, device: str) -> str:
        """What it is counted as."""
        cause = cause_words(words, device)
        if cause not in self._counts and len(self._counts) >= MOST_CAUSES:
            cause = REST
        self._counts[cause] += 1
        return cause

    @property
    def total(self) -> int:
        return self._counts.total()

    def document(self) -> list[tuple[int, str]]:
        """(how often, what), the most frequent first."""
        return [(count, cause) for cause, count in self._counts.most_common(SHOWN_CAUSES)]


def cause_words(words: EventWords, device: str) -> str:
    """`! no reply after 70 s [idle]: reset` and `! no reply after 71 s [idle]: reset` are one cause."""
    text = OWN_FIGURES.sub("", words.text)
    if device:
        text = re.sub(rf"(?<![\w-]){re.escape(device)}(?![\w-])", "{device}", text)
    return f"{words.mark} {OWN_NUMBERS.sub('…', text)}"
