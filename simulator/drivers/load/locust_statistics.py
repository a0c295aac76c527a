"""What Locust's statistics hear of requests: several times a second, all at once, as a master hears it of its workers.

To tell it of each request costs as much as to parse the answer.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.stats import RequestStats, StatsEntry, bucket_response_time

TELLS_EVERY_S: Final = 0.25


class LocustStatistics:
    """A `RequestTold`. What has come is told by itself, the rest by `settle`."""

    def __init__(self, environment: Environment) -> None:
        self._statistics: Any = environment.stats
        self._answers: dict[tuple[str, str], list[tuple[float, int]]] = {}
        """Request type and name -> milliseconds and body bytes of each that has ended since Locust was told last."""
        self._telling: Any = None

    def told(self, request_type: str, name: str, took_s: float, answer_bytes: int, failure: str) -> None:
        """See `RequestTold`."""
        if failure:
            self._statistics.log_error(request_type, name, failure)
        answer = (took_s * 1e3, answer_bytes)
        try:
            self._answers[request_type, name].append(answer)
        except KeyError:
            self._answers[request_type, name] = [answer]
            if self._telling is None:
                self._telling = gevent.spawn_later(TELLS_EVERY_S, self.settle)

    def settle(self) -> None:
        """Tells all that has come."""
        answers, self._answers, self._telling = self._answers, {}, None
        for (request_type, name), ended in answers.items():
            part = part_of(self._statistics, request_type, name, ended)
            self._statistics.entries[name, request_type].extend(part)
            self._statistics.total.extend(part)


def part_of(statistics: RequestStats, request_type: str, name: str, ended: list[tuple[float, int]]) -> StatsEntry:
    """An entry of these requests alone: the sums and counts that Locust makes of each. `ended`: ms and bytes."""
    part: Any = StatsEntry(statistics, name, request_type)
    took_ms = [ms for ms, _ in ended]
    part.num_requests = len(ended)
    part.total_response_time = sum(took_ms)
    part.min_response_time, part.max_response_time = min(took_ms), max(took_ms)
    part.total_content_length = sum(size for _, size in ended)
    part.response_times = Counter(map(bucket_response_time, took_ms))
    part.last_request_timestamp = time.time()
    part.num_reqs_per_sec = {int(part.last_request_timestamp): len(ended)}
    entry: StatsEntry = part
    return entry
