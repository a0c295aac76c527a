"""The cache: bounded, and what is asked for again stays."""

from __future__ import annotations

from fleetrig.reference_server.stores.recent import MISSING, Recent


def test_it_never_holds_more_than_its_capacity():
    cache: Recent[int, int] = Recent(10)
    for number in range(1000):
        cache.put(number, number)
        cache.get(number // 2)
        assert len(cache) <= 10


def test_what_is_asked_for_stays_and_what_is_not_goes():
    cache: Recent[str, int] = Recent(10)
    cache.put("asked for", 1)
    cache.put("forgotten", 2)
    for number in range(100):
        cache.put(str(number), number)
        assert cache.get("asked for") == 1
    assert cache.get("forgotten") is MISSING


def test_none_is_a_value():
    cache: Recent[str, None] = Recent(10)
    cache.put("absent", None)
    assert cache.get("absent") is None
    assert cache.get("unknown") is MISSING


def test_the_newest_value_counts_in_either_generation():
    cache: Recent[str, int] = Recent(4)
    cache.put("a", 1)
    for filler in "bcd":
        cache.put(filler, 0)
    cache.put("a", 2)
    assert cache.peek("a") == cache.get("a") == 2
    cache.pop("a")
    assert cache.peek("a") is cache.get("a") is MISSING


def test_an_offer_pushes_nothing_out():
    cache: Recent[int, int] = Recent(10)
    for number in range(10):
        cache.put(number, number)
    kept = [number for number in range(10) if cache.peek(number) is not MISSING]
    for number in range(100, 200):
        cache.offer(number, number)
    assert [number for number in range(10) if cache.peek(number) is not MISSING] == kept
