"""What a run needs of a platform. Each platform provides it in `harness/platforms/<name>/platform.py`.

`harness.platforms` has the table. `platform_of(name)` returns what stands here; a platform's words alone, without its
engine, are `scenario_file.vocabulary.vocabulary_of(name)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from fleetrig.harness.platforms import load
from fleetrig.harness.scenario_file.action_words import ActionWord
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.unit_list import Unit
from fleetrig.harness.scenario_file.vocabulary import Vocabulary
from fleetrig.harness.servers.json_answer import read_json
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.reference_server.platform import ClientVerifier, PlatformBuilder
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity, UserPassword
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.drivers.oracle_rules import Leniency
from fleetrig.simulator.effects import Behaviour


class Admin(Protocol):
    """An operator's account on one server. Every call is a generator of Asks, so it runs in both times."""

    @property
    def url(self) -> str: ...

    @property
    def tenant(self) -> str: ...

    @property
    def account(self) -> UserPassword: ...

    def greet(self) -> AdminCall[None]:
        """Finds out at once whether the server is there and accepts the account. Raises BrokenBench."""

    def secrets(self) -> Iterable[tuple[str, str]]:
        """(kind, value) of secrets that must not appear in a trace."""


@dataclass(frozen=True, slots=True)
class Record:
    """A device as the server's registry has it, under the words of scenario files."""

    serial: str
    state: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Empty unless it was asked for (`attributes`)."""
    fields: Mapping[str, Json] = field(default_factory=dict)
    """The further keys of `registry` that were asked for."""
    token: str | None = field(default=None, repr=False)
    """None unless it was asked for (`token`)."""


class Work(Protocol):
    """A platform's part in one run: it holds tokens, ids of what it made, and what it configured."""

    def setup(self) -> Director[None]:
        """Before the fleet is built: the tenant as the scenario wants it."""

    def device(self, device: DeviceIdentity, unit: Unit) -> tuple[Credential | None, Behaviour]:
        """Returns what the factory gives to a device: its credential and behaviour."""

    def perform(self, words: ActionWord) -> Director[None]:
        """One of the platform's own words."""

    def record(self, serial: str, wanted: frozenset[str]) -> AdminCall[Record | None]:
        """What the registry says of a device; None when it knows no such device.

        `wanted` names what costs a call of its own: `attributes`, `token`, further keys of `registry`.
        """

    def cleanup(self) -> Iterator[tuple[str, AdminCall[None]]]:
        """After a run on a shared server: what to remove or restore, in words, and how."""


class DeviceCall(NamedTuple):
    """Which device something that arrived at a server came from, and what the device would call it."""

    device: str
    name: str


@dataclass(frozen=True, slots=True)
class UnitSite:
    """Where units are made known, and how. `listener` is how they reach the server; empty for the usual one."""

    server: RemoteServer
    secrets: Secrets
    """Learns what units are given."""
    new_token: Callable[[], str]
    listener: str = ""
    group: str = "fleetrig"
    """What the platform gathers units under, if it does: a device profile."""
    authority_pem: bytes = b""
    """Who signs the units' certificates; empty when they have none."""


@dataclass(frozen=True, slots=True)
class UnitCredential:
    """What the record of a unit is to say of its credential: the kind, and a fingerprint of `secret`."""

    kind: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnitValues:
    """What a unit is told, by the names of `program_values`, and as `url` where its server is."""

    given: Mapping[str, str] = field(repr=False)
    credential: UnitCredential


@dataclass(frozen=True, slots=True)
class UnitSighting:
    """Whether a server has seen a unit with what it was given last. `said` is what the server knows, as a sentence."""

    is_seen: bool
    said: str
    credential: UnitCredential | None = None
    """What the server has made for it meanwhile."""


class UnitRegistrar(Protocol):
    """A platform's part in making units that stay, several at once: unlike a run it cleans nothing up."""

    def prepare(self, places: frozenset[str]) -> AdminCall[None]:
        """Before any board is touched: the server lets units in that hold what `places` names.

        Raises BrokenBench, and UsageError for what must not be changed.
        """

    def knows(self, serial: str) -> AdminCall[bool]:
        """Whether the server has such a unit already."""

    def make_known(self, serial: str, places: frozenset[str]) -> AdminCall[UnitValues]:
        """Raises BrokenBench, UsageError. One that is known gets a new credential: the old one is worth nothing."""

    def sighting(self, serial: str) -> AdminCall[UnitSighting]:
        """After `make_known`."""


@dataclass(frozen=True, slots=True)
class ProxiedServer:
    """How our own server plays a platform behind a TLS terminator that asks devices for certificates."""

    listeners: Mapping[str, str]
    """Those that are opened in addition, with their fictitious addresses in virtual time."""
    build: Callable[[Mapping[str, str], str, ClientVerifier], PlatformBuilder]
    """As that of `OwnServer`, with the authorities that the terminator trusts."""
    judges_itself: bool = False
    """The platform looks at certificates itself, and is told whom to trust by its operator: there is nobody to tell."""


@dataclass(frozen=True, slots=True)
class OwnServer:
    """How our own reference server plays a platform for a run."""

    build: Callable[[Mapping[str, str], str], PlatformBuilder]
    """(start-up properties, profile) -> the platform. Raises ValueError for an unknown property or profile."""
    listeners: Mapping[str, str]
    """Listener -> its fictitious address in virtual time; in real time each gets a loopback port. The first
    is the one that is administered."""
    account: UserPassword
    line_account: UserPassword | None = None
    """An account of the manufacturing line, which may create devices and do nothing else."""
    proxied: ProxiedServer | None = None
    """For devices that authenticate with certificates."""


def _nothing_more(_: Behaviour) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Platform:
    """All that a run needs of one platform."""

    name: str
    title: str
    """As its makers write it."""
    vocabulary: Vocabulary
    admin: Callable[[RemoteServer], Admin]
    work: Callable[..., Work]
    """`RunContext` -> its part in that run. (Not said in the type: a context holds a platform.)"""
    own_server: OwnServer
    device_call: Callable[[TraceEvent], DeviceCall | None]
    """What the server has received, in a device's words; None for what comes from no device."""
    credential_values: Callable[[Credential | None], Mapping[str, str]]
    """What the program of a device is given: the names of all credentials; those that it does not hold are empty."""
    settings_in_force: Callable[[Scenario], Mapping[str, object]]
    """The tenant's settings as the scenario wants them when its first phase begins, for people to read."""
    leniency: Leniency = field(default_factory=Leniency)
    """What real devices may do otherwise than our model, without harm."""
    given_device: Callable[[Mapping[str, str]], tuple[DeviceIdentity, Behaviour]] | None = None
    """What a program is given -> our own device that is given the same; None where there is none."""
    behaviour_values: Callable[[Behaviour], Mapping[str, str]] = _nothing_more
    """What the program of a device is told of how it shall behave, under the platform's own names."""
    read_body: Callable[[bytes], object] = read_json
    """What `body_has` looks into: a payload as a document. Raises NotJson."""
    registrar: Callable[[UnitSite], UnitRegistrar] | None = None
    """Who makes units known for good; None where boards cannot be provisioned."""


def platform_of(name: str) -> Platform:
    """All that a run needs of a platform. Raises UsageError for a name that no platform has."""
    platform: Platform = load(name, "platform:PLATFORM")
    return platform
