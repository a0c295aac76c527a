"""A slow store: what was asked is done and told late, where a platform waits for ever."""

from __future__ import annotations

from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.mqtt import MqttPublish
from tests.conversation.talk import Talk


def test_what_was_asked_is_done_and_told_late() -> None:
    talk = Talk()
    talk.connect(1)
    talk.subscribe(1)
    talk.fault(FaultKind.SLOW_STORE, hits="PUBLISH *", parameters={"delay_s": 3}, times=1)
    talk.told()
    said = talk.say(1, MqttPublish("echo/a", b"x", 1, packet_id=1))
    assert said
    assert all(line.endswith("+3000ms") for line in said)
    assert talk.echo.published("gw-1") == 1
    assert [kind for kind, *_ in talk.told()][:3] == ["received", "fault", "answered"]
    assert "+" not in str(talk.say(1, MqttPublish("echo/a", b"x", 1, packet_id=2))), "once"


def test_it_hits_what_it_names_alone() -> None:
    talk = Talk()
    talk.fault(FaultKind.SLOW_STORE, hits="CONNECT gw-2", parameters={"delay_s": 3})
    assert "+" not in str(talk.connect(1))
    assert "+3000ms" in str(talk.connect(2))
