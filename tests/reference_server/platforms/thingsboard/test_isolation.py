"""No device ever sees what another is told: sessions in any order, in memory, by many random walks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.records import ProvisionType
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Close, Output, Send
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttVersion
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.thingsboard.mqtt_rig import RESPONSE, MqttRig

SESSIONS = range(1, 9)
STEPS = 60
S = 1_000_000
VERSIONS = (MqttVersion.V31, MqttVersion.V311, MqttVersion.V5)
PATH = "/api/v1/provision"


@dataclass
class Crowd(MqttRig):
    """Sessions under one client id, on the shared topics; each brings tokens of its own."""

    random: Random = field(default_factory=Random)
    asked: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.profile("A", ProvisionType.ALLOW_CREATE)
        for session in SESSIONS:
            self.provision(session, client_id="provision", version=self.random.choice(VERSIONS))
            if self.random.random() < 0.7:
                self.subscribe(session, qos=self.random.choice((0, 1)))

    def step(self) -> None:
        """Somebody asks, for a device of its own or for one that others have named, too."""
        session, self.asked = self.random.choice(SESSIONS), self.asked + 1
        mine = f"of-{session}-{self.asked}"
        name = self.random.choice((mine, f"shared-{self.random.randrange(5)}", ""))
        body = {"deviceName": name, "token": mine, "provisionDeviceKey": "K", "provisionDeviceSecret": "S"}
        outputs = self.published("/provision/request", body, session, self.random.choice((0, 1)))
        assert addressees(outputs) == {session}
        told = replies_in(outputs)
        assert [document["status"] for document in told] in (["SUCCESS"], ["FAILURE"])
        assert {document["credentialsValue"] for document in told if "credentialsValue" in document} <= {mine}


def addressees(outputs: list[Output]) -> set[int]:
    return {output.session for output in outputs if isinstance(output, Send | Close)}


def replies_in(outputs: list[Output]) -> list[dict[str, str]]:
    packets = [output.envelope for output in outputs if isinstance(output, Send)]
    return [json.loads(one.payload) for one in packets if isinstance(one, MqttPublish) and one.topic == RESPONSE]


@pytest.mark.parametrize("seed", range(10))
def test_each_session_is_told_what_it_asked_for_and_nobody_else_is(seed: int) -> None:
    crowd = Crowd(random=Random(seed))
    for _ in range(STEPS):
        crowd.step()


def test_only_who_was_answered_is_ended() -> None:
    crowd = Crowd(random=Random(1))
    for session in (2, 5):
        crowd.request(session, deviceName=f"d{session}")
    crowd.now_us += 61 * S
    assert addressees(list(crowd.server.advance(crowd.now_us))) == {2, 5}
    assert {crowd.request(session, deviceName=f"e{session}")[0] for session in (1, 8)} == {"1 PUBACK", "8 PUBACK"}


def test_who_fails_ends_alone() -> None:
    crowd = Crowd(random=Random(2))
    heard = crowd.published("/provision/request", b"{", 3)
    assert addressees(heard) == {3}
    assert crowd.request(4, deviceName="d")[0] == "4 PUBACK"


def test_devices_hear_nothing_of_each_other() -> None:
    """Neither telemetry, nor attributes, nor the answers to what the other asked."""
    rig = MqttRig()
    for number in (1, 2):
        rig.token(f"d{number}", f"T{number}")
        rig.join(number, user_name=f"T{number}")
        for topic_filter in ("v1/devices/me/attributes", "v1/devices/me/attributes/response/+"):
            rig.subscribe(number, topic_filter)
    said = [
        *rig.published("v1/devices/me/attributes", {"a": 1}, 1),
        *rig.published("v1/devices/me/telemetry", {"a": 1}, 1),
        *rig.published("v1/devices/me/attributes/request/1", {"clientKeys": "a"}, 1),
    ]
    assert addressees(said) == {1}
    theirs = rig.published("v1/devices/me/attributes/request/1", {"clientKeys": "a"}, 2)
    assert addressees(theirs) == {2}
    assert b'"a"' not in b"".join(one.envelope.payload for one in theirs
                                  if isinstance(one, Send) and isinstance(one.envelope, MqttPublish))  # fmt: skip


def test_endpoints_with_one_token_hear_their_own() -> None:
    """A token of CoAP means something to its endpoint only."""
    rig = Crowd(random=Random(3))
    told = {}
    for number in (21, 22):
        session = Session(id=number, listener="coap", peer=f"127.0.0.1:{number}")
        rig.server.opened(session, rig.now_us)
        body = json.dumps({"token": f"T{number}", "provisionDeviceKey": "K", "provisionDeviceSecret": "S"}).encode()
        (output,) = rig.server.receive(session, CoapRequest("POST", "coap://h", PATH, body, token=b"t"), rig.now_us)
        assert isinstance(output, Send)
        assert isinstance(output.envelope, CoapResponse)
        told[output.session] = json.loads(output.envelope.payload)["credentialsValue"]
    assert told == {21: "T21", 22: "T22"}
