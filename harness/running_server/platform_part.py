"""What a running server asks of its platform: make a device known, and a tenant for one test.

Each platform has it as `harness/platforms/NAME/operator.py`. Every call is a generator of Asks, like those of the
platform's admin client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fleetrig.harness.platforms import load
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall


@dataclass(frozen=True, slots=True)
class DeviceCredentials:
    """What a device needs to be let in. What its platform knows nothing of is empty; secrets are not printed."""

    id: str
    tenant: str
    url: str
    """Where it talks to the server."""
    token: str = field(default="", repr=False)
    user: str = ""
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


@dataclass(frozen=True, slots=True)
class OwnTenant:
    """A tenant for one test, and who administers it."""

    name: str
    account: UserPassword


class Operator(Protocol):
    """An operator's account on one server, in one tenant."""

    def register(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """Makes a device known. `secret` becomes its token or password.

        Raises UsageError when there is one of that name, or no device can be called so; BrokenBench.
        """

    def let_in(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """Prepares the first contact of a device that provisions itself. Returns what it presents then.

        Raises as `register`.
        """

    def remove(self, device_id: str) -> AdminCall[None]:
        """Removes the device of that name, if there is one."""

    def open_tenant(self, name: str) -> AdminCall[OwnTenant]:
        """Makes a tenant that nobody has used yet. `name` follows `OperatorPart.tenant_name`."""


@dataclass(frozen=True, slots=True)
class OperatorPart:
    """A platform's `OPERATOR`."""

    of: Callable[[RemoteServer], Operator]
    lines: tuple[str, ...]
    """Globs over the lines of what operators ask for, such as `GET /rest/v1/targets`: the rest is of devices."""
    tenant_name: str
    """What the tenants of tests are called, with `{n}`."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """How a server must be started so that it has tenants for tests."""
    most_tenants: int | None = None
    """So many tests can have one each; None: as many as they like."""
    secret_prefix: str = ""
    """What a secret begins with so that the platform takes it."""


def operator_part(platform: str) -> OperatorPart:
    found: OperatorPart = load(platform, "operator:OPERATOR")
    return found
