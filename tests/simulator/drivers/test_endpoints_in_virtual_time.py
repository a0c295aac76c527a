"""CoAP's endpoints in virtual time: UDP has no end, a server forgets whom it likes, and devices give up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send, Unheard
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.effects import Ask, Await, Effect, NoReply, Outcome, Reply, Tell
from tests.simulator.drivers.test_conversations import Life
from tests.simulator.scripted_server import ScriptedServer

POST = CoapRequest("POST", "coap://tb.test:5683", "/a")


class Server(ScriptedServer):
    """Answers the first request with `first`, and all others with 2.04."""

    def __init__(self, first: Output) -> None:
        super().__init__(self._answer)
        self._first: Output | None = first

    def _answer(self, session: Session, envelope: Envelope) -> Sequence[Output]:
        assert isinstance(envelope, CoapRequest)
        first, self._first = self._first, None
        return (Send(session.id, CoapResponse("2.04", token=envelope.token)),) if first is None else (first,)


def seen(outcomes: list[tuple[int, Outcome]]) -> list[str]:
    return [
        outcome.envelope.line if isinstance(outcome, Reply) else getattr(outcome, "why", "") for _, outcome in outcomes
    ]


def ask(within_s: float, request: CoapRequest = POST) -> Effect:
    return Ask("post", request, within_s)


def test_who_is_forgotten_asks_again_and_is_another_session() -> None:
    life = Life([ask(60.0)], Server(Close(1))).run()
    assert life.outcomes == [(2_502_000, Reply(CoapResponse("2.04", token=b"\0\0\0\1"), 2.502))]
    assert [(session, line) for _, session, line in life.told] == [
        (1, "opened coap"), (1, "POST coap:/a"), (1, "closed"), (2, "opened coap"), (2, "POST coap:/a"), (2, "closed")
    ]  # fmt: skip


def test_what_the_device_gives_up_is_not_repeated() -> None:
    life = Life([ask(1.0), Await("idle", ("*",), 30.0, 30.0)], Server(Close(1))).run()
    assert seen(life.outcomes) == ["timeout", "timeout"]
    assert [line for _, _, line in life.told].count("POST coap:/a") == 1
    life = Life([ask(1.0), Await("idle", ("*",), 30.0, 30.0)], Server(Unheard(1))).run()
    assert seen(life.outcomes) == ["timeout", "timeout"]
    assert [line for _, _, line in life.told].count("POST coap:/a") == 1


def test_what_was_told_is_repeated_though_nobody_waits() -> None:
    life = Life([Tell("report", POST), Await("answer", ("2.04",), 30.0, 30.0)], Server(Unheard(1))).run()
    assert seen(life.outcomes) == ["", "2.04"]


def test_a_reset_refuses_what_waits_for_an_answer() -> None:
    life = Life([ask(5.0), ask(5.0)], Server(Close(1, Ending.RESET))).run()
    assert seen(life.outcomes) == ["RST", "2.04"]
    assert [session for _, session, line in life.told if line == "opened coap"] == [1, 2]


def test_an_idle_device_does_not_see_that_it_is_forgotten() -> None:
    server = Server(Send(1, CoapResponse("2.04", token=b"\0\0\0\1")))
    server.acts = [(VIRTUAL_EPOCH_US + 500_000, (Close(1),))]
    life = Life([ask(5.0), Await("idle", ("*",), 1.0, 1.0), ask(5.0)], server).run()
    assert seen(life.outcomes) == ["2.04", "timeout", "2.04"]
    assert [session for _, session, line in life.told if line == "opened coap"] == [1, 2]


def test_over_dtls_an_end_is_seen() -> None:
    secure = CoapRequest("POST", "coaps://tb.test:5684", "/a")
    life = Life([ask(5.0, secure)], Server(Close(1))).run()
    assert seen(life.outcomes) == ["closed"]


def test_over_dtls_who_is_forgotten_is_a_stranger_without_a_handshake() -> None:
    secure = CoapRequest("POST", "coaps://tb.test:5684", "/a")
    life = Life([ask(5.0, secure), ask(5.0, secure)], Server(Close(1, Ending.SILENCE))).run()
    assert seen(life.outcomes) == ["timeout", "timeout"]
    assert [session for _, session, line in life.told if line == "opened coaps"] == [1]


@pytest.mark.parametrize("token", [b"\0\0\0\1", b"else"])
def test_an_answer_to_nothing_is_not_taken(token: bytes) -> None:
    answer = Send(1, CoapResponse("2.04", token=token))
    server = ScriptedServer(lambda session, envelope: (answer, answer))
    life = Life([ask(1.0), Await("again", ("2.04",), 1.0, 1.0)], server).run()
    assert seen(life.outcomes) == (["timeout", "timeout"] if token == b"else" else ["2.04", "timeout"])
    assert life.outcomes[-1][1] == NoReply("timeout", 1.0)
