"""HTTP written by hand: what is sent, and what comes back that is no answer."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from fleetrig.harness.conformance import raw_exchange as raw_exchange_module
from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.raw_exchange import RawExchange, raw_exchange
from tests.harness.conformance.raw_server import LIMIT_S, Talk, answer, raw_server

QUICKLY_S = 0.2
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@contextlib.contextmanager
def exchange_with(talk: Talk, method: str = "POST") -> Iterator[RawExchange]:
    with (
        raw_server(talk) as url,
        contextlib.closing(ExactClient(url)) as client,
        raw_exchange(client, method) as exchange,
    ):
        yield exchange


def after(count: int, *said: bytes) -> Talk:
    """These pieces once so many bytes have come."""

    def talk(connection: socket.socket) -> None:
        data = b""
        while len(data) < count:
            data += connection.recv(1024)
        for piece in said:
            connection.sendall(piece)

    return talk


def test_pieces_go_out_as_they_are_and_the_answer_is_read() -> None:
    came: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        while not b"".join(came).endswith(b"}"):
            came.append(connection.recv(1024))
        connection.sendall(answer(201, "made"))

    with exchange_with(talk) as exchange:
        for piece in (b"POST / HT", b"TP/1.1\r\nHost : x\r\n\r\n", b"{}"):
            exchange.send(piece)
        got = exchange.answer()
    assert b"".join(came) == b"POST / HTTP/1.1\r\nHost : x\r\n\r\n{}"
    assert (got.status, got.text, got.request) == (201, "made", "POST written by hand")


def test_an_interim_answer_is_told_from_the_final_one() -> None:
    said = CONTINUE + answer(200, "final")
    with exchange_with(after(1, *(said[at : at + 1] for at in range(len(said))))) as exchange:
        exchange.send(b"x")
        assert exchange.interim(30.0) == "HTTP/1.1 100 Continue"
        assert exchange.answer().text == "final"


def test_no_interim_answer_in_time() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(1024):
            pass

    with exchange_with(silent) as exchange:
        exchange.send(b"x")
        with pytest.raises(Mismatch, match=r"^expected an interim answer within 0.2 s; got none$"):
            exchange.interim(QUICKLY_S)


@pytest.mark.parametrize(
    ("said", "got"),
    [(b"", "the connection was closed"), (b"HTTP/1.1 100 Con", "got HTTP/1.1 100 Con")],
    ids=["closed", "closed in the middle"],
)
def test_an_interim_answer_that_breaks_off(said: bytes, got: str) -> None:
    with exchange_with(after(1, said)) as exchange:
        exchange.send(b"x")
        with pytest.raises(Mismatch, match=got):
            exchange.interim(30.0)


def test_an_interim_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_exchange_module, "HEAD_LIMIT_BYTES", 100)
    with exchange_with(after(1, b"x" * 110)) as exchange:
        exchange.send(b"x")
        with pytest.raises(Mismatch, match="expected an interim answer"):
            exchange.interim(30.0)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", "RemoteDisconnected"),
        (b"220 mail ready\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "IncompleteRead"),
    ],
    ids=["closed", "no HTTP", "half a body", "no chunk"],
)
def test_what_is_no_answer_is_a_finding(said: bytes, error: str) -> None:
    with exchange_with(after(1, said)) as exchange:
        exchange.send(b"x")
        with pytest.raises(Mismatch, match=f"an answer to a POST written by hand; got {error}"):
            exchange.answer()


def test_an_answer_to_head_has_no_body_whatever_its_length_says() -> None:
    with exchange_with(after(1, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), "HEAD") as exchange:
        exchange.send(b"x")
        got = exchange.answer()
    assert (got.status, got.body, got.header("content-length")) == (200, b"", "9")


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"
PIECES = [b"x" * 1000] * 300


def test_a_body_that_is_refused_by_its_head_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_exchange_module, "FIRST_WORD_S", LIMIT_S)
    with exchange_with(after(len(HEAD), answer(413, "too long"))) as exchange:
        exchange.send(HEAD)
        exchange.send_until_answered([*PIECES, *PIECES])
        assert exchange.answer().status == 413


def test_a_body_that_is_read_is_sent_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_exchange_module, "FIRST_WORD_S", 0.0)
    with exchange_with(after(len(HEAD) + 300_000, answer(200))) as exchange:
        exchange.send(HEAD)
        exchange.send_until_answered(PIECES)
        assert exchange.answer().status == 200


def test_who_hangs_up_in_a_body_has_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_exchange_module, "FIRST_WORD_S", 0.0)
    with exchange_with(after(len(HEAD))) as exchange:
        exchange.send(HEAD)
        exchange.send_until_answered(PIECES * 1000)
        with pytest.raises(Mismatch, match="an answer to a POST written by hand"):
            exchange.answer()
