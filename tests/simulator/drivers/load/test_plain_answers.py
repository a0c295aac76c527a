"""What is read without the parser is read as the parser reads it; all else is left to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.drivers.load.arriving_answer import ArrivingAnswer, Truncated
from fleetrig.simulator.drivers.load.plain_answers import MOST_LINES, PlainAnswers

PLAIN = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "a: b"\r\nContent-Length: 2\r\n\r\n{}'
PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK", b"HTTP/1.1 404 ", b"HTTP/1.1 304 Not Modified", b"HTTP/1.0 200 OK",
        b"HTTP/1.1 100 Continue",
        b"\r\n", b"\r\n", b"\r\n", b"\r\n\r\n", b"\n",
        b"Content-Length: 2", b"content-length: 3", b"Content-Length: +2",
        b"Transfer-Encoding: chunked", b"Connection: close",
        b"A: b", b"A : b", b"A:b", b" folded", b"{}", b"{} ", b"\x00",
        b"X: \xe9",
    ]
)  # fmt: skip


def by_parser(data: bytes) -> ArrivingAnswer:
    answer = ArrivingAnswer("GET")
    answer.arrived(data)
    return answer


def assert_as_by_parser(data: bytes, plain: PlainAnswers) -> None:
    read = plain.read(data)
    if read is not None:
        answer = by_parser(data)
        assert answer.is_complete
        assert answer.should_keep_alive()
        assert (read.status, read.headers, read.body) == (answer.get_code(), answer.headers, answer.body)


def test_a_plain_answer_is_read() -> None:
    plain = PlainAnswers()
    for _ in range(2):
        assert plain.read(PLAIN) is not None
        assert_as_by_parser(PLAIN, plain)


@given(st.lists(PIECES, max_size=12))
def test_whatever_is_read_the_parser_reads_alike(pieces: list[bytes]) -> None:
    assert_as_by_parser(b"".join(pieces), PlainAnswers())


@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255))
def test_so_it_is_with_any_byte_changed(at: int, byte: int) -> None:
    assert_as_by_parser(PLAIN[:at] + bytes([byte]) + PLAIN[at + 1 :], PlainAnswers())


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1],
        PLAIN + b"x",
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 2"),
        PLAIN.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        PLAIN.replace(b"ETag", b"Connection: close\r\nETag"),
        PLAIN.replace(b"200 OK", b"304 Not Modified"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
        b"",
    ],
    ids=["cut", "too much", "two lengths", "chunked", "closing", "no body", "interim", "nothing"],
)
def test_what_is_not_plain_is_left_to_the_parser(data: bytes) -> None:
    assert PlainAnswers().read(data) is None


def test_lines_that_change_all_the_time_take_no_more_memory() -> None:
    plain = PlainAnswers()
    for number in range(2 * MOST_LINES):
        assert plain.read(PLAIN.replace(b"a: b", b"%d" % number)) is not None
    assert len(plain._lines) <= MOST_LINES


def test_an_end_of_the_connection_is_the_parsers_to_judge() -> None:
    with pytest.raises((EOFError, Truncated)):
        by_parser(b"")
