"""What a running server asks of its platform beside `registering.py` and `deploying.py`: see `OperatorPart`.

Each platform has one in `harness/platforms/NAME/operator.py`. Calls are generators of Asks, like those of its admin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fleetrig.harness.desk.registering import variable
from fleetrig.harness.platforms import load
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall

PROVISION = "provision"
"""The word of `registering.py` for devices that provision themselves, where a platform has it."""


@dataclass(frozen=True, slots=True)
class DeviceCredentials:
    """What a device needs to be let in. What its platform knows nothing of is empty; secrets are not printed."""

    id: str
    tenant: str
    url: str
    """Where it talks to the server."""
    token: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    """Of some platforms it is the token."""
    password: str = field(default="", repr=False)
    client_id: str = ""
    """Of MQTT, where the platform wants a certain one."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What its HTTP requests have to carry."""
    provision_key: str = field(default="", repr=False)
    provision_secret: str = field(default="", repr=False)
    activation_key: str = field(default="", repr=False)
    certificate_pem: bytes = field(default=b"", repr=False)
    """What it shows over TLS, the authority behind its own."""
    key_pem: bytes = field(default=b"", repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All of it that is text, by the names of docs/devices.md: `url`, `tenant`, `id` …"""

    @property
    def environ(self) -> dict[str, str]:
        """The same for a program: `FLEETRIG_URL`, `FLEETRIG_ID` …"""
        return {variable(name): value for name, value in self.values.items()}


@dataclass(frozen=True, slots=True)
class OwnTenant:
    """A tenant for one test, and who administers it."""

    name: str
    account: UserPassword


def _no_group(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class OperatorPart:
    """A platform's `OPERATOR`."""

    lines: tuple[str, ...]
    """Globs over the lines of what operators ask for, such as `GET /rest/v1/targets`: the rest is of devices."""
    credentials: Callable[[Mapping[str, str]], DeviceCredentials]
    """What a device was given, by the names of docs/devices.md -> what it needs."""
    tenant_name: str
    """What the tenants of tests are called, with `{n}`."""
    open_tenant: Callable[[RemoteServer, str], AdminCall[OwnTenant]]
    """Makes a tenant of that name, which nobody has used yet."""
    let_in: Callable[[RemoteServer, str, str], AdminCall[DeviceCredentials]] | None = None
    """(server, device, secret): prepares the first contact of a device. None where it is a way of `registering.py`."""
    group: Callable[[str], str] = _no_group
    """Tenant -> what devices are gathered under (`registering.py`)."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """How a server must be started so that it has tenants for tests."""
    most_tenants: int | None = None
    """So many tests can have one each; None: as many as they like."""


def operator_part(platform: str) -> OperatorPart:
    found: OperatorPart = load(platform, "operator:OPERATOR")
    return found
