"""A device with a connection does the same in virtual time and over sockets, also under faults and power cuts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.trace import Lane
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from tests.conversation.both_times import MQTT, MQTTS, TOY, Carrier, Script, Story, in_virtual_time, over_sockets

pytestmark = pytest.mark.slow

UNDISTURBED = Script()


def over(*carriers: Carrier) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("carrier", carriers, ids=[carrier.scheme for carrier in carriers])


def same_in_both(script: Script, carrier: Carrier = MQTT) -> Story:
    """The story in virtual time, once it is that in real time too."""
    virtual, real = in_virtual_time(script, carrier.scheme), over_sockets(script, carrier)
    assert real.device_lane == virtual.device_lane
    assert real.verdicts == virtual.verdicts
    return virtual


def kinds(story: Story) -> list[str]:
    return [f"{kind} {name}".strip() for kind, name, *_ in story.device_lane if kind not in ("entered", "remembered")]


@over(TOY, MQTT, MQTTS)
def test_an_undisturbed_day(carrier: Carrier) -> None:
    story = same_in_both(UNDISTURBED, carrier)
    assert kinds(story) == [
        "power_on", "sent connect", "received connect", "connected connect", "sent subscribe", "received subscribe",
        "sent publish", "received publish", "received echo", "sent remind", "received remind", "received push",
        "waited idle", "sent ping", "received ping", "waited idle", "sent ping", "received ping",
        "sent goodbye", "disconnected", "ended",
    ]  # fmt: skip
    assert set(story.verdicts.values()) == {"met"}


def test_a_push_wakes_the_device_at_the_microsecond_at_which_it_is_due() -> None:
    """Nothing else happens then: neither does the device call, nor is anything else under way."""
    story = in_virtual_time(UNDISTURBED)
    (push,) = story.of("received", "push")
    (asked,) = story.of("sent", "remind")
    at_that_time = [(event.lane, event.kind) for event in story.events if event.at_us == push.at_us]
    assert at_that_time == [(Lane.SERVER, "pushed"), (Lane.DEVICE, "received")]
    assert push.at_us == asked.at_us + 40_000


def test_the_same_seed_gives_the_same_times() -> None:
    assert in_virtual_time(UNDISTURBED).events == in_virtual_time(UNDISTURBED).events


def every_point() -> Sequence[str]:
    """Of a whole life, by a dry run."""
    trigger = PowerCutTrigger()
    in_virtual_time(Script(cut=lambda: trigger))
    return trigger.passed


def test_points_are_those_of_each_effect() -> None:
    points = every_point()
    assert len(points) == len(set(points)) > 30
    assert {
        "connect#1:before", "connect#1:sent", "connect#1:answered", "subscribe#1:sent", "publish#1:answered",
        "echo#1:before", "echo#1:answered", "push#1:before", "push#1:answered", "idle#2:answered", "ping#2:sent",
        "goodbye#1:before", "goodbye#1:sent", "disconnect#1:before", "remember-up#1:before", "enter-online#1:before",
    } <= set(points)  # fmt: skip
    assert not {"echo#1:sent", "goodbye#1:answered", "disconnect#1:sent"} & set(points)


@pytest.mark.parametrize("point", every_point())
def test_power_goes_at(point: str) -> None:
    triggers: list[PowerCutTrigger] = []

    def cut() -> PowerCutTrigger:
        triggers.append(PowerCutTrigger(CutPoint.parse(point), off_s=0.02))
        return triggers[-1]

    story = same_in_both(Script(cut=cut))
    assert [trigger.fired for trigger in triggers] == [True, True]
    assert kinds(story).count("power_cut") == 1
    assert kinds(story).count("power_on") == 2
    assert story.verdicts["gets every answer"] == "met"
    opened, closed = (story.of(kind, lane=Lane.SERVER) for kind in ("opened", "closed"))
    assert {event.session for event in opened} == {event.session for event in closed}


FAULTS = [
    pytest.param(
        Fault(FaultKind.CONNECT_REFUSED, times=1),
        ["received connect", "disconnected", "paused"], "connects once", "met", id="CONNECT refused",
    ),
    pytest.param(
        Fault(FaultKind.CONNECT_UNANSWERED, times=1),
        ["no_reply connect", "disconnected", "paused"], "gets every answer", "violated", id="CONNECT unanswered",
    ),
    pytest.param(
        Fault(FaultKind.DROP_AFTER_CONNACK, times=1, shows_as=Ending.CLOSED),
        ["connected connect", "sent subscribe", "no_reply subscribe", "disconnected", "paused"],
        "connects once", "violated", id="closed after CONNACK",
    ),
    pytest.param(
        Fault(FaultKind.DROP_AFTER_CONNACK, times=1, shows_as=Ending.SILENCE),
        ["connected connect", "sent subscribe", "no_reply subscribe", "disconnected", "paused"],
        "connects once", "violated", id="silent after CONNACK",
    ),
    pytest.param(
        Fault(FaultKind.DUPLICATE_DELIVERY, "PUBLISH echo/up"),
        ["received push", "received idle", "sent ping"], "is told nothing twice", "violated", id="echo comes twice",
    ),
    pytest.param(
        Fault(FaultKind.LATENCY, "PUBLISH echo/up", parameters={"delay_s": 0.05}),
        ["received publish", "received echo"], "in order", "met", id="echo comes late",
    ),
    pytest.param(
        Fault(FaultKind.LATENCY, "PUBACK", times=1, parameters={"delay_s": 0.05}),
        ["received publish", "received echo"], "in order", "met", id="echo overtakes its PUBACK",
    ),
    pytest.param(
        Fault(FaultKind.WITHHELD_ACK, "SUBACK*", times=1),
        ["sent subscribe", "no_reply subscribe", "disconnected", "paused"],
        "gets every answer", "violated", id="SUBACK withheld",
    ),
    pytest.param(
        Fault(FaultKind.WITHHELD_ACK, "PUBACK", times=1),
        ["sent publish", "no_reply publish", "disconnected", "paused"],
        "gets every answer", "violated", id="PUBACK withheld",
    ),
    pytest.param(
        Fault(FaultKind.WITHHELD_PINGRESP, times=1),
        ["sent ping", "no_reply ping", "disconnected", "paused"], "gets every answer", "violated",
        id="PINGRESP withheld",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "steps", "check", "verdict"), FAULTS)
def test_a_fault(fault: Fault, steps: list[str], check: str, verdict: str) -> None:
    story = same_in_both(Script((fault,), patience_s=1.0))
    told = kinds(story)
    assert any(told[at : at + len(steps)] == steps for at in range(len(told))), told
    assert story.verdicts[check] == verdict
    assert story.verdicts["in order"] == "met", "it comes through in the end"
    assert any(event.fault == fault.kind for event in story.events)


FAULTS_ON_THE_WIRE = [
    pytest.param(
        Fault(FaultKind.HALF_PACKET, "PUBACK", times=1),
        ["sent publish", "no_reply publish", "disconnected"], "closed", id="half a PUBACK",
    ),
    pytest.param(
        Fault(FaultKind.HALF_PACKET, "SUBACK*", times=1, shows_as=Ending.RESET),
        ["sent subscribe", "no_reply subscribe", "disconnected"], "reset", id="half a SUBACK and RST",
    ),
    pytest.param(
        Fault(FaultKind.HALF_PACKET, "PINGRESP", times=1, shows_as=Ending.SILENCE, parameters={"after_bytes": 1}),
        ["sent ping", "no_reply ping", "disconnected"], "timeout", id="half a PINGRESP and silence",
    ),
    pytest.param(
        Fault(FaultKind.MALFORMED_PACKET, "CONNACK*", times=1),
        ["sent connect", "no_reply connect", "disconnected"], "malformed", id="malformed CONNACK",
    ),
    pytest.param(
        Fault(FaultKind.MALFORMED_PACKET, "PUBLISH reminder", times=1),
        ["received remind", "no_reply push", "disconnected"], "malformed", id="malformed PUBLISH",
    ),
    pytest.param(
        Fault(FaultKind.DROP_AFTER_CONNACK, times=1, shows_as=Ending.RESET),
        ["connected connect", "sent subscribe", "no_reply subscribe", "disconnected"], "reset", id="RST after CONNACK",
    ),
]  # fmt: skip


@over(MQTT, MQTTS)
@pytest.mark.parametrize(("fault", "steps", "why"), FAULTS_ON_THE_WIRE)
def test_a_fault_on_the_wire(fault: Fault, steps: list[str], why: str, carrier: Carrier) -> None:
    story = same_in_both(Script((fault,), patience_s=1.0), carrier)
    told = kinds(story)
    assert any(told[at : at + len(steps)] == steps for at in range(len(told))), told
    assert [event.reason for event in story.of("no_reply")] == [why]
    assert story.verdicts["in order"] == "met", "it comes through in the end"
