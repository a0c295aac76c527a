"""Provision requests: made, changed, found and deleted by an administrator (spec 1.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.accounts import provision_account
from fleetrig.reference_server.platforms.kura.state.attachments import check_attachments, delete_attachments
from fleetrig.reference_server.platforms.kura.state.credentials import (
    credential_by_id,
    credentials_of,
    delete_credential,
    new_credential,
    save_credential,
)
from fleetrig.reference_server.platforms.kura.state.errors import duplicate, illegal, missing, stale
from fleetrig.reference_server.platforms.kura.state.permissions import BROKER_CONNECT, grant
from fleetrig.reference_server.platforms.kura.state.provision_jobs import (
    save_request,
    skipped_if_disabled,
    void_issued,
)
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    ATTACHMENT,
    REQUEST,
    Attachment,
    JobStatus,
    ProvisionJob,
    ProvisionRequest,
    RequestStatus,
)
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION, USER, Permission, User
from fleetrig.reference_server.platforms.kura.state.registry import Notice, NoticeKind, Registry
from fleetrig.reference_server.platforms.kura.state.users import delete_user, user_by_id, user_by_name

KEY_CHARS: Final = 32
"""Of an activation key that is generated."""
CLIENT_ID: Final = re.compile(r"[^#+*&,?>/\x00-\x1f\x7f]{1,255}")
"""Kapua's registry forbids these letters, and a pair of colons (5.1)."""
MOST_RETRIES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """`ProvisionRequestCreator`: what an administrator says of a request that is to be made."""

    scope_id: str
    client_id: str
    username: str
    password: str
    generate_activation_key: bool = False
    overwrite_if_duplicate: bool = False
    retry_max_attempts: int = 0
    activates_us: int | None = None
    expires_us: int | None = None
    provision_secure_url: bool = False
    credentials_tight: bool = False
    attachments: tuple[Attachment, ...] = ()
    """With an empty `request_id`."""


@dataclass(frozen=True, slots=True)
class RequestChange:
    """What an update may change; which fields the vendor lets be edited is not public, these are ours."""

    status: RequestStatus
    activates_us: int | None
    expires_us: int | None
    retry_max_attempts: int
    provision_secure_url: bool


def request_by_id(registry: Registry, request_id: str) -> ProvisionRequest | None:
    return registry.store.get(REQUEST, INSTALLATION, request_id)


def needed_request(registry: Registry, scope_id: str, request_id: str) -> ProvisionRequest:
    """Raises Refused."""
    found = request_by_id(registry, request_id)
    if found is None or found.scope_id != scope_id:
        raise missing("provisionRequest", request_id)
    return found


def requests_of(registry: Registry, scope_id: str) -> list[ProvisionRequest]:
    """Of a target account, in the order in which they were made."""
    found = registry.store.find(REQUEST, INSTALLATION, "scope", scope_id)
    return sorted(found, key=lambda request: (request.created_us, request.id))


def requests_for(registry: Registry, client_id: str) -> list[ProvisionRequest]:
    """Of all accounts, the newest first."""
    found = registry.store.find(REQUEST, INSTALLATION, "client", client_id)
    return sorted(found, key=lambda request: (request.created_us, request.id), reverse=True)


def request_awaiting_birth(registry: Registry, scope_id: str, client_id: str) -> ProvisionRequest | None:
    """The request whose device has confirmed and is to come to this account as this client (completion, 1.6)."""
    for request in requests_for(registry, client_id):
        issued = request.job.issued
        if request.scope_id == scope_id and issued is not None and issued.confirmed_us is not None:
            return request if request.job.status.is_running else None
    return None


def create_request(registry: Registry, draft: RequestDraft, now_us: int, by: str) -> ProvisionRequest:
    """Raises Refused. One for each client id in an account: another one is replaced or in the way (S-23)."""
    _check_draft(draft)
    older = next((one for one in requests_for(registry, draft.client_id) if one.scope_id == draft.scope_id), None)
    if older is not None and not draft.overwrite_if_duplicate:
        raise duplicate("provisionRequest", draft.client_id)
    if older is not None:
        delete_request(registry, older)
    user = _provision_user(registry, draft.username, now_us, by)
    credential = new_credential(registry, user.scope_id, user.id, draft.password, now_us, by)
    key = registry.new_word(KEY_CHARS) if draft.generate_activation_key else ""
    registry.learn("activation-key", key)
    name = f"Device provision of {draft.client_id}"
    job = ProvisionJob(
        registry.new_id(),
        display_name=name,
        retry_max_attempts=draft.retry_max_attempts,
        created_us=now_us,
        created_by=by,
    )
    request = ProvisionRequest(
        registry.new_id(),
        draft.scope_id,
        draft.client_id,
        user.id,
        credential.id,
        job,
        activation_key=key,
        activates_us=draft.activates_us,
        expires_us=draft.expires_us,
        provision_secure_url=draft.provision_secure_url,
        credentials_tight=draft.credentials_tight,
        attachments=len(draft.attachments),
        created_us=now_us,
        created_by=by,
        modified_us=now_us,
        modified_by=by,
    )
    save_credential(registry, replace(credential, request_id=request.id))
    for one in draft.attachments:
        token = registry.new_word(KEY_CHARS) if one.content_base64 else ""
        registry.store.put(ATTACHMENT, INSTALLATION, replace(one, request_id=request.id, token=token))
    save_request(registry, request)
    return request


