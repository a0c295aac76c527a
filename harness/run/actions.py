"""Performing the words of `do`: each a director over the context, so that it runs in virtual and in real time.

The bench performs its own words; the others are for the platform.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, Final

from fleetrig.harness.run.context import Device, RunContext
from fleetrig.harness.scenario_file.action_words import ActionWord, CyclePower, PowerCut, PowerOn, Wait
from fleetrig.harness.scenario_file.board_words import BoardWord
from fleetrig.simulator.arrivals_shape import Shape, curve, start_us
from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.effects import Pause


def perform(context: RunContext, words: ActionWord) -> Director[str]:
    """One action. What was seen of it, where it is judged by itself: what boards do can fail."""
    if words.makes_known:
        context.touched.update(touched_by(context, words))
    if (on_board := on_boards(words)) is not None:
        return (yield from on_board(context, words))
    own = PERFORM.get(type(words))
    if own is None:
        yield from context.work.perform(words)
    else:
        yield from own(context, words)
    return ""


def on_boards(words: ActionWord) -> Callable[[RunContext, Any], Director[str]] | None:
    """What performs a word for boards; None for any other word."""
    if not isinstance(words, BoardWord):
        return None
    # Serial ports and what hangs on them are imported for runs with boards.
    from fleetrig.harness.run.board_actions import PERFORM_ON_BOARDS

    return PERFORM_ON_BOARDS[type(words)]


def touched_by(context: RunContext, words: ActionWord) -> Iterator[str]:
    """The devices that an action is about; all, if it does not select any."""
    globs = list(words.globs())
    for serial in context.devices:
        if all(fnmatchcase(serial.removeprefix(context.prefix), glob) for glob in globs):
            yield serial


def power_on(context: RunContext, words: PowerOn) -> Director[None]:
    """Starts devices over the spread, each cohort over all of it; `cut_at`: each loses its power once at that point."""
    yield from ()
    off = [[device for device in group if not device.agent.is_on] for group in context.select_powered(words.only)]
    groups = [group for group in off if group]
    spread_s = context.scenario.devices.start_spread_s if words.spread_s is None else words.spread_s
    starts_us = start_times_us(context, [group[0].serial for group in groups], words.shape, to_us(spread_s))
    for position, (first, *behind) in enumerate(groups):
        watch = context.watch if position == 0 else None
        if words.cut_at is not None:
            watch = context.cuts[first.serial] = PowerCutTrigger(words.cut_at, words.off_s)
        after_s = to_s(starts_us[position])
        context.switched_on.update(device.serial for device in (first, *behind))
        context.driver.power_on(first.agent, after_s=after_s, trigger=watch)
        for device in behind:
            context.driver.power_on(device.agent, after_s=after_s)


def start_times_us(context: RunContext, serials: Sequence[str], shape: Shape, spread_us: int) -> list[int]:
    """How long after now each is switched on."""
    blocks = [context.devices_block(serial) for serial in serials]
    makes, jitters = [id(block) for block in blocks], {id(block): block.poll_jitter for block in blocks}
    counts, seen, starts_us = Counter(makes), Counter[int](), []
    curves = {make: curve(shape, spread_us, count, jitters[make]) for make, count in counts.items()}
    for make in makes:
        starts_us.append(start_us(curves[make], seen[make], counts[make]))
        seen[make] += 1
    return starts_us


def power_cut(context: RunContext, words: PowerCut) -> Director[None]:
    yield from ()
    for device in chain(*context.select_powered(words.only)):
        context.driver.power_cut(device.agent)


def cycle_power(context: RunContext, words: CyclePower) -> Director[None]:
    yield from ()
    power_cycle(context, list(chain(*context.select_powered(words.only))), words.off_s)


def power_cycle(context: RunContext, devices: Sequence[Device], off_s: float) -> None:
    for device in devices:
        context.driver.power_cut(device.agent)
        context.switched_on.add(device.serial)
        context.driver.power_on(device.agent, after_s=off_s)


def wait(_: RunContext, words: Wait) -> Director[None]:
    yield Pause(words.for_s, words.for_s, "scenario")


PERFORM: Final[Mapping[type[ActionWord], Callable[[RunContext, Any], Director[None]]]] = {
    PowerOn: power_on,
    PowerCut: power_cut,
    CyclePower: cycle_power,
    Wait: wait,
}
"""Word -> what performs it."""
