"""Load over real sockets: what a device costs beside a bare Locust user, and whether the figures are true."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

from fleetrig.simulator.contract.header_text import basic_authorization
from tests.benchmarks.measure import median, served, show
from tests.benchmarks.watched_load import SERVER, Second, WatchedLoad

ROUNDS = 3
USERS = 1_000
BARE_S = 8.0
HALF_LOAD = 400
"""Polls a second: the reference server, which shares the machine, does some 1,000."""
KEY = "benchmark"
FEW, MANY = 100, 2_100
FREEZE_S = 2.0
SOAK_S = int(os.environ.get("LOAD_SOAK_S", "90"))
"""`LOAD_SOAK_S=600 make bench` for ten minutes."""

POLLING = """
    scenario: A fleet polls every second
    needs: [hawkbit.fast_polling]
    devices: {{count: {count}, flow: hawkbit, serial: "HB-{{n:05d}}", credential: gateway_token, interval: 1s}}
    server: {{settings: {{pollingTime: "00:00:01"}}}}
    phases:
      - name: power on
        do: {{power_on: {{spread: {spread_s}s}}}}
        within: 300s
        expect: [{{reaches: {{stage: online}}}}]
      - name: steady
        for: {for_s}s
        expect: [{{errors: {{at_most: 1%}}}}]
"""
TELEMETRY = """
    scenario: A fleet sends telemetry
    devices:
      {{count: {count}, flow: thingsboard, over: {over}, serial: "TB-{{n:05d}}", interval: {interval}, timeout: 60s}}
    server: {{settings: {{provisionType: ALLOW_CREATE_NEW_DEVICES}}}}
    phases:
      - name: power on
        do: {{power_on: {{spread: {spread_s}s}}}}
        within: 900s
        expect: [{{reaches: {{stage: online}}}}]
      - name: steady
        for: {for_s}s
        expect: [{{errors: {{at_most: 1%}}}}]
"""


def us_for_each(run: WatchedLoad) -> float:
    """Processor time of the generator for each request, while the fleet polls steadily."""
    steady = run.steady()
    return (steady[-1].cpu_s - steady[0].cpu_s) / sum(second.rate for second in steady[1:]) * 1e6


def bench_a_polling_device_beside_a_bare_fast_http_user(tmp_path: Path) -> None:
    print("\n\nLoad: one process, one keep-alive connection a device, a poll a second, the server in another process")
    ours, bare = [], []
    with served(tmp_path, "--set", "hawkbit.controller.minPollingTime=00:00:01") as (_, place, _):
        allow_gateway_token(f"http://{place}")
        for number in range(ROUNDS):
            folder = tmp_path / str(number)
            ours.append(us_for_each(WatchedLoad(folder).run(POLLING.format(count=USERS, spread_s=3, for_s=10))))
            bare.append(bare_us(f"http://{place}"))
    show("bare FastHttpUser of Locust, CPU a request", f"{median(bare):.0f} µs")
    ratio = median([theirs / mine for theirs, mine in zip(bare, ours, strict=True)])
    show("a device that polls, CPU a request", f"{median(ours):.0f} µs")
    show("requests for each CPU second, of those of the bare user", f"{ratio:.2f}", "at least 1, if possible 1.8")


def bare_us(url: str) -> float:
    program = Path(__file__).parent / "bare_fast_user.py"
    command = [sys.executable, str(program), url, KEY, str(USERS), str(BARE_S)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert not said["failures"], said
    return float(said["cpu_s"] / said["requests"] * 1e6)


def allow_gateway_token(url: str) -> None:
    """So that the bare user's requests are the same."""
    settings = {"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": KEY}
    for key, value in {**settings, "pollingTime": "00:00:01"}.items():
        headers = {"Authorization": basic_authorization("admin", "admin"), "Content-Type": "application/json"}
        place = f"{url}/rest/v1/system/configs/{key}"
        with urlopen(Request(place, json.dumps({"value": value}).encode(), headers, method="PUT")) as answer:
            assert answer.status < 300


def bench_memory_of_a_connected_device(tmp_path: Path) -> None:
    print("\nMemory of the generator for each connected device")
    for over in ("http", "mqtt"):
        resident = {}
        for count in (FEW, MANY):
            text = TELEMETRY.format(count=count, over=over, interval="30s", spread_s=max(1, count // 200), for_s=5)
            resident[count] = max(
                second.resident_mib for second in WatchedLoad(tmp_path / f"{over}{count}").run(text).steady()
            )
        each_kib = (resident[MANY] - resident[FEW]) * 1024 / (MANY - FEW)
        show(f"ThingsBoard over {over.upper()}", f"{each_kib:.1f} KiB", "22 KiB")


def bench_lateness_at_half_load(tmp_path: Path) -> None:
    print("\nLateness of starts at about half load, and 10,000 connected MQTT devices in one process")
    run = WatchedLoad(tmp_path / "half").run(POLLING.format(count=HALF_LOAD, spread_s=3, for_s=15))
    show(f"{HALF_LOAD:,} polls a second, p99 of intended to real start", late_of(run), "50 ms")
    spread_s, count = 60, 10_000
    text = TELEMETRY.format(count=count, over="mqtt", interval="30s", spread_s=spread_s, for_s=30)
    run = WatchedLoad(tmp_path / "ten").run(text)
    show("MQTT devices online in one process", f"{max(row.online for row in run.rows()):,}", "10,000")
    show("their memory, all in all", f"{max(second.resident_mib for second in run.seconds):.0f} MiB")
    show("p99 of intended to real start", late_of(run))


def late_of(run: WatchedLoad) -> str:
    """What the report says."""
    found = re.search(r"late .* p99 (\S+ m?s)", run.said)
    assert found is not None, run.said
    return found[1]


def bench_a_server_that_stands_still(tmp_path: Path) -> None:
    print(f"\nThe server stands still for {FREEZE_S:g} of 10 s; 20 devices, telemetry every 100 ms")

    def freeze(run: WatchedLoad, second: Second) -> None:
        if second.phase == "steady" and len([one for one in run.seconds if one.phase == "steady"]) == 3:
            os.kill(run.pids[SERVER], signal.SIGSTOP)
            time.sleep(FREEZE_S)
            os.kill(run.pids[SERVER], signal.SIGCONT)

    text = TELEMETRY.format(count=20, over="http", interval="100ms", spread_s=1, for_s=9)
    run = WatchedLoad(tmp_path).run(text, on_second=freeze)
    for name, what in (("latency", "p90 as Locust counts"), ("corrected", "p90 corrected by the intended starts")):
        found = re.search(rf"{name} .* p90 (\S+ m?s)", run.said)
        assert found is not None, run.said
        show(what, found[1], "1 s" if name == "corrected" else "")
    assert "Locust counts only what was sent" in run.said, run.said


def bench_memory_over_time(tmp_path: Path) -> None:
    print(f"\nMemory of the generator over {SOAK_S} s of 200 polls a second")
    run = WatchedLoad(tmp_path).run(POLLING.format(count=200, spread_s=3, for_s=SOAK_S))
    steady = run.steady()
    early_mib, late_mib = steady[len(steady) // 3].resident_mib, steady[-1].resident_mib
    show("after a third of the time", f"{early_mib:.1f} MiB")
    show("at the end", f"{late_mib:.1f} MiB", "the same")
