"""What is known about a device, what it presents and a ThingsBoard server, before anybody draws conclusions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from fleetrig.harness.doctor.contact import Contact
from fleetrig.harness.platforms.thingsboard.doctor.chains import ShownCertificate
from fleetrig.harness.platforms.thingsboard.doctor.commands import TenantShell
from fleetrig.harness.platforms.thingsboard.doctor.document import KEY, NAME, SECRET, DeviceDocument
from fleetrig.harness.platforms.thingsboard.doctor.way import Way
from fleetrig.simulator.contract.identity import mask


class Kind(StrEnum):
    """What a device shows of itself."""

    REQUEST = "provision request"
    ACCESS_TOKEN = "access token"
    MQTT_BASIC = "MQTT_BASIC credentials"
    CERTIFICATE = "certificate"


class Strategy(StrEnum):
    """How a device profile provisions (spec 1.3)."""

    DISABLED = "DISABLED"
    CREATE = "ALLOW_CREATE_NEW_DEVICES"
    CHECK = "CHECK_PRE_PROVISIONED_DEVICES"
    CHAIN = "X509_CERTIFICATE_CHAIN"


TYPES: Final = {
    Kind.ACCESS_TOKEN: "ACCESS_TOKEN",
    Kind.MQTT_BASIC: "MQTT_BASIC",
    Kind.CERTIFICATE: "X509_CERTIFICATE",
}
"""`credentialsType` of the server's record for what a device presents."""
PROVISIONED: Final = "provisioned"


@dataclass(frozen=True, slots=True)
class Presented:
    """What the device has. `name` is empty where nobody said it; a request has it in its document."""

    kind: Kind
    name: str = ""
    document: DeviceDocument | None = None
    token: str = field(default="", repr=False)
    client_id: str = ""
    user_name: str | None = None
    password: str | None = field(default=None, repr=False)
    chain: tuple[ShownCertificate, ...] = ()
    has_key: bool = False
    """TLS is really done with the chain."""
    is_gateway: bool = False
    claims: bool = False
    """The device offers itself to be claimed."""

    def __str__(self) -> str:
        match self.kind:
            case Kind.REQUEST:
                return str(self.document)
            case Kind.ACCESS_TOKEN:
                return masked("access-token", self.token)
            case Kind.MQTT_BASIC:
                named = f"user name {self.user_name!r}, " if self.user_name is not None else ""
                password = "no password" if self.password is None else masked("password", self.password)
                return f"{named}client id {self.client_id!r}, {password}"
            case _:
                return f"the certificate of {self.chain[0].common_name or 'nobody'} and {len(self.chain) - 1} behind it"


def masked(kind: str, secret: str) -> str:
    """`access-token:4f2a`; the empty secret is called empty."""
    return mask(kind, secret) if secret else f"an empty {kind.replace('-', ' ')}"


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """A device profile as the REST API shows it (spec 4)."""

    id: str
    name: str
    strategy: str
    key: str = field(default="", repr=False)
    secret: str | None = field(default=None, repr=False)
    """Of a chain profile the certificate of its authority, PEM."""
    pattern: str = ""
    creates: bool = False


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device of the account's tenant. `state`: its `provisionState`, None when it has none."""

    id: str
    name: str
    profile: str
    is_gateway: bool = False
    state: str | None = None
    claiming_allowed: bool | None = None
    credentials_type: str = ""
    credentials_id: str = field(default="", repr=False)
    credentials_value: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What an account sees. `device`: of the name that is asked about, None when there is none."""

    user: str
    profiles: tuple[ProfileRecord, ...] = ()
    device: DeviceRecord | None = None
    names: tuple[str, ...] = ()
    """Of the tenant's devices, as far as they fit into a page."""
    owner: str = ""
    """The device that has what is presented, where it is another than the one of that name."""
    knows_all: bool = False
    """The credentials of every device of the tenant were looked at."""
    devices: int = 0
    most_devices: int = 0
    """The limit of the tenant; 0: none, or not shown."""


class Said(StrEnum):
    """What an answer comes to, whatever carried it."""

    SUCCESS = "SUCCESS"
    NOT_FOUND = "NOT_FOUND"
    FAILURE = "FAILURE"
    LET_IN = "let in"
    REFUSED = "refused"
    NO_DECISION = "no decision"
    """The server gave up, after 10 to 16 s (spec 1.6)."""
    CLOSED = "closed"
    SILENCE = "silence"
    NOT_UNDERSTOOD = "not understood"


class Asked(StrEnum):
    """How it was asked."""

    IN_EARNEST = "in earnest"
    BY_AN_IMPOSSIBLE_NAME = "by an impossible name"
    """A device of such a name cannot be made, so nothing happens; all before that is as the device sends it."""
    THROW_AWAY = "by a throw-away device"
    LEAF_ALONE = "by the leaf alone"
    """The chain behind it is what creates and replaces."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back. `lines`: what was heard, in order: `CONNACK 0`, `PUBACK`, `HTTP 200`, `CoAP 4.00`, `closed`."""

    said: Said
    lines: tuple[str, ...]
    asked: Asked = Asked.IN_EARNEST
    document: Mapping[str, Any] = field(default_factory=dict)
    """A reply's members, credentials left out."""
    after_s: float = 0.0

    @property
    def is_positive(self) -> bool:
        return self.said in (Said.SUCCESS, Said.LET_IN)

    @property
    def is_unheard(self) -> bool:
        """Nobody has answered at all."""
        return self.said in (Said.SILENCE, Said.CLOSED) and self.lines[0] != "CONNACK 0"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything there is to go by. `None` always means: could not be looked at."""

    shell: TenantShell
    presented: Presented
    way: Way
    now: datetime
    """Of this machine."""
    contact: Contact = field(default_factory=Contact)
    """With the place that the device calls."""
    instead: str = ""
    """What speaks at that place where it is something else: `HTTP`, `TLS`, `MQTT`."""
    tenant: Tenant | None = None
    heard: Heard | None = None
    left_behind: str = ""
    """A device that the doctor made and could not remove."""
    gaps: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The device's name: its own word, else nothing."""
        document = self.presented.document
        return document.text(NAME).strip() if document is not None else self.presented.name

    @property
    def profile(self) -> ProfileRecord | None:
        """Whose key the request has."""
        document = self.presented.document
        key = "" if document is None else document.text(KEY)
        profiles = () if self.tenant is None or not key else self.tenant.profiles
        return next((one for one in profiles if one.key == key), None)

    @property
    def secret_fits(self) -> bool:
        profile, document = self.profile, self.presented.document
        return profile is not None and document is not None and profile.secret == document.text(SECRET)
