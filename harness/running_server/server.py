"""A running server as a test has it in its hand."""

from __future__ import annotations

import secrets as chance
import ssl
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Self
from urllib.parse import urlencode

from fleetrig.harness.running_server.carrying_out import carried_out
from fleetrig.harness.running_server.control_client import ControlClient
from fleetrig.harness.running_server.events import (
    ANY,
    DeviceEvents,
    EventKind,
    EventLane,
    EventQuery,
    ServerEvent,
    event_in,
    fits_any,
    time_of,
)
from fleetrig.harness.running_server.faults import Faults
from fleetrig.harness.running_server.platform_part import DeviceCredentials, operator_part
from fleetrig.harness.running_server.waiting import await_event
from fleetrig.harness.servers.address import place_of
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.reference_server.control.refusals import Refusal
from fleetrig.reference_server.northbound import NorthboundMessage
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.units import duration_s
from fleetrig.simulator.drivers.director import AdminCall

if TYPE_CHECKING:
    from fleetrig.harness.desk.deploying import DeskUpdate
    from fleetrig.harness.running_server.known_devices import KnownDevices

__tracebackhide__ = True

PAGE: Final = 1000
SECRET_BYTES: Final = 10


class EventsDropped(UserWarning):
    """The server has forgotten some of a test's events: it keeps the last 10,000."""


def _no_control(what: str) -> NoReturn:
    raise UsageError(f"{what} needs the control interface of a reference server, and none is known of this one")


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a running server, which is nothing to a test."""

    remote: RemoteServer | None = None
    """The server as the rest of fleetrig knows it."""
    since: int = 0
    """The number of the last event before the test began."""
    since_us: int = 0
    """When it began, by the server's clock."""
    verify: ssl.SSLContext | None = None
    without_control: Callable[[str], NoReturn] = _no_control
    """Hears what would have needed a control interface."""
    end: Callable[[], object] | None = None
    """Ends it, if it was started for the test."""


