"""What the exact CoAP client makes of servers that repeat, swap, delay, reset, answer others, or say nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.exact_coap import ACK, CON, GET, NON, POST, RST, CoapAnswer, ExactCoap, read
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.simulator.contract.errors import BrokenBench

LIMIT_S = 30.0
CREATED = 2 << 5 | 1
Reply = Callable[[bytes], list[bytes]]
"""A request -> the datagrams that come of it."""


@contextlib.contextmanager
def answering(reply: Reply) -> Iterator[tuple[ExactCoap, list[bytes]]]:
    """A client, and what its server has heard so far."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(LIMIT_S)
    heard: list[bytes] = []

    def serve() -> None:
        while data := server.recvfrom(65_536):
            heard.append(data[0])
            if not data[0]:
                return
            for datagram in reply(data[0]):
                server.sendto(datagram, data[1])

    thread = threading.Thread(target=serve)
    thread.start()
    client = ExactCoap(*server.getsockname())
    try:
        yield client, heard
    finally:
        client.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", server.getsockname())
        thread.join(LIMIT_S)
        server.close()


def message(kind: int, code: int, message_id: bytes, token: bytes = b"", rest: bytes = b"") -> bytes:
    return bytes([0x40 | kind << 4 | len(token), code]) + message_id + token + rest


def piggybacked(request: bytes, rest: bytes = b"\xffx") -> bytes:
    return message(ACK, CREATED, request[2:4], request[4:8], rest)


def empty_ack(request: bytes) -> bytes:
    return message(ACK, 0, request[2:4])


def separate(request: bytes, rest: bytes = b"\xffx", kind: int = CON) -> bytes:
    return message(kind, CREATED, b"\x77\x77", request[4:8], rest)


def test_the_bytes_of_a_request() -> None:
    with answering(lambda request: [piggybacked(request)]) as (client, heard):
        client.ask(POST, "/api/v1/provision", b"{}")
        client.ask(GET, "/a?b=c&d", kind=NON)
    first, second = heard[:2]
    assert (first[0], first[1], first[8:]) == (0x44, POST, b"\xb3api\x02v1\x09provision\xff{}")
    assert (second[0], second[1], second[8:]) == (0x54, GET, b"\xb1a\x43b=c\x01d")
    assert int.from_bytes(second[2:4]) == int.from_bytes(first[2:4]) + 1
    assert first[4:8] != second[4:8]


def test_a_content_format_and_an_empty_segment_are_sent_as_they_are() -> None:
    with answering(lambda request: [piggybacked(request)]) as (client, heard):
        client.ask(POST, "/t//e1?a", b"{}", content_format=50)
        client.ask(POST, "/t", content_format=0)
    assert heard[0][8:] == b"\xb1t\x00\x02e1\x11\x32\x31a\xff{}"
    assert heard[1][8:] == b"\xb1t\x10"


def test_long_path_segments_have_their_length_written_out() -> None:
    with answering(lambda request: [piggybacked(request)]) as (client, heard):
        client.ask(GET, f"/{'x' * 20}")
    assert heard[0][8:] == b"\xbd\x07" + b"x" * 20


def test_a_piggybacked_answer() -> None:
    with answering(lambda request: [piggybacked(request, b"\xc0\xff{}")]) as (client, _):
        answer = client.ask(POST, "/a")
    assert (answer.type, answer.code, answer.payload, answer.came_separately) == (ACK, "2.01", b"{}", False)
    assert answer.content_format == 0


def test_a_separate_answer_is_acknowledged_once() -> None:
    with answering(lambda request: [empty_ack(request), separate(request)] if request[1] else []) as (client, heard):
        answer = client.ask(POST, "/a")
        assert (answer.type, answer.came_separately) == (CON, True)
        client.exchange(client.request(GET, "/next"))
    assert heard[1] == b"\x60\x00\x77\x77"


