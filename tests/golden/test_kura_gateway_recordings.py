"""Our simulated gateway does what the recorded Kura did: what it says, when, and in which order; and it comes back
after losses by the law that was measured on real code.

The quirks of the recorded gateway are switched on where they show; by default ours does better.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.flows.kura.birth import say_again_later
from fleetrig.simulator.flows.kura.components import CLOUD_PID, DataService, MqttDataTransport
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.settings import KuraSettings
from fleetrig.simulator.flows.kura.store import REPLIES
from tests.golden.kura_player.comparing import ENVIRONMENT, LIFECYCLE, compare_case, is_close_to_the_limit
from tests.golden.kura_player.contents import Differs
from tests.golden.kura_player.damage import near_misses
from tests.golden.kura_player.gateway_player import RECORDED_QUIRKS, Cue, Cues, Doing, GatewayPlayer
from tests.golden.kura_player.recorded_broker import OPENED, Heard, RecordedBroker
from tests.golden.kura_player.recording import FOLDER, TRANSPORT, Case, Packet, read_lines, read_transcript

FILES: Final = ("kura-requests", "kura-keys", "kura-session", "kura-poison", "kura-json-session")
RECONNECT: Final = read_lines(FOLDER / "kura-reconnect.jsonl")
TRANSCRIPTS: Final = {name: read_transcript(name) for name in FILES}
pytestmark = pytest.mark.slow
CASES: Final = [(name, case.name) for name in FILES for case in TRANSCRIPTS[name].cases]
NOT_PLAYED: Final = {
    (
        "kura-session",
        "device call, answered",
    ): "its only call is that of provisioning (PROV-SIM1), which has its own tests",
}
"""(recording, case) -> why our gateway has no such thing."""

CONGESTION, REPUBLISHED = "QoS 0 publish behind the congestion", "broker drops connection, in-flight republished"
RATE = "rate limit: 5 publishes of priority 7, QoS 0"
UNLIMITED, LIMITED = 4, 7
"""Priorities of applications: the rate limit holds for the latter."""


# -- What was done on the gateway itself


def puts(topic: str, priority: int, qos: int = 0) -> Cue:
    """An application publishes."""

    def put(life: GatewayLife) -> Doing:
        yield from ()
        payload = recorded_payloads()[topic]
        life.store.put("telemetry", f"#account-name/#client-id/{topic}", payload, qos=qos, priority=priority)

    return put


@cache
def recorded_payloads() -> dict[str, bytes]:
    packets = [packet for packet in TRANSCRIPTS["kura-session"].packets if "/APP/" in packet.topic]
    return {packet.topic.split("/", 2)[2]: packet.payload or b"" for packet in packets}


def registers(application: str) -> Cue:
    def register(life: GatewayLife) -> Doing:
        yield from ()
        life.settings = replace(life.settings, applications=(*life.settings.applications, application))
        life.birth_parts.clear()
        say_again_later(life, apps=True)

    return register


def renames(name: str) -> Cue:
    def rename(life: GatewayLife) -> Doing:
        yield from life.configure({CLOUD_PID: {"device.custom-name": name}})
        say_again_later(life)

    return rename


def disconnects(life: GatewayLife) -> Doing:
    yield from ()
    life.is_switched_off = True


CUES: Final[Cues] = {
    CONGESTION: [(0.0, puts("APP/q0p1", REPLIES))],
    RATE: [*((0.0, puts(f"APP/r{number}", LIMITED)) for number in range(5)), (0.04, puts("APP/prio1", REPLIES))],
    "register 3 apps": [(float(number), registers(f"NEW-V{number}")) for number in range(3)],
    "cloud service update": [(0.0, renames("Gate2"))],
    "disconnect on request": [(0.0, disconnects)],
}
BEFORE: Final[Cues] = {
    CONGESTION: [
        *((2.0, puts(f"APP/t{number}", UNLIMITED, 1)) for number in range(12)), (2.0, puts("APP/q0", UNLIMITED)),
    ],
}  # fmt: skip
WITHHELD: Final = {"kura-session": frozenset({"$EDC/acct/gw-if/MQTT/BIRTH", "acct/gw-if/APP/"})}
"""The acknowledgement of the first BIRTH came too early to be noticed, as the recording's README tells."""


def player_of(quirks: frozenset[str] = RECORDED_QUIRKS) -> GatewayPlayer:
    return GatewayPlayer(CUES, BEFORE, WITHHELD, quirks)


