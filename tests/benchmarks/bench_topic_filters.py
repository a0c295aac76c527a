"""Topic filters: twice the length costs at most 2.2 times, also for filters that somebody has chosen to hurt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

from fleetrig.reference_server.mqtt_sessions.subscription_tree import SubscriptionTree
from fleetrig.reference_server.mqtt_sessions.topic_filters import TOPIC_LEVELS, filter_flaw, fits, levels_of
from tests.benchmarks.measure import median, show

AT_MOST = 2.2
ROUNDS = 15
SHORT, LONG = TOPIC_LEVELS.most // 2, TOPIC_LEVELS.most
"""Levels."""
SUBSCRIBERS = 200


def hostile_filters(levels: int) -> list[str]:
    """Filters that fit `a/a/…/a` until their last level, by as many paths as a server lets somebody have."""
    beginnings = ["/".join(one) for one in product("a+", repeat=7)]
    return [f"{one}/{'+/' * (levels - 8)}b" for one in beginnings] + ["+/" * (levels - 1) + "#"]


def cpu_us(act: Callable[[], object], times: int) -> float:
    began = time.process_time_ns()
    for _ in range(times):
        act()
    return (time.process_time_ns() - began) / times / 1_000


def ratio(what: str, make: Callable[[int], Callable[[], object]], times: int) -> None:
    """Of the cost for twice the levels; the two are measured in turn, so that both see the same noise."""
    short, long = make(SHORT), make(LONG)
    figures = [(cpu_us(short, times), cpu_us(long, times)) for _ in range(ROUNDS)]
    found = median([after / before for before, after in figures])
    show(f"{what}: {LONG} levels", f"{median([after for _, after in figures]):.1f} us")
    show(f"{what}: {LONG} levels in place of {SHORT}", f"{found:.2f} times", f"{AT_MOST}")
    assert found <= AT_MOST


def tree_of(filters: Sequence[str]) -> SubscriptionTree[int, int]:
    tree = SubscriptionTree[int, int]()
    for subscriber in range(SUBSCRIBERS):
        for topic_filter in filters:
            tree.put(levels_of(topic_filter), subscriber, 0)
    return tree


def check(levels: int) -> Callable[[], object]:
    topic_filter = "+/" * (levels - 1) + "#"
    return lambda: filter_flaw(topic_filter)


def one_filter(levels: int) -> Callable[[], object]:
    filter_levels, topic_levels = ["+"] * (levels - 1) + ["b"], ["a"] * levels
    return lambda: fits(filter_levels, topic_levels)


def hostile_tree(levels: int) -> Callable[[], object]:
    tree, topic_levels = tree_of(hostile_filters(levels)), ["a"] * levels
    return lambda: sum(1 for _ in tree.matching(topic_levels))


def bench_topic_filters(tmp_path: Path) -> None:
    print(f"\n  topic filters; median of {ROUNDS} rounds")
    ratio("what is wrong with a filter", check, 2_000)
    ratio("whether a topic fits one filter", one_filter, 2_000)
    ratio(f"who gets a message, {len(hostile_filters(SHORT))} hostile filters of {SUBSCRIBERS}", hostile_tree, 5)


def bench_too_deep(tmp_path: Path) -> None:
    print("\n  topic filters of more than 200 levels are refused")
    for levels in (LONG + 1, 30_000):
        topic_filter = "+/" * (levels - 1) + "+"
        assert filter_flaw(topic_filter)
        show(f"{levels:,} levels", f"{cpu_us(lambda: filter_flaw(topic_filter), 1_000):.1f} us")  # noqa: B023


def bench_many_subscribers(tmp_path: Path) -> None:
    print("\n  a message among many subscribers, each of whom has filters of its own")
    for clients in (100, 10_000):
        tree = SubscriptionTree[int, int]()
        for client in range(clients):
            for rest in ("#", "+/MQTT/BIRTH", "CONF-V1/+/+"):
                tree.put(levels_of(f"$EDC/account/gw-{client}/{rest}"), client, 0)
        topic = levels_of("$EDC/account/gw-7/CONF-V1/GET/configurations")
        assert len(list(tree.matching(topic))) == 2
        show(f"{clients:,} clients", f"{cpu_us(lambda: list(tree.matching(topic)), 5_000):.2f} us")  # noqa: B023
