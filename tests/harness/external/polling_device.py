"""A program that nobody would want as a device: it polls, and does what its arguments say beside that.

Standard library only, and nothing of fleetrig: all it knows stands in the environment.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit

EVERY_S = 0.3


def poll(source: str) -> int:
    url = urlsplit(os.environ["FLEETRIG_URL"])
    path = f"/{os.environ['FLEETRIG_TENANT']}/controller/v1/{os.environ['FLEETRIG_ID']}"
    token = os.environ["FLEETRIG_TOKEN"]
    authorization = f"TargetToken {token}" if token else f"GatewayToken {os.environ['FLEETRIG_GATEWAY_TOKEN']}"
    assert url.hostname is not None
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=5, source_address=(source, 0))
    try:
        connection.request("GET", path, headers={"Authorization": authorization})
        return connection.getresponse().status
    finally:
        connection.close()


def main(habits: list[str]) -> int:
    print("started with", *habits, flush=True)
    sources = ["127.0.0.1", "127.0.0.2"] if "two-addresses" in habits else ["127.0.0.1"]
    if "has-a-child" in habits:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("child", child.pid, flush=True)
    for number in range(10_000):
        print("answered", poll(sources[number % len(sources)]), flush=True)
        if "talks" in habits:
            print("my token is", os.environ["FLEETRIG_TOKEN"], flush=True)
        if "dies" in habits and number == 2:
            print("last words", flush=True)
            return 3
        time.sleep(EVERY_S)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
