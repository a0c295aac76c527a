"""What is leant on of aiocoap that it promises to nobody, and what its messages do with bytes of any kind."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import suppress

import aiocoap  # type: ignore[import-untyped]
import pytest
from aiocoap.messagemanager import MessageManager  # type: ignore[import-untyped]
from aiocoap.tokenmanager import TokenManager  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.transports import coap_stack
from fleetrig.simulator.transports.coap_messages import message_of
from fleetrig.simulator.transports.coap_stack import UNDOCUMENTED, CoapStack, OddBlocks
from tests.simulator.transports.coap_datagrams import (
    ACK,
    BLOCK2,
    CON,
    NON,
    OBSERVE,
    RST,
    Datagram,
    Kind,
    block,
    decode,
    encode,
)
from tests.simulator.transports.coap_peer import ORIGIN, ToTest, in_a_loop

LEANT_ON = [(owner, name) for owner, names in UNDOCUMENTED for name in names]


@pytest.mark.parametrize(("owner", "name"), LEANT_ON, ids=[f"{owner.__name__}.{name}" for owner, name in LEANT_ON])
def test_this_aiocoap_has_what_we_lean_on(owner: type, name: str) -> None:
    assert hasattr(owner, name), f"aiocoap {aiocoap.__version__} has no {owner.__name__}.{name}: see coap_stack.py"


@in_a_loop
async def test_this_aiocoap_keeps_requests_and_exchanges_where_we_look_for_them() -> None:
    tokens = TokenManager(aiocoap.Context())
    assert tokens.outgoing_requests == {}
    messages = MessageManager(tokens)
    assert (messages._active_exchanges, messages._backlogs) == ({}, {})


def test_the_list_of_what_we_lean_on_is_whole() -> None:
    """A private name of aiocoap that is used and not listed would break without a word."""
    source = inspect.getsource(coap_stack)
    listed = {name for _, name in LEANT_ON if name.startswith("_")} | {"_active_exchanges", "_backlogs"}
    noted = {line.split("  # noqa: SLF001")[0] for line in source.splitlines() if "# noqa: SLF001" in line}
    assert all(any(name in line for name in listed) for line in noted), noted


TOKEN = b"tok"
KINDS = st.sampled_from([CON, NON, ACK, RST])
CODES = st.sampled_from(
    ["0.00", "0.01", "0.31", "1.00", "2.05", "2.31", "4.04", "4.08", "5.00", "6.00", "7.01", "7.31"]
)
OPTIONS = st.lists(
    st.one_of(
        st.tuples(st.just(BLOCK2), st.builds(block, st.integers(0, 3), st.booleans(), st.integers(0, 7))),
        st.tuples(st.sampled_from([OBSERVE, 4, 8, 12, 23, 27, 60, 9, 39]), st.binary(max_size=9)),
    ),
    max_size=4,
)
SEQUENCES = st.lists(
    st.tuples(
        KINDS, CODES, st.booleans(), st.sampled_from([TOKEN, b"", b"else"]), OPTIONS, st.sampled_from([0, 1, 16])
    ),
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(SEQUENCES, st.sampled_from([None, 0, 1]), st.booleans(), st.sampled_from([b"", b"x" * 1_100]))
def test_no_sequence_of_datagrams_raises_or_leaves_anything(
    sequence: list[tuple[Kind, str, bool, bytes, list[tuple[int, bytes]], int]],
    observe: int | None,
    confirmable: bool,
    payload: bytes,
) -> None:
    async def main() -> None:
        channel = ToTest()
        stack = CoapStack(channel, ORIGIN)
        request = CoapRequest("FETCH", ORIGIN, "/a", payload, (), observe, TOKEN, confirmable)
        asking = asyncio.create_task(stack.ask(message_of(request), lambda: None, lambda notified: None))
        await asyncio.sleep(0)
        for kind, code, answers, token, options, size in sequence:
            for _ in range(3):
                await asyncio.sleep(0)
            last = decode(channel.out.get_nowait()) if not channel.out.empty() else Datagram(CON, "0.00", 1)
            mid = last.mid if answers else 4_711
            ordered = tuple(sorted(options, key=lambda option: option[0]))
            stack.received(encode(Datagram(kind, code, mid, token, ordered, b"x" * size)))
        await stack.close()
        asking.cancel()
        with suppress(asyncio.CancelledError, aiocoap.error.MessageError, OddBlocks):
            await asking

    asyncio.run(main())


VALID = encode(Datagram(CON, "2.05", 1, TOKEN, ((OBSERVE, b"\1"), (8, b"a"), (12, b"\x32"), (BLOCK2, b"\x08")), b"x"))


@in_a_loop
async def test_every_truncation_and_every_changed_byte_is_taken_quietly() -> None:
    stack = CoapStack(ToTest(), ORIGIN)
    for end in range(len(VALID)):
        stack.received(VALID[:end])
    for at in range(len(VALID)):
        for value in range(256):
            stack.received(VALID[:at] + bytes([value]) + VALID[at + 1 :])
    await stack.close()


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_taken_quietly(data: bytes) -> None:
    async def main() -> None:
        stack = CoapStack(ToTest(), ORIGIN)
        stack.received(data)
        await stack.close()

    asyncio.run(main())
