"""What is to happen later, and what is remembered for a time."""

from __future__ import annotations

from fleetrig.reference_server.coap_messages.agenda import TIDY_FROM, Agenda
from fleetrig.reference_server.coap_messages.expiring import Expiring


def test_the_earliest_comes_first_and_of_two_the_first_ordered() -> None:
    agenda, happened = Agenda(), list[str]()
    for at_us, name in ((20, "c"), (10, "a"), (10, "b"), (30, "d")):
        agenda.at(at_us, lambda now_us, name=name: happened.append(f"{name} {now_us}"))  # type: ignore[misc]
    assert agenda.next_us() == 10
    agenda.run(25)
    assert (happened, agenda.next_us()) == (["a 25", "b 25", "c 25"], 30)


def test_what_is_ordered_meanwhile_happens_too_if_it_is_due() -> None:
    agenda, happened = Agenda(), list[int]()

    def order(now_us: int) -> None:
        agenda.at(now_us, happened.append)

    agenda.at(10, order)
    agenda.run(10)
    assert (happened, agenda.next_us()) == ([10], None)


def test_what_is_cancelled_never_happens_and_takes_no_memory() -> None:
    agenda, happened = Agenda(), list[int]()
    for n in range(10 * TIDY_FROM):
        agenda.at(1_000_000 + n, happened.append).cancel()
    assert len(agenda._heap) <= TIDY_FROM
    assert agenda.next_us() is None
    agenda.run(10_000_000)
    assert happened == []


def test_values_expire_and_the_oldest_make_room() -> None:
    kept: Expiring[str, int] = Expiring(lifetime_us=100, most=3, most_bytes=10)
    kept.put("a", 1, now_us=0, size_bytes=4)
    kept.put("b", 2, now_us=50, size_bytes=4)
    kept.put("a", 3, now_us=60, size_bytes=5)
    assert (kept.get("a", 99), kept.get("b", 149), kept.get("b", 150), kept.total_bytes) == (3, 2, None, 9)
    kept.put("c", 4, now_us=70, size_bytes=2)
    assert (kept.get("b", 70), kept.total_bytes) == (None, 7)
    kept.expire(160)
    assert (len(kept), kept.total_bytes) == (1, 2)
    kept.put("d", 5, now_us=160, size_bytes=11)
    assert (len(kept), kept.total_bytes) == (0, 0), "what is too large is not kept"
    for n in range(5):
        kept.put(str(n), n, now_us=200)
    assert [kept.get(str(n), 200) for n in range(5)] == [None, None, 2, 3, 4]
