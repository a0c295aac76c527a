"""The processes of a load run, as the command starts them: a server, the generator, its workers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from fleetrig.harness.load.order import LoadOrder, OwnAddresses
from fleetrig.simulator.contract.errors import BrokenBench

SERVER: Final = "fleetrig.harness.load.server_process"
GENERATOR: Final = "fleetrig.harness.locustfile"
ENDS_WITHIN_S: Final = 30.0

Process = subprocess.Popen[str]


def workers_running(order: LoadOrder, port: int) -> list[Process]:
    """The workers of a master on this machine."""
    return [started(GENERATOR, replace(order, master=f"127.0.0.1:{port}")) for _ in range(order.workers)]


def started(module: str, order: LoadOrder, *, reads: bool = False) -> Process:
    """A process with its order on standard input. In a group of its own: the command passes Ctrl-C on."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if reads else None,
        text=True,
        process_group=0,
    )
    assert process.stdin is not None
    process.stdin.write(order.to_json() + "\n")
    process.stdin.flush()
    return process


@contextmanager
def own_server_running(order: LoadOrder) -> Iterator[LoadOrder]:
    """Our own server for the run; yields the order with its addresses. Raises BrokenBench when it does not start."""
    process = started(SERVER, order, reads=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            process.wait(ENDS_WITHIN_S)
            raise BrokenBench("the reference server of the run did not start; its reason stands above")
        yield replace(order, own=OwnAddresses(**json.loads(said)))
    finally:
        end(process)


def end(process: Process) -> None:
    """Its input ends, and so does it; it is killed if it does not."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def waited(process: Process) -> int:
    """The exit code of the generator. Stop signals are passed on to it: it keeps what it has, and cleans up."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
