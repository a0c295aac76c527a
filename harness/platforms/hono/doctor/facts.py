"""What is known about a device, what it presents, and what a registry says, before anybody draws conclusions."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cryptography import x509

from fleetrig.harness.doctor.contact import Contact
from fleetrig.harness.doctor.diagnosis import Diagnosis, quoted
from fleetrig.harness.platforms.hono.doctor.commands import RegistryShell
from fleetrig.reference_server.platforms.hono.names.java_names import rfc2253_of
from fleetrig.reference_server.platforms.hono.state.times import read_time
from fleetrig.simulator.contract.clock import US_PER_S


class Kind(StrEnum):
    """What a device shows of itself."""

    CERTIFICATE = "certificate"
    PASSWORD = "password"
    KEY = "pre-shared key"


TYPES: Final = {Kind.CERTIFICATE: "x509-cert", Kind.PASSWORD: "hashed-password", Kind.KEY: "psk"}
"""`type` of the credentials that the registry looks for (spec 1.3)."""
ADAPTERS: Final = {
    "https": "hono-http", "mqtts": "hono-mqtt", "coaps": "hono-coap",
    "http": "hono-http", "mqtt": "hono-mqtt",
}  # fmt: skip
"""What a device calls -> the adapter's name in a tenant's `adapters`."""


@dataclass(frozen=True, slots=True)
class Presented:
    """`chain`: the device's own certificate first. `acts_for`: the device for which it sends as a gateway."""

    kind: Kind
    chain: tuple[x509.Certificate, ...] = ()
    has_key: bool = False
    """TLS is really done with the certificate."""
    login: str = ""
    secret: str = field(default="", repr=False)
    client_id: str = ""
    acts_for: str = ""

    @property
    def leaf(self) -> x509.Certificate:
        return self.chain[0]

    @property
    def subject_dn(self) -> str:
        return rfc2253_of(self.leaf.subject)

    @property
    def issuer_dn(self) -> str:
        return rfc2253_of(self.leaf.issuer)

    def __str__(self) -> str:
        if self.kind is Kind.CERTIFICATE:
            return f"the certificate of {self.subject_dn or 'nobody'}"
        return f"the {self.kind} of {self.login}"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A trusted authority of a tenant: a name and a key (spec 1.1). `document`: as GET shows it."""

    position: int
    document: Mapping[str, Any]

    @property
    def subject_dn(self) -> str:
        return str(self.document.get("subject-dn", ""))

    @property
    def key_der(self) -> bytes:
        """Empty for what is no Base64."""
        try:
            return b64decode(str(self.document.get("public-key", "")), validate=True)
        except ValueError:
            return b""

    @property
    def provisions(self) -> bool:
        return self.document.get("auto-provisioning-enabled") is True

    @property
    def as_gateway(self) -> bool:
        return self.document.get("auto-provision-as-gateway") is True

    def template(self, name: str) -> str | None:
        """`auth-id-template` or `auto-provisioning-device-id-template`."""
        found = self.document.get(name)
        return found if isinstance(found, str) else None

    def outside(self, now: datetime) -> str:
        """Why it does not count at that time; empty when it does."""
        now_us = round(now.timestamp() * US_PER_S)
        if not _is_passed(self.document.get("not-before"), now_us, unknown=True):
            return f"is not valid before {self.document.get('not-before')}"
        if _is_passed(self.document.get("not-after"), now_us, unknown=False):
            return f"expired on {self.document.get('not-after')}"
        return ""


def _is_passed(value: object, now_us: int, *, unknown: bool) -> bool:
    try:
        return read_time(value) <= now_us if isinstance(value, str) else unknown
    except (ValueError, OverflowError):
        return unknown


def counts_now(secret: Mapping[str, Any], now: datetime) -> str:
    """Why a secret does not count; empty when it does."""
    now_us = round(now.timestamp() * US_PER_S)
    if secret.get("enabled") is False:
        return "is disabled"
    if not _is_passed(secret.get("not-before"), now_us, unknown=True):
        return f"counts from {secret.get('not-before')} on"
    if _is_passed(secret.get("not-after"), now_us, unknown=False):
        return f"expired on {secret.get('not-after')}"
    return ""


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """A tenant as GET shows it. `id` is empty for one from a file that is not named."""

    id: str
    document: Mapping[str, Any]

    @property
    def called(self) -> str:
        """Within a sentence."""
        return f"tenant {quoted(self.id)}" if self.id else "the tenant of the files"

    @property
    def at_start(self) -> str:
        """The same where a sentence begins."""
        return self.called[0].upper() + self.called[1:]

    @property
    def is_enabled(self) -> bool:
        return self.document.get("enabled") is not False

    @property
    def alias(self) -> str:
        return str(self.document.get("alias") or "")

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        return tuple(Anchor(at, one) for at, one in enumerate(objects(self.document.get("trusted-ca"))))

    @property
    def adapters(self) -> list[Mapping[str, Any]] | None:
        """None: all are enabled."""
        return objects(self.document.get("adapters")) or None

    @property
    def most_devices(self) -> int | None:
        limits = self.document.get("registration-limits")
        found = limits.get("max-devices") if isinstance(limits, dict) else None
        return found if isinstance(found, int) and found >= 0 else None

    @property
    def drops_caches(self) -> bool:
        ext = self.document.get("ext")
        return isinstance(ext, dict) and ext.get("invalidate-cache-on-update") is True


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device as GET shows it, and its credentials; None where they were not read."""

    id: str
    document: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]] | None = None

    @property
    def is_enabled(self) -> bool:
        return self.document.get("enabled") is not False

    def words(self, name: str) -> tuple[str, ...]:
        """`via`, `viaGroups`, `memberOf` or `authorities`."""
        found = self.document.get(name)
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def owes_notification(self) -> bool:
        """It was provisioned, and applications do not know yet: the next contact tells them (spec 2.4)."""
        status = self.document.get("status")
        found = status if isinstance(status, dict) else {}
        return found.get("auto-provisioned") is True and found.get("auto-provisioning-notification-sent") is not True

    def entry(self, kind: Kind, auth_id: str) -> Mapping[str, Any] | None:
        return next((one for one in self.entries or ()
                     if one.get("type") == TYPES[kind] and one.get("auth-id") == auth_id), None)  # fmt: skip


