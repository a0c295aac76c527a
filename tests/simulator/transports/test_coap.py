"""A device's CoAP, datagram by datagram: what it says, what it makes of what comes, and what it leaves behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.mqtt import MqttPingreq
from fleetrig.simulator.transports import coap_stack
from fleetrig.simulator.transports.coap_under_way import UNANSWERED_LIMIT
from tests.simulator.transports.coap_datagrams import (
    ACK,
    BLOCK1,
    BLOCK2,
    CON,
    NON,
    OBSERVE,
    RST,
    Datagram,
    block,
    encode,
    number_bytes,
)
from tests.simulator.transports.coap_peer import (
    OBSERVING,
    ORIGIN,
    Device,
    Patient,
    Quick,
    answer_to,
    device,
    in_a_loop,
    notification,
)

GET = CoapRequest("GET", ORIGIN, "/a", token=b"\0\0\0\1")
SECOND = replace(GET, target="/b", token=b"\0\0\0\2")
TAKE_BACK = replace(OBSERVING, observe=1)


@in_a_loop
async def test_an_answer_comes_with_the_acknowledgement() -> None:
    async with device() as at:
        asked = await at.asks(GET)
        assert (asked.kind, asked.code, asked.token) == (CON, "0.01", b"\0\0\0\1")
        at.say(answer_to(asked, "2.05", b"here", options=((12, b"\x32"), (2_049, b"\0raw"))))
        assert await at.came() == CoapResponse("2.05", b"here", ((12, b"\x32"), (2_049, b"\0raw")), token=b"\0\0\0\1")


@in_a_loop
async def test_an_answer_that_comes_later_is_acknowledged() -> None:
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        at.say(Datagram(ACK, "0.00", asked.mid), later := answer_to(asked, "4.04", kind=CON))
        assert await at.came() == CoapResponse("4.04", token=GET.token, confirmable=True)
        assert await at.hear() == Datagram(ACK, "0.00", later.mid)


@in_a_loop
async def test_a_request_that_is_not_confirmable() -> None:
    async with device() as at:
        asked = await at.asks(replace(GET, confirmable=False))
        assert asked.kind is NON
        at.say(answer_to(asked, kind=NON))
        assert await at.came() == CoapResponse("2.05", token=GET.token)


@in_a_loop
async def test_what_is_not_acknowledged_is_repeated_as_it_was() -> None:
    async with device(Quick()) as at:
        asked = await at.asks(GET)
        assert await at.hear() == asked
        at.say(answer_to(asked))
        assert (await at.came()).line == "2.05"


@in_a_loop
async def test_a_request_that_is_given_up_is_not_answered_and_the_next_goes_out() -> None:
    async with device(Quick()) as at:
        asked = await at.asks(GET)
        assert [await at.hear() for _ in range(4)] == [asked] * 4
        await asyncio.gather(*at.wire._unanswered.values())
        following = await at.asks(SECOND)
        assert following.token == SECOND.token
        at.say(answer_to(following))
        assert (await at.came()) == CoapResponse("2.05", token=SECOND.token)


@in_a_loop
async def test_what_the_device_gives_up_is_not_repeated_and_holds_up_nothing() -> None:
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        waiting = asyncio.create_task(at.wire.send(SECOND))
        await at.settled()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        at.wire.give_up(GET)
        assert (await at.asks(replace(GET, token=b"third"))).token == b"third", "the second is never sent"
        at.say(answer_to(asked, kind=CON))
        assert await at.came() == CoapResponse("2.05", token=GET.token, confirmable=True), "late, but welcome"


@in_a_loop
async def test_a_confirmable_request_waits_until_the_last_one_is_acknowledged() -> None:
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        second = asyncio.create_task(at.wire.send(SECOND))
        await at.settled()
        assert at.has_said_all
        assert not second.done()
        at.say(Datagram(ACK, "0.00", asked.mid))
        assert (await at.hear()).token == SECOND.token
        await second


@in_a_loop
async def test_several_requests_are_under_way_and_answers_find_theirs() -> None:
    async with device(Patient()) as at:
        first = await at.asks(GET)
        at.say(Datagram(ACK, "0.00", first.mid))
        second = await at.asks(SECOND)
        at.say(answer_to(second, "2.04"), answer_to(first, "2.01", kind=NON))
        assert [await at.came(), await at.came()] == [
            CoapResponse("2.04", token=SECOND.token),
            CoapResponse("2.01", token=GET.token),
        ]


@in_a_loop
async def test_an_answer_ends_the_repetition_though_the_acknowledgement_was_lost() -> None:
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        at.say(later := answer_to(asked, kind=CON))
        assert (await at.came()).line == "2.05"
        assert await at.hear() == Datagram(ACK, "0.00", later.mid)
        assert (await at.asks(SECOND)).token == SECOND.token, "it waits for no acknowledgement"


@in_a_loop
async def test_an_answer_that_comes_twice_is_acknowledged_twice_and_given_once() -> None:
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        later = answer_to(asked, kind=CON)
        at.say(later, later)
        assert [await at.hear(), await at.hear()] == [Datagram(ACK, "0.00", later.mid)] * 2
        assert (await at.came()).line == "2.05"
        following = await at.asks(SECOND)
        at.say(answer_to(following, "2.04"))
        assert (await at.came()).line == "2.04", "nothing came in between"


@pytest.mark.parametrize("confirmable", [True, False])
@in_a_loop
async def test_a_request_can_be_reset(confirmable: bool) -> None:
    async with device(Patient()) as at:
        asked = await at.asks(replace(GET, confirmable=confirmable))
        at.say(Datagram(RST, "0.00", asked.mid))
        assert await at.came() == CoapReset(GET.token)


STRANGERS = {
    "another token": lambda asked: Datagram(CON, "2.05", 9, b"else"),
    "a request": lambda asked: Datagram(CON, "0.01", 9, b"t", ((11, b"x"),)),
    "a ping": lambda asked: Datagram(CON, "0.00", 9),
    "a notification": lambda asked: Datagram(NON, "2.05", 9, b"else", ((OBSERVE, b"\1"),)),
    "a request that is not confirmable": lambda asked: Datagram(NON, "0.02", 9),
}


@pytest.mark.parametrize("what", STRANGERS)
@in_a_loop
async def test_what_nobody_asked_for_is_reset(what: str) -> None:
    async with device() as at:
        asked = await at.asks(GET)
        at.say(STRANGERS[what](asked))
        assert await at.hear() == Datagram(RST, "0.00", 9)
        at.say(answer_to(asked))
        assert (await at.came()).line == "2.05"


IGNORED = {
    "nothing": b"",
    "half a head": b"\x60\x45",
    "version 2": b"\xa0\x45\0\1",
    "a promised option": b"\x60\x45\0\1\xb9abc",
    "a marked payload of length 15": b"\x60\x45\0\1\xf0",
    "bad UTF-8 in Location-Path": b"\x60\x45\0\1\x82\xff\xfe",
    "an acknowledgement of nothing": encode(Datagram(ACK, "2.05", 9, b"x")),
    "a reset of nothing": encode(Datagram(RST, "0.00", 9)),
    "an answer that is reset": encode(Datagram(RST, "2.05", 9, b"x")),
    "a code of no class": b"\x40\xff\0\1",
}


@pytest.mark.parametrize("what", IGNORED)
@in_a_loop
async def test_what_is_no_message_is_ignored(what: str) -> None:
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        at.say(IGNORED[what], answer_to(asked))
        assert (await at.came()).line == "2.05"
        assert at.has_said_all


TORN = {
    "a token length of 15": lambda head: bytes((head[0] | 0x0F,)) + head[1:] + b"\xf0" * 9,
    "half a token": lambda head: bytes((head[0] | 0x08,)) + head[1:] + b"tok",
    "an empty message with something in it": lambda head: bytes((head[0], 0)) + head[2:] + b"\xffx",
    "256 options": lambda head: head + b"\0" * 256,
    "half an option": lambda head: head + b"\xd1\x01",
    "a marker without a payload": lambda head: bytes((head[0] | 0x01,)) + head[1:] + b"t\xff",
}


@pytest.mark.parametrize("what", TORN)
@in_a_loop
async def test_what_breaks_the_format_acknowledges_nothing(what: str) -> None:
    """RFC 7252 §3: it is processed as a message format error, and the request is repeated."""
    async with device(Quick()) as at:
        asked = await at.asks(GET)
        at.say(TORN[what](encode(Datagram(ACK, "2.05", asked.mid))))
        assert await at.hear() == asked
        at.say(answer_to(asked, "2.05", b"hello"))
        assert await at.came() == CoapResponse("2.05", b"hello", token=GET.token)


@pytest.mark.parametrize(
    "option", [(12, b"\0\xff"), (2_049, b"\xff"), (2_049, b"x" * 12 + b"\xff"), (2_049, b"x" * 300)]
)
@in_a_loop
async def test_an_option_may_end_like_a_marker(option: tuple[int, bytes]) -> None:
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        at.say(answer_to(asked, "2.05", options=(option,)))
        assert (await at.came()).line == "2.05"


@in_a_loop
async def test_the_server_cannot_be_reached() -> None:
    async with device() as at:
        at.say(ConnectionRefusedError())
        with pytest.raises(ConnectionRefusedError):
            await at.came()


# Blocks (RFC 7959)


@in_a_loop
async def test_a_large_answer_comes_as_one() -> None:
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        at.say(answer_to(asked, "2.05", b"a" * 1024, options=((4, b"tag"), (BLOCK2, block(0, True, 6)), (28, b"\x05"))))
        following = await at.hear()
        assert (following.option(BLOCK2), following.token != asked.token) == (block(1, False, 6), True)
        at.say(answer_to(following, "2.05", b"b" * 3, options=((4, b"tag"), (BLOCK2, block(1, False, 6)))))
        assert await at.came() == CoapResponse("2.05", b"a" * 1024 + b"bbb", ((4, b"tag"),), token=GET.token)


@in_a_loop
async def test_a_large_request_is_out_when_its_last_block_is() -> None:
    async with device(Patient()) as at:
        sending = asyncio.create_task(at.wire.send(replace(GET, method="POST", payload=b"x" * 1030)))
        first = await at.hear()
        assert (first.option(BLOCK1), first.payload) == (block(0, True, 6), b"x" * 1024)
        await at.settled()
        assert not sending.done()
        at.say(answer_to(first, "2.31", options=((BLOCK1, block(0, True, 6)),)))
        last = await at.hear()
        assert (last.option(BLOCK1), last.payload, last.token) == (block(1, False, 6), b"x" * 6, GET.token)
        await sending
        at.say(answer_to(last, "2.04", options=((BLOCK1, block(1, False, 6)),)))
        assert await at.came() == CoapResponse("2.04", token=GET.token)


@in_a_loop
async def test_a_large_request_may_be_refused_at_its_first_block() -> None:
    async with device(Patient()) as at:
        sending = asyncio.create_task(at.wire.send(replace(GET, method="POST", payload=b"x" * 1030)))
        at.say(answer_to(await at.hear(), "4.13", options=((BLOCK1, block(0, False, 6)),)))
        assert await at.came() == CoapResponse("4.13", token=GET.token)
        await sending


@in_a_loop
async def test_an_answer_without_end_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coap_stack, "REPLY_LIMIT_BYTES", 40)
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        for number in range(3):
            at.say(answer_to(asked, "2.05", b"a" * 16, options=((BLOCK2, block(number, True, 0)),)))
            if number < 2:
                asked = await at.hear()
        with pytest.raises(ValueError, match="TooLarge"):
            await at.came()


@in_a_loop
async def test_a_server_may_tell_its_block_size_to_who_needs_none() -> None:
    async with device(Patient()) as at:
        at.say(answer_to(await at.asks(GET), options=((BLOCK1, block(0, False, 2)),)))
        assert await at.came() == CoapResponse("2.05", token=GET.token)


@in_a_loop
async def test_the_wrong_block_is_acknowledged() -> None:
    async with device(Patient()) as at:
        sending = asyncio.create_task(at.wire.send(replace(GET, method="POST", payload=b"x" * 1_030)))
        at.say(answer_to(await at.hear(), "2.31", options=((BLOCK1, block(5, True, 6)),)))
        with pytest.raises(ValueError, match="odd blocks"):
            await at.came()
        await sending


ODD_BLOCKS = {
    "begins in the middle": (b"a" * 16, block(3, True, 0)),
    "is shorter than its block": (b"a", block(0, True, 0)),
    "has blocks of no size": (b"a" * 1024, block(0, True, 7)),
}


@pytest.mark.parametrize("what", ODD_BLOCKS)
@in_a_loop
async def test_odd_blocks_are_no_answer(what: str) -> None:
    payload, value = ODD_BLOCKS[what]
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        at.say(answer_to(asked, "2.05", payload, options=((BLOCK2, value),)))
        if what == "has blocks of no size":
            at.say(answer_to(await at.hear(), "2.05", b"short", options=((BLOCK2, block(1, True, 0)),)))
        with pytest.raises(ValueError, match="odd blocks"):
            await at.came()


# Observation (RFC 7641)


@in_a_loop
async def test_notifications_come_in_order_and_are_acknowledged() -> None:
    async with device(Patient()) as at:
        asked = await at.asks(OBSERVING)
        assert asked.option(OBSERVE) == b""
        at.say(
            notification(asked, 7, b"now", piggybacked=True), *(new := [notification(asked, n, b"new") for n in (8, 9)])
        )
        assert [await at.came() for _ in range(3)] == [
            CoapResponse("2.05", b"now", observe=7, token=b"obs"),
            CoapResponse("2.05", b"new", observe=8, token=b"obs", confirmable=True),
            CoapResponse("2.05", b"new", observe=9, token=b"obs", confirmable=True),
        ]
        assert [await at.hear() for _ in new] == [Datagram(ACK, "0.00", one.mid) for one in new]


@in_a_loop
async def test_an_old_notification_is_acknowledged_and_not_given() -> None:
    async with device(Patient()) as at:
        asked = await at.observes(first=7)
        at.say(notification(asked, 9), notification(asked, 8), notification(asked, 10))
        assert [getattr(await at.came(), "observe", None) for _ in range(2)] == [9, 10]
        assert [(await at.hear()).kind for _ in range(3)] == [ACK] * 3


@in_a_loop
async def test_it_is_taken_back_with_the_same_token() -> None:
    async with device(Patient()) as at:
        await at.observes()
        asked = await at.asks(TAKE_BACK)
        assert (asked.option(OBSERVE), asked.token) == (b"\1", b"obs")
        at.say(crossing := notification(asked, 8), answer_to(asked, "2.05", b"last"))
        assert await at.came() == CoapResponse("2.05", b"last", token=b"obs"), "the one that crossed it is not given"
        assert await at.hear() == Datagram(ACK, "0.00", crossing.mid)
        at.say(late := notification(asked, 9))
        assert await at.hear() == Datagram(RST, "0.00", late.mid)


@pytest.mark.parametrize("kind", [CON, NON])
@in_a_loop
async def test_a_reset_ends_it_with_the_next_notification(kind: object) -> None:
    async with device(Patient()) as at:
        asked = await at.observes()
        await at.wire.send(CoapReset(b"obs"))
        at.say(late := notification(asked, 8, kind=kind))
        assert await at.hear() == Datagram(RST, "0.00", late.mid)


@in_a_loop
async def test_the_server_ends_it_with_an_error() -> None:
    async with device(Patient()) as at:
        asked = await at.observes()
        at.say(answer_to(asked, "4.04", kind=CON))
        assert (await at.came()).line == "4.04"
        assert (await at.hear()).kind is ACK
        at.say(late := notification(asked, 8))
        assert await at.hear() == Datagram(RST, "0.00", late.mid)


@in_a_loop
async def test_a_server_may_answer_and_not_let_itself_be_observed() -> None:
    async with device(Patient()) as at:
        asked = await at.asks(OBSERVING)
        at.say(answer_to(asked, "2.05", b"now"))
        assert await at.came() == CoapResponse("2.05", b"now", token=b"obs")
        at.say(late := notification(asked, 8))
        assert await at.hear() == Datagram(RST, "0.00", late.mid)


@in_a_loop
async def test_a_large_notification_comes_as_one_and_keeps_its_place() -> None:
    async with device(Patient()) as at:
        asked = await at.observes()
        at.say(notification(asked, 8, b"a" * 16, kind=NON, options=((BLOCK2, block(0, True, 0)),)))
        rest = await at.hear()
        assert (rest.option(OBSERVE), rest.option(BLOCK2)) == (None, block(1, False, 0))
        at.say(
            notification(asked, 9, b"small", kind=NON),
            answer_to(rest, "2.05", b"b", options=((BLOCK2, block(1, False, 0)),)),
        )
        assert [getattr(await at.came(), "payload", b"") for _ in range(2)] == [b"a" * 16 + b"b", b"small"]


@in_a_loop
async def test_it_can_be_renewed() -> None:
    async with device(Patient()) as at:
        await at.observes(first=7)
        asked = await at.observes(first=1)
        at.say(notification(asked, 2))
        assert getattr(await at.came(), "observe", None) == 2


# What a flow may not do, and what is left behind


@pytest.mark.parametrize(
    "wrong",
    [MqttPingreq(), CoapResponse("2.05"), replace(GET, method="HEAD"), replace(GET, token=b"123456789")],
    ids=["mqtt", "response", "method", "token"],
)
@in_a_loop
async def test_what_a_device_cannot_say(wrong: object) -> None:
    async with device() as at:
        with pytest.raises(ModelError):
            await at.wire.send(wrong)  # type: ignore[arg-type]
        assert at.has_said_all


@in_a_loop
async def test_what_is_never_answered_is_forgotten_in_the_end() -> None:
    async with device() as at:
        first = last = await at.asks(replace(GET, confirmable=False))
        for number in range(UNANSWERED_LIMIT):
            last = await at.asks(
                CoapRequest("POST", ORIGIN, "/t", token=number_bytes(1_000 + number), confirmable=False)
            )
        at.say(answer_to(first, kind=NON), answer_to(last, "2.04", kind=NON))
        assert (await at.came()).line == "2.04"


async def held_up(at: Device) -> None:
    """A device with an observation, a transfer of blocks, an unanswered request and one that waits to go out."""
    await at.observes()
    asked = await at.asks(replace(GET, confirmable=False))
    at.say(answer_to(asked, "2.05", b"a" * 16, kind=NON, options=((BLOCK2, block(0, True, 0)),)))
    await at.hear()
    await at.asks(replace(SECOND, method="POST", payload=b"x"))
    waiting = asyncio.create_task(at.wire.send(replace(SECOND, token=b"third")))
    await at.settled()
    waiting.cancel()


@in_a_loop
async def test_nothing_is_left_when_it_closes(caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    async with device(Patient()) as at:
        await held_up(at)
    assert at.channel.is_closed
    for _ in range(5):  # aiocoap's own tasks hear of it one after the other
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert caplog.records == []


@pytest.mark.parametrize("turns", range(8))
@in_a_loop
async def test_a_large_request_that_waits_for_its_turn_is_given_up(turns: int) -> None:
    """However far aiocoap has come with it."""
    async with device(Patient()) as at:
        asked = await at.asks(GET)
        waiting = asyncio.create_task(at.wire.send(replace(SECOND, method="POST", payload=b"x" * 1_030)))
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await at.settled()
        at.say(Datagram(ACK, "0.00", asked.mid))
        assert (await at.asks(replace(GET, token=b"third"))).token == b"third"


async def fetching(at: Device) -> Datagram:
    """The request for the second block of an answer."""
    at.say(answer_to(await at.asks(GET), "2.05", b"a" * 16, options=((BLOCK2, block(0, True, 0)),)))
    return await at.hear()


@in_a_loop
async def test_an_answer_may_come_in_the_moment_in_which_it_is_given_up() -> None:
    async with device(Patient()) as at:
        further = await fetching(at)
        await at.wire.send(CoapReset(GET.token))
        at.wire._stack.received(encode(answer_to(further, "2.05", b"b", options=((BLOCK2, block(1, False, 0)),))))
        await at.settled()


@in_a_loop
async def test_it_may_be_closed_in_the_moment_in_which_a_request_is_given_up() -> None:
    async with device(Patient()) as at:
        await fetching(at)
        await at.wire.send(CoapReset(GET.token))
        await at.wire.close()
        assert at.wire._reader.done()


@in_a_loop
async def test_it_may_be_closed_twice() -> None:
    async with device() as at:
        await at.asks(GET)
        await at.wire.close()
