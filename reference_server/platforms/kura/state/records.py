"""What the registry stores of people and accounts. Times are us since the epoch, ids Kapua's short ones (base64url).

All of it is in one partition of the store, since names of accounts and of users are unique over the installation; what
belongs to devices is in the partition of its account (`device_records.py`), requests are in `provision_records.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.stores.interface import Kind

INSTALLATION: Final = "installation"
"""The partition of the store for what has to be unique over all accounts."""
ROOT_SCOPE: Final = "AQ"
"""The id of the root account (5.5)."""


class CouplingMode(StrEnum):
    """Whether a client id is bound to a user (5.4)."""

    INHERITED = "INHERITED"
    """Of connections only: as the account has it."""
    LOOSE = "LOOSE"
    STRICT = "STRICT"


@dataclass(frozen=True, slots=True)
class LockoutPolicy:
    """When wrong passwords lock a credential (5.4)."""

    is_enabled: bool = True
    max_failures: int = 3
    reset_after_s: int = 3_600
    """The count begins anew so long after its first failure."""
    lock_s: int = 10_800


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What an account decides for itself."""

    infinite_devices: bool = False
    max_devices: int = 0
    """How many devices BIRTH or an administrator may register, unless they are infinite (5.1)."""
    coupling: CouplingMode = CouplingMode.LOOSE
    lockout: LockoutPolicy = LockoutPolicy()
    allows_unprovisioned: bool = True
    """New devices that no request has provisioned may be registered by BIRTH ("allow new not-provisioned devices")."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """`scope_id` is the account above; `path` holds the ids from the root down to it, with slashes."""

    id: str
    scope_id: str
    name: str
    path: str
    settings: AccountSettings = AccountSettings()
    organization: dict[str, str] = field(default_factory=dict)
    expires_us: int | None = None
    created_us: int = 0
    created_by: str = ""
    modified_us: int = 0
    modified_by: str = ""
    optlock: int = 1

    def has_expired(self, now_us: int) -> bool:
        return self.expires_us is not None and self.expires_us <= now_us


class UserStatus(StrEnum):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class User:
    """A person or a device that signs in; names are unique over the installation."""

    id: str
    scope_id: str
    name: str
    status: UserStatus = UserStatus.ENABLED
    user_type: str = "INTERNAL"
    display_name: str = ""
    email: str = ""
    phone_number: str = ""
    expires_us: int | None = None
    created_us: int = 0
    created_by: str = ""
    modified_us: int = 0
    modified_by: str = ""
    optlock: int = 1


class CredentialStatus(StrEnum):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class Credential:
    """A password of a user. `request_id` names the provision request whose bootstrap password it is."""

    id: str
    scope_id: str
    user_id: str
    secret_hash: str
    credential_type: str = "PASSWORD"
    status: CredentialStatus = CredentialStatus.ENABLED
    request_id: str = ""
    expires_us: int | None = None
    login_failures: int = 0
    first_failure_us: int | None = None
    failures_reset_us: int | None = None
    lockout_reset_us: int | None = None
    created_us: int = 0
    created_by: str = ""
    modified_us: int = 0
    modified_by: str = ""
    optlock: int = 1


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be done; None means any. `forwardable`: in the accounts below too."""

    domain: str | None = None
    action: str | None = None
    target_scope_id: str | None = None
    group_id: str | None = None
    forwardable: bool = False


@dataclass(frozen=True, slots=True)
class AccessPermission:
    """A permission of an access info, with an id of its own."""

    id: str
    permission: Permission
    created_us: int = 0
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class AccessInfo:
    """What one user may do."""

    id: str
    scope_id: str
    user_id: str
    permissions: tuple[AccessPermission, ...] = ()
    role_ids: tuple[str, ...] = ()
    created_us: int = 0
    created_by: str = ""
    modified_us: int = 0
    modified_by: str = ""
    optlock: int = 1


class CertificateStatus(StrEnum):
    VALID = "VALID"
    REVOKED = "REVOKED"
    SUSPENDED = "SUSPENDED"


class CertificateUsage(StrEnum):
    """What a certificate of the cloud is for (3.5)."""

    JWT = "JWT"
    DEVICE_MANAGEMENT = "DEVICE_MANAGEMENT"
    """Signs control messages."""
    TLS = "TLS"


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate of an account with its private key. `chain_pem` has it first and its root last.

    `name` is the alias under which devices keep it (`prov.dm.alias`). `forwardable`: accounts below inherit it.
    """

    id: str
    scope_id: str
    name: str
    chain_pem: str
    key_pem: str
    usages: tuple[CertificateUsage, ...]
    forwardable: bool = False
    status: CertificateStatus = CertificateStatus.VALID
    not_before_us: int = 0
    not_after_us: int = 0
    created_us: int = 0
    created_by: str = ""
    modified_us: int = 0
    modified_by: str = ""
    optlock: int = 1

    @property
    def own_pem(self) -> str:
        """The certificate alone."""
        end = "-----END CERTIFICATE-----\n"
        return self.chain_pem.partition(end)[0] + end


ACCOUNT: Final = Kind(
    "kura.account",
    AccountRecord,
    lambda account: account.id,
    {"name": lambda account: (account.name,), "scope": lambda account: (account.scope_id,)},
)
USER: Final = Kind(
    "kura.user",
    User,
    lambda user: user.id,
    {"name": lambda user: (user.name,), "scope": lambda user: (user.scope_id,)},
)
CREDENTIAL: Final = Kind(
    "kura.credential",
    Credential,
    lambda credential: credential.id,
    {
        "user": lambda credential: (credential.user_id,),
        "scope": lambda credential: (credential.scope_id,),
    },
)
ACCESS_INFO: Final = Kind(
    "kura.access_info",
    AccessInfo,
    lambda access: access.id,
    {"user": lambda access: (access.user_id,), "scope": lambda access: (access.scope_id,)},
)
CERTIFICATE: Final = Kind(
    "kura.certificate",
    CertificateRecord,
    lambda certificate: certificate.id,
    {"scope": lambda certificate: (certificate.scope_id,)},
)
