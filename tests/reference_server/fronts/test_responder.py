"""Every way in which an answer fails to arrive, as a plain socket sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.http import FileSlice, HttpResponse
from tests.reference_server.fronts.conftest import FrontBench
from tests.reference_server.fronts.peer import Peer, is_refused

REQUEST = b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.REFUSED])
def test_reset_is_a_rst(bench: FrontBench, ending: Ending) -> None:
    bench.answers(HttpResponse(200), ending=ending)
    with bench.peer() as peer:
        peer.send(REQUEST)
        with pytest.raises(ConnectionResetError):
            peer.rest()
    assert bench.said() == [("fault", ending)]


def test_a_refused_delivery_asks_whether_anybody_should_listen(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200), ending=Ending.REFUSED)
    with bench.peer() as peer:
        peer.send(REQUEST)
        with pytest.raises(ConnectionResetError):
            peer.rest()
    bench.loop.call(lambda: None)
    assert bench.refusals == 1


def test_closed_is_an_end_without_an_answer(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200), ending=Ending.CLOSED)
    with bench.peer() as peer:
        peer.send(REQUEST)
        assert peer.rest() == b""
    assert bench.said() == [("fault", "closed")]


def test_silence_lasts_until_the_client_leaves(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200), ending=Ending.SILENCE)
    with bench.peer() as peer, bench.peer() as other:
        peer.send(REQUEST)
        other.send(REQUEST)
        wait_for_fault(bench, 2)
        peer.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            peer.rest()
        bench.answers(HttpResponse(204))
        with bench.peer() as third:
            assert third.get().status == 204
        other.say_no_more()
        assert other.rest() == b""
    assert bench.said() == [("fault", "silence")] * 2


def test_silence_ends_with_the_server(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200), ending=Ending.SILENCE)
    with bench.peer() as peer:
        peer.send(REQUEST)
        wait_for_fault(bench, 1)
        bench.loop.run(bench.front.close())
        assert peer.rest() == b""


@pytest.mark.parametrize(("cut_after_bytes", "arrives"), [(None, 5), (0, 0), (3, 3), (99, 10)])
def test_truncated_promises_more_than_comes(bench: FrontBench, cut_after_bytes: int | None, arrives: int) -> None:
    bench.answers(HttpResponse(200, (), b"0123456789"), ending=Ending.TRUNCATED, cut_after_bytes=cut_after_bytes)
    with bench.peer() as peer:
        peer.send(REQUEST)
        head, _, body = peer.rest().partition(b"\r\n\r\n")
    assert b"Content-Length: 10" in head
    assert body == b"0123456789"[:arrives]
    assert bench.said() == [("fault", "truncated")]


def test_truncated_files(bench: FrontBench, image: Path) -> None:
    parts = (b"abc", FileSlice(str(image), 100, 2_000_000), b"end")
    bench.answers(HttpResponse(200, (), parts), ending=Ending.TRUNCATED, cut_after_bytes=500_003)
    with bench.peer() as peer:
        peer.send(REQUEST)
        head, _, body = peer.rest().partition(b"\r\n\r\n")
    assert b"Content-Length: 2000006" in head
    assert body == b"abc" + image.read_bytes()[100:500_100]


def test_a_late_answer_is_whole(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200, body=b"late"), delay_us=20_000)
    with bench.peer() as peer:
        for _ in range(2):
            assert peer.get().body == b"late"
    assert bench.said() == [], "the server lane says why"


def test_late_and_spoilt(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200), ending=Ending.RESET, delay_us=20_000)
    with bench.peer() as peer:
        peer.send(REQUEST)
        with pytest.raises(ConnectionResetError):
            peer.rest()
    assert bench.said() == [("fault", "reset")]


def test_a_client_that_does_not_wait_for_a_late_answer(bench: FrontBench) -> None:
    bench.answers(HttpResponse(200), delay_us=3_600_000_000)
    with bench.peer() as peer:
        peer.send(REQUEST)
        wait_until(bench, lambda: bool(bench.seen))
        peer.say_no_more()
        assert peer.rest() == b""
    bench.loop.run(bench.front.close())
    assert bench.bugs == []


def test_an_outage_refuses_throws_out_and_comes_back_on_the_same_port(bench: FrontBench) -> None:
    with bench.peer() as peer:
        assert peer.get().status == 200
        bench.loop.call(bench.front.refuse)
        with pytest.raises(ConnectionResetError):
            peer.rest()
    assert all(is_refused(bench.port) for _ in range(3))
    bench.loop.run(bench.front.accept_again())
    with bench.peer() as peer:
        assert peer.get().status == 200
    assert [event.reason for event in bench.events] == ["stopped listening", "listening again"]


def test_a_server_that_stops_in_an_outage(bench: FrontBench) -> None:
    bench.loop.call(bench.front.refuse)
    bench.loop.run(bench.front.close())
    assert is_refused(bench.port)


def wait_for_fault(bench: FrontBench, count: int) -> None:
    """Until so many deliveries are being performed."""
    wait_until(bench, lambda: len(bench.events) >= count)


def wait_until(bench: FrontBench, met: Callable[[], bool]) -> None:
    """Each pass is a round trip to the server's thread."""
    for _ in range(10_000):
        if met():
            return
        bench.loop.call(lambda: None)
    raise AssertionError(f"it never came about; {len(bench.events)} events")


def test_stopping_lets_the_last_answer_out(bench: FrontBench, image: Path) -> None:
    whole = image.read_bytes()
    bench.answers(HttpResponse(200, body=FileSlice(str(image), 0, len(whole))))
    with Peer(bench.port) as peer:
        assert peer.get().body == whole
        bench.loop.run(bench.front.close())
        assert peer.rest() == b""
