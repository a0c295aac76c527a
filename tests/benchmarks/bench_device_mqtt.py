"""What a device's MQTT connection costs in real time: 10,000 in one process on one event loop, beside bare paho-mqtt.

The server is mosquitto, in a process of its own that is not counted.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion

from fleetrig.harness.run.open_files import raise_file_limit
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.connection import Connection
from fleetrig.simulator.transports.mqtt import open_mqtt
from tests.benchmarks.measure import median, resident_mib, show
from tests.simulator.transports.mosquitto import Mosquitto, running_mosquitto

CONNECTIONS = 10_000
AT_ONCE = 100
PEERS = 100
ROUND_TRIPS = 100
ROUNDS = 5
SOURCES = [f"127.0.0.{number}" for number in range(2, 10)]
"""One address has 28,000 ports for each server, and those of an earlier run wait for a minute."""
NOBODY = ClientTls(verify=False).of(None)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    raise_file_limit(CONNECTIONS)
    with running_mosquitto(tmp_path, trustme.CA()) as mosquitto:
        yield mosquitto


def bench_ten_thousand_connections(broker: Mosquitto) -> None:
    asyncio.run(ten_thousand(broker.port))


async def ten_thousand(port: int) -> None:
    devices = await connected(port, 0, 100)
    before_mib, before_s, began_s = resident_mib(os.getpid()), time.process_time(), time.monotonic()
    for first in range(100, CONNECTIONS, AT_ONCE):
        devices += await connected(port, first, AT_ONCE)
    took_s, used_s = time.monotonic() - began_s, time.process_time() - before_s
    held_kib = (resident_mib(os.getpid()) - before_mib) * 1024
    print(f"\n  {CONNECTIONS:,} devices over MQTT in one process")
    show("CPU per connection opened", f"{used_s / (CONNECTIONS - 100) * 1e6:.0f} us")
    show("all of them are connected after", f"{took_s:.1f} s")
    show("memory of an idle connection", f"{held_kib / (CONNECTIONS - 100):.1f} KiB")
    before_s = time.process_time()
    await asyncio.gather(*(publishes(device, 1) for device in devices))
    show(
        "CPU per round trip when all of them publish", f"{(time.process_time() - before_s) / CONNECTIONS * 1e6:.0f} us"
    )
    before_s = time.process_time()
    await publishes(devices[0], ROUND_TRIPS)
    used_s = time.process_time() - before_s
    show("CPU per round trip of one while the others are idle", f"{used_s / ROUND_TRIPS * 1e6:.0f} us")
    assert not [device.ended for device in devices if device.ended]
    for device in devices:
        await device.close()


async def connected(port: int, first: int, count: int) -> list[Connection]:
    return await asyncio.gather(*(connect(port, number) for number in range(first, first + count)))


async def connect(port: int, number: int) -> Connection:
    wire = await open_mqtt(f"mqtt://127.0.0.1:{port}", NOBODY, source_address=SOURCES[number % len(SOURCES)])
    device = Connection("", wire, lambda _: None)
    assert (await device.ask(MqttConnect(f"dev-{number}", keep_alive_s=0), nothing)).line == "CONNACK 0"
    return device


async def publishes(device: Connection, times: int) -> None:
    for _ in range(times):
        assert (await device.ask(MqttPublish("up", b"x" * 100, qos=1), nothing)).line == "PUBACK"


def nothing() -> None:
    pass


def bench_round_trips_beside_bare_paho(broker: Mosquitto) -> None:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(asyncio.run(our_round_trip_us(broker.port)))
        theirs.append(bare_paho_round_trip_us(broker.port))
    print(f"\n  PUBLISH QoS 1 and its PUBACK, {PEERS} devices at a time")
    show("CPU per round trip", f"{median(ours):.0f} us")
    show("CPU per round trip of bare paho on a selector", f"{median(theirs):.0f} us")
    show("ratio", f"{median(ours) / median(theirs):.2f}")


async def our_round_trip_us(port: int) -> float:
    devices = await connected(port, 0, PEERS)
    before_s = time.process_time()
    await asyncio.gather(*(publishes(device, ROUND_TRIPS) for device in devices))
    used_s = time.process_time() - before_s
    for device in devices:
        await device.close()
    return used_s / (PEERS * ROUND_TRIPS) * 1e6


def bare_paho_round_trip_us(port: int) -> float:
    with bare_paho(port) as (selector, clients):
        left = dict.fromkeys(clients, ROUND_TRIPS)

        def on_publish(client: paho.Client, *_: object) -> None:
            left[client] -= 1
            if left[client]:
                client.publish("up", b"x" * 100, qos=1)

        before_s = time.process_time()
        for client in clients:
            client.on_publish = on_publish
            client.publish("up", b"x" * 100, qos=1)
        serve(selector, lambda: not any(left.values()))
        return (time.process_time() - before_s) / (PEERS * ROUND_TRIPS) * 1e6


@contextmanager
def bare_paho(port: int) -> Iterator[tuple[selectors.BaseSelector, list[paho.Client]]]:
    """As many clients, driven by one selector as paho's documentation says."""
    selector, clients = selectors.DefaultSelector(), []
    for number in range(PEERS):
        client = paho.Client(CallbackAPIVersion.VERSION2, f"paho-{number}")
        client.connect("127.0.0.1", port, keepalive=0)
        selector.register(client.socket(), selectors.EVENT_READ, client)  # type: ignore[arg-type]
        clients.append(client)
    serve(selector, lambda: all(client.is_connected() for client in clients))
    try:
        yield selector, clients
    finally:
        for client in clients:
            selector.unregister(client.socket())  # type: ignore[arg-type]
            client.disconnect()
            client.loop_write()


def serve(selector: selectors.BaseSelector, is_done: Callable[[], bool]) -> None:
    while not is_done():
        for key, _ in selector.select(1):
            key.data.loop_read()
            if key.data.want_write():
                key.data.loop_write()