def test_a_separate_answer_may_come_without_or_before_its_empty_acknowledgement() -> None:
    for reply in (lambda request: [separate(request)], lambda request: [separate(request), empty_ack(request)]):
        with answering(reply) as (client, _):
            assert client.ask(POST, "/a").code == "2.01"


def test_an_answer_that_is_not_confirmable_is_not_acknowledged() -> None:
    with answering(lambda request: [separate(request, kind=NON)]) as (client, heard):
        assert client.ask(POST, "/a", kind=NON).type == NON
        client.ask(GET, "/b", kind=NON)
    assert [one[1] for one in heard if one] == [POST, GET]


def test_what_answers_others_is_passed_over() -> None:
    def reply(request: bytes) -> list[bytes]:
        other_id = bytes([request[2] ^ 1, request[3]])
        other_token = bytes([request[4] ^ 1]) + request[5:8]
        return [
            message(ACK, 0, other_id),
            message(ACK, CREATED, other_id, request[4:8], b"\xffwrong id"),
            message(ACK, CREATED, request[2:4], other_token, b"\xffwrong token"),
            message(NON, CREATED, b"\0\1", b"", b"\xffno token"),
            message(RST, 0, other_id),
            message(CON, 0, request[2:4]),
            piggybacked(request, b"\xffours"),
        ]

    with answering(reply) as (client, _):
        answer = client.ask(POST, "/a")
    assert (answer.payload, answer.came_separately) == (b"ours", False)


def test_a_late_answer_to_an_earlier_request_is_not_taken_for_the_next_one() -> None:
    earlier: list[bytes] = []

    def reply(request: bytes) -> list[bytes]:
        earlier.append(request)
        return [piggybacked(earlier[0], b"\xfffirst")] * 2 + [piggybacked(request, b"\xfflast")]

    with answering(reply) as (client, _):
        assert client.ask(POST, "/a").payload == b"first"
        assert client.ask(POST, "/b").payload == b"last"


def test_the_same_message_twice_is_the_same_bytes_twice() -> None:
    with answering(lambda request: [piggybacked(request)]) as (client, heard):
        request = client.request(POST, "/a", b"{}")
        assert client.exchange(request) == client.exchange(request)
    assert heard[:2] == [request, request]


def test_a_request_that_is_not_heard_is_repeated_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_coap, "REPEAT_AFTER_S", 0.02)
    heard: list[bytes] = []

    def reply(request: bytes) -> list[bytes]:
        heard.append(request)
        return [piggybacked(request)] if len(heard) == 3 else []

    with answering(reply) as (client, _):
        assert client.ask(POST, "/a").code == "2.01"
    assert heard == [heard[0]] * 3


class Scripted(ExactCoap):
    """What it hears is written down before, and its clock goes on by what it waits in vain."""

    def __init__(self, peer: socket.socket, *heard: CoapAnswer) -> None:
        super().__init__(*peer.getsockname())
        self.script = list(heard)
        self.waited_s: list[float] = []
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def _hear(self, within_s: float) -> CoapAnswer | None:
        self.waited_s.append(within_s)
        if self.script:
            return self.script.pop(0)
        self.now_s += within_s
        return None


