"""The part of a load run's trace that is written: whole lives of a few devices, and all that the bench did."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.trace import TraceEvent, TraceListener

ONE_OF: Final = 64
"""Of so many devices one is written. An exchange takes up to two KiB, so a million take less than 50 MB."""


def sampled(listener: TraceListener) -> TraceListener:
    """Passes on the events of the first device, and of every 64th after it, from power-on to the end."""
    chosen: dict[str, bool] = {"": True}

    def pass_on(event: TraceEvent) -> None:
        is_chosen = chosen.get(event.device)
        if is_chosen is None:
            is_chosen = chosen[event.device] = (len(chosen) - 1) % ONE_OF == 0
        if is_chosen:
            listener(event)

    return pass_on
