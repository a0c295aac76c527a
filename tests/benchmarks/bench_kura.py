"""What a gateway's provisioning costs our server of the Kura namespace, beside a bare trip through our own MQTT front
in the same run; and ten thousand gateways that come back together, by Kura's own law and by full jitter.

Ratios in one run judge; absolute figures orient.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from fleetrig.harness.servers.serve_process import ServeProcess
from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platforms.kura.payload.codec import decode, encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, int32, octets, string
from fleetrig.reference_server.platforms.kura.platform import KuraPlatform
from fleetrig.reference_server.platforms.kura.state.settings import BROKER_USER, WELL_KNOWN_PASSWORD, Settings
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.interface import Blobs
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import Pause
from fleetrig.simulator.flows.kura.components import DataService, MqttDataTransport, Reconnect
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import KuraSettings
from tests.benchmarks.bench_mqtt import per_trip_us
from tests.benchmarks.bench_thingsboard import cost_us, costs
from tests.benchmarks.measure import cpu_s, show
from tests.benchmarks.mqtt_servers import our_server, raise_file_limit
from tests.reference_server.mqtt_codec.client_wire import binary, packet, text

DEVICES, AT_ONCE = 300, 10
"""Of a round."""
CROWD, CROWD_DEVICES = 64, 1_000
PROVISION: Final = "ec-provisioning"
PASSWORD: Final = "Open-Sesame-1!"
AT_MOST_US, AT_MOST_TIMES = 600, 5
STORM: Final = 10_000
STORM_AT_MOST_S: Final = 20
INTERVAL_S: Final = 60
CONNACK, DISCONNECT = b"\x20\x02\x00\x00", b"\xe0\x00"
_numbers = itertools.count()


class Served(ServeProcess):
    """Each gateway has a provision request of its own before it comes."""

    def __init__(self, folder: Path, *options: str) -> None:
        addresses = [word for name in ("http", "mqtt", "mqtts") for word in (f"--{name}", "127.0.0.1:0")]
        super().__init__(folder, "--platform", "kura", *addresses, *options)
        self.token = ""

    def port(self, listener: str) -> int:
        return int(str(self.ready[listener]).rpartition(":")[2])

    def log_in(self) -> None:
        asked = {"username": "kapua-sys", "password": WELL_KNOWN_PASSWORD}
        signed_in = self.ask("POST", "/v1/authentication/user", asked)
        self.token, self.scope_id = signed_in["tokenId"], signed_in["scopeId"]

    def ask(self, method: str, path: str, body: object) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = f"http://127.0.0.1:{self.port('http')}{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")

    def expect(self, how_many: int) -> list[str]:
        """Their client ids."""
        names = [f"bench-{next(_numbers):06d}" for _ in range(how_many)]
        for name in names:
            self.ask(
                "POST",
                "/v2/provisionRequests",
                {
                    "accountId": self.scope_id, "clientId": name, "provisionUserUsername": name,
                    "provisionUserPassword": PASSWORD, "generateActivationKey": False, "retryMaxAttempts": 3,
                    "overwriteIfDuplicate": False, "provisionSecureURL": False,
                },
            )  # fmt: skip
        return names


@contextmanager
def kura(folder: Path, *options: str) -> Iterator[Served]:
    with Served(folder, *options) as served:
        served.log_in()
        yield served


def message(client_id: str, what: str, request_id: str, **metrics: Metric) -> bytes:
    """A PUBLISH of QoS 0 on a topic of its own."""
    named = {name.replace("__", "."): metric for name, metric in metrics.items()}
    said = {"request.id": string(request_id), "requester.client.id": string(client_id), **named}
    topic = f"$EDC/{PROVISION}/{client_id}/PROV-SIM1/POST/{what}"
    return packet(0x30, text(topic) + encode(KuraPayload(metrics=said)))


async def heard(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """One packet: its first byte, and its body."""
    first = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first, await reader.readexactly(length)


async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> KuraPayload:
    """Of QoS 1, and acknowledged. Its own messages do not come back: it is not subscribed to them."""
    first, body = await heard(reader)
    assert first == 0x32, hex(first)
    at = 2 + int.from_bytes(body[:2])
    writer.write(b"\x40\x02" + body[at : at + 2])
    read = decode(body[at + 2 :])
    assert read.response_code == 200, read
    return read


async def provision(port: int, client_id: str) -> float:
    """Connect, subscribe, request, reply, confirm, permission, leave. How long it took, in seconds."""
    began_s = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(packet(0x10, binary(b"MQTT") + bytes([4, 0xC2, 0, 60]) + text(client_id) * 2 + text(PASSWORD)))
    assert await reader.readexactly(4) == CONNACK
    topic = f"$EDC/{PROVISION}/{client_id}/PROV-SIM1/REPLY/#"
    writer.write(packet(0x82, b"\x00\x01" + text(topic) + b"\x01"))
    assert (await heard(reader))[0] == 0x90
    writer.write(
        message(
            client_id, "request", "1", prov__profile=string("PROV-SIM1"), prov__attempt=int32(1),
            prov__nonce=octets(client_id.encode().ljust(16)),
        )
    )  # fmt: skip
    job_id = (await reply(reader, writer)).metrics["prov.job.id"]
    writer.write(message(client_id, "confirm", "2", prov__job__id=job_id, prov__result=string("STAGED")))
    await reply(reader, writer)
    writer.write(DISCONNECT)
    writer.close()
    await writer.wait_closed()
    return time.monotonic() - began_s


async def provision_all(port: int, client_ids: Sequence[str], at_once: int) -> list[float]:
    async def some(share: Sequence[str]) -> list[float]:
        return [await provision(port, client_id) for client_id in share]

    shares = await asyncio.gather(*(some(client_ids[start::at_once]) for start in range(at_once)))
    return sorted(one for share in shares for one in share)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, ...]:
    return () if request.param == "memory" else ("--store", f"sqlite:///{tmp_path / 'fleet.db'}")


def bench_provisioning(tmp_path: Path, store: tuple[str, ...]) -> None:
    with kura(tmp_path, *store) as served, our_server() as echo:
        print(f"\n  Kura, {'SQLite' if store else 'memory'}: server CPU for a provisioning exchange")

        def exchanges() -> float:
            devices = served.expect(DEVICES)
            return cost_us(
                served.pid, DEVICES, lambda: asyncio.run(provision_all(served.port("mqtt"), devices, AT_ONCE))
            )

        work: dict[str, Callable[[], float]] = {
            "provisioning exchange": exchanges,
            "bare CONNECT, SUBSCRIBE, PUBLISH, reply": lambda: per_trip_us(echo),
        }
        found = costs(work)
        exchange_us, bare_us = found.values()
        show("provisioning: absolute", f"{exchange_us:.0f} us", f"at most {AT_MOST_US}")
        show("provisioning costs so many bare trips", f"{exchange_us / bare_us:.2f}", f"at most {AT_MOST_TIMES}")


def bench_rate(tmp_path: Path) -> None:
    raise_file_limit()
    with kura(tmp_path) as served:
        asyncio.run(provision_all(served.port("mqtt"), served.expect(DEVICES), AT_ONCE))
        devices = served.expect(CROWD_DEVICES)
        before_s, began_s = cpu_s(served.pid), time.monotonic()
        took_s = asyncio.run(provision_all(served.port("mqtt"), devices, CROWD))
        wall_s, used_s = time.monotonic() - began_s, cpu_s(served.pid) - before_s
        print(f"\n  Kura: {CROWD_DEVICES:,} gateways are provisioned, {CROWD} at once")
        show("gateways/s, with the clients on the same machine", f"{CROWD_DEVICES / wall_s:.0f}")
        show("gateways/s for each core of the server", f"{CROWD_DEVICES / used_s:.0f}")
        show("p50", f"{took_s[len(took_s) // 2] * 1e3:.0f} ms")
        show("p99", f"{took_s[len(took_s) * 99 // 100] * 1e3:.0f} ms")


# -- A broker that all lose at once


class Restarting(Server):
    """A server that can end all its sessions, as a restart does, and counts who comes."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.connects: list[int] = []
        """When, in microseconds."""
        self._alive: set[int] = set()
        self._restarts_us: int | None = None

    def restart(self, now_us: int) -> None:
        self._restarts_us = now_us

    def opened(self, session: Session, now_us: int) -> Sequence[Output]:
        self._alive.add(session.id)
        return super().opened(session, now_us)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Sequence[Output]:
        if isinstance(envelope, MqttConnect):
            self.connects.append(now_us)
        return super().receive(session, envelope, now_us)

    def closed(self, session: Session, now_us: int) -> Sequence[Output]:
        self._alive.discard(session.id)
        return super().closed(session, now_us)

    def next_due_us(self) -> int | None:
        return super().next_due_us() if self._restarts_us is None else self._restarts_us

    def advance(self, now_us: int) -> Sequence[Output]:
        if self._restarts_us is None:
            return super().advance(now_us)
        self._restarts_us = None
        return [Close(session, Ending.RESET) for session in sorted(self._alive)]


