"""Topic filters: what is one, what fits; the tree says the same as one filter after the other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.mqtt_sessions.subscription_tree import SubscriptionTree
from fleetrig.reference_server.mqtt_sessions.topic_filters import (
    TOPIC_LEVELS,
    filter_flaw,
    fits,
    levels_of,
    topic_flaw,
)

DEEPEST = "/".join(["a"] * TOPIC_LEVELS.most)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "is_fit"),
    [
        # MQTT 3.1.1 §4.7.1.2
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", "a/b", True),
        # §4.7.1.3
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        # §4.7.2
        ("#", "$SYS/broker", False),
        ("+/broker", "$SYS/broker", False),
        ("$SYS/#", "$SYS/broker", True),
        ("$SYS/+", "$SYS/broker", True),
        ("$EDC/a/+/MQTT/BIRTH", "$EDC/a/gw-1/MQTT/BIRTH", True),
        ("a/+", "a/$b", True),
        # §4.7.3
        ("ACCOUNTS", "Accounts", False),
        ("a", "a/", False),
        ("a/", "a", False),
        ("a//b", "a//b", True),
        ("a/b", "a//b", False),
        (DEEPEST, DEEPEST, True),
    ],
)
def test_a_topic_fits(topic_filter: str, topic: str, is_fit: bool) -> None:
    assert (filter_flaw(topic_filter), topic_flaw(topic)) == ("", "")
    assert fits(levels_of(topic_filter), levels_of(topic)) is is_fit
    tree = SubscriptionTree[str, int]()
    tree.put(levels_of(topic_filter), "who", 1)
    assert list(tree.matching(levels_of(topic))) == ([("who", 1)] if is_fit else [])


@pytest.mark.parametrize(
    ("topic_filter", "why"),
    [
        ("", "empty"),
        ("sport/tennis#", "whole level"),
        ("sport/tennis/#/ranking", "at the end"),
        ("sport+", "whole level"),
        ("++", "whole level"),
        ("a\0b", "NUL"),
        (f"{DEEPEST}/a", "at most 200 levels"),
        ("/" * 200, "at most 200 levels"),
        ("#/#", "at the end"),
        ("x" * 65_536, "too long"),
        ("$share", ""),
        ("$share/", "shared"),
        ("$share/g", "shared"),
        ("$share/g/", "empty"),
        ("$share/+/a", "shared"),
        ("$share//a", "shared"),
        ("$share/g/a/#", ""),
        (f"$share/g/{DEEPEST}", ""),
        (f"$share/g/{DEEPEST}/a", "at most 200 levels"),
    ],
)
def test_what_is_wrong_with_a_filter(topic_filter: str, why: str) -> None:
    assert why in filter_flaw(topic_filter)
    assert bool(why) is bool(filter_flaw(topic_filter))


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0", f"{DEEPEST}/a", "a" * 65_536])
def test_nobody_publishes_to(topic: str) -> None:
    assert topic_flaw(topic)


def test_a_branch_that_leads_somewhere_stays() -> None:
    tree = SubscriptionTree[str, int]()
    tree.put(["a"], "one", 1)
    tree.put(["a", "b"], "two", 2)
    tree.remove(["a"], "one")
    assert list(tree.matching(["a", "b"])) == [("two", 2)]


LEVELS = st.lists(st.sampled_from(["", "a", "b", "$c", "+"]), min_size=1, max_size=4)
FILTERS = st.builds(lambda levels, rest: [*levels, "#"] if rest else levels, LEVELS, st.booleans())
TOPICS = st.lists(st.sampled_from(["", "a", "b", "$c"]), min_size=1, max_size=5)


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(st.booleans(), FILTERS, st.integers(0, 3)), max_size=30),
    topics=st.lists(TOPICS, min_size=1, max_size=5),
)
def test_the_tree_finds_whom_one_filter_after_the_other_finds(
    steps: list[tuple[bool, list[str], int]], topics: list[list[str]]
) -> None:
    tree, model = SubscriptionTree[int, int](), dict[tuple[tuple[str, ...], int], int]()
    for number, (is_put, levels, who) in enumerate(steps):
        if is_put:
            tree.put(levels, who, number)
            model[tuple(levels), who] = number
        else:
            tree.remove(levels, who)
            model.pop((tuple(levels), who), None)
    for topic in topics:
        expected = sorted((who, how) for (levels, who), how in model.items() if fits(levels, topic))
        assert sorted(tree.matching(topic)) == expected
    for kept, who in list(model):
        tree.remove(kept, who)
    assert tree.is_empty


@settings(deadline=None)
@given(st.text(max_size=50))
def test_any_text_is_a_filter_or_is_not(text: str) -> None:
    if not filter_flaw(text):
        fits(levels_of(text), ["a"])
