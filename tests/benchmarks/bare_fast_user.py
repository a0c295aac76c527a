"""A bare FastHttpUser of Locust that polls once a second, as anybody would write it: `URL KEY USERS SECONDS`.

Prints how many requests it made, and the processor time that they took, once all users are there.
"""

from __future__ import annotations

# isort: off
from locust import FastHttpUser, constant_pacing, task
from locust.env import Environment

import json
import random
import sys
import time
from itertools import count
from typing import Any

import gevent

WARM_S = 4.0
NUMBERS = count(1)


class Poller(FastHttpUser):
    wait_time = constant_pacing(1)

    def on_start(self) -> None:
        self.path = f"/DEFAULT/controller/v1/HB-{next(NUMBERS):05d}"
        gevent.sleep(random.random())

    @task
    def poll(self) -> None:
        headers = {"Authorization": f"GatewayToken {sys.argv[2]}", "Accept": "application/hal+json"}
        self.client.get(self.path, name="poll", headers=headers)


def main() -> None:
    url, users, seconds = sys.argv[1], int(sys.argv[3]), float(sys.argv[4])
    environment: Any = Environment(user_classes=[Poller], host=url)
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users / 2)
    gevent.sleep(WARM_S)
    total = runner.stats.total
    before = (total.num_requests, time.process_time())
    gevent.sleep(seconds)
    requests, cpu_s = total.num_requests - before[0], time.process_time() - before[1]
    sys.stdout.write(json.dumps({"requests": requests, "failures": total.num_failures, "cpu_s": cpu_s}) + "\n")
    runner.quit()


if __name__ == "__main__":
    main()
