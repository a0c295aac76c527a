"""MQTT servers in processes of their own, to be measured beside each other: ours with the echo platform, amqtt,
mosquitto."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measure import cpu_s, resident_mib
from tests.peers.programs import need_program

READY_WITHIN_S = 30.0

OURS = """
import asyncio, resource
from fleetrig.reference_server.control.ring import TraceRing
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.simulator.contract.trace import Trace
from tests.conversation.echo_platform import EchoPlatform

async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    trace = Trace()
    trace.listen(TraceRing())
    options = ServerOptions((PlatformOptions("echo", EchoPlatform, {"mqtt": ANY_LOOPBACK_PORT}),))
    async with ReferenceServer(options, trace) as server:
        print(server.addresses["echo"]["mqtt"].port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

AMQTT = """
import asyncio, logging, resource, sys
from amqtt.broker import Broker

logging.disable(logging.CRITICAL)

async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    broker = Broker({
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}", "max_connections": 0}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    })
    await broker.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


@dataclass(frozen=True)
class MqttSide:
    """A server that is measured. What is published to `before` and a topic comes to subscribers of `echo/` and it."""

    name: str
    pid: int
    port: int
    before: str = "echo/"

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def resident_kib(self) -> float:
        return resident_mib(self.pid) * 1024


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


@contextmanager
def our_server() -> Iterator[MqttSide]:
    with _process([sys.executable, "-c", OURS]) as process:
        assert process.stdout is not None
        yield MqttSide("fleetrig", process.pid, int(process.stdout.readline()), before="")


@contextmanager
def all_servers(folder: Path) -> Iterator[list[MqttSide]]:
    """Ours, mosquitto, and amqtt if `AMQTT_PYTHON` names an interpreter that has it."""
    with ExitStack() as stack:
        sides = [stack.enter_context(our_server()), stack.enter_context(_mosquitto(folder))]
        if python := os.environ.get("AMQTT_PYTHON"):
            sides.append(stack.enter_context(_amqtt(python)))
        yield sides


@contextmanager
def _mosquitto(folder: Path) -> Iterator[MqttSide]:
    port, config = free_port(), folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with _process([need_program("mosquitto", "mosquitto"), "-c", str(config)]) as process:
        _wait_for(port)
        yield MqttSide("mosquitto", process.pid, port)


@contextmanager
def _amqtt(python: str) -> Iterator[MqttSide]:
    port = free_port()
    with _process([python, "-c", AMQTT, str(port)]) as process:
        _wait_for(port)
        yield MqttSide("amqtt", process.pid, port)


@contextmanager
def _process(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    until_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until_s:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on {port}")


def raise_file_limit() -> int:
    """As high as the system lets us. Returns how many files this process may have open."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
