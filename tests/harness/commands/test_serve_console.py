"""What `serve` prints: lines for refusals, repeats counted, floods cut off, nothing that steers a terminal."""

from __future__ import annotations

import io
import os
import re
import threading
from pathlib import Path

import pytest

from fleetrig.harness.commands.line_writer import LineWriter
from fleetrig.harness.commands.ready_file import ReadyFile
from fleetrig.harness.commands.serve_console import RefusalLines
from fleetrig.reference_server.control.received_lines import ReceivedLines
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttPublish
from fleetrig.simulator.contract.trace import Lane, TraceEvent

START_US = 1_767_268_800 * US_PER_S
TIME = re.compile(r"\d\d:\d\d:\d\d  ")


class Console:
    """Refusals as the server tells them: received, then refused."""

    def __init__(self, *, colour: bool = False) -> None:
        self.secrets = Secrets()
        self.received = ReceivedLines()
        self.lines = RefusalLines(self.secrets, self.received, colour=colour)
        self.now_us = START_US

    def refuse(
        self, target: str = "/x", reason: str = "no token", device: str = "dev-1", status: int = 401
    ) -> list[str]:
        request = HttpRequest("GET", "http://h", target)
        received = TraceEvent(self.now_us, 1, device, Lane.SERVER, "received", request)
        refused = TraceEvent(self.now_us, 2, device, Lane.SERVER, "refused", HttpResponse(status), reason=reason)
        self.received(received)
        return [self._timeless(line) for line in self.lines.lines(refused)]

    def after_s(self, seconds: float, *, is_end: bool = False) -> list[str]:
        self.now_us += int(seconds * US_PER_S)
        return [self._timeless(line) for line in self.lines.flush(self.now_us, is_end=is_end)]

    @staticmethod
    def _timeless(line: str) -> str:
        return TIME.sub("", line)


def test_a_refusal_is_a_line_with_time_request_status_device_and_reason() -> None:
    console = Console()
    received = TraceEvent(START_US, 1, "d", Lane.SERVER, "received", HttpRequest("PUT", "http://h", "/x"))
    refused = TraceEvent(START_US, 2, "d", Lane.SERVER, "refused", HttpResponse(404), reason="no such path")
    console.received(received)
    (line,) = console.lines.lines(refused)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  PUT /x  404  d: no such path", line)


def test_a_refusal_finds_its_question_by_the_session() -> None:
    console = Console()
    for session, target in [(1, "/one"), (2, "/two")]:
        request = HttpRequest("GET", "http://h", target)
        console.received(TraceEvent(START_US, 1, "", Lane.SERVER, "received", request, session=session))
    answers: list[HttpResponse | MqttConnack | None] = [HttpResponse(401), MqttConnack(5), None]
    refused = [
        TraceEvent(START_US, 2, "d", Lane.SERVER, "refused", answer, reason="no", session=session)
        for session, answer in enumerate(answers, start=1)
    ]
    closed = TraceEvent(START_US, 3, "d", Lane.SERVER, "closed", session=3)
    shown = [TIME.sub("", line) for event in (*refused, closed) for line in console.lines.lines(event)]
    assert shown == ["GET /one  401  d: no", "GET /two  CONNACK 5  d: no", "connection  closed  d: no"]


def test_what_is_dropped_without_a_word_is_not_called_closed() -> None:
    console = Console()

    def dropped(session: int) -> TraceEvent:
        publish = MqttPublish("v1/other", b"")
        console.received(TraceEvent(START_US, 1, "", Lane.SERVER, "received", publish, session=session))
        return TraceEvent(START_US, 2, "d", Lane.SERVER, "refused", reason=f"no {session}", session=session)

    assert console.lines.lines(dropped(1)) == []
    (line,) = console.lines.lines(TraceEvent(START_US, 3, "d", Lane.SERVER, "closed", session=2))
    assert line.endswith("  PUBLISH v1/other  no answer  d: no 1"), "another connection was closed"
    assert console.lines.lines(dropped(1)) == []
    assert console.lines.lines(TraceEvent(START_US + 90, 3, "d", Lane.SERVER, "closed", session=1)) == [], "a repeat"
    assert console.lines.lines(dropped(2)) == []
    (line,) = console.lines.lines(dropped(3))
    assert line.endswith("  PUBLISH v1/other  no answer  d: no 2")
    assert console.after_s(0) == ["PUBLISH v1/other  no answer  d: no 3"]
    assert console.after_s(0) == []


def test_a_handshake_that_the_platform_refuses_is_closed() -> None:
    refused = TraceEvent(START_US, 1, "", Lane.SERVER, "refused", reason="no", name="handshake: unknown_ca", session=9)
    (line,) = Console().lines.lines(refused)
    assert line.endswith("  connection  closed  no")


