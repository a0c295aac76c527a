"""A gateway of the Kura namespace does the same in virtual time and over sockets, under faults and power cuts too."""

from __future__ import annotations

import pytest

from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from tests.conversation.kura_both_times import KuraScript, same_in_both

pytestmark = pytest.mark.slow

REPLIES = "PUBLISH $EDC/ec-provisioning/*/REPLY/*"


def test_every_step_from_the_request_to_the_last_message() -> None:
    told = same_in_both(KuraScript())

    assert told.steps == [
        "power_on", "sent provision-connect", "received provision-connect", "connected provision-connect",
        "sent provision-subscribe", "received provision-subscribe", "sent provision-request", "received provision",
        "sent puback", "waited provision-staging", "sent provision-confirm", "received provision-confirmed",
        "sent puback", "sent provision-leave", "disconnected", "paused", "sent login", "received login",
        "connected login", "sent birth", "sent subscribe", "received subscribe", "sent telemetry", "received listen",
        "received listen", "waited idle", "sent telemetry", "received listen", "sent dc", "sent leave", "disconnected",
        "ended",
    ]  # fmt: skip
    assert told.stages == ["enrolling", "enrolled", "online"]
    assert told.job == "COMPLETED"


def test_a_wrong_password_is_refused_until_it_gives_up() -> None:
    told = same_in_both(KuraScript(password="Open-Sesame-2", provisioning={"retry_max_attempts": 2}))

    assert told.steps.count("received provision-connect") == 2
    assert told.memory == {"fault": "gave_up"}
    assert told.job == "CREATED"


FAULTS = [
    Fault(FaultKind.CONNECT_REFUSED, times=1),
    Fault(FaultKind.DUPLICATE_DELIVERY, REPLIES),
    Fault(FaultKind.DROP_AFTER_CONNACK, times=1, shows_as=Ending.CLOSED),
]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.kind.value for fault in FAULTS])
def test_what_passes_is_survived(fault: Fault) -> None:
    told = same_in_both(KuraScript(faults=(fault,)))

    assert told.stages[-1] == "online"
    assert told.job == "COMPLETED"


@pytest.mark.parametrize("point", ["provision-confirm#1:sent", "provision-leave#1:before"])
def test_power_goes_at(point: str) -> None:
    told = same_in_both(KuraScript(cut=lambda: PowerCutTrigger(CutPoint.parse(point), off_s=0.02)))

    assert told.stages[-1] == "online"
    assert told.job == "COMPLETED"
