"""A running server over the simplest of platforms, for tests of what lies around platforms."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.http_container import PLAIN_CONTAINER, HttpContainerRules
from fleetrig.reference_server.platform import HttpAnswer, Reaction
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Kind, Store
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.reference_server.fronts.conftest import Loop
from tests.reference_server.fronts.peer import Peer


@dataclass(frozen=True)
class Visit:
    path: str
    number: int


VISITS = Kind("visit", Visit, key=lambda visit: visit.path)


@dataclass
class Echo:
    """Counts visits of paths; `/broken` is a bug, `/no` is refused, `/undo` takes back what it did.

    Alarms ring at set times.
    """

    store: Store
    blobs: Blobs | None = None
    entropy: Entropy | None = None
    name: str = "echo"
    container_rules: HttpContainerRules = PLAIN_CONTAINER
    alarm_us: int | None = None
    rang_at_us: list[int] = field(default_factory=list)
    rang: threading.Event = field(default_factory=threading.Event)
    fails: bool = False

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer:
        if request.path == "/broken":
            raise LookupError("a bug at s3cret")
        if request.path.startswith("/alarm"):
            self.alarm_us = now_us + int(request.query)
        if request.path == "/no":
            return HttpAnswer(HttpResponse(403), reason="nobody may")
        before = self.store.get(VISITS, "T", request.path)
        number = 1 if before is None else before.number + 1
        self.store.put(VISITS, "T", Visit(request.path, number))
        return HttpAnswer(HttpResponse(200, body=b"%d" % number), rollback=request.path == "/undo")

    def next_due_us(self) -> int | None:
        return self.alarm_us

    def advance(self, now_us: int) -> Sequence[Reaction]:
        if self.fails:
            self.alarm_us = None
            raise LookupError("a bug in due work")
        if self.alarm_us is not None and self.alarm_us <= now_us:
            self.rang_at_us.append(now_us)
            self.alarm_us = None
            self.rang.set()
        return ()

    def secrets(self) -> list[tuple[str, str]]:
        return [("word", "s3cret")]


@dataclass
class ServerBench:
    loop: Loop
    stack: ExitStack
    echo: Echo = field(init=False)

    def build(self, store: Store, blobs: Blobs, entropy: Entropy) -> Echo:
        self.echo = Echo(store)
        return self.echo

    def start(self, trace: Trace | None = None, **options: Any) -> ReferenceServer:
        """Listens for HTTP; `http` and `https` are addresses, the rest `ServerOptions`."""
        listeners: dict[str, Address] = {"http": options.pop("http", ANY_LOOPBACK_PORT)}
        if "https" in options:
            listeners["https"] = options.pop("https")
        platform = PlatformOptions("echo", self.build, listeners)
        return self.run(ReferenceServer(ServerOptions((platform,), **options), trace, Secrets()))

    def run(self, server: ReferenceServer) -> ReferenceServer:
        """Until the end of the test."""
        self.loop.run(server.__aenter__())
        self.stack.callback(lambda: self.loop.run(server.stop()))
        return server

    def stop(self, server: ReferenceServer) -> None:
        self.loop.run(server.stop())


@contextmanager
def running() -> Iterator[ServerBench]:
    """Whatever is started on the bench is stopped at the end."""
    loop = Loop()
    try:
        with ExitStack() as stack:
            yield ServerBench(loop, stack)
    finally:
        loop.close()


def port_of(server: ReferenceServer, scheme: str = "http", platform: str = "echo") -> int:
    return server.addresses[platform][scheme].port


def get(server: ReferenceServer, target: str, platform: str = "echo") -> tuple[int, bytes]:
    with Peer(port_of(server, platform=platform)) as peer:
        answer = peer.get(target)
    return answer.status, answer.body


def traced() -> tuple[Trace, list[TraceEvent]]:
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    return trace, events


def until(is_so: Callable[[], bool]) -> None:
    """Asks again and again; each question is a round trip."""
    pause = threading.Event()
    for _ in range(2_000):
        if is_so():
            return
        pause.wait(0.01)
    raise AssertionError("it never came to be")