def waits_of(monkeypatch: pytest.MonkeyPatch, *heard: CoapAnswer) -> tuple[list[float], int]:
    """How long a client waits that is never answered, and how often it sends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        with contextlib.closing(Scripted(peer, *heard)) as client:
            monkeypatch.setattr(exact_coap, "monotonic", client.monotonic)
            request = b"\x44\x02\0\x05tokn"
            with pytest.raises(Mismatch, match=r"^expected an answer over CoAP within 30 s; got nothing$"):
                client.exchange(request)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while peer.recv(100) == request:
                sent += 1
        return client.waited_s, sent


def test_who_is_not_heard_asks_again_and_waits_twice_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waits_of(monkeypatch) == ([2.0, 4.0, 8.0, 16.0], 4)


def test_who_was_acknowledged_does_not_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged = CoapAnswer(ACK, "0.00", 5, b"", None, b"")
    assert waits_of(monkeypatch, acknowledged) == ([2.0, 30.0], 1)


def test_an_acknowledgement_of_another_message_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    of_another = CoapAnswer(ACK, "0.00", 6, b"", None, b"")
    assert waits_of(monkeypatch, of_another) == ([2.0, 2.0, 4.0, 8.0, 16.0], 4)


def test_a_reset_is_a_finding() -> None:
    reset = answering(lambda request: [message(RST, 0, request[2:4])])
    with reset as (client, _), pytest.raises(Mismatch, match=r"^expected an answer over CoAP; got a reset$"):
        client.ask(POST, "/a")


def test_nobody_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        place = held.getsockname()
    with pytest.raises(BrokenBench, match=r"^nobody listens for CoAP"), contextlib.closing(ExactCoap(*place)) as client:
        client.ask(POST, "/a")


def test_an_unknown_host_is_told() -> None:
    with pytest.raises(BrokenBench, match=r"nowhere.invalid:5683 \(CoAP\)"):
        ExactCoap("nowhere.invalid", 5683)


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x60\x41\x00", id="half a header"),
        pytest.param(b"\xa0\x41\x00\x01", id="version 2"),
        pytest.param(b"\x64\x41\x00\x01\x01\x02", id="half a token"),
        pytest.param(b"\x69\x41\x00\x01123456789", id="a token of nine bytes"),
        pytest.param(b"\x60\x41\x00\x01\xff", id="a marker without a payload"),
        pytest.param(b"\x60\x41\x00\x01\xf0", id="the reserved delta"),
        pytest.param(b"\x60\x41\x00\x01\x0f", id="the reserved length"),
        pytest.param(b"\x60\x41\x00\x01\x03ab", id="an option longer than the message"),
        pytest.param(b"\x60\x41\x00\x01\x0d", id="a length that is missing"),
        pytest.param(b"\x60\x41\x00\x01\x0e\x01", id="half a length"),
        pytest.param(b"HTTP/1.1 400 Bad Request", id="HTTP"),
    ],
)
def test_what_is_no_message_is_a_finding(datagram: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        read(datagram)
    with answering(lambda _: [datagram]) as (client, _), pytest.raises(Mismatch, match="expected a message of CoAP"):
        client.ask(POST, "/a")


@pytest.mark.parametrize(
    ("as_hex", "answer"),
    [
        ("60410001", CoapAnswer(ACK, "2.01", 1, b"", None, b"")),
        ("60000001", CoapAnswer(ACK, "0.00", 1, b"", None, b"")),
        ("5280fffe0102", CoapAnswer(NON, "4.00", 65_534, b"\1\2", None, b"")),
        ("6045000" + "1" + "c132" + "ff7b", CoapAnswer(ACK, "2.05", 1, b"", 50, b"{")),
        ("60450001" + "c2" + "2af8", CoapAnswer(ACK, "2.05", 1, b"", 11_000, b"")),
        ("60450001" + "4101" + "80" + "ff00", CoapAnswer(ACK, "2.05", 1, b"", 0, b"\0")),
        ("60450001" + "dd" + "00" + "03" + "61" * 16 + "ff01", CoapAnswer(ACK, "2.05", 1, b"", None, b"\1")),
        ("60450001" + "ee" + "0000" + "0000" + "61" * 269, CoapAnswer(ACK, "2.05", 1, b"", None, b"")),
        ("70000007", CoapAnswer(RST, "0.00", 7, b"", None, b"")),
        ("60a00001", CoapAnswer(ACK, "5.00", 1, b"", None, b"")),
    ],
)
def test_what_a_message_says(as_hex: str, answer: CoapAnswer) -> None:
    assert read(bytes.fromhex(as_hex)) == answer
