"""Carrying out a director's directions under gevent: the same for one process and for workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fleetrig.simulator.drivers.director import AdminCall, Direction, Director
from fleetrig.simulator.effects import Outcome

T = TypeVar("T")


def carry_out(
    director: Director[T] | AdminCall[T],
    do: Callable[[Direction], Outcome | bool],
    failure: Callable[[], BaseException | None],
) -> T:
    """To the director's end; returns its result. Raises `failure` of a device as soon as it comes up."""
    answer: Outcome | bool | None = None
    try:
        while True:
            answer = do(director.send(answer))  # type: ignore[arg-type]
            if (failed := failure()) is not None:
                raise failed
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        director.close()
