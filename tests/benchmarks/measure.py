"""How the benchmarks measure: CPU time of a process, not the clock on the wall; medians of several rounds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from fleetrig.harness.servers.serve_process import ServeProcess

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
ROUNDS = 5


def cpu_s(pid: int) -> float:
    """User and system time that a process has used so far (proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no VmRSS for {pid}")


def show(what: str, value: str, aim: str = "") -> None:
    """One line of the table."""
    print(f"    {what:<58}{value:>16}{'   aim: ' + aim if aim else ''}")


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


@contextlib.contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[int, str, float]]:
    """A `fleetrig serve` of its own: (pid, host:port, seconds until it was ready)."""
    began_s = time.monotonic()
    with ServeProcess(folder, "--http", "127.0.0.1:0", *options) as server:
        yield server.pid, server.ready["http"], time.monotonic() - began_s


def show_handshakes(
    what: str, servers: Mapping[str, tuple[int, int]], shake: Callable[[int], None], count: int, aims: Mapping[str, str]
) -> None:
    """Server CPU for each handshake. `servers`: kind -> (pid, port); `bare` is what all others are held against."""
    spent: dict[str, list[float]] = {kind: [] for kind in servers}
    for _ in range(ROUNDS):
        for kind, (pid, port) in servers.items():
            before_s = cpu_s(pid)
            for _ in range(count):
                shake(port)
            spent[kind].append((cpu_s(pid) - before_s) / count * 1e6)
    print()
    bare_us = median(spent["bare"])
    for kind in servers:
        took_us = median(spent[kind])
        show(f"{what}, {kind}", f"{took_us:.0f} us, {took_us / bare_us:.2f}x", aims.get(kind, ""))


def hammer(address: str, requests: Sequence[bytes], connections: int = 20, *, anew: bool = False) -> None:
    """Sends raw requests over keep-alive connections, each answer read before the next goes out.

    `anew`: each request has a connection of its own."""
    host, _, port = address.rpartition(":")
    asyncio.run(_hammer(host, int(port), requests, connections, anew=anew))


async def _hammer(host: str, port: int, requests: Sequence[bytes], connections: int, *, anew: bool) -> None:
    shares = [requests[start::connections] for start in range(connections)]
    await asyncio.gather(*(_one_connection(host, port, share, anew=anew) for share in shares))


async def _one_connection(host: str, port: int, requests: Sequence[bytes], *, anew: bool) -> None:
    """A server may close after an answer, as Tomcat does after a hundred: then another connection takes over."""
    todo = list(reversed(requests))
    while todo:
        reader, writer = await asyncio.open_connection(host, port)
        stays = True
        while todo and stays:
            writer.write(todo.pop())
            stays = await read_answer(reader) and not anew
        writer.close()
        await writer.wait_closed()


async def read_answer(reader: asyncio.StreamReader) -> bool:
    """Reads one answer; whether the connection stays open."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert int(head[9:12]) < 400, head
    lines = head.lower().split(b"\r\n")
    if b"transfer-encoding: chunked" in lines:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    elif length := next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0):
        await reader.readexactly(length)
    return b"connection: close" not in lines


def raw_request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as bytes, ready to be sent many times."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
