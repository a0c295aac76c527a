"""A running reference server: a store, platforms over it, faults, sockets, and the clock that lets things happen.

    options = ServerOptions((PlatformOptions("hawkbit", build, {"http": parse_address("127.0.0.1:0")}),))
    async with ReferenceServer(options, trace) as server:
        ... server.url("hawkbit", "http") ...

Each platform has listeners of its own: the port decides who answers.

It lives in the event loop it is started in; several can live in one. Starting is all or nothing: what was opened
before something failed is closed again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import Final, Self

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.clock import AdjustableClock
from fleetrig.reference_server.control.control import Control, ControlTarget
from fleetrig.reference_server.control.received_lines import ReceivedLines
from fleetrig.reference_server.control.refusals import Refusals
from fleetrig.reference_server.control.ring import TraceRing
from fleetrig.reference_server.entropy import SystemEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.fronts.control import ControlFront
from fleetrig.reference_server.fronts.front import BoundListener, Front, FrontTools, ListenerKind
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.reference_server.fronts.tls.server_certificate import read_server_certificate
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.reference_server.fronts.tls.throw_away import ServerCertificates
from fleetrig.reference_server.listener_kinds import LISTENER_KINDS
from fleetrig.reference_server.northbound import NorthboundPlatform
from fleetrig.reference_server.platform import AddressedPlatform, context_path_of
from fleetrig.reference_server.scheduler import Scheduler, ServedPlatform
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.server_options import PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.reference_server.stores.leftovers import Leftovers, find_leftovers, remove_leftovers
from fleetrig.reference_server.stores.opening import artifact_folder, open_store
from fleetrig.reference_server.webhook import Webhook
from fleetrig.simulator.contract.clock import US_PER_S, Clock
from fleetrig.simulator.contract.envelope import Envelope, Output
from fleetrig.simulator.contract.errors import (
    BrokenBench,
    FleetrigError,
    ModelError,
    UsageError,
    broken_environment,
    system_said,
)
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace

LOG: Final = logging.getLogger("fleetrig.server")


class SystemClock:
    """The machine's own time."""

    def now_us(self) -> int:
        return time.time_ns() // 1000


TOLD_AGAIN_AFTER_US: Final = 60 * US_PER_S
"""A failure that lasts is told again after so long."""


