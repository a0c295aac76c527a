"""Who signs in, over MQTT or REST, with a name and a password (spec 5.4); and the bootstrap of provisioning (1.2)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.kura.state.accounts import account_by_id
from fleetrig.reference_server.platforms.kura.state.credentials import (
    PASSWORD,
    after_failure,
    credentials_of,
    has_counted,
    is_locked,
    is_usable,
    matches,
    save_credential,
    unlocked,
)
from fleetrig.reference_server.platforms.kura.state.errors import LoginFailure, LoginRefused
from fleetrig.reference_server.platforms.kura.state.permissions import BROKER_CONNECT, is_permitted
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    REQUEST,
    JobStatus,
    ProvisionRequest,
    RequestStatus,
)
from fleetrig.reference_server.platforms.kura.state.records import (
    INSTALLATION,
    AccountRecord,
    Credential,
    LockoutPolicy,
    User,
    UserStatus,
)
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.users import user_by_name

BAD: LoginFailure = LoginFailure.BAD_CREDENTIALS
DENIED: LoginFailure = LoginFailure.NOT_AUTHORIZED


def sign_in(registry: Registry, username: str, password: str, now_us: int) -> tuple[User, AccountRecord]:
    """The user and its account. Raises LoginRefused; what it has counted is to be kept."""
    user = user_by_name(registry, username)
    if user is None:
        raise LoginRefused(BAD, f"there is no user {username[:80]!r}", "UNKNOWN_LOGIN_CREDENTIAL")
    account = check_usable(registry, user, now_us)
    own = [one for one in credentials_of(registry, user.id) if one.credential_type == PASSWORD and not one.request_id]
    if not own:
        raise LoginRefused(BAD, f"user {user.name} has no password", "INVALID_LOGIN_CREDENTIALS")
    _check(registry, own[0], account.settings.lockout, password, now_us)
    return user, account


def sign_in_to_broker(registry: Registry, username: str, password: str, now_us: int) -> tuple[User, AccountRecord]:
    """The same for a connection to the broker outside of provisioning. Raises LoginRefused."""
    user, account = sign_in(registry, username, password, now_us)
    if not is_permitted(registry, user, *BROKER_CONNECT, account.id):
        raise LoginRefused(DENIED, f"user {user.name} needs the permission broker:connect in account {account.name}")
    return user, account


def sign_in_to_provision(
    registry: Registry, client_id: str, username: str, password: str, now_us: int
) -> ProvisionRequest:
    """The request whose client id, user and password are just these (1.5, S-04). Raises LoginRefused.

    Of several (two accounts want the same device) the newest one with that password counts.
    """
    user = user_by_name(registry, username)
    if user is None:
        raise LoginRefused(BAD, f"no provision request has the user {username[:80]!r}: create one first")
    account = check_usable(registry, user, now_us)
    bound = [
        one
        for one in registry.store.find(REQUEST, INSTALLATION, "client", client_id)
        if one.provision_user_id == user.id
    ]
    if not bound:
        raise LoginRefused(BAD, f"no provision request of user {username} is for the client id {client_id[:80]!r}")
    by_id = {one.id: one for one in credentials_of(registry, user.id)}
    newest_first = sorted(bound, key=lambda one: (one.created_us, one.id), reverse=True)
    for request in newest_first:
        credential = by_id.get(request.credential_id)
        if credential is not None and matches(credential, password):
            _check(registry, credential, account.settings.lockout, password, now_us)
            _check_open(request, now_us)
            return request
    for request in newest_first:
        if (credential := by_id.get(request.credential_id)) is not None:
            _check(registry, credential, account.settings.lockout, password, now_us)
    raise LoginRefused(BAD, f"the provision request for {client_id[:80]!r} has no password")


def check_usable(registry: Registry, user: User, now_us: int) -> AccountRecord:
    """Whoever has signed in may go on; gives the account. Raises LoginRefused."""
    account = account_by_id(registry, user.scope_id)
    if account is None or account.has_expired(now_us):
        raise LoginRefused(DENIED, f"the account of user {user.name} has expired", "EXPIRED_ACCOUNT")
    if user.status is not UserStatus.ENABLED:
        raise LoginRefused(DENIED, f"user {user.name} is disabled", "DISABLED_USER")
    if user.expires_us is not None and user.expires_us <= now_us:
        raise LoginRefused(DENIED, f"user {user.name} has expired", "EXPIRED_USER")
    return account


def _check(registry: Registry, credential: Credential, policy: LockoutPolicy, password: str, now_us: int) -> None:
    if is_locked(credential, policy, now_us):
        raise LoginRefused(
            DENIED, "the password is locked after too many wrong ones: wait or unlock it", "LOCKED_LOGIN_CREDENTIAL"
        )
    if not matches(credential, password):
        counted = after_failure(credential, policy, now_us)
        save_credential(registry, counted)
        raise LoginRefused(BAD, _wrong_password(counted.login_failures, policy), "INVALID_LOGIN_CREDENTIALS")
    if not is_usable(credential, now_us):
        raise LoginRefused(DENIED, "the password is disabled or has expired", "DISABLED_LOGIN_CREDENTIAL")
    registry.learn("password", password)  # a wrong one is masked where it stands, and nobody fills memory with them
    if has_counted(credential):
        save_credential(registry, unlocked(credential))


def _wrong_password(failures: int, policy: LockoutPolicy) -> str:
    if not policy.is_enabled:
        return "wrong password"
    return f"wrong password: {failures} of the {policy.max_failures} that lock it"


def _check_open(request: ProvisionRequest, now_us: int) -> None:
    """A request whose end has come admits nobody (S-13, S-21); one that is not active yet does (S-12)."""
    if request.job.status is JobStatus.COMPLETED:
        raise LoginRefused(DENIED, "the device has been provisioned: create a new request to provision it again")
    if request.has_expired(now_us):
        raise LoginRefused(DENIED, "the provision request has expired: create a new one")
    if request.status is RequestStatus.DISABLED:
        raise LoginRefused(DENIED, "the provision request is disabled: enable it")
