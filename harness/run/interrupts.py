"""Stop signals: Ctrl-C, SIGTERM (a cancelled job, `timeout`, `docker stop`) and SIGHUP (a closed terminal) are one.

The first asks to stop: work ends, what was made is removed, what there is to report is reported. Another one gives up
cleaning up. Every verb uses this module, and nothing else sets handlers. What a signal does is decided by the innermost
of these blocks; outside the main thread they do nothing:

    stop_signals()                 the whole program: KeyboardInterrupt, at once
    finishing_first()              code without an event loop that must come to its end first
    run_until_stopped(work)        an event loop: the main task is cancelled, once
    await finish_despite_stop(…)   clean-up in that loop: only giving up cancels it
    stopping_at_once()             code in that loop that awaits nothing

Python drops what is raised in a finalizer or in the callback of a weak reference, which imports use all the time. A
KeyboardInterrupt that was dropped is raised again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from types import CodeType, FrameType
from typing import Any, Final, TypeVar

T = TypeVar("T")

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DOUBLED_WITHIN_S: Final = 1.0
"""`timeout`, service managers and closing terminals signal twice: that is one wish."""
MASHED_WITHIN_S: Final = 2.0
"""Whoever gives up presses more than once: the report of what is left is not to be cut short by that."""
TELLS_EVERY_S: Final = 3.0
AGAIN: Final = signal.SIGURG
"""Our own signal to ourselves: nobody else uses it, and by itself it does nothing."""
AGAIN_AFTER_S: Final = 0.01
INTERRUPTED: Final = 2
"""The exit code of a program that is stopped."""
STOPPING: Final = "stopping, cleaning up (Ctrl-C again gives up cleaning up)"


class Wish(Enum):
    """What a signal asks for."""

    STOP = "stop"
    GIVE_UP = "give up cleaning up"
    LEAVE = "leave at once"
    NOTHING = "nothing new"


@dataclass(slots=True)
class StopRequests:
    """What has been asked for so far. Time is handed in, so that the rules can be tested."""

    stops: bool = False
    gives_up: bool = False
    _last_s: float = 0.0

    def take(self, number: int, now_s: float) -> Wish:
        """The wish behind a signal. Only Ctrl-C is never a double of the signal before."""
        since_s = now_s - self._last_s
        if not self.stops:
            self.stops, self._last_s = True, now_s
            return Wish.STOP
        if not self.gives_up:
            if number != signal.SIGINT and since_s < DOUBLED_WITHIN_S:
                return Wish.NOTHING
            self.gives_up, self._last_s = True, now_s
            return Wish.GIVE_UP
        return Wish.LEAVE if since_s >= MASHED_WITHIN_S else Wish.NOTHING


Sink = Callable[[Wish], object]
"""What is done about a wish."""


@dataclass(slots=True)
class StopHandler:
    """The signal handlers of this process while one of the blocks is open."""

    ends_program: bool = False
    requests: StopRequests = field(default_factory=StopRequests)
    sinks: list[Sink] = field(default_factory=list)
    given_up: list[Callable[[], object]] = field(default_factory=list)
    """What is to be called, in the event loop, when clean-up is given up."""

    hook: Callable[[Any], object] = sys.__unraisablehook__
    """For all other exceptions that are dropped."""
    lost: Wish = Wish.NOTHING
    """Python has dropped the exception that this wish raised; it is to be raised once more."""

    def handle(self, number: int, frame: object) -> None:
        wish = self.requests.take(number, time.monotonic())
        if wish is Wish.LEAVE and self.ends_program:
            os._exit(INTERRUPTED)
        if wish is not Wish.NOTHING and self.sinks:
            self.sinks[-1](wish)

    def dropped(self, dropped: Any) -> None:
        """A hook for exceptions that nobody can catch. A stop that is one of them still counts."""
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            self.hook(dropped)
            return
        self.lost = Wish.GIVE_UP if self.requests.gives_up else Wish.STOP
        threading.Thread(target=self._signal_again, daemon=True).start()

    def again(self, number: int, frame: FrameType | None) -> None:
        if _is_within(frame, StopHandler.dropped.__code__):
            return  # it would be dropped again, and the thread has not done yet
        wish, self.lost = self.lost, Wish.NOTHING
        if wish is not Wish.NOTHING and self.sinks:
            self.sinks[-1](wish)

    def _signal_again(self) -> None:
        main = threading.main_thread().ident
        while self.lost is not Wish.NOTHING and _handler is self and main is not None:
            signal.pthread_kill(main, AGAIN)
            time.sleep(AGAIN_AFTER_S)


_handler: StopHandler | None = None
"""Signals belong to the process, so there is one for all blocks that are open."""


@contextmanager
def stop_signals(*, ends_program: bool = False) -> Iterator[StopRequests]:
    """A stop signal raises KeyboardInterrupt inside the block; some libraries make an error of their own of that.

    With `ends_program` the process is about to end after the block, so a late signal changes nothing any more.
    """
    with _sink(_raise, ends_program=ends_program):
        yield StopRequests() if _handler is None else _handler.requests


def signals_as_ctrl_c() -> Callable[[], None]:
    """For a program that knows Ctrl-C only, such as pytest: SIGTERM and SIGHUP raise KeyboardInterrupt from now on.

    Those that it handles or ignores itself are left alone. Returns what puts back the handlers of before.
    """
    requests = StopRequests()

    def handle(number: int, frame: object) -> None:
        if requests.take(number, time.monotonic()) is not Wish.NOTHING:
            raise KeyboardInterrupt

    def put_back() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)

    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, handle)
    return put_back


@contextmanager
def finishing_first() -> Iterator[None]:
    """Delays a first stop to the end of the block, and says so; giving up raises KeyboardInterrupt at once."""
    noted: list[Wish] = []

    def note(wish: Wish) -> None:
        if wish is not Wish.STOP:
            raise KeyboardInterrupt
        noted.append(wish)
        tell(STOPPING)

    with _sink(note):
        yield
    if noted:
        raise KeyboardInterrupt


def run_until_stopped(work: Coroutine[Any, Any, T], notice: str = STOPPING) -> T:
    """Runs the work in an event loop of its own. A first stop says `notice` and cancels it, once.

    Raises KeyboardInterrupt when it was cancelled.
    """
    try:
        _raise_again_if_stopped()
    except KeyboardInterrupt:
        work.close()
        raise
    early: list[Wish] = []

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None

        with stop_signals_in_loop(task.cancel, say=lambda wish: tell(notice if wish is Wish.STOP else "")):
            if early:
                tell(notice)
                task.cancel()
            return await work

    with _sink(early.append):  # what comes before the loop runs is noted, what comes after it is of no interest
        try:
            return asyncio.run(main())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


@contextmanager
def stop_signals_in_loop(
    stop: Callable[[], object], give_up: Callable[[], object] | None = None, *, say: Sink = lambda wish: None
) -> Iterator[None]:
    """Calls `stop`, later `give_up`, in the running event loop. `say` is called at once: a loop with thousands of
    devices may take seconds to come round.
    """
    loop = asyncio.get_running_loop()

    def in_loop(wish: Wish) -> None:
        with suppress(RuntimeError):  # in the middle of another line
            say(wish)
        match wish:
            case Wish.STOP:
                loop.call_soon_threadsafe(stop)
            case _ if _handler is not None:
                for call in tuple(_handler.given_up):
                    loop.call_soon_threadsafe(call)

    with _sink(in_loop), _when_given_up(give_up):
        yield


async def finish_despite_stop(work: Coroutine[Any, Any, None]) -> None:
    """Clean-up: a stop waits until the work is done, giving up cancels it. Raises CancelledError at its end."""
    task = asyncio.ensure_future(work)
    was_cancelled = False
    with _when_given_up(task.cancel):
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                was_cancelled = True
    if was_cancelled or task.cancelled():
        raise asyncio.CancelledError
    task.result()


@contextmanager
def stopping_at_once() -> Iterator[None]:
    """Code that awaits nothing is broken off in the middle. Inside an event loop CancelledError is raised, else
    KeyboardInterrupt: the latter would end the loop without asking anybody.
    """
    try:
        with _sink(_raise):
            _raise_again_if_stopped()
            yield
    except KeyboardInterrupt:
        if not _in_event_loop():
            raise
        raise asyncio.CancelledError from None


@asynccontextmanager
async def telling(progress: Callable[[], str]) -> AsyncIterator[None]:
    """Inside an event loop: what takes long says now and then how far it is."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(TELLS_EVERY_S)
            tell(progress())

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()


