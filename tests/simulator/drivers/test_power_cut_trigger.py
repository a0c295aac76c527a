"""A power cut trigger lists points, or cuts at one of them, once."""

from __future__ import annotations

from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.effects import Ask, Effect, Enter, Pause
from fleetrig.simulator.stages import Stage

POLL = Ask("poll", HttpRequest("GET", "http://h", "/"), 1.0)
ROUND: list[Effect] = [POLL, Enter(Stage.ONLINE), Pause(1.0, 1.0, "poll interval")]


def test_a_dry_run_lists_every_point_with_a_stable_name() -> None:
    trigger = PowerCutTrigger()
    assert [trigger.on_effect(effect) for effect in ROUND * 2] == [""] * 6
    assert trigger.passed == [
        f"{name}#{n}:{where}"
        for n in (1, 2)
        for name, wheres in (
            ("poll", ("before", "sent", "answered")),
            ("enter-online", ("before",)),
            ("pause-poll-interval", ("before",)),
        )
        for where in wheres
    ]
    assert not trigger.fired


def test_every_listed_point_can_be_cut_at_once() -> None:
    listing = PowerCutTrigger()
    for effect in ROUND * 2:
        listing.on_effect(effect)
    for point in listing.passed:
        trigger = PowerCutTrigger(CutPoint.parse(point))
        cuts = [where for effect in ROUND * 4 if (where := trigger.on_effect(effect))]
        assert cuts == [point.rpartition(":")[2]]
        assert trigger.fired


def test_a_point_that_no_device_can_reach_never_fires() -> None:
    """A pause is neither sent nor answered: then nothing was cut, and `fired` says so."""
    for point in ("pause-poll-interval#1:sent", "enter-online#1:answered", "poll#9:sent", "pull#1:before"):
        trigger = PowerCutTrigger(CutPoint.parse(point))
        assert not any(trigger.on_effect(effect) for effect in ROUND * 2)
        assert not trigger.fired
