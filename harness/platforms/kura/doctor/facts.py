"""What is known about a gateway, what it presents, and what a server says, before anybody draws conclusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509

from fleetrig.harness.doctor.contact import Contact
from fleetrig.harness.platforms.kura.doctor.commands import RestShell
from fleetrig.harness.platforms.kura.doctor.configuration import CloudConnection, Configuration
from fleetrig.harness.platforms.kura.doctor.keystore import KeystoreEntry
from fleetrig.harness.platforms.kura.doctor.names import automatic_login, bare_mac, mac_with_colons, sanitised
from fleetrig.harness.platforms.kura.doctor.records import RequestRecord, ServerView

PROVISIONING_ACCOUNT: Final = "ec-provisioning"
"""The account that all gateways of an instance share while they are provisioned (spec 1.1)."""


class Purpose(StrEnum):
    """What a gateway calls for."""

    PROVISIONING = "provisioning"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a gateway is set up with; empty where nobody said. `login` and `client_id` empty: it makes its own."""

    broker_url: str = ""
    account: str = ""
    set_login: str = ""
    secret: str = field(default="", repr=False)
    set_client_id: str = ""
    activation_key: str = field(default="", repr=False)
    knows_key: bool = False
    """It was said whether the gateway has an activation key, and which."""
    mac: str = ""
    serial: str = ""
    writes_colons: bool = False
    """How it makes a client id of its MAC: the ProvisioningService without colons, Kura's transport with them."""

    @property
    def login(self) -> str:
        """As it is sent."""
        return self.set_login or automatic_login(self.mac, self.serial)

    @property
    def client_id(self) -> str:
        """As it is sent."""
        own = mac_with_colons(self.mac) if self.writes_colons else bare_mac(self.mac)
        return sanitised(self.set_client_id) or own


@dataclass(frozen=True, slots=True)
class Material:
    """Certificates: the chain that a gateway was sent, whom it trusts, and what its DMKeystore holds."""

    chain: tuple[x509.Certificate, ...] | None = None
    chain_problem: str = ""
    """Why the file is no chain."""
    trusted: tuple[x509.Certificate, ...] = ()
    keystore: tuple[KeystoreEntry, ...] | None = None
    signer: x509.Certificate | None = None
    """With which the (new) instance signs its control messages."""
    checks_authority: bool = True
    """`ca-authentication`."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the namespace: its topic, and its payload as bytes; None where only the topic was given."""

    topic: str
    payload: bytes | None = None


class Said(StrEnum):
    """What an answer to a CONNECT comes to."""

    LET_IN = "let in"
    REFUSED = "refused"
    CLOSED = "closed"
    SILENCE = "silence"
    NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True, slots=True)
class Heard:
    """`line`: `CONNACK 5`, `closed` …"""

    said: Said
    line: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything there is to go by. `None` always means: could not be looked at."""

    shell: RestShell
    gateway: Gateway
    purpose: Purpose
    now: datetime
    provisioning_account: str = PROVISIONING_ACCOUNT
    configuration: Configuration | None = None
    connection: CloudConnection | None = None
    """The one of the file that is looked at."""
    material: Material = field(default_factory=Material)
    message: Message | None = None
    is_signed_expected: bool = False
    """The gateway is provisioned: it obeys signed control messages alone."""
    is_offline: bool = True
    server: ServerView = field(default_factory=ServerView)
    contact: Contact = field(default_factory=Contact)
    heard: Heard | None = None
    gaps: tuple[str, ...] = ()

    @property
    def calls(self) -> bool:
        """Whether anything is said of a connection at all, and not of files alone."""
        gateway = self.gateway
        return bool(gateway.client_id or gateway.login or gateway.mac or gateway.broker_url)

    @property
    def request(self) -> RequestRecord | None:
        """The provision request for which the server takes this gateway: client id and user name exactly."""
        return next((one for one in self.candidates if one.client_id == self.gateway.client_id), None)

    @property
    def candidates(self) -> Sequence[RequestRecord]:
        """Requests whose user name is the gateway's; one that is not known fits."""
        login = self.gateway.login
        return [one for one in self.server.requests or () if not login or one.login in ("", login)]
