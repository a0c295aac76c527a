"""What is known about a device, its credential and a hawkBit server, before anybody draws conclusions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.doctor.certificates import CertificateFacts
from fleetrig.harness.doctor.contact import Contact
from fleetrig.harness.doctor.diagnosis import Shell
from fleetrig.harness.platforms.hawkbit.settings import (
    GATEWAY_KEY,
    GATEWAY_MODE,
    HEADER_AUTHORITY,
    HEADER_MODE,
    TARGET_MODE,
)
from fleetrig.simulator.contract.identity import mask

T = TypeVar("T")


class Kind(StrEnum):
    """What a device shows of itself."""

    NOTHING = "no credential"
    TARGET_TOKEN = "target token"
    GATEWAY_TOKEN = "gateway token"
    CERTIFICATE = "certificate"


SCHEMES: Final = {Kind.TARGET_TOKEN: "TargetToken", Kind.GATEWAY_TOKEN: "GatewayToken"}
MODES: Final = {
    Kind.TARGET_TOKEN: TARGET_MODE,
    Kind.GATEWAY_TOKEN: GATEWAY_MODE,
    Kind.CERTIFICATE: HEADER_MODE,
}


@dataclass(frozen=True, slots=True)
class Presented:
    """The credential. `authority` is what the proxy is said to pass on, None when nobody said it.

    `has_key`: TLS is really done with the certificate."""

    kind: Kind
    secret: str = field(default="", repr=False)
    certificate: CertificateFacts | None = None
    authority: str | None = None
    has_key: bool = False

    def __str__(self) -> str:
        match self.kind:
            case Kind.TARGET_TOKEN | Kind.GATEWAY_TOKEN:
                return masked(self.kind, self.secret)
            case Kind.CERTIFICATE if self.certificate is not None:
                return f"the certificate of {self.certificate.common_name or self.certificate.subject}"
            case _:
                return str(self.kind)


def masked(kind: Kind, secret: str) -> str:
    """`target-token:4f2a`; the empty secret is called empty."""
    return mask(kind.replace(" ", "-"), secret) if secret else "an empty token"


@dataclass(frozen=True, slots=True)
class Account:
    """The operator's account that the server accepted."""

    user: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Config:
    """A tenant's ways in. A value is None when the account may not see it."""

    modes: Mapping[Kind, bool | None]
    gateway_key: str | None = field(default=None, repr=False)
    authority: str | None = None
    changed_at_ms: int = 0
    """Server's time of the last change of one of these; 0 when none of them was ever set."""

    def is_on(self, kind: Kind) -> bool | None:
        return self.modes.get(kind)


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """A target as the Management API shows it. `token` is None when the account may not see it."""

    controller_id: str
    token: str | None = field(default=None, repr=False)
    update_status: str = ""
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything there is to go by. `None` always means: could not be looked at."""

    shell: Shell
    tenant: str
    controller_id: str
    presented: Presented
    now: datetime
    """Of this machine."""
    contact: Contact = field(default_factory=Contact)
    skew_s: float | None = None
    """The server's clock minus ours."""
    userinfo: Answer | None = None
    """The answer to `GET /rest/v1/userinfo`."""
    better_url: str = ""
    """Another address where a hawkBit answered, when this one seems to be none."""
    account: Account | None = None
    config: Config | None = None
    exists: bool | None = None
    target: TargetRecord | None = None
    waits: str = ""
    """The id of an action that waits for the device's confirmation."""
    others: tuple[TargetRecord, ...] = ()
    """Targets whose ids may be meant."""
    knock: Answer | None = None
    """The device's address asked without any credential."""
    answer: Answer | None = None
    """The device's address asked as the device."""
    trial: Answer | None = None
    """An address below it asked as the device, where nothing is registered: 401, or 404 for who is let in."""
    gaps: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return self.shell.url

    @property
    def same_tenant(self) -> bool:
        """Whether the account looked at the tenant that the device asks for; tenants have no case (§0)."""
        return self.account is not None and self.account.tenant.upper() == self.tenant.upper()

    def mode_is_on(self, kind: Kind) -> bool | None:
        return None if self.config is None else self.config.is_on(kind)


def config_from(values: Mapping[str, Any]) -> Config:
    """From `GET /system/configs`: every key with `value`, and `lastModifiedAt` when it was ever set (§1.6)."""

    def value(key: str, kind: type[T]) -> T | None:
        entry = values.get(key)
        found = entry.get("value") if isinstance(entry, Mapping) else None
        return found if isinstance(found, kind) else None

    entries = [values.get(key) for key in (*MODES.values(), GATEWAY_KEY, HEADER_AUTHORITY)]
    changes = [entry.get("lastModifiedAt") for entry in entries if isinstance(entry, Mapping)]
    changed_at_ms = max((at_ms for at_ms in changes if isinstance(at_ms, int)), default=0)
    modes = {kind: value(key, bool) for kind, key in MODES.items()}
    return Config(modes, value(GATEWAY_KEY, str), value(HEADER_AUTHORITY, str), changed_at_ms)


def target_from(record: Mapping[str, Any]) -> TargetRecord:
    """From a target of the Management API (§1.3)."""
    token = record.get("securityToken")
    words = [str(record.get(name, "")) for name in ("controllerId", "updateStatus", "createdBy")]
    return TargetRecord(words[0], token if isinstance(token, str) else None, *words[1:])
