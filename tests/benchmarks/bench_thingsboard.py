"""What provisioning by ThingsBoard's rules costs our server: over MQTT beside amqtt's bare trip of as many packets,
over HTTP beside a bare aiohttp handler, over CoAP beside aiocoap's plain resource; telemetry beside a bare echo.

`make bench` names an interpreter with amqtt in `AMQTT_PYTHON`. Ratios in one run judge; absolute figures orient.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks.bench_coap import ENDPOINTS, PLAIN_AIOCOAP, peer, side
from tests.benchmarks.bench_mqtt import connect, per_trip_us
from tests.benchmarks.measure import ROUNDS, cpu_s, hammer, median, raw_request, resident_mib, show
from tests.benchmarks.mqtt_servers import all_servers, our_server, raise_file_limit
from tests.coap.bench import CON, POST, message
from tests.harness.command import Running
from tests.peers.thingsboard.serving import KEY, SECRET, ServedThingsBoard, Tenant
from tests.reference_server.mqtt_codec.client_wire import binary, packet, text

DEVICES, AT_ONCE, SENT = 1_000, 20, 4_000
CROWD, CROWD_DEVICES = 128, 4_000
"""How many provision at once when the rate is measured, as beside the real server, and how many do so in all."""
HELD = 5_000
STORM = 2_000
PATIENCE = "2m"
"""How long devices wait for an answer: one that gives up has lost its credentials for good."""
CONNACK, PUBACK, DISCONNECT = b"\x20\x02\x00\x00", b"\x40\x02\x00\x02", b"\xe0\x00"
PATH = "/api/v1/provision"
_numbers = itertools.count()

BARE_AIOHTTP = """
import asyncio
from aiohttp import web
REPLY = b'{"credentialsValue":"oTgXy2K3pQ9vLw7Zr1Bd","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}'
async def main():
    async def handler(request):
        await request.read()
        return web.Response(body=REPLY, content_type="application/json")
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def thingsboard(folder: Path) -> Iterator[ServedThingsBoard]:
    with ServedThingsBoard(folder) as served:
        Tenant(served.url).let_devices_provision()
        yield served


def request() -> bytes:
    """Of a device that there is not yet."""
    name = f"bench-{next(_numbers):07d}"
    return json.dumps({"deviceName": name, "provisionDeviceKey": KEY, "provisionDeviceSecret": SECRET}).encode()


def login(user: str, client_id: str = "") -> bytes:
    return packet(0x10, binary(b"MQTT") + bytes([4, 0x82, 0, 0]) + text(client_id) + text(user))


