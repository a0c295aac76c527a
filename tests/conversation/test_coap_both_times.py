"""A device over CoAP does the same in virtual time, over UDP and over DTLS, also under faults and power cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from tests.conversation.both_times import SERIAL, Story
from tests.conversation.coap_both_times import CERTIFICATE, KEY, CoapScript, in_virtual_time, over_datagrams, verdicts

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


FAULTS = [
    pytest.param(
        Fault(FaultKind.COAP_RESET, "GET coap:/counter", times=1),
        ["sent watch", "received watch", "disconnected", "paused", "sent hello"], "reports once", "met", id="RST",
    ),
    pytest.param(
        Fault(FaultKind.LATENCY, "2.05", parameters={"delay_s": 0.02}),
        ["received count", "received counted"], "in order", "met", id="late",
    ),
    pytest.param(
        Fault(FaultKind.DUPLICATE_DELIVERY, "2.05"), ["received unwatch", "waited idle"],
        "is told nothing twice", "met", id="the same notification again is old",
    ),
    pytest.param(
        Fault(FaultKind.DUPLICATE_DATAGRAM), ["received unwatch", "waited idle"],
        "is told nothing twice", "met", id="every datagram comes twice",
    ),
    pytest.param(
        Fault(FaultKind.OVERLOAD, "GET coap:/large", times=1),
        ["sent download", "received download", "disconnected"], "gets every answer", "met", id="5.03",
    ),
    pytest.param(
        Fault(FaultKind.MALFORMED_PACKET, "2.04", times=1),
        ["sent hello", "no_reply hello", "disconnected", "paused"], "gets every answer", "violated", id="garbage",
    ),
    pytest.param(
        Fault(FaultKind.LOST_REPLY, "PUT coap:/echo", times=1),
        ["sent upload", "no_reply upload", "disconnected", "paused"], "gets every answer", "violated", id="lost reply",
    ),
    pytest.param(
        Fault(FaultKind.OUTAGE, "POST coap:/counter", times=1, shows_as=Ending.SILENCE),
        ["sent count", "no_reply count", "disconnected", "paused"], "gets every answer", "violated", id="silence",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "steps", "check", "verdict"), FAULTS)
def test_a_fault(fault: Fault, steps: list[str], check: str, verdict: str) -> None:
    story = same_in_both(CoapScript(faults=(fault,), patience_s=1.0))
    told = kinds(story)
    assert any(told[at : at + len(steps)] == steps for at in range(len(told))), told
    assert verdicts(story)[check] == verdict
    assert verdicts(story)["in order"] == "met", "it comes through in the end"
    assert any(event.fault == fault.kind for event in story.events)


@pytest.mark.parametrize("scheme", ["coap", "coaps"])
@pytest.mark.parametrize("ending", [Ending.RESET, Ending.CLOSED])
def test_an_endpoint_that_is_ended(scheme: str, ending: Ending) -> None:
    """A request is reset, also within DTLS; what is forgotten in silence is asked for again."""
    fault = Fault(FaultKind.OUTAGE, "POST *:/counter", times=1, shows_as=ending)
    story = same_in_both(CoapScript(scheme, faults=(fault,), patience_s=1.0))
    assert verdicts(story)["in order"] == "met"


@pytest.mark.parametrize("hits", ["GET coap:/counter", "2.04"])
def test_what_is_lost_is_repeated(hits: str) -> None:
    """The second datagram comes 2 to 3 s after the first (RFC 7252 §4.2)."""
    fault = Fault(FaultKind.LOST_DATAGRAM, hits, times=1)
    assert verdicts(same_in_both(CoapScript(faults=(fault,))))["gets every answer"] == "met"


def test_what_is_malformed_acknowledges_nothing() -> None:
    """Who waits long enough gets the answer, with the repetition of the request."""
    fault = Fault(FaultKind.MALFORMED_PACKET, "2.04", times=1)
    assert verdicts(same_in_both(CoapScript(faults=(fault,))))["gets every answer"] == "met"


def test_another_certificate_of_the_server_is_not_trusted() -> None:
    fault = Fault(FaultKind.SERVER_CERTIFICATE, times=1, parameters={"certificate": "stranger"})
    story = same_in_both(CoapScript("coaps", faults=(fault,)))
    assert kinds(story)[2:4] == ["no_reply hello", "disconnected"]
    assert verdicts(story)["in order"] == "met"


@pytest.mark.parametrize("known", [(), CERTIFICATE.chain[:1]], ids=["unknown", "known"])
def test_a_certificate_is_judged_by_the_platform(known: tuple[bytes, ...]) -> None:
    until = "ended" if known else "no_reply"
    story = same_in_both(CoapScript("coaps", shows=CERTIFICATE, known=known, until=until))
    assert story.device_lane[-1][4] == ("" if known else "tls")


@pytest.mark.parametrize("keys", [{}, {SERIAL: b"another key"}], ids=["unknown", "wrong"])
def test_a_key_that_does_not_fit_is_not_answered(keys: dict[str, bytes]) -> None:
    story = same_in_both(CoapScript("coaps", shows=KEY, keys=keys, patience_s=0.3, until="no_reply"))
    assert story.device_lane[-1][4] == "timeout"