def update_request(
    registry: Registry, request: ProvisionRequest, change: RequestChange, optlock: int, now_us: int, by: str
) -> ProvisionRequest:
    """Raises Refused when somebody was faster (S-26), or for dates in the wrong order."""
    if optlock != request.optlock:
        raise stale("provisionRequest")
    _check_dates(change.activates_us, change.expires_us)
    _check_retries(change.retry_max_attempts)
    changed = replace(
        request,
        status=change.status,
        activates_us=change.activates_us,
        expires_us=change.expires_us,
        provision_secure_url=change.provision_secure_url,
        job=replace(request.job, retry_max_attempts=change.retry_max_attempts),
        optlock=request.optlock + 1,
        modified_us=now_us,
        modified_by=by,
    )
    changed = skipped_if_disabled(changed)
    save_request(registry, changed)
    return changed


def delete_request(registry: Registry, request: ProvisionRequest) -> None:
    """With its password and attachments; what a job had issued that is not over is void."""
    if request.job.status is not JobStatus.COMPLETED:
        void_issued(registry, request)
    credential = credential_by_id(registry, request.credential_id)
    if credential is not None:
        delete_credential(registry, credential)
    user = user_by_id(registry, request.provision_user_id)
    if user is not None and not credentials_of(registry, user.id):
        delete_user(registry, user)
    delete_attachments(registry, request.id)
    registry.store.delete(REQUEST, INSTALLATION, request.id)
    registry.store.when_settled(lambda committed: registry.job_deadlines.cancel(request.id) if committed else None)
    registry.notify(Notice(NoticeKind.REQUEST_GONE, request.scope_id, request.client_id, request.id))


def _provision_user(registry: Registry, username: str, now_us: int, by: str) -> User:
    """The user of the provisioning account with that name: a new one, or that of other requests. Raises Refused."""
    account = provision_account(registry)
    found = user_by_name(registry, username)
    if found is not None and (found.scope_id != account.id or not _is_bootstrap(registry, found)):
        raise duplicate("user", username)
    if found is not None:
        return found
    made = {"created_us": now_us, "created_by": by, "modified_us": now_us, "modified_by": by}
    user = User(registry.new_id(), account.id, username, user_type="DEVICE", **made)  # type: ignore[arg-type]
    registry.store.put(USER, INSTALLATION, user)
    grant(registry, user, (Permission(*BROKER_CONNECT, account.id),), now_us, by)
    return user


def _is_bootstrap(registry: Registry, user: User) -> bool:
    return all(one.request_id for one in credentials_of(registry, user.id))


def _check_draft(draft: RequestDraft) -> None:
    if CLIENT_ID.fullmatch(draft.client_id) is None or "::" in draft.client_id:
        raise illegal("clientId", draft.client_id[:80], "1 to 255 letters without # + * & , ? > / and ::")
    if not draft.username:
        raise illegal("provisionUserUsername", "", "the user that the device signs in with is needed")
    if not draft.password:
        raise illegal("provisionUserPassword", "", "the password that the device signs in with is needed")
    _check_dates(draft.activates_us, draft.expires_us)
    _check_retries(draft.retry_max_attempts)
    check_attachments(draft.attachments)


def _check_retries(retry_max_attempts: int) -> None:
    if not -1 <= retry_max_attempts <= MOST_RETRIES:
        raise illegal("retryMaxAttempts", str(retry_max_attempts), f"-1 (for ever) to {MOST_RETRIES:,}")


def _check_dates(activates_us: int | None, expires_us: int | None) -> None:
    """The printed rule is inverted (section 6, row 9)."""
    if activates_us is not None and expires_us is not None and activates_us >= expires_us:
        raise illegal("activatesOn", str(activates_us // 1000), "activatesOn has to be before expiresOn")
