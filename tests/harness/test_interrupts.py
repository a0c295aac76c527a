"""Stop signals: the first stops, another one gives up cleaning up, and no moment of either ends in a traceback."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from fleetrig.harness.run import interrupts
from fleetrig.harness.run.interrupts import (
    STOPPING,
    StopRequests,
    Wish,
    finish_despite_stop,
    finishing_first,
    run_until_stopped,
    signals_as_ctrl_c,
    stop_signals,
    stop_signals_in_loop,
    stopping_at_once,
)

LIMIT_S = 60.0
INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.fixture(autouse=True)
def _handlers_stay() -> Iterator[None]:
    """Whatever a test does, the handlers of before are back."""
    before = [signal.getsignal(number) for number in interrupts.SIGNALS]
    yield
    assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before
    assert interrupts._handler is None


@pytest.mark.parametrize(
    ("signals", "wishes"),
    [
        ([(INT, 0.0), (INT, 0.1)], [Wish.STOP, Wish.GIVE_UP]),
        ([(TERM, 0.0), (TERM, 0.1), (TERM, 5.0)], [Wish.STOP, Wish.NOTHING, Wish.GIVE_UP]),
        ([(HUP, 0.0), (HUP, 0.0), (TERM, 0.5)], [Wish.STOP, Wish.NOTHING, Wish.NOTHING]),
        ([(INT, 0.0), (TERM, 7.5)], [Wish.STOP, Wish.GIVE_UP]),
        ([(TERM, 0.0), (INT, 0.1)], [Wish.STOP, Wish.GIVE_UP]),
        ([(INT, 0.0), (INT, 0.1), (INT, 0.2), (INT, 3.0)], [Wish.STOP, Wish.GIVE_UP, Wish.NOTHING, Wish.LEAVE]),
    ],
    ids=["twice", "by timeout", "a closed terminal", "a CI server", "impatient", "mashed"],
)
def test_what_signals_ask_for(signals: list[tuple[int, float]], wishes: list[Wish]) -> None:
    requests = StopRequests()
    assert [requests.take(number, 1000.0 + at_s) for number, at_s in signals] == wishes


def lives_on_for(limit_s: float, fleeting: type) -> None:
    fleeting()  # and is gone
    threading.Event().wait(limit_s)


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_a_stop_that_comes_in_a_finalizer_is_not_lost(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    class Fleeting:
        def __del__(self) -> None:
            signal.raise_signal(number)

    hook = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), stop_signals():
        lives_on_for(LIMIT_S, Fleeting)
    assert capsys.readouterr().err == ""
    assert sys.unraisablehook == hook


def test_a_stop_that_a_library_swallowed_is_heard_before_a_loop_begins() -> None:
    async def work() -> None:
        raise AssertionError("it was lost")

    with stop_signals():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            run_until_stopped(work())


def test_what_else_is_dropped_is_still_told() -> None:
    told: list[str] = []

    class Broken:
        def __del__(self) -> None:
            raise ValueError("odd")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", lambda dropped: told.append(str(dropped.exc_value)))
        with stop_signals():
            Broken()
    assert told == ["odd"]


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_every_stop_signal_is_a_ctrl_c(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), stop_signals():
        signal.raise_signal(number)


def test_nohup_is_respected() -> None:
    before = signal.signal(HUP, signal.SIG_IGN)
    try:
        with stop_signals():
            signal.raise_signal(HUP)
    finally:
        signal.signal(HUP, before)


@pytest.mark.parametrize("number", interrupts.SIGNALS)
def test_code_without_a_loop_comes_to_its_end_first(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), finishing_first():  # noqa: PT012 (its end is what counts)
        signal.raise_signal(number)
        done.append("all of it")
    assert done == ["all of it"]
    assert capsys.readouterr().err == f"{STOPPING}\n"


def test_once_something_was_interrupted_the_next_ctrl_c_gives_up() -> None:
    with stop_signals():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(TERM)
        done = []
        with pytest.raises(KeyboardInterrupt), finishing_first():  # noqa: PT012 (it breaks off in the middle)
            signal.raise_signal(INT)
            done.append("never")
        assert done == []


class Cleaned:
    """Work in a loop that cleans up: what became of it."""

    def __init__(self, *, then: list[signal.Signals]) -> None:
        self.said: list[str] = []
        self._then = then

    async def run(self) -> None:
        try:
            signal.raise_signal(TERM)
            await asyncio.Event().wait()
        finally:
            self.said.append("stopped")
            try:
                await finish_despite_stop(self._clean_up())
            finally:
                self.said.append("reported")

    async def _clean_up(self) -> None:
        try:
            for number in self._then:
                signal.raise_signal(number)
            await turns(5)
            self.said.append("cleaned up")
        except asyncio.CancelledError:
            self.said.append("given up")
            raise


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("then", "what"),
    [([], "cleaned up"), ([TERM, HUP], "cleaned up"), ([INT], "given up"), ([INT, INT, INT], "given up")],
)
def test_a_loop_cleans_up_unless_that_is_given_up(
    then: list[signal.Signals], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    work = Cleaned(then=then)
    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(work.run())
    assert work.said == ["stopped", what, "reported"]
    assert capsys.readouterr().err == f"{STOPPING}\n"


def test_what_is_given_up_before_it_begins_is_not_begun() -> None:
    said = []

    async def clean_up() -> None:
        said.append("begun")

    async def work() -> None:
        try:
            signal.raise_signal(INT)
            signal.raise_signal(INT)
            await asyncio.Event().wait()
        finally:
            await finish_despite_stop(clean_up())

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(work())
    assert said == []


def test_errors_of_cleaning_up_are_not_lost() -> None:
    async def clean_up() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_until_stopped(finish_despite_stop(clean_up()))


def test_code_in_a_loop_that_awaits_nothing_is_broken_off_in_the_middle() -> None:
    said = []

    async def work() -> None:
        try:
            with stopping_at_once():
                signal.raise_signal(INT)
                said.append("never")
        except asyncio.CancelledError:
            said.append("cancelled")
            raise

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(work())
    assert said == ["cancelled"]


def test_a_stop_that_the_loop_has_not_heard_yet_is_heard_by_code_that_awaits_nothing() -> None:
    said = []

    async def work() -> None:
        signal.raise_signal(INT)
        with stopping_at_once():
            said.append("never")

    with pytest.raises(KeyboardInterrupt):
        run_until_stopped(work())
    assert said == []


def test_without_a_loop_code_is_broken_off_as_by_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt), stopping_at_once():
        signal.raise_signal(INT)


def test_a_loop_may_have_ways_of_its_own() -> None:
    said: list[str] = []

    async def work() -> str:
        stopped = asyncio.Event()
        with stop_signals_in_loop(stopped.set, lambda: said.append("given up")):
            signal.raise_signal(HUP)
            await stopped.wait()
            signal.raise_signal(INT)
            await turns(3)
        return "served"

    assert run_until_stopped(work()) == "served"
    assert said == ["given up"]


def test_a_stop_after_the_work_changes_nothing() -> None:
    async def work() -> int:
        signal.raise_signal(TERM)
        return 7

    with stop_signals():
        assert run_until_stopped(work()) == 7


def test_other_threads_are_left_alone() -> None:
    said: list[int] = []

    async def work() -> int:
        await finish_despite_stop(turns(1))
        return 3

    def run() -> None:
        with stop_signals(), finishing_first():
            said.append(run_until_stopped(work()))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert said == [3]


def test_a_program_that_knows_ctrl_c_only() -> None:
    put_back = signals_as_ctrl_c()
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(TERM)
        signal.raise_signal(TERM)  # `timeout` signals twice
    finally:
        put_back()
