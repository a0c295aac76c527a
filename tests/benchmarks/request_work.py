"""Servers that are measured side by side, and the requests that they get."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.measure import cpu_s, hammer, raw_request, served

TARGETS = 1_000
REQUESTS = 4_000
FEEDBACKS_PER_TARGET = 2
ADMIN = {"Authorization": "Basic YWRtaW46YWRtaW4=", "Content-Type": "application/json"}
JSON = {"Content-Type": "application/json"}

BARE_AIOHTTP = """
import asyncio, sys
from aiohttp import web
BODY, HEADERS = {body!r}, {headers!r}
async def main():
    async def handler(request):
        if request.can_read_body:
            await request.read()
        return web.Response(body=BODY, headers=HEADERS)
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
MADE_BY_IT = frozenset({"content-length", "date"})


@dataclass(frozen=True)
class Side:
    """A server that is measured: its name in the table, process and address."""

    name: str
    pid: int
    address: str

    def per_request_us(self, requests: Sequence[bytes], *, anew: bool = False) -> float:
        """Server CPU. `anew`: each request has a connection of its own."""
        before_s = cpu_s(self.pid)
        hammer(self.address, requests, anew=anew)
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
def bare_aiohttp(answer: bytes) -> Iterator[Side]:
    """What ours is held against: one handler that knows its answer, the one of our server, byte for byte as many."""
    short_by = 0
    for _ in range(2):  # aiohttp adds a header of its own, for which one of ours gets shorter
        with _bare(answer, short_by) as side:
            short_by = len(said(side.address, b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")) - len(answer)
            if short_by == 0:
                yield side
                return
    raise AssertionError(f"aiohttp's answer differs from ours by {short_by} bytes")


@contextmanager
def _bare(answer: bytes, short_by: int) -> Iterator[Side]:
    head, _, body = answer.partition(b"\r\n\r\n")
    pairs = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:]]
    headers = {name: value for name, value in pairs if name.lower() not in MADE_BY_IT}
    longest = max(headers, key=lambda name: len(headers[name]))
    headers[longest] = headers[longest][: len(headers[longest]) - short_by]
    program = BARE_AIOHTTP.format(body=body, headers=headers)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Side("bare aiohttp", process.pid, f"127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.terminate()


def said(address: str, request: bytes) -> bytes:
    """The whole answer to one request."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port))) as sock:
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock)
        raw = sock.recv(1 << 16, socket.MSG_PEEK)
        answer.begin()
        return raw[: raw.index(b"\r\n\r\n") + 4] + answer.read()


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


def polls(tokens: dict[str, str], count: int = REQUESTS) -> list[bytes]:
    once = [device("GET", name, token) for name, token in tokens.items()]
    return (once * (count // len(once) + 1))[:count]


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