@cache
def played(name: str) -> dict[str, str]:
    return player_of().play(TRANSCRIPTS[name])


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_gateway_behaves_as_recorded(name: str, case: str) -> None:
    difference = played(name)[case]
    if (name, case) in NOT_PLAYED:
        assert difference, "it does: take it off NOT_PLAYED"
    else:
        assert not difference


def test_nothing_is_left_out_that_was_not_recorded() -> None:
    assert NOT_PLAYED.keys() <= set(CASES)


# -- Defects of the recorded gateway are quirks


def test_without_its_quirk_a_reply_that_can_never_go_holds_nothing_up() -> None:
    """What the recorded gateway could not answer any more is answered; all else is as it was."""
    verdicts = player_of(frozenset({"reply-answered"})).play(TRANSCRIPTS["kura-poison"])
    differs = {case for case, difference in verdicts.items() if difference}
    assert differs == {"good request afterwards", "request after reconnect"}
    assert all("REPLY/r10" in verdicts[case] for case in differs)


def test_without_its_quirk_what_comes_under_reply_is_not_answered() -> None:
    verdicts = player_of(frozenset()).play(TRANSCRIPTS["kura-requests"])
    assert {case for case, difference in verdicts.items() if difference} == {"REPLY echoed"}


# -- Damaged copies


FREE: Final = frozenset({"packet id"})
"""Its own choice."""


@pytest.mark.parametrize("name", FILES)
def test_no_case_agrees_with_a_near_miss_of_what_the_device_said(name: str) -> None:
    """Judged by what ours has said once: nothing is played anew."""
    scene = RecordedScene(name)
    tried = 0
    for case in TRANSCRIPTS[name].cases:
        if (name, case.name) in NOT_PLAYED:
            continue
        for kind, packet, copy in near_misses(case, is_judged):
            if kind in FREE or not makes_a_difference(kind, packet):
                continue
            tried += 1
            assert scene.refuses(copy), (case.name, kind, packet.place)
    assert tried > len(TRANSCRIPTS[name].cases)


def is_judged(packet: Packet) -> bool:
    return packet.is_from_device and packet.kind not in TRANSPORT and packet.kind != "PUBACK"


def makes_a_difference(kind: str, packet: Packet) -> bool:
    """Bytes are compared by what they hold, where that is told; what comes from the environment is not compared."""
    if kind == "payload":
        return not {"fields", "text"} & packet.what.keys()
    if kind == "fewer metrics":
        return packet.what["fields"]["metrics"][0]["name"] not in ENVIRONMENT
    if kind in ("value", "type"):
        last = packet.what["fields"]["metrics"][-1] if packet.what["fields"].get("metrics") else {"name": ""}
        return last["name"] not in ENVIRONMENT and not str(last.get("value")).startswith("<")
    if kind == "gzip":
        return not packet.topic.endswith(LIFECYCLE) and not is_close_to_the_limit(packet.payload or b"")
    return kind != "text"


class RecordedScene:
    """What ours said in each case of a transcript."""

    def __init__(self, name: str) -> None:
        self._said: dict[str, list[tuple[float, Heard]]] = {}
        player_of().play(TRANSCRIPTS[name], self._said)

    def refuses(self, copy: Case) -> bool:
        try:
            compare_case(copy, self._said[copy.name], ())
        except Differs:
            return True
        return False


# -- Coming back


