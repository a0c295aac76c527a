"""What Hono's provisioning costs our server: a device's first contact with a certificate, and its later ones, over MQTT
and over HTTP, beside the bare handshake of a TLS listener that demands certificates; a sign-in with a password.

Ratios in one run judge; absolute figures orient. Keys are P-256.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import ssl
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from fleetrig.harness.servers.serve_process import ServeProcess
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.transports.client_tls import ClientTls
from tests.benchmarks.bench_thingsboard import cost_us, costs
from tests.benchmarks.bench_tls import listening
from tests.benchmarks.measure import cpu_s, hammer, raw_request, show
from tests.benchmarks.mqtt_servers import raise_file_limit
from tests.reference_server.mqtt_codec.client_wire import binary, packet, text

DEVICES: Final = 100
"""First contacts of a round, each over a connection of its own."""
CROWD, CROWD_DEVICES = 32, 1_000
"""How many are on their way at once when the rate is measured, as beside the real server, and how many in all."""
SIGN_INS: Final = 2_000
TENANT, PASSWORD = "bench", "hono-secret"
CONNECT = packet(0x10, binary(b"MQTT") + bytes([4, 2, 0, 0]) + text("bench"))
CONNACK, DISCONNECT = b"\x20\x02\x00\x00", b"\xe0\x00"
TELEMETRY: Final = raw_request("POST", "/telemetry", {"Content-Type": "application/json"}, b'{"temp":5}')
ACCEPTED: Final = b"HTTP/1.1 202 "
FIRST_AIM, AGAIN_AIM = 1.6, 1.3
AT_MOST_MS: Final = 2.5

Contact = Callable[[ssl.SSLContext], None]


class Fleet:
    """One authority for devices and servers; `new` devices show certificates of their own. `folder` has its files."""

    def __init__(self, folder: Path) -> None:
        self.authority = CertificateAuthority("bench", time.time_ns() // 1000)
        self.folder = folder
        server = self.authority.issue_server(["localhost", "127.0.0.1"])
        (folder / "server.pem").write_bytes(server.key_pem + server.certificate_pem)
        (folder / "ca.pem").write_bytes(self.authority.certificate_pem)
        self._tls = ClientTls(ssl.create_default_context(cafile=folder / "ca.pem"))
        self._numbers = count()

    def new(self, how_many: int) -> list[ssl.SSLContext]:
        shown = (self.authority.issue_client(f"bench-{next(self._numbers):06d}") for _ in range(how_many))
        return [self._tls.of(one).context for one in shown]


class Served(ServeProcess):
    """A Hono whose tenant trusts a fleet's authority, which provisions itself."""

    def __init__(self, folder: Path, *options: str) -> None:
        listeners = ("registry", "http", "https", "mqtt", "mqtts", "coap", "coaps")
        addresses = [word for name in listeners for word in (f"--{name}", "127.0.0.1:0")]
        super().__init__(folder, "--platform", "hono", *addresses, *options)

    def port(self, listener: str) -> int:
        return int(str(self.ready[listener]).rpartition(":")[2])

    def ask(self, method: str, path: str, body: object) -> None:
        url = f"http://127.0.0.1:{self.port('registry')}/v1/{path}"
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)).close()

    def trust(self, fleet: Fleet) -> None:
        certificate = base64.b64encode(ssl.PEM_cert_to_DER_cert(fleet.authority.certificate_pem.decode())).decode()
        self.ask(
            "POST", f"tenants/{TENANT}", {"trusted-ca": [{"cert": certificate, "auto-provisioning-enabled": True}]}
        )


@contextmanager
def hono(folder: Path, *options: str) -> Iterator[tuple[Served, Fleet]]:
    fleet = Fleet(folder)
    with Served(folder, "--cert", str(folder / "server.pem"), *options) as served:
        served.trust(fleet)
        yield served, fleet


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, ...]:
    return () if request.param == "memory" else ("--store", f"sqlite:///{tmp_path / 'fleet.db'}")


# -- One device after another, over blocking sockets: what the server spends


def shaken(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname="localhost")


def over_mqtt(port: int) -> Contact:
    def contact(context: ssl.SSLContext) -> None:
        with shaken(port, context) as peer:
            peer.sendall(CONNECT)
            assert peer.recv(4) == CONNACK
            peer.sendall(DISCONNECT)

    return contact


def over_http(port: int) -> Contact:
    def contact(context: ssl.SSLContext) -> None:
        with shaken(port, context) as peer:
            peer.sendall(TELEMETRY)
            assert peer.recv(4_096).startswith(ACCEPTED)

    return contact


def bare(port: int) -> Contact:
    def contact(context: ssl.SSLContext) -> None:
        with shaken(port, context) as peer:
            peer.sendall(b"x")
            assert peer.recv(1) == b"x"

    return contact


