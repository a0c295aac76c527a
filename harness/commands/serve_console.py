"""What `fleetrig serve` shows while it runs: one line for each refusal, with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleetrig.reference_server.control.received_lines import ReceivedLines
from fleetrig.reference_server.server_lane import HANDSHAKE
from fleetrig.simulator.contract.clock import US_PER_S, to_s
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent

COLLAPSE_FOR_US: Final = 5 * US_PER_S
MAX_LINE_CHARS: Final = 200
MAX_LINES_PER_S: Final = 20
"""If a whole fleet is refused, the reason must stay visible and the server fast."""

UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Clients control the path; it must not be able to control the terminal."""

DIM, RED, PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[0m"


@dataclass(slots=True)
class _Shown:
    since_us: int
    repeats: int = 0
    last_us: int = 0


@dataclass(frozen=True, slots=True)
class _Refusal:
    at_us: int
    session: int
    what: str
    said: str
    """The device and the reason."""

    def is_followed_by(self, event: TraceEvent) -> bool:
        """Its connection is closed in the same turn; a client may also leave a little later."""
        return (event.kind, event.session, event.at_us) == ("closed", self.session, self.at_us)

    def text(self, status: str) -> str:
        return clean_line(f"{self.what}  {status}  {self.said}")


class RefusalLines:
    """Turns trace events into lines. Repeats of a line are counted for some seconds and shown once, with `(×12)`."""

    def __init__(self, secrets: Secrets, received: ReceivedLines, *, colour: bool = False) -> None:
        self._secrets = secrets
        self._colour = colour
        self._received = received
        self._shown: dict[str, _Shown] = {}
        self._second = 0
        self._lines_in_second = 0
        self._left_out = 0
        self._unanswered: _Refusal | None = None
        """Whether its connection is closed, too, is told right behind it, or it is not."""

    kinds: Final = frozenset({"refused", "malformed", "closed"})
    """The events that it wants to see."""

    def lines(self, event: TraceEvent) -> list[str]:
        """What to print now."""
        earlier = self._settled(event)
        match event.kind, event.lane:
            case ("refused", Lane.SERVER | Lane.NETWORK) | ("malformed", Lane.NETWORK):
                return earlier + self._refused(event)
            case _:
                return earlier

    def flush(self, now_us: int, *, is_end: bool = False) -> list[str]:
        """Counts that are due, at the end all of them; call it about once a second."""
        due = [text for text, shown in self._shown.items() if is_end or now_us - shown.since_us >= COLLAPSE_FOR_US]
        lines = self._settled()
        for text in due:
            shown = self._shown.pop(text)
            if shown.repeats:
                lines.append(self._line(shown.last_us, f"{text} (×{shown.repeats})"))
                self._shown[text] = _Shown(now_us)
        if self._left_out:
            lines.append(f"          … and {self._left_out} more refusals")
            self._left_out = 0
        return lines

    def _settled(self, event: TraceEvent | None = None) -> list[str]:
        """The refusal that was not answered, if there is one."""
        refusal, self._unanswered = self._unanswered, None
        if refusal is None:
            return []
        is_closed = event is not None and refusal.is_followed_by(event)
        return self._shown_once(refusal.at_us, refusal.text("closed" if is_closed else "no answer"))

    def _refused(self, event: TraceEvent) -> list[str]:
        refusal = self._refusal(event)
        if event.envelope is not None:
            return self._shown_once(refusal.at_us, refusal.text(event.envelope.line))
        if event.lane is Lane.NETWORK or event.name.startswith(HANDSHAKE):
            return self._shown_once(refusal.at_us, refusal.text("closed"))
        self._unanswered = refusal
        return []

    def _refusal(self, event: TraceEvent) -> _Refusal:
        what = "unreadable request" if event.kind == "malformed" else self._received.get(event.session)
        what = self._secrets.hide(what or "connection")[:MAX_LINE_CHARS]
        device = f"{event.device}: " if event.device else ""
        return _Refusal(event.at_us, event.session, what, self._secrets.hide(device + event.reason))

    def _shown_once(self, at_us: int, text: str) -> list[str]:
        shown = self._shown.get(text)
        if shown is not None:
            shown.repeats += 1
            shown.last_us = at_us
            return []
        if self._is_too_much(at_us):
            self._left_out += 1
            return []
        self._shown[text] = _Shown(at_us)
        return [self._line(at_us, text)]

    def _is_too_much(self, now_us: int) -> bool:
        second = now_us // US_PER_S
        if second != self._second:
            self._second, self._lines_in_second = second, 0
        self._lines_in_second += 1
        return self._lines_in_second > MAX_LINES_PER_S

    def _line(self, at_us: int, text: str) -> str:
        time = datetime.fromtimestamp(to_s(at_us)).astimezone().strftime("%H:%M:%S")
        return f"{DIM}{time}{PLAIN}  {RED}{text}{PLAIN}" if self._colour else f"{time}  {text}"


def clean_line(text: str) -> str:
    """Replaces characters that would control a terminal."""
    return UNPRINTABLE.sub("?", text)
