"""What has come is taken in order, within its limit, and then its end."""

from __future__ import annotations

import asyncio

import pytest

from fleetrig.simulator.transports.arrivals import Arrivals
from tests.simulator.transports.coap_peer import in_a_loop


@in_a_loop
async def test_what_has_come_is_taken_in_order() -> None:
    arrivals: Arrivals[int] = Arrivals(9)
    arrivals.put(1)
    arrivals.put(2)
    assert [await arrivals.take(), await arrivals.take()] == [1, 2]


@in_a_loop
async def test_a_reader_is_woken() -> None:
    arrivals: Arrivals[int] = Arrivals(9)
    reading = asyncio.create_task(arrivals.take())
    await asyncio.sleep(0)
    arrivals.put(1)
    arrivals.put(2)
    assert await reading == 1
    assert await arrivals.take() == 2


@in_a_loop
async def test_the_oldest_goes_for_what_is_too_much() -> None:
    arrivals: Arrivals[int] = Arrivals(2)
    for number in range(5):
        arrivals.put(number)
    assert [await arrivals.take(), await arrivals.take()] == [3, 4]


@in_a_loop
async def test_the_end_comes_after_the_rest_and_for_good() -> None:
    arrivals: Arrivals[int] = Arrivals(9)
    arrivals.put(1)
    arrivals.end(EOFError("first"))
    arrivals.end(OSError("second"))
    assert await arrivals.take() == 1
    for _ in range(2):
        with pytest.raises(EOFError, match="first"):
            await arrivals.take()


@in_a_loop
async def test_nothing_is_lost_when_a_reader_gives_up() -> None:
    arrivals: Arrivals[int] = Arrivals(9)
    reading = asyncio.create_task(arrivals.take())
    await asyncio.sleep(0)
    arrivals.put(1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await arrivals.take() == 1
