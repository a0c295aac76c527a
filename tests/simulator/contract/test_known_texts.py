"""Known texts are found as a loop over every character would find them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleetrig.simulator.contract.known_texts import FEW, KnownTexts

LETTERS = "xyü🔑\ud800"
"""Of one to four bytes, and one that is no text at all."""
KNOWN = st.lists(st.text(LETTERS, min_size=1, max_size=20), min_size=1, max_size=3 * FEW, unique=True)
TEXT = st.text(LETTERS, max_size=60)


def masks_of(known: list[str]) -> dict[str, str]:
    return {text: f"<{number}>" for number, text in enumerate(known)}


def replaced(known: list[str], text: str) -> str:
    texts = KnownTexts()
    for one in known:
        texts.add(one)
    return texts.replaced(text, masks_of(known))


def plainly_replaced(known: list[str], text: str) -> str:
    masks = masks_of(known)
    longest_first = sorted(known, key=lambda one: -len(one.encode("utf-8", "surrogatepass")))
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: masks[found[0]], text)


@given(KNOWN, TEXT, st.data())
@example(["x" * 20, "x" * 19, "xy"], "y" + "x" * 40, None)
def test_all_that_is_known_is_found(known: list[str], text: str, data: st.DataObject | None) -> None:
    inside = text if data is None else "".join(data.draw(st.lists(st.sampled_from([*known, "x", text]), max_size=8)))
    assert replaced(known, inside) == plainly_replaced(known, inside)


@pytest.mark.parametrize("before", range(9))
@pytest.mark.parametrize("chars", [1, 2, 3, 6, 7, 8, 14, 15, 16, 31])
def test_wherever_it_stands(chars: int, before: int) -> None:
    """In each of the ways in which it can lie over the blocks, among few and among many."""
    wanted = "0123456789abcdefghijklmnopqrstuvwxyz"[:chars]
    for others in ([], [f"{number}-{wanted[1:]}" for number in range(2 * FEW)]):
        assert replaced([wanted, *others], "." * before + wanted + "..") == "." * before + "<0>.."


def test_a_thousand_that_differ_at_one_end_are_noted_alike() -> None:
    """Else each text that holds one would be compared with all."""
    texts = KnownTexts()
    known = [f"secret-{number:04d}" for number in range(1_000)] + [
        f"{number:04d}-of-the-fleet" for number in range(1_000)
    ]
    for one in known:
        texts.add(one)
    assert texts.replaced("secret-0999 0999-of-the-fleet", masks_of(known)) == "<999> <1999>"
    assert max(len(notes) for size in texts._sizes.values() for notes in size._notes.values()) == 1


def test_nothing_is_known_yet() -> None:
    assert KnownTexts().replaced("anything", {}) == "anything"
