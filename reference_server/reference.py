"""A running reference server: a store, platforms over it, faults, sockets, and the clock that lets things happen.

    async with ReferenceServer(ServerOptions((hawkbit(),)), trace) as server:
        ... server.http_url ...

It lives in the event loop it is started in; several can live in one. Starting is all or nothing: what was opened
before something failed is closed again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from fleetrig.reference_server.clock import AdjustableClock
from fleetrig.reference_server.control.control import Control, Controlled
from fleetrig.reference_server.control.refusals import Refusals
from fleetrig.reference_server.control.ring import TraceRing
from fleetrig.reference_server.entropy import SystemEntropy
from fleetrig.reference_server.faults import FaultPlan
from fleetrig.reference_server.fronts.addresses import Address
from fleetrig.reference_server.fronts.control import ControlFront
from fleetrig.reference_server.fronts.http.front import HttpFront
from fleetrig.reference_server.fronts.http.intake import Limits
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.tls import ThrowAwayTls, tls_context
from fleetrig.reference_server.platform import Platform
from fleetrig.reference_server.scheduler import Ticker
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.reference_server.stores.opening import open_store
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace

LOG: Final = logging.getLogger("fleetrig.server")

PlatformBuilder = Callable[[Store, Blobs, Entropy], Platform]


class SystemClock:
    """The machine's own time."""

    def now_us(self) -> int:
        return time.time_ns() // 1000


ANY_LOOPBACK_PORT: Final = Address("127.0.0.1", 0)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a server is made of. Without `certificate` and `key`, `https` gets a throw-away authority."""

    platforms: tuple[PlatformBuilder, ...]
    http: Address | None = ANY_LOOPBACK_PORT
    https: Address | None = None
    certificate: Path | None = None
    key: Path | None = None
    control: Address | None = None
    """Where the control interface listens (docs/control.md); beyond loopback it answers under any name."""
    store: str = "memory:"
    limits: Limits = field(default_factory=Limits)
    about: Mapping[str, Json] = field(default_factory=dict)
    """What the control interface says of this server besides what the server knows itself."""


class ReferenceServer:
    """Starting it raises UsageError or BrokenBench. `bugs` are mistakes of ours that came up, answered with 500."""

    def __init__(
        self,
        options: ServerOptions,
        trace: Trace | None = None,
        secrets: Secrets | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        self._options = options
        self._clock = AdjustableClock(clock or SystemClock())
        self._entropy = entropy or SystemEntropy()
        self._stack = AsyncExitStack()
        self._listeners: dict[str, Listener] = {}
        self.trace = trace or Trace()
        self.secrets = secrets or Secrets()
        self.faults = FaultPlan(lambda: self._entropy.uniform(0.0, 1.0))
        self.bugs: list[BaseException] = []
        self.ca: Path | None = None
        """The throw-away authority's certificate, while the server runs."""

    @property
    def http_url(self) -> str:
        """`http://127.0.0.1:41234`. Raises KeyError without an HTTP listener."""
        return self._listeners["http"].url

    @property
    def https_url(self) -> str:
        return self._listeners["https"].url

    @property
    def control_url(self) -> str:
        return self._listeners["control"].url

    @property
    def clock(self) -> Clock:
        """The time as this server has it."""
        return self._clock

    @property
    def addresses(self) -> dict[str, Address]:
        """`http`, `https` and `control` -> where it listens, with real ports."""
        return {scheme: listener.address for scheme, listener in self._listeners.items()}

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stops listening, writes what is left to write, closes the store. A second call does nothing."""
        await self._stack.aclose()

    def add_fault(self, fault: Fault) -> None:
        """From now on; a refused outage that begins at once has begun when this returns."""
        self.faults.add(fault, self._clock.now_us())
        self._ticker.look_at_faults()

    def clear_faults(self) -> None:
        self.faults.clear()
        self._ticker.look_at_faults()

    async def _start(self) -> None:
        self._bind()  # first, since a port in use must not leave a new database behind
        store, blobs = open_store(self._options.store)
        self._stack.callback(store.close)
        platforms = [build(store, blobs, self._entropy) for build in self._options.platforms]
        server = Server(platforms, store, self.faults, self.trace, self.secrets)
        front = HttpFront(server.handle, self._clock, self.trace, self._note_bug, self._options.limits)
        self._stack.push_async_callback(front.close)
        self._ticker = Ticker(server, front, self._clock, self._note_bug)
        front.delivering.on_refused = self._ticker.look_at_faults
        for scheme in self._listeners.keys() & {"http", "https"}:
            await front.listen(self._listeners[scheme])
        await self._stack.enter_async_context(self._ticker)
        if "control" in self._listeners:
            await self._open_control(server, self._listeners["control"])

    async def _open_control(self, server: Server, listener: Listener) -> None:
        ring, refusals = TraceRing(), Refusals()
        self._stack.callback(self.trace.listen(ring))
        self._stack.callback(self.trace.listen(refusals, refusals.kinds))
        controlled = Controlled(
            about=self._options.about,
            platforms=tuple(platform.name for platform in server.platforms),
            urls={scheme: served.url for scheme, served in self._listeners.items()},
            store_url=self._options.store,
            store=server.store,
            clock=self._clock,
            faults=self.faults,
            ring=ring,
            refusals=refusals,
            secrets=self.secrets,
            is_open=not listener.address.is_loopback,
        )
        front = ControlFront(Control(controlled), self.trace, self._ticker.settle, self._note_bug)
        self._stack.push_async_callback(front.close)
        await front.listen(listener)

    def _bind(self) -> None:
        options = self._options
        if options.http is not None:
            self._listen("http", Listener(options.http))
        if options.https is not None:
            self._listen("https", self._tls_listener(options.https))
        if options.control is not None:
            self._listen("control", Listener(options.control))

    def _listen(self, scheme: str, listener: Listener) -> None:
        self._listeners[scheme] = listener
        self._stack.callback(listener.close)

    def _tls_listener(self, address: Address) -> Listener:
        options = self._options
        if options.certificate is not None:
            return Listener(address, tls_context(options.certificate, options.key or options.certificate))
        tls = ThrowAwayTls([] if address.is_wildcard else [address.host], self._clock.now_us())
        self._stack.callback(tls.close)
        self.ca = tls.ca
        return Listener(address, tls.context)

    def _note_bug(self, request: HttpRequest | None, bug: BaseException) -> None:
        """Each place in our code complains once, however often it goes wrong."""
        place = _place(bug)
        if any(_place(known) == place for known in self.bugs):
            return
        self.bugs.append(bug)
        during = f" during {request.method} {self.secrets.hide(request.target)[:200]}" if request is not None else ""
        what = self.secrets.hide(f"{type(bug).__name__}: {bug}")
        debug = LOG.isEnabledFor(logging.DEBUG)
        LOG.error(
            "a bug in fleetrig itself, please report it: %s%s (%s)",
            what,
            during,
            place,
            exc_info=bug if debug else None,
        )


def _place(bug: BaseException) -> str:
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(bug).__name__
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
