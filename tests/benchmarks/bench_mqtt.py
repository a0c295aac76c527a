"""What MQTT costs the server: five packets beside amqtt and mosquitto in the same run, and idle connections.

`make bench` names an interpreter with amqtt in `AMQTT_PYTHON`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks.measure import ROUNDS, median, show
from tests.benchmarks.mqtt_servers import MqttSide, all_servers, our_server, raise_file_limit
from tests.conversation.echo_platform import PASSWORD
from tests.reference_server.mqtt_codec.client_wire import binary, packet, text

TRIPS = 1_000
CONNECTIONS = 20
HELD = 5_000
REACHED = 10_000
PAYLOAD = b'{"temperature":21.5}'

DISCONNECT = b"\xe0\x00"
CONNACK, SUBACK, PUBACK = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x00", b"\x40\x02\x00\x02"


def connect(client_id: str) -> bytes:
    head = binary(b"MQTT") + bytes([4, 0xC2, 0, 0])
    return packet(0x10, head + text(client_id) + text("user") + text(PASSWORD))


async def _trips(side: MqttSide, name: str, count: int) -> None:
    subscribe = packet(0x82, b"\x00\x01" + text(f"echo/{name}") + b"\x00")
    publish = packet(0x32, text(side.before + name) + b"\x00\x02" + PAYLOAD)
    reply = packet(0x30, text(f"echo/{name}") + PAYLOAD)
    for number in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
        for sent, answers in (
            (connect(f"{name}-{number}"), (CONNACK,)),
            (subscribe, (SUBACK,)),
            (publish, (PUBACK + reply, reply + PUBACK)),
        ):
            writer.write(sent)
            came = await reader.readexactly(len(answers[0]))
            assert came in answers, came
        writer.write(DISCONNECT)
        writer.close()
        await writer.wait_closed()


async def all_trips(side: MqttSide) -> None:
    await asyncio.gather(*(_trips(side, f"d{n}", TRIPS // CONNECTIONS) for n in range(CONNECTIONS)))


def per_trip_us(side: MqttSide) -> float:
    before_s = side.cpu_s()
    asyncio.run(all_trips(side))
    return (side.cpu_s() - before_s) / TRIPS * 1e6


def bench_five_packets(tmp_path: Path) -> None:
    with all_servers(tmp_path) as sides:
        figures: dict[str, list[float]] = {side.name: [] for side in sides}
        for _ in range(ROUNDS + 1):  # interleaved, so that all see the same noise; the first round warms up
            for side in sides:
                figures[side.name].append(per_trip_us(side))
    print(f"\n  server CPU for CONNECT, SUBSCRIBE, PUBLISH QoS 1, reply, DISCONNECT; median of {ROUNDS} rounds")
    costs = {name: median(rounds[1:]) for name, rounds in figures.items()}
    for name, cost_us in costs.items():
        show(name, f"{cost_us:.0f} us")
    if "amqtt" in costs:
        show("amqtt costs so many times ours", f"{costs['amqtt'] / costs['fleetrig']:.1f}", "3, better 6")
    show("ours costs so many times mosquitto's", f"{costs['fleetrig'] / costs['mosquitto']:.1f}", "at most 10")


def bench_idle_connections(tmp_path: Path) -> None:
    raise_file_limit()
    print(f"\n  idle connections: resident memory for each of {HELD:,}")
    with all_servers(tmp_path) as sides:
        for side in sides:
            with idle(side, 100):
                before_kib = side.resident_kib()
                with idle(side, HELD, "held"):
                    each_kib = (side.resident_kib() - before_kib) / HELD
            show(side.name, f"{each_kib:.2f} KiB", "6 KiB" if side.name == "fleetrig" else "")


def bench_ten_thousand_connections() -> None:
    files = raise_file_limit()
    assert files > REACHED + 100, f"this needs ulimit -n {REACHED + 100}, and not {files}"
    with our_server() as side, idle(side, REACHED) as sockets:
        for sock in sockets[:: REACHED // 10]:
            sock.sendall(b"\xc0\x00")
            assert sock.recv(2) == b"\xd0\x00"
        print("\n  many connections")
        show(f"{REACHED:,} connections: resident memory", f"{side.resident_kib() / 1024:.0f} MiB")


@contextmanager
def idle(side: MqttSide, count: int, name: str = "idle") -> Iterator[list[socket.socket]]:
    """So many clients that have connected and say nothing more."""
    with ExitStack() as stack:
        sockets = []
        for number in range(count):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", side.port), timeout=30))
            sock.sendall(connect(f"{name}-{number}"))
            assert sock.recv(4) == CONNACK
            sockets.append(sock)
        yield sockets
