"""The devices of Kura's recordings on our server: what it answers and routes is what mosquitto did.

Each transcript is played as the device's packets and its requester's, over real sockets. What our server does more than
a bare broker is judged beside it: it takes nobody without a user, and who has announced itself is registered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect
from tests.golden.kura_player.broker_player import BrokerPlayer
from tests.golden.kura_player.contents import content_of_fields
from tests.golden.kura_player.damage import near_misses
from tests.golden.kura_player.packets import hello_of
from tests.golden.kura_player.peer import Peer
from tests.golden.kura_player.recording import FOLDER, TRANSPORT, Case, Packet, Transcript, read_transcript
from tests.golden.kura_player.served import KuraServed, kura_served

pytestmark = pytest.mark.slow

NO_TRANSCRIPTS: Final = {"payloads", "json-payloads", "kapua-acl", "kura-reconnect"}
FILES: Final = sorted(path.stem for path in FOLDER.glob("*.jsonl") if path.stem not in NO_TRANSCRIPTS)
TRANSCRIPTS: Final = {name: read_transcript(name) for name in FILES}
CASES: Final = [(name, case.name) for name in FILES for case in TRANSCRIPTS[name].cases]
ROUNDS: Final = 5
"""So often is each transcript played with near misses."""
ABOUT_PAYLOADS: Final = frozenset(
    {"payload", "value", "type", "fewer metrics", "more metrics", "text", "gzip", "timestamp"}
)


@pytest.fixture(scope="module")
def kura() -> Iterator[KuraServed]:
    with kura_served() as one:
        yield one


@pytest.fixture(scope="module")
def played(kura: KuraServed) -> dict[str, BrokerPlayer]:
    players = {}
    for name in FILES:
        players[name] = BrokerPlayer(kura)
        players[name].play(TRANSCRIPTS[name])
    return players


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_recorded_case_is_answered_and_routed_alike(played: dict[str, BrokerPlayer], name: str, case: str) -> None:
    assert not played[name].verdicts[case]


def test_it_is_all_the_same_with_records_in_a_file(tmp_path: Path) -> None:
    with kura_served(f"sqlite:///{tmp_path / 'fleet.db'}") as one:
        for name in FILES:
            player = BrokerPlayer(one)
            player.play(TRANSCRIPTS[name])
            assert not any(player.verdicts.values()), player.verdicts


@pytest.mark.parametrize("name", FILES)
def test_everything_that_the_server_said_is_compared(played: dict[str, BrokerPlayer], name: str) -> None:
    said = [
        packet
        for packet in TRANSCRIPTS[name].packets
        if not packet.is_from_device and packet.kind != "CLOSE" and not packet.is_injected
    ]
    assert played[name].judged == len(said)


@pytest.mark.parametrize("round_number", range(ROUNDS))
@pytest.mark.parametrize("name", FILES)
def test_no_case_agrees_with_a_near_miss(kura: KuraServed, name: str, round_number: int) -> None:
    """One in each case that has any; each kind of a near miss is tried before any is tried again."""
    copies = damaged_copies(name)[round_number]
    cases = tuple(copies[case.name][1] if case.name in copies else case for case in TRANSCRIPTS[name].cases)
    player = BrokerPlayer(kura)
    player.play(Transcript(name, cases))
    missed = {case: kind for case, (kind, _) in copies.items() if not player.verdicts[case]}
    assert missed == {}


@cache
def damaged_copies(name: str) -> list[dict[str, tuple[str, Case]]]:
    """Of each round: case -> what is damaged in its copy, and the copy."""
    tried: Counter[str] = Counter()
    rounds: list[dict[str, tuple[str, Case]]] = []
    for _ in range(ROUNDS):
        rounds.append({})
        for case in TRANSCRIPTS[name].cases:
            found = [
                (f"{kind} of {sender(packet)} {packet.kind}", copy)
                for kind, packet, copy in near_misses(case, lambda packet: packet.kind not in TRANSPORT)
                if is_refused_by_a_broker(kind, packet)
            ]
            if found:
                rounds[-1][case.name] = min(found, key=lambda one: tried[one[0]])
                tried[rounds[-1][case.name][0]] += 1
    return rounds


def sender(packet: Packet) -> str:
    return "device" if packet.is_from_device else "server"


def is_refused_by_a_broker(kind: str, packet: Packet) -> bool:
    """Of a message, that its bytes hold what is said of them; of all else, what the broker says."""
    if packet.kind == "PUBLISH":
        return kind in ABOUT_PAYLOADS and packet.payload is not None and bool({"fields", "text"} & packet.what.keys())
    return not packet.is_from_device


def test_what_is_damaged() -> None:
    """In some file."""
    tried = {kind for name in FILES for copies in damaged_copies(name) for kind, _ in copies.values()}
    about = {f"{kind} of {who} PUBLISH" for kind in ABOUT_PAYLOADS - {"text"} for who in ("device", "server")}
    missing = {"timestamp of server PUBLISH", "fewer metrics of server PUBLISH", "type of server PUBLISH"}
    assert about - tried <= missing
    assert {"code of server CONNACK", "codes of server SUBACK", "packet id of server PUBACK",
            "twice of server SUBACK", "left out of server PUBACK"} <= tried  # fmt: skip


def test_a_text_that_is_not_what_was_sent_is_refused(kura: KuraServed) -> None:
    (case,) = TRANSCRIPTS["kura-json-session"].cases
    (copy,) = [copy for kind, _, copy in near_misses(case, lambda packet: packet.kind == "PUBLISH") if kind == "text"]
    player = BrokerPlayer(kura)
    player.play(Transcript("kura-json-session", (copy,)))
    assert "not its text" in player.verdicts[case.name]


# -- What our server does beside


def test_nobody_comes_in_without_a_user(kura: KuraServed) -> None:
    """The recorded broker took everybody."""
    (hello,) = [hello_of(packet) for packet in TRANSCRIPTS["kura-json-session"].packets if packet.kind == "CONNECT"]
    assert hello.user_name is None
    peer = Peer(kura.served.port("mqtt"))
    peer.say(hello)
    answer = peer.hear_one()
    peer.close()
    assert isinstance(answer, MqttConnack)
    assert answer.code in (4, 5)


@pytest.mark.parametrize("name", ["kura-session", "simulator"])
def test_who_was_born_is_registered_with_what_it_said(
    kura: KuraServed, played: dict[str, BrokerPlayer], name: str
) -> None:
    """BIRTH or APPS, whichever came last: as in Kapua a stale copy of APPS brings back what it was called before."""
    births = [
        one
        for one in TRANSCRIPTS[name].packets
        if one.is_from_device and one.topic.endswith(("/MQTT/BIRTH", "/MQTT/APPS"))
    ]
    assert births
    said = {key: value for key, (_, value) in content_of_fields(births[-1].what["fields"])["metrics"].items()}
    device = kura.device(births[-1].topic.split("/")[2])
    assert device is not None
    assert set(device["applicationIdentifiers"].split(",")) == set(said["application_ids"].split(","))
    assert (device["displayName"], device["status"]) == (said["display_name"], "ENABLED")
    assert device["connectionInterface"] == said["connection_interface"]


def test_a_client_id_with_a_wildcard_is_no_device(kura: KuraServed) -> None:
    """Its rights would be everybody's: the id is pasted into them."""
    for client_id in ("+", "a+b", "#"):
        peer = kura.connect("device", MqttConnect(client_id))
        answer = peer.hear_one()
        peer.close()
        assert isinstance(answer, MqttConnack)
        assert answer.code in (2, 5), client_id
