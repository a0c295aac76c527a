"""What the reference server costs: CPU per request beside a bare aiohttp handler, manufacturing, start, memory.

`make bench PEER=http://127.0.0.1:8080,PID` measures a running hawkBit (admin/admin) in the same run.
What it makes there stays: give it one that nobody needs.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.measure import ROUNDS, cpu_s, hammer, median, raw_request, resident_mib, served, show

TARGETS = 1_000
REQUESTS = 4_000
FEEDBACKS_PER_TARGET = 2
MANY_POLLS = 100_000
ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4=", "Content-Type": "application/json"}
JSON = {"Content-Type": "application/json"}

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


@dataclass(frozen=True)
class Side:
    """A server that is measured: its name in the table, process and address."""

    name: str
    pid: int
    address: str

    def per_request_us(self, requests: Sequence[bytes]) -> float:
        before_s = cpu_s(self.pid)
        hammer(self.address, requests)
        return (cpu_s(self.pid) - before_s) / len(requests) * 1e6


@contextmanager
def sides(folder: Path) -> Iterator[list[Side]]:
    """Our server, and the peer if there is one."""
    with served(folder, "--store", f"sqlite:///{folder}/bench.db") as (pid, address, _):
        found = [Side("fleetrig", pid, address)]
        if peer := os.environ.get("PEER"):
            url, _, peer_pid = peer.rpartition(",")
            found.append(Side("peer", int(peer_pid), urlsplit(url).netloc))
        yield found


@contextmanager
def bare_aiohttp() -> Iterator[Side]:
    """The floor: the same library, one handler that knows its answer."""
    with subprocess.Popen([sys.executable, "-c", BARE_AIOHTTP], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Side("bare aiohttp", process.pid, f"127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.terminate()


def admin(address: str, method: str, path: str, body: object = None) -> Any:
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request(method, "/rest/v1" + path, None if body is None else json.dumps(body), ADMIN)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status < 300, text
    return json.loads(text) if text else None


def registered(address: str, count: int) -> dict[str, str]:
    """Targets with their tokens."""
    admin(address, "PUT", "/system/configs", {"authentication.targettoken.enabled": True})
    run = f"b{os.getpid()}{time.monotonic_ns() % 10**9}"
    made: dict[str, str] = {}
    for start in range(0, count, 1_000):
        names = [{"controllerId": f"{run}-{n:06d}"} for n in range(start, min(count, start + 1_000))]
        created = admin(address, "POST", "/targets", names)
        made |= {target["controllerId"]: target["securityToken"] for target in created}
    return made


def device(method: str, name: str, token: str, path: str = "", body: object = None) -> bytes:
    headers = {"Authorization": f"TargetToken {token}", **({} if body is None else JSON)}
    content = b"" if body is None else json.dumps(body).encode()
    return raw_request(method, f"/DEFAULT/controller/v1/{name}{path}", headers, content)


def polls(tokens: dict[str, str]) -> list[bytes]:
    return [device("GET", name, token) for name, token in tokens.items()] * (REQUESTS // TARGETS)


def config_data(tokens: dict[str, str]) -> list[bytes]:
    body = {"mode": "merge", "data": {"hw_revision": "2", "os_version": "6.1", "serial": "SN123456789"}}
    return [device("PUT", name, token, "/configData", body) for name, token in tokens.items()]


def feedback(address: str, tokens: dict[str, str]) -> list[bytes]:
    """Reports on a deployment that is really assigned to each target."""
    name = f"bench{time.monotonic_ns()}"
    module = admin(address, "POST", "/softwaremodules", [{"name": name, "version": "1", "type": "os"}])[0]
    update = {"name": name, "version": "1", "type": "os", "modules": [{"id": module["id"]}]}
    set_id = admin(address, "POST", "/distributionsets", [update])[0]["id"]
    result = admin(address, "POST", f"/distributionsets/{set_id}/assignedTargets", [{"id": one} for one in tokens])
    owner = {action["_links"]["self"]["href"].split("/")[-3]: action["id"] for action in result["assignedActions"]}
    body = {"status": {"execution": "proceeding", "result": {"finished": "none"}, "details": ["working"]}}
    paths = {one: f"/deploymentBase/{owner[one]}/feedback" for one in tokens}
    return [device("POST", one, token, paths[one], body) for one, token in tokens.items()] * FEEDBACKS_PER_TARGET


def bench_requests(tmp_path: Path) -> None:
    with ExitStack() as stack:
        measured = stack.enter_context(sides(tmp_path))
        bare = stack.enter_context(bare_aiohttp())
        tokens = {side.name: registered(side.address, TARGETS) for side in measured}
        work = {(side, "poll"): polls(tokens[side.name]) for side in measured}
        work |= {(side, "configData"): config_data(tokens[side.name]) for side in measured}
        work |= {(side, "feedback"): feedback(side.address, tokens[side.name]) for side in measured}
        work[bare, "poll"] = work[measured[0], "poll"]
        figures: dict[tuple[Side, str], list[float]] = {key: [] for key in work}
        for _ in range(ROUNDS + 1):  # interleaved, so that all see the same noise; the first round warms up
            for (side, what), requests in work.items():
                figures[side, what].append(side.per_request_us(requests))
        print(f"\n  server CPU per request (SQLite store, target token, trace on); median of {ROUNDS} rounds")
        for (side, what), rounds in figures.items():
            show(
                f"{side.name}: {what}",
                f"{median(rounds[1:]):.0f} us",
                "80 us" if what == "poll" and side is measured[0] else "",
            )
        ours = median(figures[measured[0], "poll"][1:])
        show("poll, ratio to a bare aiohttp handler", f"{ours / median(figures[bare, 'poll'][1:]):.2f}")


def bench_memory_after_many_polls(tmp_path: Path) -> None:
    with sides(tmp_path) as measured:
        print(f"\n  resident memory after many polls of {TARGETS:,} targets")
        for side in measured:
            before_mib = resident_mib(side.pid)
            requests = polls(registered(side.address, TARGETS))
            many = MANY_POLLS if side is measured[0] else MANY_POLLS // 10
            for _ in range(many // len(requests)):
                hammer(side.address, requests)
            show(
                f"{side.name}: {many:,} polls",
                f"{resident_mib(side.pid):.0f} MiB",
                f"it began with {before_mib:.0f} MiB",
            )


def bench_manufacturing(tmp_path: Path) -> None:
    with sides(tmp_path) as measured:
        print("\n  10,000 targets through the management API in arrays of 1,000")
        for side in measured:
            began_s, cpu_before_s = time.monotonic(), cpu_s(side.pid)
            registered(side.address, 10_000)
            show(f"{side.name}: time", f"{time.monotonic() - began_s:.2f} s", "2.5 s" if side is measured[0] else "")
            show(f"{side.name}: server CPU", f"{cpu_s(side.pid) - cpu_before_s:.2f} s")


def bench_start(tmp_path: Path) -> None:
    print("\n  start")
    helps = []
    for _ in range(ROUNDS):
        began_s = time.monotonic()
        subprocess.run([sys.executable, "-m", "fleetrig.harness.cli", "--help"], check=True, stdout=subprocess.DEVNULL)
        helps.append(time.monotonic() - began_s)
    show("fleetrig --help (median)", f"{median(helps):.2f} s", "0.4 s")
    with served(tmp_path) as (pid, _, ready_s):
        show("serve ready", f"{ready_s:.2f} s", "1 s")
        show("serve resident memory", f"{resident_mib(pid):.0f} MiB", "100 MiB")
