"""What the CoAP front costs: CPU per exchange beside aiocoap's plain resource, memory per exchange, a burst."""

from __future__ import annotations

import resource
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from tests.benchmarks.measure import ROUNDS, cpu_s, median, resident_mib, show
from tests.coap.bench import CON, POST, message

CHANGED = 68
"""The code 2.04."""

EXCHANGES = 4_000
ENDPOINTS = 20
REMEMBERED = 40_000
BURST = 1_000
PAYLOAD = b'{"deviceName":"d4","provisionDeviceKey":"K","provisionDeviceSecret":"S"}'

OURS = """
import asyncio, sys
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.simulator.contract.trace import Trace
from tests.coap.echo_platform import CoapEcho
async def main():
    trace = Trace()
    if sys.argv[1] == "traced":
        trace.listen(lambda event: None)
    platform = PlatformOptions("coap-echo", CoapEcho, {"coap": ANY_LOOPBACK_PORT})
    async with ReferenceServer(ServerOptions((platform,)), trace) as server:
        print(server.addresses["coap-echo"]["coap"].port, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""

PLAIN_AIOCOAP = """
import asyncio, socket, aiocoap
from aiocoap import resource
class Echo(resource.Resource):
    async def render_post(self, request):
        return aiocoap.Message(code=aiocoap.CHANGED, payload=request.payload, content_format=50)
async def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = resource.Site()
    site.add_resource(["echo"], Echo())
    transports = ["simplesocketserver"]
    await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port), transports=transports)
    print(port, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@dataclass(frozen=True)
class CoapSide:
    """A server that is measured."""

    name: str
    pid: int
    port: int

    def per_exchange_us(self, requests: Sequence[bytes]) -> float:
        before_s = cpu_s(self.pid)
        exchange(self.port, requests)
        return (cpu_s(self.pid) - before_s) / len(requests) * 1e6


@contextmanager
def side(name: str, code: str, *arguments: str) -> Iterator[CoapSide]:
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield CoapSide(name, process.pid, int(process.stdout.readline()))
        finally:
            process.terminate()


def peer(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.connect(("127.0.0.1", port))
    made.settimeout(10)
    return made


def exchange(port: int, requests: Sequence[bytes]) -> None:
    """From several endpoints, which wait for each answer."""
    with ExitStack() as stack:
        peers = [stack.enter_context(peer(port)) for _ in range(ENDPOINTS)]
        for at in range(0, len(requests), ENDPOINTS):
            turn = list(zip(peers, requests[at : at + ENDPOINTS], strict=False))
            for one, request in turn:
                one.send(request)
            for one, _ in turn:
                assert one.recv(2_048)[1] == CHANGED


def posts(count: int) -> list[bytes]:
    return [
        message(CON, POST, n % 65_536, n.to_bytes(4, "big"), "echo", payload=PAYLOAD, content_format=50)
        for n in range(count)
    ]


def bench_exchanges() -> None:
    with ExitStack() as stack:
        ours = stack.enter_context(side("fleetrig", OURS, "untraced"))
        traced = stack.enter_context(side("fleetrig, traced", OURS, "traced"))
        plain = stack.enter_context(side("aiocoap, plain resource", PLAIN_AIOCOAP))
        figures: dict[str, list[float]] = {one.name: [] for one in (ours, traced, plain)}
        requests = posts(EXCHANGES)
        for _ in range(ROUNDS + 1):  # interleaved, so that all see the same noise; the first round warms up
            for one in (ours, traced, plain):
                figures[one.name].append(one.per_exchange_us(requests))
        print(f"\n  server CPU per CoAP exchange (POST of {len(PAYLOAD)} bytes); median of {ROUNDS} rounds")
        costs = {name: median(rounds[1:]) for name, rounds in figures.items()}
        for name, cost in costs.items():
            show(name, f"{cost:.0f} us")
        show("ratio to aiocoap", f"{costs[ours.name] / costs[plain.name]:.2f}", "1.2 at most")
        show("the same, traced", f"{costs[traced.name] / costs[plain.name]:.2f}", "1.2 at most")


def bench_memory() -> None:
    print(f"\n  memory per exchange that is remembered ({REMEMBERED:,} of them)")
    for name, code in (("fleetrig", OURS), ("aiocoap", PLAIN_AIOCOAP)):
        with side(name, code, "untraced") as one:
            exchange(one.port, posts(1_000))
            before_mib = resident_mib(one.pid)
            for _ in range(REMEMBERED // EXCHANGES):
                exchange(one.port, posts(EXCHANGES))
            grown = resident_mib(one.pid) - before_mib
            show(name, f"{grown * 1024 * 1024 / REMEMBERED:.0f} bytes", "far below 3,700" if code is OURS else "")


def bench_burst() -> None:
    """All send before anybody reads; nobody repeats anything."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * BURST)), hard))
    print(f"\n  {BURST:,} endpoints send at once, without retransmission")
    for name, code in (("fleetrig", OURS), ("aiocoap", PLAIN_AIOCOAP)):
        with side(name, code, "untraced") as one, ExitStack() as stack:
            peers = [stack.enter_context(peer(one.port)) for _ in range(BURST)]
            (request,) = posts(1)
            for each in peers:
                each.send(request)
            show(f"{name}: lost", f"{BURST - answered(peers)}", "0" if code is OURS else "")


def answered(peers: Sequence[socket.socket]) -> int:
    """How many get an answer, until there is none for two seconds."""
    count = 0
    by_file = {each.fileno(): each for each in peers}
    with selectors.DefaultSelector() as selector:
        for file in by_file:
            selector.register(file, selectors.EVENT_READ)
        while ready := selector.select(2.0):
            for key, _ in ready:
                with suppress(OSError):
                    count += bool(by_file[key.fd].recv(2_048))
    return count
