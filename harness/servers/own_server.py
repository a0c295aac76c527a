"""Our own reference server as the server under test: in memory for virtual time, on a loopback port for real time."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from fleetrig.harness.platform import Platform
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.under_test import ServerUnderTest, line_of
from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.northbound import (
    CommandRefused,
    NorthboundCommand,
    NorthboundMessage,
    NorthboundPlatform,
)
from fleetrig.reference_server.platform import AddressedPlatform, PlatformBuilder, context_path_of
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.envelope import Conversation
from fleetrig.simulator.contract.errors import BrokenBench, ModelError
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall

if TYPE_CHECKING:
    from fleetrig.reference_server.client_certificates import ClientAuthorities

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proxied:
    """A server behind a TLS terminator, in one run."""

    listeners: Mapping[str, str]
    """All of them, with their fictitious addresses."""
    trusted: ClientAuthorities


def proxied_server(platform: Platform, properties: Mapping[str, str], profile: str) -> tuple[PlatformBuilder, Proxied]:
    """For devices with certificates. The terminator trusts nobody yet. Raises ValueError for unknown properties."""
    # Only here: the library takes long to import, and most runs need no certificates.
    from fleetrig.reference_server.client_certificates import ClientAuthorities

    own = platform.own_server
    if own.proxied is None:
        raise ModelError(f"{platform.title} has credentials that are certificates, but no server that asks for them")
    trusted = ClientAuthorities()
    build = own.proxied.build(properties, profile, trusted)
    return build, Proxied({**own.listeners, **own.proxied.listeners}, trusted)


def in_memory(
    platform: Platform,
    build: PlatformBuilder,
    profile: str,
    trace: Trace,
    secrets: Secrets,
    seed: int,
    now_us: Callable[[], int],
    proxied: Proxied | None = None,
) -> tuple[ServerUnderTest, Conversation]:
    """Creates a server for virtual time: envelopes are passed to it without sockets. Only our own can do this."""
    entropy = SeededEntropy(seed)
    store = MemoryStore()
    faults = FaultPlan(lambda: entropy.uniform(0.0, 1.0))
    built = build(store, MemoryBlobs(), entropy)
    server = Server(built, store, faults, trace, secrets)
    addresses = platform.own_server.listeners if proxied is None else proxied.listeners
    listeners = {name: url + context_path_of(built) for name, url in addresses.items()}
    if isinstance(built, AddressedPlatform):
        built.listens_at(listeners)

    def add_fault(fault: Fault) -> AdminCall[int]:
        return at_once(faults.add(fault, now_us()).id)

    def northbound(tenant: str) -> AdminCall[Sequence[NorthboundMessage]]:
        return at_once(built.northbound(tenant, 0, sys.maxsize) if isinstance(built, NorthboundPlatform) else ())

    def send_command(command: NorthboundCommand) -> AdminCall[str]:
        if not isinstance(built, NorthboundPlatform):
            return at_once(f"{platform.title} hands no commands to devices")
        try:
            built.send_command(command, now_us())
        except CommandRefused as refused:
            return at_once(str(refused))
        return at_once("")

    met = replace(own_server(platform, listeners, profile, add_fault), northbound=northbound, send_command=send_command)
    return (met if proxied is None else replace(met, trusted=proxied.trusted)), server


def at_once(value: T) -> AdminCall[T]:
    """An admin call that returns a value without a request."""
    yield from ()
    return value


@contextlib.asynccontextmanager
async def serving(
    platform: Platform,
    build: PlatformBuilder,
    profile: str,
    trace: Trace,
    secrets: Secrets,
    proxied: Proxied | None = None,
) -> AsyncIterator[ServerUnderTest]:
    """Starts a server on a free loopback port, in this event loop."""
    names = platform.own_server.listeners if proxied is None else proxied.listeners
    wanted = dict.fromkeys(names, ANY_LOOPBACK_PORT)
    client_auth = ClientAuth.NONE if proxied is None else ClientAuth.ANY
    served = PlatformOptions(platform.name, build, wanted, client_auth)
    options = ServerOptions((served,), control=ANY_LOOPBACK_PORT)
    async with ReferenceServer(options, trace, secrets) as server:
        control = ControlInterface(server.control_url)
        listeners = {name: server.url(platform.name, name) for name in wanted}
        met = own_server(platform, listeners, profile, control.add_fault, control)
        yield met if proxied is None else replace(met, trusted=proxied.trusted, ca=server.ca)
        for sentence in server.failures:
            raise BrokenBench(f"the server of this run has failed: {sentence}")
        for bug in server.bugs:
            raise ModelError(f"a bug in fleetrig's own server spoiled this run: {type(bug).__name__}: {bug}")


def own_server(
    platform: Platform,
    listeners: Mapping[str, str],
    profile: str,
    add_fault: Callable[[Fault], AdminCall[int]],
    control: ControlInterface | None = None,
) -> ServerUnderTest:
    """Describes a reference server as the server under test."""
    url = next(iter(listeners.values()))
    own = platform.own_server
    server = RemoteServer(url, own.account, line_account=own.line_account, listeners=listeners)
    name, can = f"reference {platform.title} {profile}", platform.vocabulary.of_profile(profile) | listeners.keys()
    admin, line = platform.admin(server), line_of(server, platform)
    met = ServerUnderTest(url, admin, can, name, profile, True, add_fault, control, listeners, line)
    if control is None:
        return met
    return replace(met, northbound=control.northbound, send_command=control.send_command)
