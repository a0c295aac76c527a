"""Answers are read however they come in pieces, and what is none is refused."""

from __future__ import annotations

import pytest

from fleetrig.simulator.drivers.load.arriving_answer import ArrivingAnswer, Truncated
from fleetrig.simulator.effects import REPLY_LIMIT_BYTES

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Empty:\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
UNTIL_THE_END = b"HTTP/1.0 200 OK\r\n\r\nabc"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE


def read(data: bytes, piece_bytes: int, method: str = "GET") -> ArrivingAnswer:
    answer = ArrivingAnswer(method)
    for at in range(0, len(data), piece_bytes):
        answer.arrived(data[at : at + piece_bytes])
    return answer


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
@pytest.mark.parametrize(("data", "body"), [(WHOLE, b"{}"), (CHUNKED, b"abc"), (INTERIM, b"{}")])
def test_an_answer_is_whole_when_its_last_byte_is_there(data: bytes, body: bytes, piece_bytes: int) -> None:
    answer = read(data, piece_bytes)

    assert answer.is_complete
    assert (answer.get_code(), answer.body) == (200, body)
    assert answer.should_keep_alive()


def test_headers_are_as_they_came() -> None:
    assert read(WHOLE, 3).headers == (("Content-Type", "application/json"), ("X-Empty", ""), ("Content-Length", "2"))


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    answer = read(UNTIL_THE_END, 5)
    assert not answer.is_complete
    answer.arrived(b"")

    assert answer.is_complete
    assert answer.body == b"abc"
    assert not answer.should_keep_alive()


def test_the_answer_to_head_has_no_body() -> None:
    assert read(WHOLE[:-2], 1000, "HEAD").is_complete


def test_an_end_before_anything_is_told_from_an_end_in_the_middle() -> None:
    with pytest.raises(EOFError):
        ArrivingAnswer("GET").arrived(b"")
    half = read(WHOLE[:-1], 1000)
    with pytest.raises((Truncated, ValueError)):
        half.arrived(b"")


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ArrivingAnswer("GET").arrived(b"SSH-2.0-OpenSSH_9.2\r\n")


def test_an_answer_beyond_the_limit_is_refused() -> None:
    answer = read(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (REPLY_LIMIT_BYTES + 1), 1000)
    answer.arrived(b"x" * REPLY_LIMIT_BYTES)

    with pytest.raises(ValueError, match="more than"):
        answer.arrived(b"x")
