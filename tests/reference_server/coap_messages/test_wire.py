"""The codec: aiocoap reads what it writes and the reverse, and nothing that came over the wire breaks it."""

from __future__ import annotations

import aiocoap  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.coap_messages.wire import (
    MalformedMessage,
    MessageType,
    WireMessage,
    code_number,
    code_text,
    decode,
    encode,
)
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.undecodable import Flaw

UNSTRUCTURED = [1, 4, 5, 9, 292, 2048, 65_535]
"""Options that aiocoap reads as bytes and nothing else."""

few = settings(max_examples=60, deadline=None)

options = st.lists(
    st.tuples(st.sampled_from(UNSTRUCTURED), st.binary(max_size=40) | st.binary(min_size=260, max_size=300)), max_size=6
).map(lambda found: tuple(sorted(found, key=lambda option: option[0])))

messages = st.builds(
    WireMessage,
    st.sampled_from(MessageType),
    st.integers(1, 255),
    st.integers(0, 65_535),
    st.binary(max_size=8),
    options,
    st.binary(max_size=60),
)


@given(messages)
@few
def test_what_is_written_is_read_by_both(message: WireMessage) -> None:
    data = encode(message)
    assert decode(data) == message
    theirs = aiocoap.Message.decode(data)
    assert (int(theirs.mtype), int(theirs.code), theirs.mid) == (message.type, message.code, message.message_id)
    assert (theirs.token, theirs.payload) == (message.token, message.payload)
    found = tuple((int(option.number), option.encode()) for option in theirs.opt.option_list())
    assert found == message.options


@given(messages)
@few
def test_a_reader_that_shares_nothing_writes_the_same(message: WireMessage) -> None:
    theirs = aiocoap.Message.decode(encode(message))
    theirs.direction = aiocoap.message.Direction.OUTGOING
    assert decode(theirs.encode()) == message


def is_read_or_refused(data: bytes) -> None:
    try:
        message = decode(data)
    except MalformedMessage:
        return
    assert decode(encode(message)) == message


@given(messages)
@settings(max_examples=20, deadline=None)
def test_every_truncation_is_read_or_refused(message: WireMessage) -> None:
    data = encode(message)
    for end in range(len(data)):
        is_read_or_refused(data[:end])


@given(messages, st.data())
@few
def test_every_flipped_byte_is_read_or_refused(message: WireMessage, draw: st.DataObject) -> None:
    data = bytearray(encode(message))
    data[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    is_read_or_refused(bytes(data))


@given(st.binary(max_size=200))
@few
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    is_read_or_refused(data)


MALFORMED = [
    ("", "0 bytes are no header", None),
    ("400100", "3 bytes are no header", None),
    ("49010001" + "31" * 9, "a token length of 9", 1),
    ("4f010001" + "31" * 15, "a token length of 15", 1),
    ("4401000131", "it ends within the token", 1),
    ("5401000131", "it ends within the token", None),
    ("4100000131", "an empty message with something in it", 1),
    ("40000001ff00", "an empty message with something in it", 1),
    ("40010001ff", "Found payload marker (0xFF) but message contains no payload", 1),
    ("40010001b5616263", "Message contains option of length 5 with only fewer bytes left in the message", 1),
    ("40010001f161", "Message contains illegal option delta/length: 15", 1),
    ("400100011f61", "Message contains illegal option delta/length: 15", 1),
    ("40010001d0", "requested byte exceeds available bytes!", 1),
    ("40010001e0ff", "requested byte exceeds available bytes!", 1),
    ("400100010d", "requested byte exceeds available bytes!", 1),
    ("40010001e0ffff", "65804 invalid option number!", 1),
    ("60010001b5", "Message contains option of length 5 with only fewer bytes left in the message", None),
    ("70010001ff", "Found payload marker (0xFF) but message contains no payload", None),
    ("00010001", "version 0", None),
    ("80010001", "version 2", None),
    ("c0010001", "version 3", None),
]


@pytest.mark.parametrize(("data", "why", "rejected_id"), MALFORMED)
def test_what_is_no_message(data: str, why: str, rejected_id: int | None) -> None:
    with pytest.raises(MalformedMessage) as caught:
        decode(bytes.fromhex(data))
    assert (caught.value.why, caught.value.rejected_id) == (why, rejected_id)
    assert caught.value.flaw is (Flaw.UNKNOWN_VERSION if why.startswith("version") else Flaw.MALFORMED)


@pytest.mark.parametrize(
    "message",
    [
        WireMessage(MessageType.CON, 69, 1, b"123456789"),
        WireMessage(MessageType.CON, 256, 1),
        WireMessage(MessageType.CON, 69, 65_536),
        WireMessage(MessageType.CON, 69, 1, options=((70_000, b""),)),
        WireMessage(MessageType.CON, 69, 1, options=((1, b"x" * 70_000),)),
    ],
)
def test_what_cannot_be_written(message: WireMessage) -> None:
    with pytest.raises(ModelError, match="no CoAP message can have"):
        encode(message)


def test_codes() -> None:
    assert (code_text(69), code_number("2.05"), code_number("4.13")) == ("2.05", 69, 141)
    for text in ("2.5x", "8.00", "2.32", "205", "", "²²"):
        with pytest.raises(ModelError):
            code_number(text)