@dataclass(frozen=True, eq=False)
class RunningServer:
    """A server, and an operator's account on it. Reasons and events are those since the test began.

    What goes wrong is told by UsageError (a mistake of the test), BrokenBench (the server cannot be used) and
    NothingCame (what was waited for did not happen).
    """

    url: str
    """Of the platform's administration interface."""
    user: str
    password: str
    pid: int = 0
    """Of its process; 0 for one that was not started here."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """`HOST:PORT` of each listener, by its name: `{"http": "127.0.0.1:41234"}`."""
    control: str = ""
    """The URL of its control interface (docs/control.md); empty where none is known."""
    platform: str = ""
    profile: str = ""
    """The version of the real server that it plays; empty for a server of which that is not known."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """The start-up properties that it was given."""
    tenant: str = ""
    """Where `register` makes devices known, and what the account administers."""
    ca: Path | None = None
    """The authority of its certificates, where it listens over TLS."""
    behind: Behind = Behind()
    _registered: list[str] = field(default_factory=list, init=False)

    def host_and_port(self, listener: str) -> tuple[str, int]:
        """Where a client of MQTT or CoAP connects: `client.connect(*server.host_and_port("mqtt"))`."""
        if listener not in self.addresses:
            raise UsageError(f"{self.url} has no listener {listener!r}: {expected(listener, tuple(self.addresses))}")
        return place_of(self.addresses[listener])

    # -- what goes wrong

    @cached_property
    def faults(self) -> Faults:
        """Makes the server fail: `server.faults.add("outage", for_="5s")`."""
        return Faults(self._client("faults"))

    # -- what happened

    def reasons(self, device: str = ANY) -> tuple[Refusal, ...]:
        """Why devices were refused since the test began, the newest first. `device` is an id or a glob.

        What an operator was refused is not among them: `trace("refused", operators=True)` has that too.
        """
        query = EventQuery(device=device).parameters()
        found = self._client("reasons").document("GET", _path("/reasons", {**query, "limit": str(PAGE)}))["reasons"]
        refusals = (Refusal(*(one[name] for name in Refusal._fields)) for one in found)
        since_us, lines = self.behind.since_us, self._operator_lines()
        return tuple(one for one in refusals if one.at_us >= since_us and not fits_any(one.line, lines))

    def trace(
        self,
        kind: EventKind | None = None,
        *,
        line: str = ANY,
        device: str = ANY,
        lane: EventLane | None = None,
        after: ServerEvent | None = None,
        operators: bool = False,
    ) -> tuple[ServerEvent, ...]:
        """What devices did since the test began, or after an event, and how they were answered, the oldest first.

        `line` and `device` are globs. With `operators` also what is asked of the administration, `register` included.
        """
        query = EventQuery(kind, line, device, lane)
        client, since = self._client("the trace"), self._from(after)
        found: list[ServerEvent] = []
        while True:
            path = _path("/trace", {**query.parameters(), "since": str(since), "limit": str(PAGE)})
            lines = client.answer("GET", path).text.splitlines()
            events = [event_in(line) for line in lines if line]
            _warn_of(sum(one for one in events if isinstance(one, int)))
            page = [one for one in events if isinstance(one, ServerEvent)]
            found += page
            if len(page) < PAGE:
                counts = self._counting(operators)
                return tuple(event for event in found if counts(event) and query.fits(event))
            since = page[-1].number

    def wait_for(
        self,
        kind: EventKind | None = None,
        *,
        line: str = ANY,
        device: str = ANY,
        lane: EventLane | None = None,
        within_s: float = 5.0,
        after: ServerEvent | None = None,
        operators: bool = False,
    ) -> ServerEvent:
        """The first event that fits: one since the test began (or after an event), or one that is still to come.

        `wait_for("received", line="POST */feedback", device="gw-7")`. Raises NothingCame, which fails a test and says
        what came instead. Of operators' events it hears with `operators` only.
        """
        query = EventQuery(kind, line, device, lane)
        client, since = self._client("wait_for"), self._from(after)
        return await_event(client, query, since, within_s, self._counting(operators), lambda: self.trace(after=after))

    def _counting(self, operators: bool) -> Callable[[ServerEvent], bool]:
        return (lambda _: True) if operators else DeviceEvents(self._operator_lines()).has

    # -- its clock

    def now(self) -> datetime:
        """The server's time, in UTC."""
        return time_of(int(self._client("now").document("GET", "/clock")["now_us"]))

    def skip(self, span: str | float | timedelta) -> datetime:
        """Moves its clock forward: `skip("1h")`, `skip(3600)` seconds; what becomes due is done. Returns its time.

        The clock never goes back: what begins later with this server begins so much later.
        """
        answer = self._client("skip").document("POST", "/clock", {"skip_s": _seconds(span)})
        return time_of(int(answer["now_us"]))

    def skipped_s(self) -> float:
        """How far its clock is ahead of the machine's."""
        return float(self._client("the clock").document("GET", "/clock")["skipped_s"])

    # -- its devices

    def register(self, device_id: str, secret: str | None = None) -> DeviceCredentials:
        """Makes a device known in the server's tenant, with a credential of its own. Returns what the device needs.

        `secret` becomes its token or password; one is made when none is given. Raises UsageError for a name that is
        taken, or that no device can have.
        """
        return self._made(device_id, self._devices.register(device_id, secret or self._new_secret()))

    def let_in(self, device_id: str) -> DeviceCredentials:
        """Prepares the first contact of a device that the server does not know yet, in the platform's own way
        (docs/pytest.md). Returns what the device presents then. Raises as `register`.
        """
        return self._made(device_id, self._devices.let_in(device_id, self._new_secret()))

    def _made(self, device_id: str, call: AdminCall[DeviceCredentials]) -> DeviceCredentials:
        made = carried_out(call, self.behind.verify)
        self._registered.append(device_id)
        return made

    def _new_secret(self) -> str:
        return self._devices.secret_begins + chance.token_hex(SECRET_BYTES)

    @cached_property
    def _devices(self) -> KnownDevices:
        # Only here: this imports what a run needs of the platform, and many tests register nothing.
        from fleetrig.harness.running_server.known_devices import KnownDevices

        return KnownDevices(self._remote, operator_part(self.platform))

    @property
    def _remote(self) -> RemoteServer:
        if self.behind.remote is None:
            raise UsageError("this server was not made by fleetrig's fixtures: nobody knows how to administer it")
        return self.behind.remote

    def deploy(
        self,
        *files: str | Path,
        to: str | Sequence[str],
        name: str = "",
        version: str = "",
        kind: str = "",
        urgency: str = "",
    ) -> DeskUpdate:
        """Gives files to devices as one update, as `fleetrig deploy` does, and returns its name and version.

        `kind` and `urgency` are words of the platform (docs/desk.md). Raises UsageError for a file or a device that is
        not there.
        """
        from fleetrig.harness.running_server.deployed_updates import deployed

        devices = [to] if isinstance(to, str) else list(to)
        call = deployed(
            self._remote, list(map(Path, files)), devices, name=name, version=version, kind=kind, urgency=urgency
        )
        return carried_out(call, self.behind.verify)

    # -- the applications behind it

    def messages(self) -> tuple[NorthboundMessage, ...]:
        """What the server has handed on to applications of its tenant since the test began, the oldest first.

        Raises UsageError for a platform that hands nothing on.
        """
        self._client("messages").document("GET", "/northbound?limit=1")
        found = carried_out(ControlInterface(self.control).northbound(self.tenant))
        return tuple(one for one in found if one.at_us >= self.behind.since_us)

    def command(self, device_id: str, name: str, payload: str = "", *, one_way: bool = False) -> str:
        """Sends a device a command in an application's name. Returns the correlation id of its response.

        Raises UsageError when the device takes none at the moment.
        """
        about = {"tenant": self.tenant, "device": device_id, "command": name, "payload": payload, "one_way": one_way}
        return str(self._client("command").document("POST", "/northbound/commands", about)["correlation_id"])

    # -- its life

    def stop(self) -> None:
        """Ends it in order, as when a test is over; what lies in a store of its own stays. A second call does nothing.

        Raises UsageError for one that was not started here.
        """
        if self.behind.end is None:
            raise UsageError(f"the server at {self.url} was not started by this test, so it cannot be stopped")
        self.behind.end()

    def for_test(self) -> Self:
        """The same server for one test: what has happened so far does not count."""
        if not self.control:
            return replace(self)
        client = self._client("a test")
        last = client.answer("GET", "/trace?limit=1&bodies=false").header("Trace-Last") or "0"
        now_us = int(client.document("GET", "/clock")["now_us"])
        return replace(self, behind=replace(self.behind, since=int(last), since_us=now_us))

    def own_tenant(self, name: str) -> Self:
        """The same server, administered in a tenant that is made for this."""
        made = carried_out(operator_part(self.platform).open_tenant(self._remote, name), self.behind.verify)
        remote = replace(self._remote, tenant=made.name, account=made.account)
        behind = replace(self.behind, remote=remote)
        return replace(self, tenant=made.name, user=made.account.user, password=made.account.password, behind=behind)

    def clean_up(self) -> None:
        """After a test with a server that others use: removes its faults and its devices."""
        if "faults" in self.__dict__:
            self.faults.remove_own()
        while self._registered:
            with suppress(BrokenBench):
                carried_out(self._devices.remove(self._registered.pop()), self.behind.verify)

    def __repr__(self) -> str:
        return f"<{self.platform} server {self.url}, tenant {self.tenant}>"

    def _operator_lines(self) -> tuple[str, ...]:
        return operator_part(self.platform).lines if self.platform else ()

    def _from(self, after: ServerEvent | None) -> int:
        return self.behind.since if after is None else after.number

    def _client(self, what: str) -> ControlClient:
        if not self.control:
            self.behind.without_control(what)
        return ControlClient(self.control)


def _path(path: str, parameters: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(parameters)}"


def _seconds(span: str | float | timedelta) -> float:
    """Raises UsageError."""
    match span:
        case timedelta():
            return span.total_seconds()
        case str():
            try:
                return duration_s(span)
            except ValueError as wrong:
                raise UsageError(f"skip({span!r}): {wrong}") from None
        case _:
            return float(span)


def _warn_of(dropped: int) -> None:
    if dropped:
        warnings.warn(
            EventsDropped(f"{dropped} events of this test are forgotten: the server keeps the last 10,000"),
            stacklevel=3,
        )
