"""What every store promises, on each of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fleetrig.reference_server.stores import key_order
from fleetrig.reference_server.stores.interface import Kind, Store
from fleetrig.simulator.contract.errors import ModelError
from tests.reference_server.stores.failing import fail_after
from tests.reference_server.stores.records import DEVICE, JOB, Device, Job


def ids(found) -> list[str]:
    return [device.controller_id for device in found]


def test_what_was_put_is_found_by_key_in_its_kind_and_tenant_only(store: Store):
    device = Device("d1", "north", 5, ("a", "b"), {"hw": "1"})
    store.put(DEVICE, "T1", device)
    assert store.get(DEVICE, "T1", "d1") == device
    assert store.get(DEVICE, "T2", "d1") is None
    assert store.get(JOB, "T1", "d1") is None
    assert store.get(DEVICE, "T1", "D1") is None


def test_put_replaces(store: Store):
    store.put(DEVICE, "T", Device("d", "north"))
    store.put(DEVICE, "T", Device("d", "south"))
    assert store.get(DEVICE, "T", "d") == Device("d", "south")
    assert store.count(DEVICE, "T") == 1
    assert store.find(DEVICE, "T", "group", "north") == []
    assert ids(store.find(DEVICE, "T", "group", "south")) == ["d"]


def test_delete_says_whether_there_was_one(store: Store):
    store.put(DEVICE, "T", Device("d", "north"))
    assert store.delete(DEVICE, "T", "d") is True
    assert store.delete(DEVICE, "T", "d") is False
    assert store.delete(DEVICE, "elsewhere", "d") is False
    assert store.get(DEVICE, "T", "d") is None
    assert store.find(DEVICE, "T", "group", "north") == []
    assert (store.count(DEVICE, "T"), store.tenants(DEVICE)) == (0, [])


def test_find_and_scan_are_in_order_of_keys(store: Store):
    for number in (10, 9, 2, 100, 1):
        store.put(JOB, "T", Job(number, "d"))
    assert [job.number for job in store.scan(JOB, "T")] == [1, 2, 9, 10, 100]
    assert [job.number for job in store.find(JOB, "T", "open", "d")] == [1, 2, 9, 10, 100]
    assert [job.number for job in store.find(JOB, "T", "parity", 0)] == [2, 10, 100]


@pytest.mark.parametrize(
    ("offset", "limit", "descending", "numbers"),
    [
        (0, 2, False, [1, 2]),
        (3, 9, False, [10, 100]),
        (5, 1, False, []),
        (0, 2, True, [100, 10]),
        (3, 9, True, [2, 1]),
        (5, 1, True, []),
        (0, 0, True, []),
    ],
)
def test_a_page_is_a_part_of_all_in_order(store: Store, offset: int, limit: int, descending: bool, numbers: list[int]):
    for number in (10, 9, 2, 100, 1):
        store.put(JOB, "T", Job(number, "d"))
        store.put(JOB, "T", Job(number + 1_000, "e"))
    for of in (("open", "d"), None):
        page = store.page(JOB, "T", offset, limit, of=of, descending=descending)
        if of is not None:
            assert [job.number for job in page] == numbers
        everybody = list(store.scan(JOB, "T")) if of is None else store.find(JOB, "T", *of)
        assert page == (everybody[::-1] if descending else everybody)[offset : offset + limit]
    assert store.page(JOB, "nowhere", offset, limit) == []
    with pytest.raises(ModelError):
        store.page(JOB, "T", offset, limit, of=("undeclared", 1))


def test_a_page_follows_what_comes_and_goes(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(key_order, "CHANGES", 3)
    monkeypatch.setattr(key_order, "MOST_ORDERS", 2)
    for number in range(20):
        store.put(JOB, "T", Job(number, "d" if number % 2 else "e"))
        if number % 7 == 0:
            store.delete(JOB, "T", number // 2)
        if number % 3 == 0:
            store.put(JOB, "T", Job(number, "d", is_open=False))
            fail_after(store, lambda number=number: store.put(JOB, "T", Job(number + 50, "d")))
        if number % 5 < 3:
            for of in (None, ("open", "d"), ("open", "e"), ("parity", 0)):
                all_of_it = list(store.scan(JOB, "T")) if of is None else store.find(JOB, "T", *of)
                assert store.page(JOB, "T", 0, 99, of=of) == all_of_it
                assert store.page(JOB, "T", 1, 3, of=of, descending=True) == all_of_it[::-1][1:4]


def test_going_on_behind_a_key_that_went(store: Store):
    for number in range(5):
        store.put(JOB, "T", Job(number, "d"))
    first = store.after(JOB, "T", None, 2)
    store.delete(JOB, "T", 1)
    store.delete(JOB, "T", 3)
    store.put(JOB, "T", Job(7, "d"))
    assert [job.number for job in first] == [0, 1]
    assert [job.number for job in store.after(JOB, "T", 1, 9)] == [2, 4, 7]
    assert [job.number for job in store.after(JOB, "T", 2, 1, of=("open", "d"))] == [4]
    assert store.after(JOB, "T", 7, 9) == []


@pytest.mark.parametrize(
    "names",
    [
        ["a", "B", "b", "aa", "A b", "", "ä", "\u07ff", "\uffff", "\U0001f600", "z"],
        ["1", "10", "2", "02"],
        ["nul\x00a", "nul\x00", "nul", "nul\x00b"],
        ["half\ud800", "half\udfff", "half\ue000", "half"],
    ],
)
def test_strings_of_every_sort_are_keys_values_and_tenants(store: Store, names: list[str]):
    for name in names:
        store.put(DEVICE, name, Device(name, name))
        store.put(DEVICE, "all", Device(name, "same"))
    assert ids(store.scan(DEVICE, "all")) == ids(store.find(DEVICE, "all", "group", "same")) == sorted(names)
    assert store.tenants(DEVICE) == sorted([*names, "all"])
    for name in names:
        assert store.find(DEVICE, name, "group", name) == [store.get(DEVICE, name, name)] == [Device(name, name)]


def test_a_record_with_several_values_is_found_by_each_and_counted_once(store: Store):
    store.put(DEVICE, "T", Device("d1", tags=("a", "b", "a")))
    store.put(DEVICE, "T", Device("d2", tags=("b",)))
    store.put(DEVICE, "T", Device("d3"))
    assert ids(store.find(DEVICE, "T", "tag", "a")) == ["d1"]
    assert ids(store.find(DEVICE, "T", "tag", "b")) == ["d1", "d2"]
    assert [store.count(DEVICE, "T", "tag", tag) for tag in "abc"] == [1, 2, 0]
    assert store.count(DEVICE, "T") == 3


def test_tenants_may_be_nameless(store: Store):
    store.put(DEVICE, "", Device("d"))
    store.put(DEVICE, "T", Device("d"))
    assert store.tenants(DEVICE) == ["", "T"]
    assert store.tenants(JOB) == []


def test_totals_are_of_all_tenants(store: Store):
    assert store.totals() == {}
    for tenant in ("T1", "T2"):
        store.put(DEVICE, tenant, Device("d", "north"))
    store.put(JOB, "T1", Job(1, "d"))
    assert store.totals() == {DEVICE.name: 2, JOB.name: 1}
    store.delete(JOB, "T1", 1)
    assert store.totals() == {DEVICE.name: 2}


def test_a_long_find_is_whole(store: Store):
    for number in range(300):
        store.put(JOB, "T", Job(number, "d"))
    assert [job.number for job in store.find(JOB, "T", "open", "d")] == list(range(300))
    store.delete(JOB, "T", 150)
    assert store.count(JOB, "T", "open", "d") == len(store.find(JOB, "T", "open", "d")) == 299


def test_find_sees_a_change_right_after_it_was_asked_before(store: Store):
    assert store.find(JOB, "T", "open", "d") == []
    store.put(JOB, "T", Job(1, "d"))
    assert store.find(JOB, "T", "open", "d") == [Job(1, "d")]
    store.put(JOB, "T", Job(1, "d", is_open=False))
    assert store.find(JOB, "T", "open", "d") == []
    assert store.count(JOB, "T", "open", "d") == 0


def test_a_failed_transaction_leaves_nothing_behind(store: Store):
    store.put(DEVICE, "T", Device("kept", "north"))
    store.put(DEVICE, "T", Device("changed", "north"))
    assert store.count(DEVICE, "T", "group", "north") == 2

    def write() -> None:
        store.put(DEVICE, "T", Device("new", "north"))
        store.put(DEVICE, "other", Device("new"))
        store.put(DEVICE, "T", Device("changed", "south"))
        store.put(DEVICE, "T", Device("changed", "west"))
        store.delete(DEVICE, "T", "kept")
        assert ids(store.scan(DEVICE, "T")) == ["changed", "new"]
        assert ids(store.find(DEVICE, "T", "group", "west")) == ["changed"]

    fail_after(store, write)
    assert ids(store.scan(DEVICE, "T")) == ids(store.find(DEVICE, "T", "group", "north")) == ["changed", "kept"]
    assert store.get(DEVICE, "T", "new") is None
    assert store.get(DEVICE, "T", "changed") == Device("changed", "north")
    assert store.find(DEVICE, "T", "group", "south") == store.find(DEVICE, "T", "group", "west") == []
    assert (store.count(DEVICE, "T"), store.tenants(DEVICE)) == (2, ["T"])


def test_a_failed_transaction_of_a_kind_never_seen_before(store: Store):
    fail_after(store, lambda: store.put(JOB, "T", Job(1, "d")))
    assert list(store.scan(JOB, "T")) == store.find(JOB, "T", "open", "d") == []
    store.put(JOB, "T", Job(2, "d"))
    assert store.find(JOB, "T", "open", "d") == [Job(2, "d")]


def test_transactions_are_not_nested(store: Store):
    with store.transaction():
        store.put(DEVICE, "T", Device("d"))
        with pytest.raises(ModelError, match="not nested"), store.transaction():
            pass
    assert store.get(DEVICE, "T", "d") == Device("d")


def test_a_lazy_put_is_visible_at_once_everywhere(store: Store):
    store.put(DEVICE, "T", Device("d", "north"))
    store.put(DEVICE, "T", Device("d", "north", polled_at_us=7), lazily=True)
    store.put(DEVICE, "T", Device("new", "north"), lazily=True)
    store.put(DEVICE, "T", Device("d2", "north"))
    store.put(DEVICE, "T", Device("d2", "south"), lazily=True)
    assert store.get(DEVICE, "T", "d") == Device("d", "north", 7)
    assert list(store.scan(DEVICE, "T")) == [Device("d", "north", 7), Device("d2", "south"), Device("new", "north")]
    assert store.find(DEVICE, "T", "group", "north") == [Device("d", "north", 7), Device("new", "north")]
    assert [store.count(DEVICE, "T", "group", group) for group in ("north", "south")] == [2, 1]


def test_a_lazy_put_falls_with_its_transaction(store: Store):
    store.put(DEVICE, "T", Device("d"))
    store.put(DEVICE, "T", Device("d", polled_at_us=1), lazily=True)
    fail_after(store, lambda: store.put(DEVICE, "T", Device("d", polled_at_us=2), lazily=True))
    assert store.get(DEVICE, "T", "d") == Device("d", polled_at_us=1)
    fail_after(store, lambda: store.put(DEVICE, "T", Device("d", polled_at_us=3)))
    assert store.get(DEVICE, "T", "d") == Device("d", polled_at_us=1)
    fail_after(store, lambda: store.delete(DEVICE, "T", "d"))
    assert store.get(DEVICE, "T", "d") == Device("d", polled_at_us=1)
    fail_after(store, store.flush)
    assert store.get(DEVICE, "T", "d") == Device("d", polled_at_us=1)


def test_ids_count_up_in_each_sequence_and_are_not_given_back(store: Store):
    assert [store.next_id("job") for _ in range(3)] == [1, 2, 3]
    assert store.next_id("other") == 1
    assert [store.next_id("far", at_least) for at_least in (99, 99, 1, 1000)] == [99, 100, 101, 1000]
    fail_after(store, lambda: store.next_id("job"))
    assert store.next_id("job") == 5


def test_whoever_waits_for_the_end_is_told_once(store: Store):
    told: list[bool] = []
    with store.transaction():
        store.when_settled(told.append)
        assert told == []
    assert told == [True]
    fail_after(store, lambda: store.when_settled(told.append))
    assert told == [True, False]
    store.when_settled(told.append)
    assert told == [True, False, True]
    with store.transaction():
        pass
    assert told == [True, False, True]


def test_an_int_over_64_bits_is_found_nowhere_and_refused_when_put(store: Store):
    store.put(JOB, "T", Job(2**63 - 1, "d"))
    assert store.get(JOB, "T", 2**63 - 1) == Job(2**63 - 1, "d")
    assert store.get(JOB, "T", 2**63) is None
    assert store.delete(JOB, "T", -(2**64)) is False
    assert store.find(JOB, "T", "parity", 10**30) == []
    assert store.count(JOB, "T", "parity", 10**30) == 0
    with pytest.raises(ModelError, match="64 bits"):
        store.put(JOB, "T", Job(2**63, "d"))


def test_a_key_of_the_other_type_is_another_key(store: Store):
    store.put(JOB, "T", Job(1, "d"))
    assert store.get(JOB, "T", "1") is None
    assert store.find(JOB, "T", "parity", "1") == []


def test_an_index_that_was_not_declared_is_named(store: Store):
    with pytest.raises(ModelError, match=r"no index 'grop' \(declared: group, tag\)"):
        store.find(DEVICE, "T", "grop", "north")
    with pytest.raises(ModelError, match="no index"):
        store.count(DEVICE, "T", "grop", "north")


def test_an_index_that_gives_a_bare_str_is_refused(store: Store):
    kind = Kind("test.bare", Device, key=lambda device: device.controller_id, indexes={"id": lambda d: d.controller_id})
    with pytest.raises(ModelError, match="bare str"):
        store.put(kind, "T", Device("d"))
    assert list(store.scan(kind, "T")) == []


def test_two_kinds_of_one_name_are_refused(store: Store):
    store.put(DEVICE, "T", Device("d"))
    other = Kind(DEVICE.name, Job, key=lambda job: job.number)
    with pytest.raises(ModelError, match="two kinds"):
        store.put(other, "T", Job(1, "d"))


def test_a_record_that_no_file_could_hold_is_refused_by_every_store(store: Store):
    @dataclass(frozen=True)
    class Raw:
        name: str
        content: object = None

    @dataclass(frozen=True)
    class Typed:
        name: str
        content: bytes = b""

    with pytest.raises(ModelError, match=r"Typed\.content"):
        store.put(Kind("test.typed", Typed, key=lambda raw: raw.name), "T", Typed("a"))
    store.put(Kind("test.raw", Raw, key=lambda raw: raw.name), "T", Raw("a", {"b": [1, None]}))


def test_close_twice(store: Store):
    store.close()
    store.close()
