"""Our own reference server, as the server under test: in memory for virtual time, on a loopback port for real time."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final, TypeVar

from fleetrig.harness.platforms.hawkbit.admin import Call, HawkbitAdmin
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.under_test import REFERENCE_CAN, ServerUnderTest
from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.faults import FaultPlan
from fleetrig.reference_server.platform import Platform
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from fleetrig.reference_server.platforms.hawkbit.state.settings import Profile, Settings
from fleetrig.reference_server.reference import ANY_LOOPBACK_PORT, PlatformOptions, ReferenceServer, ServerOptions
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.errors import ModelError, UsageError
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace

T = TypeVar("T")

VIRTUAL_URL: Final = "http://hawkbit.test:8080"
ACCOUNT: Final = UserPassword("admin", "admin")
MIN_POLLING: Final = "hawkbit.controller.minPollingTime"
FASTEST_POLLING: Final = "00:00:01"
"""The real server's minimum is 30 s; a run whose intervals are seconds needs less."""


class InMemory:
    """A server whose clock is the bench's: what is due by itself happens before the next request is answered."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __call__(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        due_us = self._server.next_due_us()
        if due_us is not None and due_us <= now_us:
            self._server.advance(now_us)
        return self._server.exchange(request, session, now_us)


def in_memory(
    settings: Settings, trace: Trace, secrets: Secrets, seed: int, now_us: Callable[[], int]
) -> tuple[ServerUnderTest, InMemory]:
    """A server for virtual time. The one private door there is: envelopes are handed over without a socket."""
    entropy = SeededEntropy(seed)
    store = MemoryStore()
    platform = HawkbitPlatform(store, MemoryBlobs(), entropy, settings)
    faults = FaultPlan(lambda: entropy.uniform(0.0, 1.0))
    server = Server(platform, store, faults, trace, secrets)

    def add_fault(fault: Fault) -> Call[int]:
        return at_once(faults.add(fault, now_us()).id)

    return own_server(VIRTUAL_URL, settings.profile, add_fault), InMemory(server)


def at_once(value: T) -> Call[T]:
    """A call that asks nobody."""
    yield from ()
    return value


@contextlib.asynccontextmanager
async def serving(settings: Settings, trace: Trace, secrets: Secrets) -> AsyncIterator[ServerUnderTest]:
    """A server on a loopback port of its own, in this event loop."""

    def hawkbit(store: Store, blobs: Blobs, entropy: Entropy) -> Platform:
        return HawkbitPlatform(store, blobs, entropy, settings)

    options = ServerOptions((PlatformOptions("hawkbit", hawkbit),), control=ANY_LOOPBACK_PORT)
    async with ReferenceServer(options, trace, secrets) as server:
        control = ControlInterface(server.control_url)
        yield own_server(server.url("hawkbit"), settings.profile, control.add_fault, control)
        for bug in server.bugs:
            raise ModelError(f"a bug in fleetrig's own server spoiled this run: {type(bug).__name__}: {bug}")


def own_server(
    url: str, profile: str, add_fault: Callable[[Fault], Call[int]], control: ControlInterface | None = None
) -> ServerUnderTest:
    """What the harness may do with a reference server."""
    admin = HawkbitAdmin(url, ACCOUNT)
    return ServerUnderTest(url, admin, REFERENCE_CAN, f"reference hawkBit {profile}", profile, True, add_fault, control)


def bench_settings(scenario: Scenario, profile: str) -> Settings:
    """Start-up properties for a scenario's own server: fast polls allowed, then whatever the scenario names.

    Raises UsageError for a property or profile that there is not.
    """
    named = {name: str(value) for name, value in scenario.server.properties.items()}
    try:
        settings = settings_from_properties({MIN_POLLING: FASTEST_POLLING, **named})
    except ValueError as wrong:
        raise UsageError(f"{scenario.path}: server.properties: {wrong}") from None
    return replace(settings, profile=known_profile(profile))


def known_profile(text: str) -> Profile:
    """A generation of hawkBit. Raises UsageError."""
    try:
        return Profile(text)
    except ValueError:
        known = ", ".join(Profile)
        raise UsageError(f"there is no profile {text!r} of hawkBit; there are {known}") from None
