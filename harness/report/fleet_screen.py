"""Where a fleet is shown: a table that is drawn anew on a terminal, a line now and then anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from fleetrig.harness.report.fleet_state import FleetState
from fleetrig.harness.report.fleet_table import MeasuredNow, TableHeading, devices_text, plain_line, table
from fleetrig.simulator.contract.clock import US_PER_S

LINE_EVERY_US: Final = 5 * US_PER_S
WARN_EVERY_US: Final = 15 * US_PER_S
COUNT_EVERY_US: Final = 2 * US_PER_S
HOW_TO_END: Final = "Ctrl-C ends it"


class FleetScreen(Protocol):
    """Use as a context; call `refresh` every `every_s`: it draws when there is something to draw."""

    every_s: float
    is_gone: bool
    """True once the output is closed (terminal or pipe). Then all methods do nothing and raise nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None: ...  # fmt: skip

    def refresh(self) -> None: ...

    def say(self, sentence: str) -> None:
        """Shows a message until the next one; an empty one removes it."""

    def measured(self, latest: MeasuredNow) -> None:
        """What was measured lately."""

    def count(self, text: Callable[[], str]) -> None:
        """Shows how far something has come, until the next message; the state of the fleet is no news then."""


class LiveScreen:
    """The table. It is looked at four times a second, and drawn when something is different."""

    every_s = 0.25

    def __init__(self, console: Console, state: FleetState, heading: TableHeading, now_us: Callable[[], int]) -> None:
        self.is_gone = False
        self._console, self._state, self._heading, self._now_us = console, state, heading, now_us
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._sentence = ""
        self._count: Callable[[], str] | None = None
        self._measured = MeasuredNow()
        self._drawn: object = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """The last picture stays, but for an error: then its sentence stands alone, after what was said last."""
        self._live.transient = kind is not None
        self._draw(self._sentence)
        try:
            self._live.stop()
            if kind is not None and self._sentence:
                self._console.print(Text(self._sentence))
        except OSError:
            self.is_gone = True

    def refresh(self) -> None:
        counted = self._count() if self._count is not None else ""
        said = " ".join(filter(None, (self._sentence, self._measured.warning)))
        usual = "   ".join(filter(None, (self._measured.line, HOW_TO_END)))
        self._draw(counted or said or usual)

    def measured(self, latest: MeasuredNow) -> None:
        self._measured = latest

    def say(self, sentence: str) -> None:
        self._sentence, self._count = sentence, None
        self.refresh()

    def count(self, text: Callable[[], str]) -> None:
        self._count = text

    def _draw(self, note: str) -> None:
        size, now_us = self._console.size, self._now_us()
        different = (self._state.events, now_us // US_PER_S, size, note)
        if self.is_gone or different == self._drawn:
            return
        self._drawn = different
        picture = table(self._state, self._heading, now_us, note, (size.width, size.height))
        try:
            self._live.update(picture, refresh=True)
        except OSError:
            self.is_gone = True


class PlainScreen:
    """One line every five seconds, and one when the last device came through."""

    every_s = 0.5

    def __init__(self, state: FleetState, heading: TableHeading, now_us: Callable[[], int]) -> None:
        self.is_gone = False
        self._state, self._heading, self._now_us = state, heading, now_us
        self._due_us = now_us() + LINE_EVERY_US
        self._all_came = False
        self._warn_due_us = 0
        self._count: Callable[[], str] | None = None
        self._measured = MeasuredNow()

    def __enter__(self) -> Self:
        self.say(f"{devices_text(self._state)} on {self._heading.server}, seed {self._heading.seed}")
        return self

    def __exit__(self, *_: object) -> None:
        """The report follows, and says it all."""

    def refresh(self) -> None:
        if self._count is not None:
            self._say_count(self._count)
            return
        all_came = self._state.came_through == len(self._state.rows)
        if all_came != self._all_came or self._now_us() >= self._due_us:
            self._all_came = all_came
            self._say_state()

    def say(self, sentence: str) -> None:
        self._count = None
        self._print(sentence)

    def measured(self, latest: MeasuredNow) -> None:
        """A warning is told when it comes up, and now and then as long as it lasts."""
        if latest.warning and self._now_us() >= self._warn_due_us:
            self._print(latest.warning)
            self._warn_due_us = self._now_us() + WARN_EVERY_US
        self._measured = latest

    def count(self, text: Callable[[], str]) -> None:
        self._count, self._due_us = text, self._now_us() + COUNT_EVERY_US

    def _say_count(self, text: Callable[[], str]) -> None:
        if self._now_us() >= self._due_us:
            self._due_us = self._now_us() + COUNT_EVERY_US
            self._print(text())

    def _print(self, sentence: str) -> None:
        if self.is_gone or not sentence:
            return
        try:
            print(sentence, flush=True)
        except OSError:
            self.is_gone = True

    def _say_state(self) -> None:
        now_us = self._now_us()
        self._due_us = now_us + LINE_EVERY_US
        self._print(plain_line(self._state, self._heading, now_us, self._measured.line))


class QuietScreen:
    """Nothing while the fleet runs: `--quiet`."""

    every_s = 0.5

    def __init__(self) -> None:
        self.is_gone = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def refresh(self) -> None:
        pass

    def say(self, sentence: str) -> None:
        pass

    def measured(self, latest: MeasuredNow) -> None:
        pass

    def count(self, text: Callable[[], str]) -> None:
        pass


def screen_for(
    console: Console, state: FleetState, heading: TableHeading, now_us: Callable[[], int], *, is_quiet: bool = False
) -> FleetScreen:
    """A table only where lines can be drawn over."""
    if is_quiet:
        return QuietScreen()
    if console.is_interactive:
        return LiveScreen(console, state, heading, now_us)
    return PlainScreen(state, heading, now_us)
