"""Rules that are not strict: as a running Californium 3.14 was seen to answer, text by text."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.coap_messages.wire import MessageType, WireMessage, decode, encode
from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.simulator.contract.coap import CoapOptions
from tests.coap.bench import MessageBench

CON, NON, ACK, RST = MessageType
GET, POST, PUT = 1, 2, 3
ECHO: CoapOptions = ((11, b"echo"),)
LENIENT = CoapRules(is_strict=False, preferred_size_exponent=5, body_bytes=2048, limits_single_datagrams=False)


class Peer:
    """Says one thing after the other, with message ids from 1 on."""

    def __init__(self, rules: CoapRules = LENIENT) -> None:
        self.bench = MessageBench(rules)
        self.latest_id = 0

    def raw(self, data: bytes) -> list[WireMessage]:
        self.bench.endpoint.received(data, self.bench.now_us)
        return [decode(datagram) for datagram in self.bench.taken()]

    def ask(
        self, options: CoapOptions = (), payload: bytes = b"", code: int = PUT, kind: MessageType = CON, tail: str = ""
    ) -> list[str]:
        """`tail`: what comes after all that, in hexadecimal digits."""
        self.latest_id += 1
        asked = WireMessage(kind, code, self.latest_id, b"t", (*ECHO, *options), payload)
        return [shown(one) for one in self.raw(encode(asked) + bytes.fromhex(tail))]


def shown(message: WireMessage) -> str:
    """`ACK 4.02 why`, with its Block1 and Size1 options in between."""
    code = f"{message.code >> 5}.{message.code & 31:02}"
    options = [f"{number}:{value.hex()}" for number, value in message.options if number in (23, 27, 28, 60)]
    return " ".join([message.type.name, code, *options, message.payload.decode()]).strip()


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ((65_535, b"x"), "Unknown critical option 65535 is not supported!"),
        ((27, b"\1\2\3\4"), "Option Block1 value of 4 bytes must be in range of [0-3] bytes."),
        ((60, b"\1\0\0\0\0"), "Option Size1 value of 5 bytes must be in range of [0-4] bytes."),
        ((258, b"\1\2"), "Option No-Response value of 2 bytes must be in range of [0-1] bytes."),
        ((4, b""), "Option ETag value of 0 bytes must be in range of [1-8] bytes."),
        ((5, b"x"), "Option If-None-Match value must be empty."),
    ],
)
def test_a_wrong_option_is_told_to_who_wants_an_acknowledgement(option: tuple[int, bytes], text: str) -> None:
    peer = Peer()
    assert peer.ask((option,)) == [f"ACK 4.02 {text}"]
    assert peer.ask((option,), kind=NON) == []
    assert peer.bench.platform.heard == [f"4.02: {text}", f"0.00: {text}"]


@pytest.mark.parametrize(
    ("tail", "text"),
    [
        ("f178", "Message contains illegal option delta/length: 15"),
        ("0c616263", "Message contains option of length 12 with only fewer bytes left in the message"),
        ("d0", "requested byte exceeds available bytes!"),
        ("e0ffff", "65815 invalid option number!"),
        ("ff", "Found payload marker (0xFF) but message contains no payload"),
    ],
)
def test_options_that_cannot_be_read_are_answered(tail: str, text: str) -> None:
    peer = Peer()
    assert peer.ask(tail=tail) == [f"ACK 4.02 {text}"]
    assert peer.ask(kind=NON, tail=tail) == []
    assert [one[:3] for one in Peer(CoapRules()).ask(tail=tail)] == ["RST"], "strict rules reject"


@pytest.mark.parametrize("number", [23, 27])
def test_the_reserved_block_size_is_that_of_another_transport(number: int) -> None:
    name = {23: "Block2", 27: "Block1"}[number]
    assert Peer().ask(((number, b"\7"),)) == [f"ACK 4.00 {name} BERT used for UDP!"]
    assert Peer().ask(((number, b"\7"),), kind=NON) == []


def test_a_method_that_is_none() -> None:
    peer = Peer()
    assert peer.ask(((13, b""),), code=31) == ["ACK 4.02 Unknown CoAP request code: 0.31"]
    assert peer.ask(code=8, kind=NON) == []


def test_what_stands_for_a_proxy_and_what_is_no_utf_8_changes_nothing() -> None:
    peer = Peer()
    assert peer.ask(((35, b"coap://x/y"), (39, b"coap"))) == ["ACK 2.04"]
    assert peer.ask(((15, b"\xff"),)) == ["ACK 2.04"]
    assert peer.bench.platform.heard == ["PUT coap:/echo", "PUT coap:/echo"]


@pytest.mark.parametrize(
    ("datagram", "answers"),
    [
        ("50000007", ["RST 0.00"]),
        ("50450007", ["RST 0.00"]),
        ("50210007", []),
        ("49030007313233343536373839", []),
        ("44030007", ["RST 0.00"]),
        ("60000007", []),
    ],
    ids=["empty NON", "response in a NON", "class 1 in a NON", "long token", "half a token", "empty ACK"],
)
def test_messages_that_are_no_requests(datagram: str, answers: list[str]) -> None:
    assert [shown(one) for one in Peer().raw(bytes.fromhex(datagram))] == answers


def test_a_request_in_an_acknowledgement_is_one() -> None:
    assert Peer().ask(kind=ACK) == ["ACK 2.04"]
    assert Peer().ask(kind=RST) == []


def test_blocks_of_1024_bytes_are_taken_and_512_asked_for() -> None:
    peer = Peer()
    assert peer.ask(((27, b"\x0e"),), b"y" * 1024) == ["ACK 2.31 27:0d"]
    assert peer.ask(((27, b"\x16"),), b"z") == [f"ACK 2.04 23:0d 27:16 28:0401 {'y' * 512}"]


def test_blocks_belong_together_by_method_and_uri() -> None:
    peer = Peer()
    first_block = ((27, b"\x08"),)
    assert peer.ask(first_block, b"y" * 16) == ["ACK 2.31 27:08"]
    assert peer.ask(((27, b"\x10"), (292, b"tag")), b"z") == [f"ACK 2.04 27:10 {'y' * 16}z"]
    peer.ask(first_block, b"y" * 16)
    apart = ["ACK 4.08 request block1 offset 16 doesn't match the current position 0!"]
    assert peer.ask(((27, b"\x10"),), b"z", code=POST) == apart
    assert peer.ask(((27, b"\x10"), (15, b"q")), b"z") == apart
    assert peer.ask(((27, b"\x10"), (12, b"\x32")), b"z") == ["ACK 4.08 unexpected Content-Format"]
    assert peer.ask(((27, b"\x10"),), b"z") == apart, "a mistake forgets what came before it"


@pytest.mark.parametrize(
    ("block1", "size", "size1", "answers"),
    [
        ("0d", 511, "", ["ACK 4.08 Block1 buffer position 511 doesn't align with blocksize 512!"]),
        ("0d", 512, "10", ["ACK 4.13 response 512 exceeds the left buffer 16"]),
        ("0d", 512, "1388", ["ACK 4.13 60:0800 body too large, max. 2048 bytes"]),
        ("1d", 512, "", ["ACK 4.08 request block1 offset 512 doesn't match the current position 0!"]),
        ("06", 1025, "", []),
    ],
)
def test_a_block_that_does_not_fit(block1: str, size: int, size1: str, answers: list[str]) -> None:
    options: CoapOptions = ((27, bytes.fromhex(block1)),)
    assert Peer().ask((*options, (60, bytes.fromhex(size1))) if size1 else options, b"y" * size) == answers


def test_a_block_beyond_the_end_of_an_answer() -> None:
    assert Peer().ask(((23, b"\x10"),)) == ["ACK 4.02"]
    assert Peer().ask(((23, b"\x10"),), kind=NON) == ["NON 4.02"]


def test_blocks_of_an_answer_have_no_etag() -> None:
    peer = Peer()
    (message,) = peer.raw(encode(WireMessage(CON, PUT, 1, b"t", (*ECHO, (23, b"")), b"y" * 20)))
    assert [number for number, _ in message.options] == [23, 28]


def test_an_answer_that_is_not_wanted() -> None:
    peer = Peer()
    assert peer.ask(((258, b"\2"),), kind=NON) == []
    assert peer.ask(((258, b"\2"),)) == ["CON 2.04"], "who wants an acknowledgement gets it, in a message of its own"
    assert peer.ask(((258, b"\x18"),), kind=NON) == ["NON 2.04"]
