"""Starts reference servers for tests: each a process of its own on free loopback ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from fleetrig.harness.running_server.platform_part import OperatorPart, operator_part
from fleetrig.harness.running_server.server import Behind, RunningServer
from fleetrig.harness.servers.description import ServerDescription, description_of, expected
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.serve_process import Ready, ServeProcess
from fleetrig.simulator.contract.errors import BrokenBench, UsageError

__tracebackhide__ = True

ANY_PORT: Final = "127.0.0.1:0"
IN_MEMORY: Final = "memory:"
WEB: Final = frozenset({"http", "https", "registry"})
"""Listeners whose addresses are URLs."""


@contextmanager
def started(
    platform: str,
    folder: Path,
    *,
    profile: str = "",
    properties: Mapping[str, str] | None = None,
    store: str | Path = IN_MEMORY,
    addresses: Mapping[str, str] | None = None,
) -> Iterator[RunningServer]:
    """Stopped when the block is left. Raises UsageError for what no such server can be, before it is ready for use."""
    about = description_of(platform)
    properties = {name: str(value) for name, value in (properties or {}).items()}
    options = _options(platform, about, profile, properties, store, addresses or {})
    served = ServeProcess(folder, *options)
    with ExitStack() as ends:
        try:
            ends.enter_context(served)
        except BrokenBench as broken:
            raise _as_told(served, broken) from None
        yield _running(platform, about, served.ready, served.pid, profile, properties, ends.close)


@contextmanager
def reference_server(
    platform: str,
    *,
    profile: str = "",
    properties: Mapping[str, str] | None = None,
    store: str | Path = IN_MEMORY,
    addresses: Mapping[str, str] | None = None,
) -> Iterator[RunningServer]:
    """A server for whoever has no fixtures: `with reference_server("NAME") as server`. Its words are those of
    `ServerFactory`. Raises UsageError, BrokenBench.
    """
    with (
        TemporaryDirectory(prefix="fleetrig-") as folder,
        started(
            platform, Path(folder), profile=profile, properties=properties, store=store, addresses=addresses
        ) as server,
    ):
        yield server


def _options(
    platform: str,
    about: ServerDescription,
    profile: str,
    properties: Mapping[str, str],
    store: str | Path,
    addresses: Mapping[str, str],
) -> list[str]:
    """Raises UsageError for a profile and a listener that the platform has not."""
    if profile and profile not in about.profiles:
        raise UsageError(f"profile={profile!r}: {expected(profile, about.profiles)}")
    if wrong := next((name for name in addresses if name not in about.listeners), None):
        raise UsageError(f"addresses: there is no listener {wrong!r}: {expected(wrong, about.listeners)}")
    listening = {**dict.fromkeys(about.defaults, ANY_PORT), **addresses}
    url = f"sqlite:///{store.resolve()}" if isinstance(store, Path) else store
    return [
        *("--platform", platform),
        *(word for name, place in listening.items() for word in (f"--{name}", place)),
        *(("--profile", profile) if profile else ()),
        *(word for name, value in properties.items() for word in ("--set", f"{name}={value}")),
        *("--store", url),
    ]


def _as_told(served: ServeProcess, broken: BrokenBench) -> BrokenBench | UsageError:
    """A mistake in what it was given is whose who gave it."""
    if served.process.returncode != UsageError.exit_code:
        return broken
    said = served.said().strip().removeprefix("error: ")
    return UsageError(f"properties{said.removeprefix('--set')}" if said.startswith("--set") else said)


def _running(
    platform: str,
    about: ServerDescription,
    ready: Ready,
    pid: int,
    profile: str,
    properties: Mapping[str, str],
    end: Callable[[], object],
) -> RunningServer:
    addresses = {name: str(ready[name]) for name in about.listeners if name in ready}
    listeners = {name: _listener_url(name, place) for name, place in addresses.items()}
    url, account = listeners[about.admin], about.account
    remote = RemoteServer(url, account, tenant=about.tenant, platform=platform, listeners=listeners, is_file=True)
    given: dict[str, Any] = {"ca": Path(ready["ca"])} if "ca" in ready else {}
    return RunningServer(
        url, account.user, account.password, pid, addresses, f"http://{ready['control']}", platform,
        profile or about.profiles[0], properties, about.tenant, behind=Behind(remote, end=end), **given,
    )  # fmt: skip


def _listener_url(name: str, place: str) -> str:
    scheme = "https" if name == "https" else "http"
    return f"{scheme}://{place}" if name in WEB else place


class SharedServer:
    """One server for many tests, each of which finds a tenant that nobody has used, no faults and the right time.

    Where tenants are used up, and where a test has moved the clock or stopped the server, the next one gets a new one.
    """

    def __init__(self, platform: str, new_folder: Callable[[], Path], part: OperatorPart | None = None) -> None:
        self._platform = platform
        self._part = part or operator_part(platform)
        self._new_folder = new_folder
        self._ends = ExitStack()
        self._server: RunningServer | None = None
        self._tenants = 0

    @contextmanager
    def for_test(self) -> Iterator[RunningServer]:
        server = self._server or self._start()
        self._tenants += 1
        own = server.own_tenant(self._part.tenant_name.format(n=self._tenants)).for_test()
        try:
            yield own
        finally:
            if not self._is_as_before(server) or self._tenants == self._part.most_tenants:
                self.close()

    def close(self) -> None:
        self._ends.close()
        self._server, self._tenants = None, 0

    def _start(self) -> RunningServer:
        block = started(self._platform, self._new_folder(), properties=self._part.properties)
        self._server = self._ends.enter_context(block)
        return self._server

    def _is_as_before(self, server: RunningServer) -> bool:
        """Removes all faults. False for a server that has gone, or whose clock is not that of the machine."""
        try:
            server.faults.clear()
            return not server.skipped_s()
        except BrokenBench:
            return False
