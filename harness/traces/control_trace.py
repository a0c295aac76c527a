"""The trace of a running server, read from its control interface (docs/control.md): what it has, or on and on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, Final
from urllib.parse import urlsplit

from fleetrig.harness.servers.address import web_url
from fleetrig.harness.servers.json_answer import beginning
from fleetrig.harness.traces.trace_records import StoredEvent, TraceRecord, read_record
from fleetrig.reference_server.control.ring import MAX_EVENTS
from fleetrig.simulator.contract.bounds import TRACE_LINE_CHARS
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

WITHIN_S: Final = 10.0
SHOWN_BYTES: Final = 200
NUMBER: Final = '{"number":'
HOW: Final = "the banner of `fleetrig serve` says where its control interface is; --control HOST:PORT puts it somewhere"


@dataclass(slots=True)
class ControlTrace:
    """`url`: of the control interface. `since`: the number after which to begin; None: all that it still has."""

    url: str
    since: int | None = None
    only_new: bool = False
    """Begin with what happens from now on."""
    platform: str = field(default="", init=False)
    """Of a server that plays one alone."""
    last: int = field(default=0, init=False)
    """The number of the last event that was read."""

    def __post_init__(self) -> None:
        """Raises UsageError for what is no address."""
        self.url = web_url(self.url)
        if not self.url.startswith("http://"):
            raise UsageError(f"{self.url}: a control interface speaks HTTP, such as http://127.0.0.1:8081")

    def greet(self) -> None:
        """Raises BrokenBench for what is no control interface."""
        document = self._about()
        platforms, trace = document.get("platforms"), document.get("trace")
        if not (isinstance(platforms, list) and isinstance(trace, dict)):
            raise self._no_control(json.dumps(document)[:SHOWN_BYTES])
        self.platform = str(platforms[0]) if len(platforms) == 1 else ""
        newest, forgotten = (n if isinstance(n := trace.get(word), int) else 0 for word in ("last", "forgotten"))
        if self.only_new:
            self.since = newest
        elif self.since is None:
            self.since = forgotten
        self.last = self.since

    def records(self, *, follow: bool) -> Iterator[TraceRecord]:
        """Ends with what there is, or, if it follows, when the server does. Raises BrokenBench."""
        more = "follow=true" if follow else f"limit={MAX_EVENTS}"
        with closing(self._connection(None if follow else WITHIN_S)) as connection:
            answer = self._ask(connection, f"/trace?since={self.since or 0}&{more}")
            if answer.status != 200:
                raise BrokenBench(f"{self.url} gave {answer.status}: {beginning(answer.read(), SHOWN_BYTES)}")
            yield from self._lines(answer)

    def _lines(self, answer: HTTPResponse) -> Iterator[TraceRecord]:
        try:
            while line := answer.readline(TRACE_LINE_CHARS.most):
                record = read_record(line.decode("utf-8", "replace").rstrip("\n"), self.last)
                if isinstance(record, StoredEvent):
                    self.last = number_of(record.line) or self.last
                    record = record._replace(number=self.last)
                yield record
        except (OSError, HTTPException):
            return  # the server has ended, in whatever way

    def _about(self) -> dict[str, Any]:
        with closing(self._connection(WITHIN_S)) as connection:
            answer = self._ask(connection, "/")
            content = self._read(answer)
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            document = None
        if answer.status != 200 or not isinstance(document, dict):
            raise self._no_control(f"{answer.status} {beginning(content, SHOWN_BYTES)}".strip())
        return document

    def _read(self, answer: HTTPResponse) -> bytes:
        try:
            return answer.read(TRACE_LINE_CHARS.most)
        except (OSError, HTTPException) as wrong:
            raise BrokenBench(f"{self.url} broke off its answer: {str(wrong) or type(wrong).__name__}") from None

    def _connection(self, within_s: float | None) -> HTTPConnection:
        parts = urlsplit(self.url)
        return HTTPConnection(parts.hostname or "", parts.port or 80, timeout=within_s)

    def _ask(self, connection: HTTPConnection, path: str) -> HTTPResponse:
        try:
            connection.request("GET", urlsplit(self.url).path.rstrip("/") + path)
            return connection.getresponse()
        except OSError as wrong:
            raise BrokenBench(f"cannot reach {self.url}: {system_said(wrong)}; is the server running?") from None
        except HTTPException as wrong:
            raise self._no_control(type(wrong).__name__) from None

    def _no_control(self, said: str) -> BrokenBench:
        return BrokenBench(f"{self.url} is no control interface: it answers {said}; {HOW}")


def number_of(line: str) -> int:
    """The number of an event through all lanes, which begins its line; 0 if there is none."""
    if not line.startswith(NUMBER):
        return 0
    digits = line[len(NUMBER) : len(NUMBER) + 20].partition(",")[0].strip()
    return int(digits) if digits.isascii() and digits.isdecimal() else 0