class ReferenceServer:
    """Starting it raises UsageError or BrokenBench, stopping it StoreFailed when what it was told is not kept.

    `bugs` are errors of ours that came up, `failures` those of disks, files and limits; the client got a 500."""

    def __init__(
        self,
        options: ServerOptions,
        trace: Trace | None = None,
        secrets: Secrets | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        listener_kinds: Mapping[str, ListenerKind] = LISTENER_KINDS,
    ) -> None:
        """`listener_kinds` says by the name of a listener how it speaks."""
        self._options = options
        self._listener_kinds = listener_kinds
        self._clock = AdjustableClock(clock or SystemClock())
        self._entropy = entropy or SystemEntropy()
        self._stack = AsyncExitStack()
        self._listeners: dict[str, dict[str, BoundListener]] = {}
        self._context_paths = dict.fromkeys((one.name for one in options.platforms), "")
        self._control: Listener | None = None
        self._certificates: ServerCertificates | None = None
        self._received: ReceivedLines | None = None
        self.trace = trace or Trace()
        self.secrets = secrets or Secrets()
        self.faults = FaultPlan(lambda: self._entropy.uniform(0.0, 1.0))
        self.bugs: list[BaseException] = []
        self.failures: dict[str, int] = {}
        """What failed around us, as sentences, and when each was last told (us)."""
        self.leftovers: Leftovers | None = None
        """What the start found beside the artifacts, in a store that outlives the process."""

    def url(self, platform: str, listener: str = "http") -> str:
        """`http://127.0.0.1:41234/hb`. Raises KeyError when the platform has no such listener."""
        scheme = self._listener_kinds[listener].url_scheme or listener
        return f"{scheme}://{self._listeners[platform][listener].address}{self._context_paths.get(platform, '')}"

    @property
    def addresses(self) -> dict[str, dict[str, Address]]:
        """Platform -> listener name -> where it listens, with real ports."""
        return {
            platform: {name: listener.address for name, listener in listeners.items()}
            for platform, listeners in self._listeners.items()
        }

    @property
    def control_address(self) -> Address | None:
        """Where the control interface listens, if it does."""
        return self._control.address if self._control is not None else None

    @property
    def control_url(self) -> str:
        """Raises KeyError when there is no control interface."""
        if self._control is None:
            raise KeyError("control")
        return f"http://{self._control.address}"

    @property
    def ca(self) -> Path | None:
        """The throw-away authority's certificate, while the server runs."""
        return self._certificates.ca if self._certificates is not None else None

    @property
    def clock(self) -> Clock:
        """The time as this server has it."""
        return self._clock

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
        """Schedules a fault from now on; a refused outage that begins at once has begun when this returns."""
        self.faults.add(fault, self._clock.now_us())
        self._faults_changed()

    def _faults_changed(self) -> None:
        self._scheduler.faults_changed()

    def received_lines(self) -> ReceivedLines:
        """What came last on each session, from the first call on."""
        if self._received is None:
            self._received = ReceivedLines()
            self._stack.callback(self.trace.listen(self._received, self._received.kinds))
        return self._received

    async def _start(self) -> None:
        self._bind()  # first, since a port in use must not leave a new database behind
        store, blobs = open_store(self._options.store)
        self._stack.callback(store.close)
        self._look_for_leftovers(store)
        tools = FrontTools(
            self._clock,
            self.trace,
            self._note_bug,
            next_session_id=count(1).__next__,
            on_refused=self._faults_changed,
            limits=self._options.limits,
            uniform=self._entropy.uniform,
        )
        served = [self._served(options, store, blobs, tools) for options in self._options.platforms]
        self._scheduler = Scheduler(served, self.faults, self._clock, self._note_bug)
        for options, one in zip(self._options.platforms, served, strict=True):
            if isinstance(one.server.platform, AddressedPlatform):
                one.server.platform.listens_at({name: self.url(options.name, name) for name in options.listeners})
            for listener in self._listeners[options.name].values():
                listener.judge_by(
                    Handshakes(one.server, self._clock, self.trace, self._note_bug, tools.next_session_id)
                )
            await self._listen(self._listeners[options.name], one.fronts)
        await self._stack.enter_async_context(self._scheduler)
        for one in served:
            platform = one.server.platform
            if isinstance(platform, NorthboundPlatform) and platform.webhook:
                webhook = Webhook(platform, store, self.trace, self._clock, on_failed=self._note_failure)
                await self._stack.enter_async_context(webhook)
        if self._control is not None:
            await self._open_control(store, self._control, tools, served)

    def _look_for_leftovers(self, store: Store) -> None:
        folder = artifact_folder(self._options.store)
        self.leftovers = None if folder is None else find_leftovers(store, folder)
        if self.leftovers is not None and self._options.remove_leftovers:
            remove_leftovers(self.leftovers)

    def _served(self, options: PlatformOptions, store: Store, blobs: Blobs, tools: FrontTools) -> ServedPlatform:
        """A platform's server with a front for each way in which its listeners speak."""
        platform = options.build(store, blobs, self._entropy)
        self._context_paths[options.name] = context_path_of(platform)
        server = Server(platform, store, self.faults, self.trace, self.secrets, self._note_failure)
        served = ServedPlatform(server, self._clock.now_us())

        def perform(outputs: Sequence[Output]) -> None:
            if outputs:
                served.perform(outputs)
            self._scheduler.wake_if_due(server)

        makers = dict.fromkeys(self._listener_kinds[name].make for name in options.listeners)
        served.fronts = tuple(make(server, replace(tools, perform=perform)) for make in makers)
        return served

    async def _listen(self, listeners: Mapping[str, BoundListener], fronts: Sequence[Front]) -> None:
        makers = list(dict.fromkeys(self._listener_kinds[name].make for name in listeners))
        for front in fronts:
            self._stack.push_async_callback(front.close)
        for name, listener in listeners.items():
            await fronts[makers.index(self._listener_kinds[name].make)].listen(listener)

    async def _open_control(
        self, store: Store, listener: Listener, tools: FrontTools, served: Sequence[ServedPlatform]
    ) -> None:
        ring, refusals = TraceRing(), Refusals(self.received_lines())
        self._stack.callback(self.trace.listen(ring))
        self._stack.callback(self.trace.listen(refusals, refusals.kinds))
        target = ControlTarget(
            about=self._options.about,
            urls={
                platform: {name: self.url(platform, name) for name in listeners}
                for platform, listeners in self._listeners.items()
            },
            control_url=self.control_url,
            store_url=self._options.store,
            store=store,
            clock=self._clock,
            faults=self.faults,
            ring=ring,
            refusals=refusals,
            secrets=self.secrets,
            northbound=[one.server.platform for one in served if isinstance(one.server.platform, NorthboundPlatform)],
            ca="" if self.ca is None else str(self.ca),
            is_open=not listener.address.is_loopback,
        )
        front = ControlFront(Control(target), tools, self._scheduler.run_due_now)
        self._stack.push_async_callback(front.close)
        await front.listen(listener)

    def _bind(self) -> None:
        wanted = self._options.platforms
        unknown = [name for options in wanted for name in options.listeners if name not in self._listener_kinds]
        if unknown:
            known = f"there are {', '.join(self._listener_kinds)}{_near(unknown[0], self._listener_kinds)}"
            raise UsageError(f"there is no listener called {unknown[0]!r}; {known}")
        if len({options.name for options in wanted}) < len(wanted):
            raise UsageError(f"each platform can be served once, got {', '.join(options.name for options in wanted)}")
        for options in wanted:
            listeners = self._listeners[options.name] = {}
            for name, address in options.listeners.items():
                kind = self._listener_kinds[name]
                tls = self._server_tls(options, kind) if kind.is_tls else None
                listener = listeners[name] = kind.bind(name, address, tls, self._note_full)
                self._stack.callback(listener.close)
        if self._options.control is not None:
            self._control = Listener("control", self._options.control, on_full=self._note_full)
            self._stack.callback(self._control.close)

    def _server_tls(self, options: PlatformOptions, kind: ListenerKind) -> ServerTls:
        if self._certificates is None:
            self._certificates = self._server_certificates()
            self._stack.callback(self._certificates.close)
        tls = ServerTls(self._certificates.of, options.client_auth, kind.alpn)
        if options.trusted_clients:
            tls.trust(options.trusted_clients)
        return tls

    def _server_certificates(self) -> ServerCertificates:
        options = self._options
        addresses = [address for one in options.platforms for address in one.listeners.values()]
        hosts = dict.fromkeys(address.host for address in addresses if not address.is_wildcard)
        own = None
        if options.certificate is not None:
            own = read_server_certificate(options.certificate, options.key or options.certificate)
        return ServerCertificates(list(hosts), self._clock.now_us(), own)

    def _note_bug(self, envelope: Envelope | None, bug: BaseException) -> None:
        """Logs a bug once for each place in our code; what fails around us is none."""
        if isinstance(bug, FleetrigError | OSError) and not isinstance(bug, ModelError):
            self._note_failure(bug)
            return
        place = _place(bug)
        if any(_place(known) == place for known in self.bugs):
            return
        self.bugs.append(bug)
        during = f" during {self.secrets.hide(envelope.line)[:200]}" if envelope is not None else ""
        what = self.secrets.hide(f"{type(bug).__name__}: {bug}")
        debug = LOG.isEnabledFor(logging.DEBUG)
        LOG.error(
            "a bug in fleetrig itself, please report it: %s%s (%s)",
            what,
            during,
            place,
            exc_info=bug if debug else None,
        )

    def _note_full(self, error: OSError) -> None:
        said = f"cannot accept a connection: {system_said(error)}; clients wait until others have gone"
        self._note_failure(BrokenBench(said))

    def _note_failure(self, failed: BaseException) -> None:
        """Logs one line, once a minute while it goes on."""
        sentence = self.secrets.hide(str(broken_environment(failed) if isinstance(failed, OSError) else failed))
        now_us = self._clock.now_us()
        if now_us - self.failures.get(sentence, -TOLD_AGAIN_AFTER_US) >= TOLD_AGAIN_AFTER_US:
            self.failures[sentence] = now_us
            LOG.error("%s", sentence)


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _place(bug: BaseException) -> str:
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(bug).__name__
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
