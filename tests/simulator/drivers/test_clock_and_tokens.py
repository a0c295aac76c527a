"""A device's clock and what nobody can guess: the same in all drivers, and taken from what was seen by the oracle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

import gevent
import pytest

from fleetrig.simulator.agent import Agent, CutPoint
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPublish
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.draw import drawn_token
from fleetrig.simulator.drivers.load.bench import LoadBench
from fleetrig.simulator.drivers.oracle import Oracle
from fleetrig.simulator.drivers.oracle_outcomes import ToldDevice
from fleetrig.simulator.drivers.oracle_rules import Leniency, Tolerance
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import (
    Await,
    Connect,
    DrawToken,
    Flow,
    Pause,
    connect,
    draw_token,
    pause,
    read_clock,
    tell,
    wait_for,
)
from tests.simulator.http_only import HttpOnly

LONG_S = 20.0
Notes = list[tuple[str, int, str]]


def watcher(serial: str, notes: Notes, last: int = 2) -> Agent:
    """Notes what its clock shows and what it drew, a hundredth of a second apart."""

    def program(device: DeviceIdentity, _: object) -> Flow:
        for _ in range(last):
            at_us = yield from read_clock()
            notes.append((device.serial, at_us, (yield from draw_token("nonce", 16))))
            yield from pause(Pause(0.01, 0.01, "a moment"))

    return Agent(DeviceIdentity(serial), program)


def nothing(*_: object) -> Delivery:
    return Delivery(HttpResponse(404))


def until(met: Callable[[], bool]) -> Director[bool]:
    answer = yield Until(met, LONG_S)
    assert isinstance(answer, bool)
    return answer


def in_virtual_time(seed: int = 1, cut: str = "") -> Notes:
    notes: Notes = []
    bench = VirtualBench(HttpOnly(nothing), Trace(), seed=seed)
    for serial in ("KU-1", "KU-2"):
        bench.power_on(watcher(serial, notes), trigger=PowerCutTrigger(CutPoint.parse(cut), 1.0) if cut else None)
    bench.run_for(10.0)
    return notes


def in_real_time() -> Notes:
    notes: Notes = []

    async def told() -> None:
        async with RealBench(Trace(), seed=1) as bench:
            for serial in ("KU-1", "KU-2"):
                bench.power_on(watcher(serial, notes))
            assert await bench.run(until(lambda: len(notes) == 4))

    asyncio.run(told())
    return notes


def under_load() -> Notes:
    notes: Notes = []
    bench = LoadBench(Trace(), gevent.spawn, lambda *_: None, seed=1)
    for serial in ("KU-1", "KU-2"):
        bench.power_on(watcher(serial, notes))
    assert bench.run(until(lambda: len(notes) == 4))
    bench.close()
    bench.close_admin()
    return notes


def tokens(notes: Notes) -> list[tuple[str, str]]:
    return sorted((serial, token) for serial, _, token in notes)


def test_virtual_time_is_what_the_clock_shows() -> None:
    notes = in_virtual_time()
    shown = [at_us for serial, at_us, _ in notes if serial == "KU-1"]

    assert shown == [VIRTUAL_EPOCH_US, VIRTUAL_EPOCH_US + 10_000]


@pytest.mark.parametrize("driven", [in_real_time, under_load])
def test_a_driver_in_real_time_has_a_real_clock_and_the_same_chance(driven: Callable[[], Notes]) -> None:
    before_us = time.time_ns() // 1_000 - US_PER_S
    notes = driven()
    after_us = time.time_ns() // 1_000 + US_PER_S
    first, second = [at_us for serial, at_us, _ in notes if serial == "KU-1"]

    assert before_us < first < second < after_us
    assert tokens(notes) == tokens(in_virtual_time())


def test_no_token_comes_twice() -> None:
    drawn = [token for seed in (1, 2) for _, _, token in in_virtual_time(seed)]

    assert len(set(drawn)) == 8
    assert {len(token) for token in drawn} == {32}


def test_the_tokens_are_known() -> None:
    """A stored trace must be repeatable in years to come: these values never change."""
    agent = watcher("KU-1", [])

    assert [drawn_token(1, agent, DrawToken("id", size)).text for size in (4, 4, 0)] == ["89c33082", "5e872f40", ""]
    assert agent.draws == 3


def test_power_can_be_cut_before_a_token_is_drawn() -> None:
    notes = in_virtual_time(cut="draw-nonce#1:before")

    assert [(serial, at_us) for serial, at_us, _ in notes][:2] == [
        ("KU-1", VIRTUAL_EPOCH_US + US_PER_S),
        ("KU-2", VIRTUAL_EPOCH_US + US_PER_S),
    ]


def test_power_that_was_cut_brings_no_token_back() -> None:
    drawn = [token for _, _, token in in_virtual_time(cut="pause-a-moment#1:before")]

    assert len(drawn) == len(set(drawn)) == 6


# The oracle

WHERE = "mqtt://broker.test"


def asker(device: DeviceIdentity, _: object) -> Flow:
    """Says a number that nobody can guess, and when; hears what is said to that number, and thanks."""
    yield from connect(Connect("login", WHERE, MqttConnect(device.serial), 5.0))
    token = yield from draw_token("id", 4)
    at_us = yield from read_clock()
    yield from tell("ask", MqttPublish(f"ask/{token}", str(at_us).encode()))
    yield from wait_for(Await("answer", (f"PUBLISH answer/{token}",), 60.0, 60.0))
    yield from tell("thanks", MqttPublish(f"thanks/{token}"))


def token_in(wanted: DrawToken, said: Envelope) -> str | None:
    is_ask = isinstance(said, MqttPublish) and said.topic.startswith("ask/") and wanted.name == "id"
    return said.line.partition("/")[2] if is_ask else None


def followed(*said: tuple[str, Envelope], reader: bool = True, answer: str = "") -> str:
    """What the oracle did not expect; `answer`: what the device was told after it had asked."""
    oracle = Oracle(Leniency(token_in=token_in if reader else None), Tolerance.STRICT)
    agent = Agent(DeviceIdentity("KU-1"), asker)
    oracle.power_on(lambda memory: asker(agent.identity, memory), VIRTUAL_EPOCH_US)
    for number, (name, envelope) in enumerate(said):
        at_us = VIRTUAL_EPOCH_US + number * 1_000
        event = TraceEvent(at_us, number, "KU-1", Lane.SERVER, "request", envelope, name=name)
        oracle.sent(event, lambda memory: asker(agent.identity, memory))
        if name == "login":
            oracle.answered(ToldDevice(MqttConnack()))
        if name == "ask" and answer:
            oracle.answered(ToldDevice(MqttPublish(answer)))
    return "" if oracle.divergence is None else f"{oracle.divergence.came}, not {oracle.divergence.permitted}"


def patient(device: DeviceIdentity, _: object) -> Flow:
    """Waits for an order, and for as long again as it has waited."""
    yield from connect(Connect("login", WHERE, MqttConnect(device.serial), 5.0))
    came = yield from wait_for(Await("order", ("PUBLISH order",), 60.0, 60.0))
    yield Pause(came.after_s, came.after_s, "as long again")
    yield from tell("done", MqttPublish("done"))


@pytest.mark.parametrize(
    ("ordered_s", "late_s", "done_s", "found"),
    [(10, 0, 20, ""), (10, 0, 9, "not before 20.000 s"), (2, 8, 20, ""), (2, 8, 9, "not before 20.000 s")],
)
def test_the_oracle_knows_how_long_an_awaited_message_took(
    ordered_s: int, late_s: int, done_s: int, found: str
) -> None:
    """`late_s`: how much later than it was told it goes out."""
    oracle = Oracle(Leniency(), Tolerance.STRICT)
    program = partial(patient, DeviceIdentity("KU-1"))
    oracle.power_on(program, VIRTUAL_EPOCH_US)
    for at_s, name, envelope in ((0, "login", MqttConnect("KU-1")), (done_s, "done", MqttPublish("done"))):
        at_us = VIRTUAL_EPOCH_US + at_s * US_PER_S
        oracle.sent(TraceEvent(at_us, at_s, "KU-1", Lane.SERVER, "request", envelope, name=name), program)
        if name == "login":
            oracle.answered(ToldDevice(MqttConnack(), at_us=at_us))
            out_us = at_us + (ordered_s + late_s) * US_PER_S
            oracle.answered(ToldDevice(MqttPublish("order"), at_us=out_us))
    assert found in ("" if oracle.divergence is None else str(oracle.divergence.permitted))
    assert (oracle.divergence is None) is (not found)


def early(device: DeviceIdentity, _: object) -> Flow:
    """Looks at its clock long before it says anything, and again before it waits."""
    yield from connect(Connect("login", WHERE, MqttConnect(device.serial), 5.0))
    first_us = yield from read_clock()
    yield Pause(30.0, 30.0, "half a minute")
    now_us = yield from read_clock()
    if now_us - first_us >= 30 * US_PER_S:
        yield from tell("late", MqttPublish("late"))


def test_a_device_may_have_looked_at_its_clock_long_before_it_spoke() -> None:
    oracle, program = Oracle(Leniency(), Tolerance.STRICT), partial(early, DeviceIdentity("KU-1"))
    oracle.power_on(program, VIRTUAL_EPOCH_US)
    for at_s, name, envelope in ((0, "login", MqttConnect("KU-1")), (30, "late", MqttPublish("late"))):
        at_us = VIRTUAL_EPOCH_US + at_s * US_PER_S
        oracle.sent(TraceEvent(at_us, at_s, "KU-1", Lane.SERVER, "request", envelope, name=name), program)
        oracle.answered(ToldDevice(MqttConnack(), at_us=at_us))
    assert oracle.divergence is None


def test_a_connection_that_ends_behind_a_power_cut_is_no_goodbye() -> None:
    oracle, program = Oracle(Leniency(), Tolerance.STRICT), partial(patient, DeviceIdentity("KU-1"))
    oracle.power_on(program, VIRTUAL_EPOCH_US)
    login = TraceEvent(VIRTUAL_EPOCH_US, 1, "KU-1", Lane.SERVER, "request", MqttConnect("KU-1"), name="login")
    oracle.sent(login, program)
    oracle.power_off()
    oracle.sent(TraceEvent(VIRTUAL_EPOCH_US + 1, 2, "KU-1", Lane.SERVER, "closed", name="hang-up"), program)
    assert (oracle.divergence, oracle.followed) == (None, 1)


LOGIN = ("login", MqttConnect("KU-1"))
ASK = ("ask", MqttPublish("ask/any-text", str(VIRTUAL_EPOCH_US + 1_000).encode()))
THANKS = ("thanks", MqttPublish("thanks/any-text"))


def test_the_oracle_takes_token_and_time_from_what_was_said() -> None:
    assert not followed(LOGIN, ASK, THANKS, answer="answer/any-text")


def test_a_token_that_changes_is_found() -> None:
    assert "thanks/other" in followed(LOGIN, ASK, ("thanks", MqttPublish("thanks/other")), answer="answer/any-text")


def test_an_answer_to_another_token_is_not_what_was_waited_for() -> None:
    assert "not before 60.000 s" in followed(LOGIN, ASK, THANKS, answer="answer/other")


def test_a_time_that_the_clock_cannot_have_shown_is_found() -> None:
    assert "body" in followed(LOGIN, ("ask", MqttPublish("ask/any-text", b"7")))


def test_without_a_reader_no_token_is_known() -> None:
    assert "ask/any-text" in followed(LOGIN, ASK, reader=False)
