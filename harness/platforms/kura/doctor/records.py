"""What a server's administration shows of a gateway, as documents, with the words that the doctor looks for.

Readings are lenient: what is missing or of another kind counts as not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from fleetrig.harness.doctor.diagnosis import quoted

Document = Mapping[str, Any]
MS_PER_S: Final = 1_000
RUNNING: Final = frozenset(
    {"STARTED", "RUNNING", "CONF_UPDATING", "CONF_UPDATED", "APPS_INSTALLING", "APPS_INSTALLED", "STOPPING"}
)
AWAITING_BIRTH: Final = frozenset({"CONF_UPDATED", "APPS_INSTALLED"})
"""What a job rests in until the gateway reports from its new account (spec 1.6)."""
PASSWORD: Final = "PASSWORD"


def at_ms(value: object) -> datetime | None:
    """Epoch milliseconds or an ISO 8601 time; None for nothing, and for 0."""
    try:
        match value:
            case bool() | None:
                return None
            case int() | float():
                return datetime.fromtimestamp(value / MS_PER_S, UTC) if value > 0 else None
            case str() if value:
                found = datetime.fromisoformat(value)
                return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
            case _:
                return None
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A provision request (spec 1.5), and the name of its user, empty where it was not read."""

    document: Document
    login: str = ""

    def text(self, name: str) -> str:
        found = self.document.get(name)
        return found if isinstance(found, str) else ""

    @property
    def id(self) -> str:
        return self.text("id")

    @property
    def client_id(self) -> str:
        return self.text("clientId")

    @property
    def activation_key(self) -> str:
        return self.text("activationKey")

    @property
    def created_on(self) -> datetime:
        return at_ms(self.document.get("createdOn")) or datetime.min.replace(tzinfo=UTC)

    @property
    def job(self) -> Document:
        found = self.document.get("provisionJob")
        return found if isinstance(found, dict) else {}

    @property
    def job_status(self) -> str:
        return str(self.job.get("status") or "")

    def count(self, name: str) -> int | None:
        """`retryCount` or `retryMaxAttempts` of its job."""
        found = self.job.get(name)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    @property
    def activates_on(self) -> datetime | None:
        return at_ms(self.document.get("activatesOn"))

    @property
    def expires_on(self) -> datetime | None:
        return at_ms(self.document.get("expiresOn"))


@dataclass(frozen=True, slots=True)
class CredentialRecord:
    """A password of a user, without the password."""

    document: Document

    @property
    def id(self) -> str:
        return str(self.document.get("id") or "")

    @property
    def is_enabled(self) -> bool:
        status = self.document.get("status") or self.document.get("credentialStatus")
        return status in (None, "ENABLED")

    @property
    def failures(self) -> int:
        found = self.document.get("loginFailures")
        return found if isinstance(found, int) else 0

    @property
    def locked_until(self) -> datetime | None:
        return at_ms(self.document.get("lockoutReset"))

    @property
    def expires_on(self) -> datetime | None:
        return at_ms(self.document.get("expirationDate"))


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user of an account. `may_connect` None: permissions could not be read."""

    document: Document
    credentials: Sequence[CredentialRecord] | None = None
    may_connect: bool | None = None

    @property
    def id(self) -> str:
        return str(self.document.get("id") or "")

    @property
    def name(self) -> str:
        return str(self.document.get("name") or "")

    @property
    def is_enabled(self) -> bool:
        return self.document.get("status") != "DISABLED"

    @property
    def expires_on(self) -> datetime | None:
        return at_ms(self.document.get("expirationDate"))


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """What the registry keeps of a client id's connection (spec 5.1, 5.4). `users`: names by their ids."""

    document: Document
    users: Mapping[str, str]

    @property
    def id(self) -> str:
        return str(self.document.get("id") or "")

    @property
    def client_id(self) -> str:
        return str(self.document.get("clientId") or "")

    @property
    def status(self) -> str:
        return str(self.document.get("status") or "")

    @property
    def coupling(self) -> str:
        return str(self.document.get("userCouplingMode") or "INHERITED")

    @property
    def allows_change(self) -> bool:
        return self.document.get("allowUserChange") is True

    @property
    def reserved_user(self) -> str:
        """Its id."""
        return str(self.document.get("reservedUserId") or "")

    @property
    def last_user(self) -> str:
        """Its id."""
        return str(self.document.get("userId") or "")

    def called(self, user_id: str) -> str:
        """The name of a user within a sentence."""
        return quoted(self.users.get(user_id, user_id))


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device of the registry, which a BIRTH has made or brought up to date."""

    document: Document

    def text(self, name: str) -> str:
        found = self.document.get(name)
        return found if isinstance(found, str) else ""

    @property
    def id(self) -> str:
        return self.text("id")

    @property
    def is_enabled(self) -> bool:
        return self.document.get("status") != "DISABLED"


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account. `devices_at_most` None: any number; -1: not known. `is_strict` None: not known."""

    scope_id: str
    name: str
    devices_at_most: int | None = -1
    devices: int = 0
    is_strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ServerView:
    """What was read. `None` always means: could not be read."""

    accounts: Sequence[AccountRecord] = ()
    knows_all_accounts: bool = False
    requests: Sequence[RequestRecord] | None = None
    knows_all_requests: bool = False
    account: AccountRecord | None = None
    """The account that the gateway calls."""
    user: UserRecord | None = None
    users: Sequence[str] | None = None
    """Names of that account's users."""
    connection: ConnectionRecord | None = None
    connections: Sequence[ConnectionRecord] | None = None
    device: DeviceRecord | None = None
    knows_device: bool = False