def tell(sentence: str) -> None:
    """A line on stderr, if anybody still reads there."""
    if not sentence:
        return
    with suppress(OSError, ValueError):
        try:
            sys.stderr.write(f"{sentence}\n")
            sys.stderr.flush()
        except RuntimeError:  # a signal came in the middle of another line
            os.write(2, f"\n{sentence}\n".encode())


def _is_within(frame: FrameType | None, code: CodeType) -> bool:
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


def _raise_again_if_stopped() -> None:
    """Before anything that takes long: a library may have swallowed the exception."""
    if _handler is not None and _handler.requests.stops:
        raise KeyboardInterrupt


def _raise(_: Wish) -> None:
    raise KeyboardInterrupt


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _when_given_up(call: Callable[[], object] | None) -> Iterator[None]:
    """At once if clean-up has been given up already."""
    if call is None or _handler is None or not _in_main_thread():
        yield
        return
    _handler.given_up.append(call)
    if _handler.requests.gives_up:
        call()
    try:
        yield
    finally:
        _handler.given_up.remove(call)


@contextmanager
def _sink(sink: Sink, *, ends_program: bool = False) -> Iterator[None]:
    """Wishes go there while the block is open."""
    if not _in_main_thread():
        yield
        return
    with _handling(ends_program=ends_program) as handler:
        depth = len(handler.sinks)
        try:
            handler.sinks.append(sink)
            yield
        finally:
            del handler.sinks[depth:]


@contextmanager
def _handling(*, ends_program: bool) -> Iterator[StopHandler]:
    """The outermost block sets the signal handlers, and puts back those of before. `nohup` is respected.

    At the end of a program there is nothing left to stop: late signals are ignored, so that they change no exit code.
    """
    global _handler
    if _handler is not None:
        yield _handler
        return
    handler = _handler = StopHandler(ends_program)
    numbers = [number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler.handle) for number in numbers}
    before[AGAIN] = signal.signal(AGAIN, handler.again)
    handler.hook, sys.unraisablehook = sys.unraisablehook, handler.dropped
    try:
        yield handler
    finally:
        _handler = None
        sys.unraisablehook = handler.hook
        for number, one in before.items():
            signal.signal(number, signal.SIG_IGN if ends_program else one)
