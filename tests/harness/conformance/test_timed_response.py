"""A deadline for whole answers, on a clock that is moved by hand."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Iterator

import pytest

from fleetrig.harness.conformance import timed_response
from fleetrig.harness.conformance.timed_response import AT_MOST_BYTES, Deadline, timed


class MovedByHand:
    """A clock."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> MovedByHand:
    clock = MovedByHand()
    monkeypatch.setattr(timed_response, "time", clock)
    return clock


@pytest.fixture(name="ends")
def _ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_time_runs_out_for_the_whole_answer(clock: MovedByHand) -> None:
    deadline = Deadline(10.0)
    assert deadline.left_s() == 10.0
    clock.now_s += 9.5
    assert deadline.left_s() == 0.5
    clock.now_s += 0.5
    with pytest.raises(TimeoutError):
        deadline.left_s()
    deadline.restart()
    assert deadline.left_s() == 10.0


def test_bytes_run_out_for_the_whole_answer() -> None:
    deadline = Deadline(10.0)
    deadline.take(AT_MOST_BYTES)
    with pytest.raises(http.client.HTTPException, match="more than 65 MiB"):
        deadline.take(1)
    deadline.restart()
    deadline.take(AT_MOST_BYTES)


def test_each_read_gets_what_is_left(clock: MovedByHand, ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    response = timed(Deadline(10.0))(ours)
    theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    response.begin()
    assert response.read(2) == b"ab"
    clock.now_s += 7.0
    theirs.sendall(b"c")
    assert response.read(1) == b"c"
    assert ours.gettimeout() == 3.0
    clock.now_s += 3.0
    theirs.sendall(b"d")
    with pytest.raises(TimeoutError):
        response.read(1)


def test_an_answer_outlives_the_connection_that_let_go_of_it(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    response = timed(Deadline(10.0))(ours)
    ours.close()
    theirs.sendall(b"HTTP/1.0 200 OK\r\n\r\nall of it")
    theirs.shutdown(socket.SHUT_WR)
    response.begin()
    assert response.read() == b"all of it"
    response.close()


def test_what_is_read_is_a_file(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = ends
    file = timed_response._TimedSocket(ours, Deadline(1.0)).makefile("rb")
    with file:
        assert isinstance(file, io.BufferedReader)
        assert file.readable()