def bench_contacts(tmp_path: Path, store: tuple[str, ...]) -> None:
    """Each round has devices of its own; the second time they come over the same transport as the first time."""
    with hono(tmp_path, *store) as (served, fleet), listening("bare", fleet.folder) as (bare_pid, bare_port):
        print(f"\n  Hono, {'SQLite' if store else 'memory'}: server CPU for each device, handshake included")
        known: dict[str, Sequence[ssl.SSLContext]] = {}

        def contacts(pid: int, contact: Contact, devices: Sequence[ssl.SSLContext]) -> float:
            return cost_us(pid, len(devices), lambda: deque(map(contact, devices), 0))

        def first(name: str, contact: Contact) -> Callable[[], float]:
            def round_of() -> float:
                known[name] = fleet.new(DEVICES)
                return contacts(served.pid, contact, known[name])

            return round_of

        work: dict[str, Callable[[], float]] = {
            "bare handshake with certificates": lambda: contacts(bare_pid, bare(bare_port), fleet.new(DEVICES))
        }
        ways = {"MQTT": over_mqtt(served.port("mqtts")), "HTTP": over_http(served.port("https"))}
        for name, contact in ways.items():
            work[f"first contact over {name}"] = first(name, contact)
            work[f"reconnect over {name}"] = lambda name=name, contact=contact: contacts(  # type: ignore[misc]
                served.pid, contact, known[name]
            )
        judged(costs(work))


def judged(found: dict[str, float]) -> None:
    floor_us = found["bare handshake with certificates"]
    for name, took_us in found.items():
        if name.startswith("first"):
            show(f"{name}: absolute", f"{took_us / 1e3:.2f} ms", f"at most {AT_MOST_MS:g} ms")
        if not name.startswith("bare"):
            aim = FIRST_AIM if name.startswith("first") else AGAIN_AIM
            show(f"{name}: so many bare handshakes", f"{took_us / floor_us:.2f}", f"at most {aim:g}")


# -- Many at once: how fast it goes


async def arrive(listener: str, port: int, context: ssl.SSLContext) -> float:
    """How long it took, in seconds."""
    began_s = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    writer.write(CONNECT if listener == "mqtts" else TELEMETRY)
    if listener == "mqtts":
        assert await reader.readexactly(4) == CONNACK
        writer.write(DISCONNECT)
    else:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(ACCEPTED)
    took_s = time.monotonic() - began_s
    writer.close()
    await writer.wait_closed()
    return took_s


async def arrive_all(listener: str, port: int, devices: list[ssl.SSLContext]) -> list[float]:
    async def some(share: list[ssl.SSLContext]) -> list[float]:
        return [await arrive(listener, port, context) for context in share]

    shares = await asyncio.gather(*(some(devices[start::CROWD]) for start in range(CROWD)))
    return sorted(one for share in shares for one in share)


@pytest.mark.parametrize("listener", ["mqtts", "https"])
def bench_rate(tmp_path: Path, listener: str) -> None:
    raise_file_limit()
    with hono(tmp_path) as (served, fleet):
        port = served.port(listener)
        asyncio.run(arrive_all(listener, port, fleet.new(DEVICES)))
        devices = fleet.new(CROWD_DEVICES)
        for what in ("first contacts", "reconnects"):
            before_s, began_s = cpu_s(served.pid), time.monotonic()
            took_s = asyncio.run(arrive_all(listener, port, devices))
            wall_s, used_s = time.monotonic() - began_s, cpu_s(served.pid) - before_s
            print(f"\n  Hono: {CROWD_DEVICES:,} {what} over {listener}, {CROWD} at once")
            show("devices/s, with the clients on the same machine", f"{CROWD_DEVICES / wall_s:.0f}")
            show("devices/s for each core of the server", f"{CROWD_DEVICES / used_s:.0f}", "above 30")
            show("p50", f"{took_s[len(took_s) // 2] * 1e3:.0f} ms")
            show("p99", f"{took_s[len(took_s) * 99 // 100] * 1e3:.0f} ms")


# -- Passwords


def bench_sign_in(tmp_path: Path) -> None:
    """Telemetry over connections that stay open; each request signs in."""
    salt = b"salt"
    secrets = {
        "sha-256": {
            "hash-function": "sha-256",
            "salt": base64.b64encode(salt).decode(),
            "pwd-hash": base64.b64encode(hashlib.sha256(salt + PASSWORD.encode()).digest()).decode(),
        },
        "bcrypt": {"pwd-plain": PASSWORD},
    }
    with hono(tmp_path) as (served, _):
        print("\n  Hono: server CPU for POST /telemetry with Basic")
        address = f"127.0.0.1:{served.port('http')}"
        work = {}
        for name, secret in secrets.items():
            served.ask("POST", f"devices/{TENANT}/{name}", {})
            entry: dict[str, Any] = {"type": "hashed-password", "auth-id": name, "secrets": [secret]}
            served.ask("PUT", f"credentials/{TENANT}/{name}", [entry])
            basic = base64.b64encode(f"{name}@{TENANT}:{PASSWORD}".encode()).decode()
            headers = {"Content-Type": "application/json", "Authorization": f"Basic {basic}"}
            requests = [raw_request("POST", "/telemetry", headers, b'{"temp":5}')] * SIGN_INS
            work[f"sign-in, {name}"] = lambda requests=requests: cost_us(
                served.pid, SIGN_INS, lambda: hammer(address, requests)
            )
        costs(work)
