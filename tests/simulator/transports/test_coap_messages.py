"""The contract's CoAP requests as datagrams, and what comes as the contract's answers."""

from __future__ import annotations

import pytest
from aiocoap import ACK, NON, Message  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse
from fleetrig.simulator.transports.coap_messages import message_of, response_of
from tests.simulator.transports.coap_datagrams import BLOCK2, CON, Datagram, block, decode, encode

HOST, PORT, PATH, QUERY = 3, 7, 11, 15


def sent(request: CoapRequest) -> Datagram:
    message = message_of(request)
    message.mid, message.mtype = 1, NON
    return decode(message.encode())


def came(datagram: Datagram, token: bytes = b"t") -> CoapResponse:
    return response_of(Message.decode(encode(datagram)), token)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("coap://127.0.0.1:5683", ()),
        ("coap://[::1]:5683", ()),
        ("coap://127.0.0.1", ()),
        ("coap://coap.example.com", ((HOST, b"coap.example.com"),)),
        ("coaps://Example.com:15684", ((HOST, b"example.com"),)),
    ],
)
def test_a_host_with_a_name_is_said(origin: str, host: CoapOptions) -> None:
    assert sent(CoapRequest("GET", origin, "/")).options == host


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("", ()),
        ("/", ()),
        ("/a", ((PATH, b"a"),)),
        ("/a/b/", ((PATH, b"a"), (PATH, b"b"), (PATH, b""))),
        ("//", ((PATH, b""), (PATH, b""))),
        ("/a%2Fb/%C3%BC", ((PATH, b"a/b"), (PATH, "ü".encode()))),
        ("/%FF", ((PATH, b"\xff"),)),
        ("/a?b=c&d", ((PATH, b"a"), (QUERY, b"b=c"), (QUERY, b"d"))),
        ("?b%26c", ((QUERY, b"b&c"),)),
        ("/a?", ((PATH, b"a"),)),
        ("/a?x?y", ((PATH, b"a"), (QUERY, b"x?y"))),
    ],
)
def test_a_target_is_path_and_query(target: str, options: CoapOptions) -> None:
    """RFC 7252 §6.4."""
    assert sent(CoapRequest("GET", "coap://127.0.0.1", target)).options == options


def test_options_go_as_they_are() -> None:
    options = ((1, b"etag"), (12, b"\0\x32"), (35, b"coap://h/\xff"), (2_049, b"x" * 300), (65_000, b""))
    assert sent(CoapRequest("POST", "coap://127.0.0.1", "", options=options)).options == options


def test_a_host_of_its_own_comes_before_that_of_the_origin() -> None:
    request = CoapRequest("GET", "coap://example.com", "", options=((HOST, b"other.example"), (PORT, b"\x16\x34")))
    assert sent(request).options == ((HOST, b"other.example"), (PORT, b"\x16\x34"))


@pytest.mark.parametrize(
    ("method", "code"),
    [("GET", 1), ("POST", 2), ("PUT", 3), ("DELETE", 4), ("FETCH", 5), ("PATCH", 6), ("IPATCH", 7)],
)
def test_methods(method: str, code: int) -> None:
    assert sent(CoapRequest(method, "coap://h", "/")).code == f"0.{code:02}"


def test_an_answer_is_what_came() -> None:
    datagram = Datagram(
        CON, "4.15", 9, b"wire", ((4, b"\0e"), (8, b"a"), (8, b"b"), (14, b"\x3c"), (999, b"\0")), b"\xff\0"
    )
    options = ((4, b"\0e"), (8, b"a"), (8, b"b"), (14, b"\x3c"), (999, b"\0"))
    assert came(datagram) == CoapResponse("4.15", b"\xff\0", options, None, b"t", confirmable=True)


def test_observe_is_a_field_and_blocks_are_not_told() -> None:
    options = ((6, b"\x01\0"), (12, b""), (BLOCK2, block(0, False, 6)), (28, b"\x10"), (60, b"\x10"))
    assert came(Datagram(CON, "2.05", 9, options=options)).options == ((12, b""),)
    assert came(Datagram(CON, "2.05", 9, options=options)).observe == 256


OPTIONS = st.lists(st.tuples(st.sampled_from([1, 4, 5, 12, 14, 17, 258, 292, 2_049]), st.binary(max_size=300)))


@given(st.binary(max_size=8), st.binary(max_size=50), OPTIONS)
def test_whatever_a_flow_says_goes_out(token: bytes, payload: bytes, options: list[tuple[int, bytes]]) -> None:
    ordered = tuple(sorted(options, key=lambda option: option[0]))
    heard = sent(CoapRequest("POST", "coap://127.0.0.1", "", payload, ordered, None, token))
    assert (heard.token, heard.payload, heard.options) == (token, payload, ordered)


def test_acknowledgements_are_not_confirmable() -> None:
    assert not came(Datagram(ACK, "2.05", 9)).confirmable
