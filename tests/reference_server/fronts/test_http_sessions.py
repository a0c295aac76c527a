"""What a front knows of its connections, what container rules make of them, and what a server does unasked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fleetrig.reference_server.http_container import PLAIN_CONTAINER
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Send
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpResponse
from tests.reference_server.fronts.conftest import CONTAINER, FrontBench


def test_a_platform_without_container_rules_gets_a_line_of_text(start_front: Callable[..., FrontBench]) -> None:
    bench = start_front(PLAIN_CONTAINER)
    with bench.peer() as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
        answer = peer.answer()
        assert (answer.status, answer.body) == (400, b"400 Bad Request\n")
        assert answer.header("Connection") == "close"
        assert peer.rest() == b""


def test_container_rules_say_after_which_answers_a_connection_closes(start_front: Callable[..., FrontBench]) -> None:
    plain = PLAIN_CONTAINER
    for rules, status, connection in [(plain, 400, None), (CONTAINER, 400, "close"), (plain, 413, "close")]:
        bench = start_front(rules)
        bench.answers(HttpResponse(status))
        with bench.peer() as peer:
            assert peer.get().header("Connection") == connection


def test_sessions_are_counted_and_know_their_listener(bench: FrontBench) -> None:
    with bench.peer() as one, bench.peer() as two:
        for peer in (one, two, one):
            peer.get()
    first, second, third = bench.sessions
    assert (first.listener, first.tls, third) == ("http", False, first)
    assert {first.id, second.id} == {1, 2}


def test_a_server_can_close_a_connection_unasked(bench: FrontBench) -> None:
    with bench.peer() as closed, bench.peer() as torn, bench.peer() as kept:
        for peer in (closed, torn, kept):
            peer.get()
        ids = [session.id for session in bench.sessions]
        outputs = [Close(ids[0]), Close(ids[1], Ending.RESET), Close(ids[2], Ending.SILENCE), Close(999)]
        bench.loop.call(lambda: bench.front.perform(outputs))
        assert closed.rest() == b""
        with pytest.raises(ConnectionResetError):
            torn.rest()
        assert kept.get().status == 200
        with pytest.raises(ModelError, match="nothing can be sent unasked"):
            bench.loop.call(lambda: bench.front.perform([Send(ids[2], HttpResponse(200))]))
