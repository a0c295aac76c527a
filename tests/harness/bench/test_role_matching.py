"""Which boards take which roles: in the order of both files, each once, and what is said when one is missing."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.harness.bench.bench_file import BenchFile, Desk
from fleetrig.harness.bench.role_matching import NoFittingBoard, matched
from fleetrig.harness.scenario_file.boards_block import BoardRole

BOARDS: dict[str, Any] = {
    "a": {"type": "gw", "port": "/dev/a", "offers": ["power", "wifi"]},
    "b": {"type": "gw", "port": "/dev/b", "offers": ["power"]},
    "c": {"type": "hub", "port": "/dev/c"},
}
DESK = Desk("desk.yaml", BenchFile.model_validate({"boards": BOARDS}).boards)


def roles(**wanted: Any) -> dict[str, BoardRole]:
    return {role: BoardRole.model_validate(one) for role, one in wanted.items()}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (roles(x={}), {"x": "a"}),
        (roles(x={"type": "hub"}), {"x": "c"}),
        (roles(x={"type": "gw"}, y={"type": "gw"}), {"x": "a", "y": "b"}),
        (roles(x={"type": "gw"}, y={"offers": ["wifi"]}), {"x": "b", "y": "a"}),
        (roles(x={}, y={}, z={}), {"x": "a", "y": "b", "z": "c"}),
    ],
)
def test_the_first_that_fits_takes_a_role(wanted: dict[str, BoardRole], found: dict[str, str]) -> None:
    assert matched(wanted, DESK) == found


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (roles(x={"type": "gateway"}), "desk.yaml has no board for x: none is of type gateway"),
        (roles(x={"offers": ["lora", "power"]}), "desk.yaml has no board for x: none offers lora"),
        (roles(x={"type": "hub", "offers": ["power"]}), "desk.yaml has no board for x: none of type hub offers power"),
        (
            roles(x={"type": "hub"}, y={"type": "hub"}),
            "desk.yaml has too few boards for x, y: each takes one of its own",
        ),
        (roles(w={}, x={}, y={}, z={}), "desk.yaml has too few boards for w, x, y, z: each takes one of its own"),
    ],
)
def test_a_missing_board_is_told_with_the_missing_word(wanted: dict[str, BoardRole], said: str) -> None:
    with pytest.raises(NoFittingBoard) as lacking:
        matched(wanted, DESK)
    assert str(lacking.value) == said


def test_what_this_machine_lacks_is_a_reason_too() -> None:
    lacks = {"a": "no QEMU here", "b": ""}
    assert matched(roles(x={"type": "gw"}), DESK, lambda name: lacks[name]) == {"x": "b"}
    with pytest.raises(NoFittingBoard, match="no board for x can be used here: no QEMU here"):
        matched(roles(x={"offers": ["wifi"]}), DESK, lambda name: lacks[name])