def delays_s(retry_interval_s: int, losses: int, seed: int) -> list[int]:
    """From a loss to the next connection, as measured on the real one: each session is cut half a second old."""
    broker = RecordedBroker("$EDC/acct/gw/", drops_after_us=US_PER_S // 2)
    data = DataService(retry_interval_s=retry_interval_s)
    transport = MqttDataTransport("mqtt://broker.test:1883", "acct", "dev", "pw", "gw")
    settings = KuraSettings(transport=transport, data=data, telemetry_interval_s=None)
    bench = VirtualBench(broker, Trace(), seed=seed)
    bench.power_on(Agent(DeviceIdentity("gw"), KuraGateway(settings)))
    bench.run_for(losses * (retry_interval_s / 5 + 1))
    opened = [at_us for at_us, one in broker.heard if one == OPENED]
    found = [(later - sooner) / US_PER_S - 0.5 for sooner, later in itertools.pairwise(opened)]
    assert all(abs(one - round(one)) < 0.1 for one in found), found
    return [round(one) for one in found]


def law(retry_interval_s: int) -> dict[int, float]:
    """Delay -> how likely it is (spec 4.4)."""
    steps = max(1, retry_interval_s // 5)
    share: Counter[int] = Counter()
    for drawn in range(steps):
        share[max(1, drawn)] += 1
    return {delay: number / steps for delay, number in share.items()}


def chi_square(seen: Mapping[int, int], expected: Mapping[int, float]) -> float:
    total = sum(seen.values())
    return sum((seen.get(delay, 0) - total * share) ** 2 / (total * share) for delay, share in expected.items())


LIMITS: Final = {2: 13.8, 10: 29.6}
"""Degrees of freedom -> what chance exceeds once in a thousand times."""


@pytest.mark.parametrize("measured", RECONNECT[:2], ids=lambda line: f"R={line['retry_interval']}")
def test_delays_are_drawn_as_on_the_real_one(measured: dict[str, Any]) -> None:
    expected = law(measured["retry_interval"])
    recorded = {int(delay): number for delay, number in measured["histogram_s"].items()}
    assert recorded == Counter(round(delay) for delay in measured["delays_s"])
    assert recorded.keys() <= expected.keys()
    ours = Counter(delays_s(measured["retry_interval"], 400, seed=5))
    assert sum(ours.values()) > 300
    assert ours.keys() <= expected.keys()
    limit = LIMITS[len(expected) - 1]
    assert chi_square(recorded, expected) < limit
    assert chi_square(ours, expected) < limit


def test_a_law_without_jitter_is_told_from_the_real_one() -> None:
    even = dict.fromkeys(range(1, 13), 1 / 12)
    recorded = {int(delay): number for delay, number in RECONNECT[0]["histogram_s"].items()}
    assert chi_square({1: sum(recorded.values())}, law(60)) > LIMITS[10]
    assert chi_square(Counter(delays_s(60, 400, seed=5)), even) > LIMITS[10]


def attempts_s(connack: int | None, for_s: float, **data: Any) -> list[float]:
    """When it connects to a broker that lets nobody in."""
    broker = RecordedBroker("$EDC/acct/gw/", connack=connack)
    timeout_s = data.pop("timeout_s", 10)
    transport = MqttDataTransport("mqtt://broker.test:1883", "acct", "dev", "pw", "gw", timeout_s=timeout_s)
    settings = KuraSettings(transport=transport, data=DataService(**data), telemetry_interval_s=None)
    bench = VirtualBench(broker, Trace(), seed=1)
    bench.power_on(Agent(DeviceIdentity("gw"), KuraGateway(settings)))
    bench.run_for(for_s)
    return [at_us / US_PER_S for at_us, one in broker.heard if one == OPENED]


def test_refused_attempts_come_at_a_fixed_rate() -> None:
    (line,) = [one for one in RECONNECT if one["what"] == "CONNACK 5"]
    opened = attempts_s(5, 120, retry_interval_s=line["retry_interval"])
    gaps = {round(later - sooner, 2) for sooner, later in itertools.pairwise(opened)}
    assert gaps == {float(line["retry_interval"])}
    assert len(opened) == 120 // line["retry_interval"]


def test_an_attempt_without_an_answer_takes_as_long_as_measured() -> None:
    (line,) = [one for one in RECONNECT if "attempt_length_s" in one]
    opened = attempts_s(None, 120, retry_interval_s=line["retry_interval"], timeout_s=line["timeout"])
    gaps = [later - sooner for sooner, later in itertools.pairwise(opened)]
    assert gaps
    assert all(abs(gap - line["attempt_length_s"]) < 0.2 for gap in gaps), gaps


@pytest.mark.parametrize(("connack", "reboots"), [(3, True), (5, False)])
def test_the_watchdog_reboots_after_failures_that_count(connack: int, reboots: bool) -> None:
    """Failure after failure is a check-in, up to the third; then five intervals of silence (G-47)."""
    (line,) = [one for one in RECONNECT if one["what"] == "CONNACK 5"]
    most, interval_s = line["recovery_max_failures"], line["retry_interval"]
    opened = attempts_s(connack, 60, retry_interval_s=interval_s, recovery=True, recovery_max_failures=most)
    gaps = [later - sooner for sooner, later in itertools.pairwise(opened)]
    assert (max(gaps) > 2 * interval_s) is reboots
