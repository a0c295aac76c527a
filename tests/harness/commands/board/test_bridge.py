"""`fleetrig board bridge` as somebody starts it: pyserial at the other end of the network; a board and a server."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import serial

from fleetrig.harness.commands.board.bridge import address_of, servers_of
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.running_server.server import RunningServer
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.command import LIMIT_S, environment, fleetrig
from tests.harness.commands.board.board_line import BoardLine
from tests.hil.bridge.bridged_board import BOARD

pytestmark = pytest.mark.slow


class Running:
    """The command, and what it has said."""

    def __init__(self, line: BoardLine, *options: str) -> None:
        desk = ("--bench", str(line.bench), "--desk", str(line.bench.parent / "desk"))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fleetrig.harness.entry", "board", "bridge", "left", *desk, *options],
            stderr=subprocess.PIPE, env=environment(),
        )  # fmt: skip
        self.said = b""

    def until_said(self, pattern: bytes) -> re.Match[bytes]:
        assert self.process.stderr is not None
        while (found := re.search(pattern, self.said)) is None:
            some = os.read(self.process.stderr.fileno(), 4096)
            assert some, self.said
            self.said += some
        return found

    def interrupted(self) -> int:
        self.process.send_signal(signal.SIGINT)
        _, rest = self.process.communicate(timeout=LIMIT_S)
        self.said += rest
        return self.process.returncode


@contextmanager
def running(line: BoardLine, *options: str) -> Iterator[Running]:
    command = Running(line, *options)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.communicate()


def test_another_machine_types_and_reads_until_it_is_stopped(line: BoardLine) -> None:
    with running(line, "--rfc2217", ":0") as command:
        url = command.until_said(rb"rfc2217://127\.0\.0\.1:\d+")[0].decode()
        with serial.serial_for_url(url, baudrate=115_200, timeout=LIMIT_S) as client:
            client.write(b"version\r")
            line.until_said(b"version\r")
            line.say(b"U-Boot 2023.01\r\n")
            assert client.read(16) == b"U-Boot 2023.01\r\n"
            command.until_said(rb"left: joined .* writes")
        assert command.interrupted() == Exit.INTERRUPTED
        assert b"the board goes on with what it was doing" in command.said


def test_a_board_polls_hawkbit_over_its_line(line: BoardLine, empty_server: RunningServer) -> None:
    def read(within_s: float) -> bytes:
        del within_s
        return os.read(line.board_end, 4096)

    board = BOARD.BridgeLine(read, line.say, random.Random(1).randbytes, time.monotonic)
    with running(line, "--server", empty_server.url) as command:
        command.until_said(b"reaches http://")
        statuses: list[int] = []

        def polls() -> None:
            board.hello()
            statuses.append(board.http("GET", "http://bench", "/DEFAULT/controller/v1/GW-1")[0])

        polling = threading.Thread(target=polls, daemon=True)
        polling.start()
        command.until_said(rb"left: ask to the board 401")
        polling.join(LIMIT_S)
        assert statuses == [401]
        assert command.interrupted() == Exit.INTERRUPTED


def test_an_unplugged_board_is_the_benchs_to_blame(line: BoardLine) -> None:
    with running(line, "--rfc2217", ":0") as command:
        command.until_said(rb"rfc2217://")
        line.unplug()
        command.process.wait(LIMIT_S)
        assert command.process.returncode == 3


def test_one_of_the_two_is_needed(line: BoardLine) -> None:
    done = fleetrig("board", "bridge", "left", "--bench", str(line.bench), cwd=line.bench.parent)
    assert done.returncode == 4
    assert "needs --rfc2217 HOST:PORT or --server URL" in done.stderr


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":4000", ("127.0.0.1", 4000)),
        ("4000", ("127.0.0.1", 4000)),
        ("desk:1", ("desk", 1)),
        ("[::1]:2", ("::1", 2)),
    ],
)
def test_without_a_host_only_this_machine_reaches_it(text: str, address: tuple[str, int]) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["", "desk", "desk:", "desk:65536", ":-1", ":\u0663"])
def test_what_is_no_address_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected HOST:PORT, for instance 127\.0\.0\.1:4000"):
        address_of(text)


@pytest.mark.parametrize(
    ("urls", "sentence"),
    [
        (["ftp://x"], "begins with http://, https://, mqtt://, mqtts://, coap://, coaps://"),
        (["http://"], "begins with"),
        (["http://a", "http://b"], "http://b and http://a are both http"),
    ],
    ids=["scheme", "no host", "twice"],
)
def test_servers_that_are_none(urls: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        servers_of(urls)
