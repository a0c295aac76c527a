"""Locust is told of many requests at once, and shows what it would show if it had been told of each."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
from locust.env import Environment
import random
import gevent
from fleetrig.simulator.drivers.load.locust_statistics import LocustStatistics

SHOWN = ("num_requests", "num_failures", "min_response_time", "max_response_time", "total_content_length",
         "response_times", "fail_ratio", "median_response_time")

def shown(statistics):
    for entry in (statistics.total, *(statistics.entries[key] for key in sorted(statistics.entries))):
        yield entry.name, [getattr(entry, name) for name in SHOWN], round(entry.avg_response_time, 6), sum(
            entry.num_reqs_per_sec.values())

at_once, each = Environment(), Environment()
each.create_local_runner()
at_once.create_local_runner()
telling = LocustStatistics(at_once)
chance = random.Random(1)
for number in range(3_000):
    kind, name, took_s = chance.choice(["GET", "PUT"]), chance.choice(["poll", "report"]), chance.lognormvariate(-4, 2)
    size, failure = chance.randrange(1000), chance.choice(["", "", "HTTP 500"])
    telling.told(kind, name, took_s, size, failure)
    each.events.request.fire(request_type=kind, name=name, response_time=took_s * 1e3, response_length=size,
                             exception=failure or None, context={})
    if number % 1_000 == 7:
        telling.settle()
telling.settle()
assert list(shown(at_once.stats)) == list(shown(each.stats)), (*shown(at_once.stats), *shown(each.stats))
assert sorted(map(str, at_once.stats.errors)) == sorted(map(str, each.stats.errors))

telling.told("GET", "late", 0.1, 1, "")
while not at_once.stats.entries["late", "GET"].num_requests:
    gevent.sleep(0.01)
print("alike")
"""
GENEROUS_S = 60


@pytest.mark.slow
def test_locust_shows_the_same() -> None:
    """In a process of its own: to import Locust patches the standard library."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=GENEROUS_S)
    assert ran.stdout == "alike\n", ran.stderr