def objects(value: object) -> list[Mapping[str, Any]]:
    """Those of a JSON array that are objects."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


class Said(StrEnum):
    """What an answer comes to, whatever carried it."""

    LET_IN = "let in"
    REFUSED = "refused"
    CLOSED = "closed"
    SILENCE = "silence"
    NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True, slots=True)
class Heard:
    """`line`: `CONNACK 4`, `HTTP 401: bad credentials`, `CoAP 4.00`, `TLS: …`."""

    said: Said
    line: str
    unseen: frozenset[str] = frozenset()
    """Diagnoses that the answer does not speak of: that is looked at later."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything there is to go by. `None` always means: could not be looked at."""

    shell: RegistryShell
    presented: Presented
    over: str
    """`https`, `mqtts` …: what the device calls."""
    url: str
    """Where; empty when nobody is called."""
    server_name: str
    """The host that it asks for in the handshake (SNI); empty for an address."""
    now: datetime
    tenant_named: str = ""
    form: tuple[Diagnosis, ...] = ()
    """What is wrong with the files themselves."""
    authorities: tuple[x509.Certificate, ...] = ()
    """Those of `--ca`."""
    tenants: tuple[TenantRecord, ...] = ()
    knows_all_tenants: bool = False
    is_offline: bool = True
    devices: tuple[DeviceRecord, ...] | None = None
    """Of the tenant in question."""
    knows_all_devices: bool = False
    contact: Contact = field(default_factory=Contact)
    heard: Heard | None = None
    made: str = ""
    """The device that this question has provisioned."""
    gaps: tuple[str, ...] = ()

    @property
    def adapter(self) -> str:
        return ADAPTERS[self.over]

    @property
    def now_us(self) -> int:
        return round(self.now.timestamp() * US_PER_S)