class NoFiles:
    """The platform keeps none here."""


@pytest.mark.parametrize("policy", ["kura", "full-jitter"])
def bench_storm(policy: Reconnect) -> None:
    """All are connected, the broker goes, all come back: real gateways and the real server, in virtual time."""
    memory, trace, secrets = MemoryStore(), Trace(), Secrets()
    files: Blobs = NoFiles()  # type: ignore[assignment]
    platform = KuraPlatform(memory, files, SeededEntropy(1), Settings())
    server = Restarting(platform, memory, FaultPlan(lambda: 0.5), trace, secrets)
    virtual = VirtualBench(server, trace, seed=1)
    transport = MqttDataTransport("mqtt://kura.test:1883", "kapua-sys", BROKER_USER, WELL_KNOWN_PASSWORD)
    data = DataService(retry_interval_s=INTERVAL_S, reconnect=policy)
    gateway = KuraGateway(KuraSettings(transport=transport, data=data, telemetry_interval_s=None))
    agents = [Agent(DeviceIdentity(f"gw-{number:05d}"), gateway) for number in range(STORM)]
    for agent in agents:
        virtual.power_on(agent)
    began_s = time.process_time()
    virtual.run_for(INTERVAL_S + 5)
    assert sum(agent.stage.value == "online" for agent in agents) == STORM
    first_s = time.process_time() - began_s
    server.connects.clear()
    lost_us = virtual.now_us()
    server.restart(lost_us)
    virtual.run(nothing())
    virtual.run_for(INTERVAL_S + 5)
    took_s = time.process_time() - began_s - first_s
    assert sum(agent.stage.value == "online" for agent in agents) == STORM
    seconds = Counter((at_us - lost_us) // 1_000_000 for at_us in server.connects)
    print(f"\n  Kura: {STORM:,} gateways lose their broker, R={INTERVAL_S} s, reconnect {policy}")
    show("CPU of the storm", f"{took_s:.1f} s", f"at most {STORM_AT_MOST_S} s")
    show("CPU of the first connections", f"{first_s:.1f} s")
    show("CONNECT in the busiest second", f"{max(seconds.values()):,}")
    show("all are back after", f"{max(seconds) + 1} s")


def nothing() -> Director[None]:
    """Lets the driver look at what the server has to do."""
    yield Pause(0.0, 0.0, "look")