def test_only_refusals_are_lines() -> None:
    lines = RefusalLines(Secrets(), ReceivedLines())
    for lane, kind in [
        (Lane.SERVER, "answered"),
        (Lane.NETWORK, "fault"),
        (Lane.DEVICE, "sent"),
        (Lane.SERVER, "fault"),
    ]:
        assert lines.lines(TraceEvent(START_US, 1, "", lane, kind, HttpResponse(200))) == []


def test_what_could_not_be_read_is_a_line_too() -> None:
    console = Console()
    console.refuse()
    malformed = TraceEvent(START_US, 1, "", Lane.NETWORK, "malformed", HttpResponse(400), reason="two hosts")
    (line,) = console.lines.lines(malformed)
    assert line.endswith("  unreadable request  400  two hosts")


def test_a_handshake_that_came_to_nothing_is_a_line_too() -> None:
    refused = TraceEvent(START_US, 1, "", Lane.NETWORK, "refused", reason="TLS: no handshake within 60 s", session=9)
    (line,) = Console().lines.lines(refused)
    assert line.endswith("  connection  closed  TLS: no handshake within 60 s")


def test_repeats_are_counted_and_shown_once() -> None:
    console = Console()
    assert console.refuse() == ["GET /x  401  dev-1: no token"]
    assert [console.refuse() for _ in range(12)] == [[]] * 12
    assert console.after_s(1) == []
    assert console.after_s(5) == ["GET /x  401  dev-1: no token (×12)"]
    assert console.refuse() == [], "still the same trouble"
    assert console.after_s(5) == ["GET /x  401  dev-1: no token (×1)"]
    assert console.after_s(5) == []
    assert console.refuse() == ["GET /x  401  dev-1: no token"]


def test_the_end_tells_all_counts() -> None:
    console = Console()
    console.refuse()
    console.refuse()
    assert console.after_s(0, is_end=True) == ["GET /x  401  dev-1: no token (×1)"]


def test_a_flood_of_different_refusals_is_cut_off_and_counted() -> None:
    console = Console()
    shown = [line for n in range(500) for line in console.refuse(device=f"dev-{n}")]
    assert len(shown) == 20
    assert console.after_s(1) == ["          … and 480 more refusals"]
    assert console.refuse(device="another") == ["GET /x  401  another: no token"]


def test_a_flood_that_goes_on_takes_no_memory() -> None:
    console = Console()
    for second in range(30):
        for n in range(100):
            console.refuse(device=f"dev-{second}-{n}")
        console.after_s(1)
    assert len(console.lines._shown) <= 6 * 20


def test_secrets_are_masked_and_nothing_steers_the_terminal() -> None:
    console = Console()
    console.secrets.learn("target-token", "the-token")
    (line,) = console.refuse(target="/x/the-token", reason="token the-token\x1b[2J\r\nfaked\u2028line \udcff differs")
    assert "the-token" not in line
    assert line.count("target-token:") == 2
    assert line.isprintable()


def test_colour_only_when_asked() -> None:
    assert "\x1b[31m" in Console(colour=True).refuse()[0]
    assert "\x1b" not in Console().refuse()[0]


def test_a_pipe_that_nobody_reads_stops_nobody() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader, os.fdopen(writing, "w") as stream:
        writer = LineWriter(stream)
        for number in range(50):
            writer.write([f"{number}-{n} {'x' * 100}" for n in range(1000)])
        closing = threading.Thread(target=writer.close)
        closing.start()
        closing.join(20)
        assert not closing.is_alive()
        assert reader.readline().startswith("0-0 xxx")
        drain = threading.Thread(target=reader.read)  # lets the writing thread end
        drain.start()
        writer._thread.join(20)
        stream.close()
        drain.join(20)
        assert not drain.is_alive()


def test_a_pipe_that_is_closed_stops_only_the_writing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    writer = LineWriter(stream)
    writer.write(["one", "two"])
    writer._thread.join(20)
    writer.write(["three"])
    writer.close()
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_lines_come_out_whole_and_in_order() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)
    writer.write([str(number) for number in range(1000)])
    writer.close()
    assert stream.getvalue() == "".join(f"{number}\n" for number in range(1000))


def test_a_ready_file_is_whole_and_says_what_is_known(tmp_path: Path) -> None:
    ready = ReadyFile(tmp_path / "ready.json")
    ready.write({"pid": os.getpid(), "http": "127.0.0.1:80"})
    assert (tmp_path / "ready.json").read_text() == f'{{"pid": {os.getpid()}, "http": "127.0.0.1:80"}}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]
    ready.remove()
    ready.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_ready_file_that_could_not_be_written_is_refused_at_once(tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "ready.json", tmp_path):
        with pytest.raises(UsageError, match="ready-file"):
            ReadyFile(path)
