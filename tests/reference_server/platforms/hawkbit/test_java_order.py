"""The order of Java's hash collections. The numbers were computed by Java."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.java_order import entity_hash, in_hash_order, string_hash
from tests.reference_server.platforms.hawkbit.deployment_bench import Bench

MODULE = "org.eclipse.hawkbit.repository.jpa.model.JpaSoftwareModule"


@pytest.mark.parametrize(("text", "number"), [("", 0), ("a", 97), ("hello", 99162322), ("\U0001f600", 1772899)])
def test_strings(text, number):
    assert string_hash(text) == number


def order(ids: list[int], changed: tuple[int, ...] = ()) -> list[int]:
    return in_hash_order(ids, lambda one: entity_hash(MODULE, one, 2 if one in changed else 1, "DEFAULT"), copied=True)


def test_entities_as_the_real_server_lists_them():
    ids = list(range(357, 366))
    assert order(ids) == [364, 363, 365, 361, 362, 357, 360, 358, 359]
    assert order(ids, tuple(ids[::2])) == [364, 365, 359, 357, 362, 360, 363, 358, 361]


def test_twelve_have_room_for_more_when_copied():
    ids = list(range(16, 28))
    assert order(ids) == [17, 18, 16, 23, 20, 25, 26, 19, 24, 21, 22, 27]


def test_the_modules_of_a_set_change_places_when_one_is_changed():
    bench = Bench()
    ids = [bench.module(str(number), "application", None) for number in range(9)]
    set_id = bench.set_of(*ids, kind="app")

    def listed() -> list[int]:
        return [module["id"] for module in bench.mgmt("GET", f"/distributionsets/{set_id}").body["modules"]]

    assert listed() == order(ids)
    for module_id in ids[:3]:
        bench.upload(module_id, b"x")
    bench.mgmt("PUT", f"/softwaremodules/{ids[3]}", {"vendor": "v"})
    bench.mgmt("PUT", f"/softwaremodules/{ids[3]}", {"vendor": "v"})
    assert listed() == order(ids, tuple(ids[:4]))
    by_id = bench.mgmt("GET", f"/distributionsets/{set_id}/assignedSM").body["content"]
    assert [module["id"] for module in by_id] == ids
