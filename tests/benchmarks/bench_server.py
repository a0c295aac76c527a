"""What the reference server costs: CPU per poll beside a bare aiohttp handler, manufacturing, start, memory."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import ROUNDS, cpu_s, hammer, median, raw_request, resident_mib, served, show

POLLS = 4_000
TARGETS = 1_000
ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4=", "Content-Type": "application/json"}

BARE_AIOHTTP = """
import asyncio, sys
from aiohttp import web
async def main():
    async def handler(request):
        return web.Response(body=b'{"config":{"polling":{"sleep":"00:05:00"}}}', content_type="application/hal+json")
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def admin(address: str, method: str, path: str, body: object) -> Any:
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request(method, "/rest/v1" + path, json.dumps(body), ADMIN)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status < 300, text
    return json.loads(text) if text else None


def registered(address: str, count: int) -> dict[str, str]:
    """Targets with their tokens."""
    admin(address, "PUT", "/system/configs", {"authentication.targettoken.enabled": True})
    made: dict[str, str] = {}
    for start in range(0, count, 1_000):
        names = [{"controllerId": f"b-{n:06d}"} for n in range(start, min(count, start + 1_000))]
        created = admin(address, "POST", "/targets", names)
        made |= {target["controllerId"]: target["securityToken"] for target in created}
    return made


def bench_poll(tmp_path: Path) -> None:
    with served(tmp_path, "--store", f"sqlite:///{tmp_path}/bench.db") as (pid, address, _):
        tokens = registered(address, TARGETS)
        polls = [
            raw_request("GET", f"/DEFAULT/controller/v1/{name}", {"Authorization": f"TargetToken {token}"})
            for name, token in tokens.items()
        ] * (POLLS // TARGETS)
        with subprocess.Popen([sys.executable, "-c", BARE_AIOHTTP], stdout=subprocess.PIPE, text=True) as bare:
            assert bare.stdout is not None
            bare_address = f"127.0.0.1:{bare.stdout.readline().strip()}"
            ours, theirs = [], []
            hammer(address, polls)
            hammer(bare_address, polls)
            for _ in range(ROUNDS):  # interleaved, so that both see the same noise
                ours.append(per_request_us(pid, address, polls))
                theirs.append(per_request_us(bare.pid, bare_address, polls))
            bare.terminate()
        print(f"\n  a DDI poll: SQLite store, target token, trace on; {ROUNDS} rounds of {len(polls):,}")
        show("server CPU per poll (median)", f"{median(ours):.0f} us", "80 us")
        show("a bare aiohttp handler in the same run", f"{median(theirs):.0f} us")
        show("ratio", f"{median(ours) / median(theirs):.2f}")
        show("resident memory after the polls", f"{resident_mib(pid):.0f} MiB")


def per_request_us(pid: int, address: str, requests: list[bytes]) -> float:
    before_s = cpu_s(pid)
    hammer(address, requests)
    return (cpu_s(pid) - before_s) / len(requests) * 1e6


def bench_manufacturing(tmp_path: Path) -> None:
    with served(tmp_path, "--store", f"sqlite:///{tmp_path}/bench.db") as (pid, address, _):
        began_s, cpu_before_s = time.monotonic(), cpu_s(pid)
        registered(address, 10_000)
        print("\n  10,000 targets through the management API in arrays of 1,000, SQLite")
        show("time", f"{time.monotonic() - began_s:.2f} s", "2.5 s")
        show("server CPU", f"{cpu_s(pid) - cpu_before_s:.2f} s")


def bench_start(tmp_path: Path) -> None:
    print("\n  start")
    helps = []
    for _ in range(ROUNDS):
        began_s = time.monotonic()
        subprocess.run([sys.executable, "-m", "harness.cli", "--help"], check=True, stdout=subprocess.DEVNULL)
        helps.append(time.monotonic() - began_s)
    show("fleetrig --help (median)", f"{median(helps):.2f} s", "0.4 s")
    with served(tmp_path) as (pid, _, ready_s):
        show("serve ready", f"{ready_s:.2f} s", "1 s")
        show("serve resident memory", f"{resident_mib(pid):.0f} MiB", "100 MiB")
