"""A front on a loopback port, its event loop in a thread of its own, so that tests can use plain sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.front import FrontTools, Limits
from fleetrig.reference_server.fronts.http.front import HttpFront
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.platforms.hawkbit.request.container import container_rules
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.reference_server.fronts.peer import LIMIT_S, Peer

T = TypeVar("T")
CONTAINER = container_rules(artifact_bytes=1 << 30)
NOON_US = 1_767_268_800 * US_PER_S
DATE = b"Date: Thu, 01 Jan 2026 12:00:00 GMT"


class Noon:
    """A clock that stands still, so that answers are the same bytes every time."""

    def now_us(self) -> int:
        return NOON_US


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(LIMIT_S)

    def call(self, function: Callable[[], T]) -> T:
        async def calling() -> T:
            return function()

        return self.run(calling())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(LIMIT_S)
        self.loop.close()


@dataclass
class FrontBench:
    """`reply` decides what is delivered; `seen` are the requests with their bodies read."""

    loop: Loop
    reply: Callable[[HttpRequest], Delivery] = lambda request: Delivery(HttpResponse(200))
    seen: list[HttpRequest] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    events: list[TraceEvent] = field(default_factory=list)
    bugs: list[BaseException] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    rules: HttpContainerRules = CONTAINER
    keeps_requests: bool = True
    """Otherwise nothing is in `seen`."""
    next_session_id: Callable[[], int] = field(default_factory=lambda: count(1).__next__)
    refusals: int = 0
    """How often an answer has shown as refused."""

    def start(self) -> None:
        trace = Trace()
        trace.listen(self.events.append)
        tools = FrontTools(
            Noon(),
            trace,
            lambda _, bug: self.bugs.append(bug),
            self.next_session_id,
            self._note_refusal,
            limits=self.limits,
        )
        self.front = HttpFront(self._handle, self.rules, tools)
        listener = Listener("http", Address("127.0.0.1", 0))
        self.port = listener.address.port
        self.loop.run(self.front.listen(listener))

    def _handle(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        assert now_us == NOON_US
        if not self.keeps_requests:
            return self.reply(request)
        self.seen.append(HttpRequest(request.method, request.origin, request.target, request.headers,
                                     body_bytes(request.body)))  # fmt: skip
        self.sessions.append(session)
        return self.reply(request)

    def _note_refusal(self) -> None:
        self.refusals += 1

    def answers(self, response: HttpResponse, **delivered: Any) -> None:
        self.reply = lambda request: Delivery(response, **delivered)

    def peer(self) -> Peer:
        return Peer(self.port)

    def said(self) -> list[tuple[str, str]]:
        """(kind, fault) of what stands in the network lane."""
        return [(event.kind, event.fault) for event in self.events]


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def start_front(loop: Loop) -> Iterator[Callable[..., FrontBench]]:
    """Starts a front with limits or container rules of its own."""
    with ExitStack() as stack:

        def start(rules: HttpContainerRules = CONTAINER, **limits: Any) -> FrontBench:
            bench = FrontBench(loop, limits=Limits(**limits), rules=rules)
            bench.start()
            stack.callback(lambda: loop.run(bench.front.close()))
            return bench

        yield start


@pytest.fixture
def bench(start_front: Callable[..., FrontBench]) -> FrontBench:
    return start_front()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A file of 3 MB in which every position can be told from every other."""
    path = tmp_path / "image.bin"
    path.write_bytes(numbered_bytes())
    return path


@cache
def numbered_bytes() -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in range(750_000))
