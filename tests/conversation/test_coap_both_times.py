"""A device over CoAP does the same in virtual time, over UDP and over DTLS, also under faults and power cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from tests.conversation.both_times import SERIAL, Story
from tests.conversation.coap_both_times import KEY, CoapScript, in_virtual_time, over_datagrams, verdicts

pytestmark = pytest.mark.slow

UNDISTURBED = CoapScript()
WITH_KEY = CoapScript("coaps", shows=KEY, keys={SERIAL: KEY.key})


def same_in_both(script: CoapScript) -> Story:
    """The story in virtual time, once it is that in real time too."""
    virtual, real = in_virtual_time(script), over_datagrams(script)
    assert real.device_lane == virtual.device_lane
    assert verdicts(real) == verdicts(virtual)
    return virtual


def kinds(story: Story) -> list[str]:
    return [f"{kind} {name}".strip() for kind, name, *_ in story.device_lane if kind not in ("entered", "remembered")]


@pytest.mark.parametrize("script", [UNDISTURBED, CoapScript("coaps"), WITH_KEY], ids=["udp", "dtls", "key"])
def test_an_undisturbed_day(script: CoapScript) -> None:
    story = same_in_both(script)
    assert kinds(story) == [
        "power_on", "sent hello", "received hello", "sent download", "received download", "sent upload",
        "received upload", "sent report", "received reported", "sent watch", "received watch", "sent count",
        "received count", "received counted", "sent unwatch", "received unwatch", "waited idle", "sent refused",
        "received refused", "disconnected", "ended",
    ]  # fmt: skip
    assert set(verdicts(story).values()) == {"met"}


def every_point() -> Sequence[str]:
    """Of a whole life, by a dry run."""
    trigger = PowerCutTrigger()
    in_virtual_time(replace(UNDISTURBED, cut=lambda: trigger))
    return [point for point in trigger.passed if not point.startswith(("enter-", "remember-"))]


@pytest.mark.parametrize("point", every_point())
def test_power_goes_at(point: str) -> None:
    triggers: list[PowerCutTrigger] = []

    def cut() -> PowerCutTrigger:
        triggers.append(PowerCutTrigger(CutPoint.parse(point), off_s=0.02))
        return triggers[-1]

    story = same_in_both(replace(UNDISTURBED, cut=cut))
    assert [trigger.fired for trigger in triggers] == [True, True]
    assert kinds(story).count("power_cut") == 1
    assert verdicts(story)["gets every answer"] == "met"
