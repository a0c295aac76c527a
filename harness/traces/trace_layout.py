"""How a trace is laid out: a line for each event, a rule between phases. Plain text that can be copied into a ticket.

0:00.044  device:3    GW7-0001  → GET /DEFAULT/controller/v1/GW7-0001 [poll]
0:00.044  server:45   GW7-0001    → GET /DEFAULT/controller/v1/GW7-0001
0:00.044  server:46   GW7-0001    ← 200 to #45 | target registered
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from fleetrig.harness.servers.json_answer import UNPRINTABLE
from fleetrig.harness.traces.event_words import RULE, EventWords
from fleetrig.harness.traces.seen_events import SeenEvent
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S
from fleetrig.simulator.contract.trace import Lane

INDENT: Final = {Lane.SERVER: 2, Lane.NETWORK: 2}
"""What happens at the server stands to the right of what a device does."""
WIDEST_DEVICE_CHARS: Final = 24
LEAST_DEVICE_CHARS: Final = 12
"""Of a name that is too long for a terminal the middle is left out."""
LEAST_ROOM_CHARS: Final = 20
RULE_CHARS: Final = 80
DETAILS_INDENT: Final = 6

IN_ASCII: Final = str.maketrans({"→": "->", "←": "<-", "·": "*", "─": "-", "«": '"', "»": '"', "…": "...", "⋯": "..."})

DIM, RED, BOLD, YELLOW, PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[1m", "\x1b[33m", "\x1b[0m"


@dataclass(slots=True)
class TraceLayout:
    """`width`: lines are broken there; None leaves them whole, as in a pipe."""

    width: int | None = None
    colour: bool = False
    clock: bool = False
    """The time of day (UTC) in place of the time since the beginning."""
    shows_device: bool = True
    shows_looked_for: bool = False
    """Some events were asked for by their number: there is a column that marks them."""
    _reference_chars: int = field(default=10, init=False)
    _device_chars: int = field(default=8, init=False)
    """Columns become wider as a trace goes on, never narrower."""

    def event(self, seen: SeenEvent, words: EventWords, *, is_looked_for: bool = False) -> Iterator[str]:
        """Its line, or several where it is too long for the terminal."""
        event = seen.event
        time = self.time(event.at_us, seen.begun_us)
        reference = f"{event.lane}:{event.seq}"
        self._reference_chars = max(self._reference_chars, len(reference))
        left = f"{time:>9}  {reference:<{self._reference_chars}}  "
        if self.shows_looked_for:
            left = ("> " if is_looked_for else "  ") + left
        if self.shows_device:
            left += self._device(seen.device)
        said = words.text if words.mark == RULE else f"{words.mark} {words.text}"
        yield from self._beside(left, " " * INDENT.get(event.lane, 0) + clean(said), words, is_looked_for)

    def rule(self, text: str, at_us: int, begun_us: int, *, is_wrong: bool = False) -> Iterator[str]:
        """Across everything."""
        width, line = self.width or RULE_CHARS, f"── {self.time(at_us, begun_us)} ── {clean(text)} "
        lines = [line] if self.width is None else self._broken(line, width, "   ")
        lines[-1] = lines[-1].rstrip() + " "
        lines[-1] += "─" * (width - len(lines[-1]))
        yield from (self._styled(line, (RED if is_wrong else "") + BOLD) for line in lines)

    def details(self, lines: Iterable[str]) -> Iterator[str]:
        """What stands below an event."""
        indent = " " * DETAILS_INDENT
        for line in lines:
            text = indent + clean(line)
            pieces = [text] if self.width is None else self._broken(text, self.width, indent + "  ")
            yield from (self._styled(piece, DIM) for piece in pieces)

    def remark(self, text: str) -> Iterator[str]:
        """A sentence about the trace."""
        lines = [clean(text)] if self.width is None else self._broken(clean(text), self.width, "")
        yield from (self._styled(line, YELLOW) for line in lines)

    def time(self, at_us: int, begun_us: int) -> str:
        """`0:02.044`, `1:02:03.456`; of the clock `13:04:05.678`. What has no time has none here."""
        if not at_us:
            return "-"
        if self.clock:
            return date_text(at_us)[11:23]
        since_us = at_us - begun_us
        minutes, us = divmod(abs(since_us), 60 * US_PER_S)
        hours, minutes = divmod(minutes, 60)
        begins = f"{hours}:{minutes:02d}" if hours else str(minutes)
        sign = "-" if since_us < 0 else ""
        return f"{sign}{begins}:{us // US_PER_S:02d}.{us % US_PER_S // US_PER_MS:03d}"

    def _device(self, device: str) -> str:
        name = clean(device)
        if self.width is not None:
            name = _shortened(name, min(WIDEST_DEVICE_CHARS, max(LEAST_DEVICE_CHARS, self.width // 5)))
        self._device_chars = min(WIDEST_DEVICE_CHARS, max(self._device_chars, len(name)))
        return f"{name:<{self._device_chars}}  "

    def _beside(self, left: str, text: str, words: EventWords, is_looked_for: bool) -> Iterator[str]:
        room = None if self.width is None else max(LEAST_ROOM_CHARS, self.width - len(left))
        hanging = " " * (len(text) - len(text.lstrip()) + 2)
        first, *others = [text] if room is None else self._broken(text, room, hanging)
        style = RED if words.is_wrong else BOLD if is_looked_for or words.mark == RULE else ""
        yield self._styled(left, BOLD if is_looked_for else DIM) + self._styled(first, style)
        yield from (" " * len(left) + self._styled(line, style) for line in others)

    @staticmethod
    def _broken(text: str, width: int, hanging: str) -> list[str]:
        """At blanks where there are some; a text that fits stays as it is."""
        if len(text) <= width:
            return [text]
        indent = text[: len(text) - len(text.lstrip())]
        return textwrap.wrap(
            text.strip(), width, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False
        )

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{PLAIN}" if self.colour and style and text else text


def _shortened(name: str, most_chars: int) -> str:
    if len(name) <= most_chars:
        return name
    behind = most_chars // 2
    return f"{name[: most_chars - behind - 1]}…{name[-behind:]}"


def spelt_for(encoding: str, line: str) -> str:
    """The line as a terminal of this encoding can show it: signs that it lacks are written with those that it has."""
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return line.translate(IN_ASCII).encode(encoding, "replace").decode(encoding)
    return line


def clean(text: str) -> str:
    """On one line, without what controls a terminal."""
    return UNPRINTABLE.sub("?", text)


def date_text(at_us: int) -> str:
    """`2026-01-01 00:00:02.044`, in UTC."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:23]