def costs(work: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Medians of rounds that are interleaved, so that all see the same noise; the first round warms up."""
    figures: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS + 1):
        for name, measure in work.items():
            figures[name].append(measure())
    found = {name: median(rounds[1:]) for name, rounds in figures.items()}
    for name, cost_us in found.items():
        show(name, f"{cost_us:.0f} us")
    return found


def cost_us(pid: int, count: int, do: Callable[[], object]) -> float:
    before_s = cpu_s(pid)
    do()
    return (cpu_s(pid) - before_s) / count * 1e6


# -- MQTT


async def provision(port: int) -> str:
    """Connect, subscribe, ask, hear, leave. Returns the token."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(login("provision"))
    assert await reader.readexactly(4) == CONNACK
    writer.write(packet(0x82, b"\x00\x01" + text("/provision/response") + b"\x00"))
    assert (await reader.readexactly(5))[0] == 0x90
    writer.write(packet(0x32, text("/provision/request") + b"\x00\x02" + request()))
    assert await reader.readexactly(4) == PUBACK
    length = (await reader.readexactly(2))[1]
    reply = json.loads((await reader.readexactly(length))[2 + len("/provision/response") :])
    writer.write(DISCONNECT)
    writer.close()
    await writer.wait_closed()
    return str(reply["credentialsValue"])


async def provisioned(port: int, count: int, at_once: int) -> list[float]:
    """How long each took, in seconds."""

    async def some(share: int) -> list[float]:
        took_s = []
        for _ in range(share):
            began_s = time.monotonic()
            await provision(port)
            took_s.append(time.monotonic() - began_s)
        return took_s

    shares = await asyncio.gather(*(some(count // at_once) for _ in range(at_once)))
    return [one for share in shares for one in share]


def bench_mqtt_provisioning(tmp_path: Path) -> None:
    with thingsboard(tmp_path) as served, all_servers(tmp_path) as sides:
        port = int(served.port("mqtt"))
        print("\n  ThingsBoard: server CPU for connect, subscribe, request, reply, disconnect")
        ours = "provisioning over MQTT"
        work: dict[str, Callable[[], float]] = {
            ours: lambda: cost_us(served.pid, DEVICES, lambda: asyncio.run(provisioned(port, DEVICES, AT_ONCE)))
        }
        bare = {f"bare trip, {one.name}": one for one in sides}
        found = costs(work | {name: lambda one=one: per_trip_us(one) for name, one in bare.items()})
        if amqtt := found.get("bare trip, amqtt"):
            show("amqtt's bare trip costs so many times ours", f"{amqtt / found[ours]:.1f}", "3")


def bench_mqtt_rate(tmp_path: Path) -> None:
    raise_file_limit()
    with thingsboard(tmp_path) as served:
        port = int(served.port("mqtt"))
        asyncio.run(provisioned(port, DEVICES, AT_ONCE))
        before_s, began_s = cpu_s(served.pid), time.monotonic()
        took_s = sorted(asyncio.run(provisioned(port, CROWD_DEVICES, CROWD)))
        wall_s, used_s = time.monotonic() - began_s, cpu_s(served.pid) - before_s
        print(f"\n  ThingsBoard: {len(took_s):,} devices are provisioned over MQTT, {CROWD} at once")
        show("devices/s, with the clients on the same machine", f"{len(took_s) / wall_s:.0f}", "above 230")
        show("devices/s for each core of the server", f"{len(took_s) / used_s:.0f}")
        show("p50", f"{took_s[len(took_s) // 2] * 1e3:.0f} ms")
        show("p99", f"{took_s[len(took_s) * 99 // 100] * 1e3:.0f} ms")


async def publishes(port: int, opening: bytes, topic: str) -> None:
    """One session; each is acknowledged before the next is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(opening)
    assert await reader.readexactly(4) == CONNACK
    for _ in range(SENT // AT_ONCE):
        writer.write(packet(0x32, text(topic) + b"\x00\x02" + b'{"temperature":21.5}'))
        assert await reader.readexactly(4) == PUBACK
    writer.write(DISCONNECT)
    writer.close()
    await writer.wait_closed()


def bench_telemetry(tmp_path: Path) -> None:
    async def all_of(port: int, openings: list[bytes], topic: str) -> None:
        await asyncio.gather(*(publishes(port, opening, topic) for opening in openings))

    async def tokens(port: int) -> list[str]:
        return [await provision(port) for _ in range(AT_ONCE)]

    with thingsboard(tmp_path) as served, our_server() as echo:
        port = int(served.port("mqtt"))
        devices = [login(token) for token in asyncio.run(tokens(port))]
        clients = [connect(f"device-{number}") for number in range(AT_ONCE)]
        print("\n  ThingsBoard: server CPU from PUBLISH QoS 1 to PUBACK")

        def sent(pid: int, at: int, openings: list[bytes], topic: str) -> float:
            return cost_us(pid, SENT, lambda: asyncio.run(all_of(at, openings, topic)))

        found = costs(
            {
                "telemetry": lambda: sent(served.pid, port, devices, "v1/devices/me/telemetry"),
                "bare echo": lambda: sent(echo.pid, echo.port, clients, "v1/devices/me/telemetry"),
            }
        )
        show("telemetry costs so many times a bare echo", f"{found['telemetry'] / found['bare echo']:.2f}", "2.5")


def bench_five_thousand_connections(tmp_path: Path) -> None:
    raise_file_limit()
    with thingsboard(tmp_path) as served, ExitStack() as stack:
        port, before_mib = int(served.port("mqtt")), resident_mib(served.pid)
        sockets = []
        for _ in range(HELD):
            sockets.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)))
            sockets[-1].sendall(login("provision"))
            assert sockets[-1].recv(4) == CONNACK
        for one in sockets[:: HELD // 10]:
            one.sendall(b"\xc0\x00")
            assert one.recv(2) == b"\xd0\x00"
        each_kib = (resident_mib(served.pid) - before_mib) * 1024 / HELD
        print("\n  ThingsBoard: many connections")
        show(f"{HELD:,} provision sessions: resident memory for each", f"{each_kib:.2f} KiB")


# -- Whole fleets: devices of `fleetrig simulate` in a process of their own


def fleet(served: ServedThingsBoard, transport: str, folder: Path, *options: str) -> Running:
    """Devices that all start at once, with the key of a profile that lets everybody in."""
    place = f"{transport}://127.0.0.1:{served.port(transport)}"
    key = ("--provision-key", "env:KEY", "--provision-secret", "env:SECRET")
    names = ("--serial", f"{transport}-{{n}}", "--timeout", PATIENCE)
    words = ("simulate", "thingsboard", "--against", place, *key, *names, *options)
    return Running(*words, cwd=folder, KEY=KEY, SECRET=SECRET)


def bench_boot_storm(tmp_path: Path) -> None:
    """Provisioned, logged in, one message of telemetry, gone; the simulator's share is that of the whole process."""
    raise_file_limit()
    with thingsboard(tmp_path) as served:
        for transport in ("mqtt", "http", "coap"):
            before_s, ours_s = cpu_s(served.pid), os.times().children_user + os.times().children_system
            storm = fleet(served, transport, tmp_path, "--count", str(STORM), "--spread", "0s", "--messages", "1")
            assert storm.end() == 0, storm.said()
            server_ms = (cpu_s(served.pid) - before_s) / STORM * 1e3
            devices_ms = (os.times().children_user + os.times().children_system - ours_s) / STORM * 1e3
            print(f"\n  ThingsBoard: {STORM:,} devices start at once over {transport.upper()}")
            print("    " + next(line for line in storm.said().splitlines() if line.startswith("came through: ")))
            show("CPU for each device, the server's", f"{server_ms:.2f} ms")
            show("CPU for each device, the simulator's", f"{devices_ms:.2f} ms")


def bench_five_thousand_devices(tmp_path: Path) -> None:
    """Both ends of 5,000 MQTT sessions that send telemetry now and then."""
    raise_file_limit()
    with thingsboard(tmp_path) as served:
        before_mib = resident_mib(served.pid)
        crowd = fleet(served, "mqtt", tmp_path, "--count", str(HELD), "--spread", "20s", "--interval", "10m")
        crowd.until_said(f"{HELD:,} online")
        theirs_kib = (resident_mib(served.pid) - before_mib) * 1024 / HELD
        ours_kib = resident_mib(crowd.process.pid) * 1024 / HELD
        crowd.interrupt()
        assert f"{HELD:,} messages, 0 failures" in crowd.said(), crowd.said()
        print(f"\n  ThingsBoard: {HELD:,} devices are online over MQTT")
        show("resident memory for each, the server's", f"{theirs_kib:.1f} KiB")
        show("resident memory for each, all of the simulator's", f"{ours_kib:.1f} KiB")


# -- HTTP and CoAP


@contextmanager
def bare_handler() -> Iterator[tuple[int, str]]:
    """The floor: the same library, one handler that knows its answer. Its process and address."""
    with subprocess.Popen([sys.executable, "-c", BARE_AIOHTTP], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.pid, f"127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def bench_http_provisioning(tmp_path: Path) -> None:
    typed = {"Content-Type": "application/json"}

    def posts() -> list[bytes]:
        return [raw_request("POST", PATH, typed, request()) for _ in range(DEVICES)]

    def posted(pid: int, address: str) -> float:
        requests = posts()
        return cost_us(pid, DEVICES, lambda: hammer(address, requests))

    with thingsboard(tmp_path) as served, bare_handler() as (bare_pid, bare):
        print("\n  ThingsBoard: server CPU for POST /api/v1/provision")
        ours = f"127.0.0.1:{served.port('http')}"
        work = {"provisioning over HTTP": lambda: posted(served.pid, ours), "bare": lambda: posted(bare_pid, bare)}
        found = costs(work)
        ratio = found["provisioning over HTTP"] / found["bare"]
        show("provisioning costs so many times a bare aiohttp handler", f"{ratio:.2f}", "1.5")


def exchanged(port: int, requests: list[bytes]) -> None:
    """From several endpoints, which wait for each answer; all are answered with success."""
    with ExitStack() as stack:
        peers = [stack.enter_context(peer(port)) for _ in range(ENDPOINTS)]
        for at in range(0, len(requests), ENDPOINTS):
            turn = list(zip(peers, requests[at : at + ENDPOINTS], strict=False))
            for one, datagram in turn:
                one.send(datagram)
            for one, _ in turn:
                assert one.recv(2_048)[1] >> 5 == 2


def bench_coap_provisioning(tmp_path: Path) -> None:
    def posted(pid: int, port: int, uri: str) -> float:
        requests = [message(CON, POST, n, n.to_bytes(4, "big"), uri, payload=request()) for n in range(DEVICES)]
        return cost_us(pid, DEVICES, lambda: exchanged(port, requests))

    with thingsboard(tmp_path) as served, side("aiocoap", PLAIN_AIOCOAP) as plain:
        print("\n  ThingsBoard: server CPU for a POST over CoAP")
        found = costs(
            {
                "provisioning over CoAP": lambda: posted(served.pid, int(served.port("coap")), PATH),
                "aiocoap, plain resource": lambda: posted(plain.pid, plain.port, "echo"),
            }
        )
        ratio = found["provisioning over CoAP"] / found["aiocoap, plain resource"]
        show("provisioning costs so many times aiocoap's plain resource", f"{ratio:.2f}", "1.5")
