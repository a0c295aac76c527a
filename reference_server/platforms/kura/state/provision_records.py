"""Provision requests, the job that each of them has, and what is attached to them (spec 1.5)."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.stores.interface import Kind


class RequestStatus(StrEnum):
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


class JobStatus(StrEnum):
    """All 13 of a provision job."""

    CREATED = "CREATED"
    STARTED = "STARTED"
    RUNNING = "RUNNING"
    CONF_UPDATING = "CONF_UPDATING"
    CONF_UPDATED = "CONF_UPDATED"
    APPS_INSTALLING = "APPS_INSTALLING"
    APPS_INSTALLED = "APPS_INSTALLED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"
    SKIPPED = "SKIPPED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL

    @property
    def is_running(self) -> bool:
        """The device has begun, and it is not over."""
        return self is not JobStatus.CREATED and self not in TERMINAL


TERMINAL: Final = frozenset(
    {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.ABANDONED, JobStatus.SKIPPED, JobStatus.STOPPED}
)


class JobFailure(StrEnum):
    """Why a job is FAILED."""

    NONE = ""
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    NO_BIRTH = "NO_BIRTH"
    """All was staged and confirmed, and the device never came to its account (S-20)."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What a run of the job has given to the device; kept so that the same nonce gets the same bytes (S-15, S-40)."""

    nonce_hex: str
    reply_hex: str
    """The payload of the reply, as it was sent."""
    target_user_id: str = ""
    """The user of the target account that was made for the device; void once the run is over without success."""
    issued_us: int = 0
    confirmed_us: int | None = None
    """When the device has said STAGED."""
    confirm_reply_hex: str = ""


@dataclass(frozen=True, slots=True)
class ProvisionJob:
    """The background job of one request. `deadline_us`: when a job that runs is given up."""

    id: str
    status: JobStatus = JobStatus.CREATED
    job_type: str = "device_provision_v3"
    display_name: str = ""
    start_us: int | None = None
    retry_max_attempts: int = 0
    retry_count: int = 0
    issued: Issued | None = None
    failure: JobFailure = JobFailure.NONE
    deadline_us: int | None = None
    created_us: int = 0
    created_by: str = ""
    optlock: int = 1


@dataclass(frozen=True, slots=True)
class ProvisionRequest:
    """`scope_id` is the target account; the user whom the device signs in with is one of the provisioning account."""

    id: str
    scope_id: str
    client_id: str
    provision_user_id: str
    credential_id: str
    """The bootstrap password: it is this request's alone, whoever else shares the user."""
    job: ProvisionJob
    status: RequestStatus = RequestStatus.ENABLED
    activation_key: str = ""
    """Empty: the device need not show one."""
    activates_us: int | None = None
    expires_us: int | None = None
    provision_secure_url: bool = False
    credentials_tight: bool = False
    """The device's user is bound to its client id in the target account."""
    attachments: int = 0
    """How many; they are records of their own."""
    created_us: int = 0
    created_by: str = ""
    modified_us: int = 0
    modified_by: str = ""
    optlock: int = 1

    def is_not_yet_active(self, now_us: int) -> bool:
        return self.activates_us is not None and now_us < self.activates_us

    def has_expired(self, now_us: int) -> bool:
        return self.expires_us is not None and self.expires_us <= now_us


class AttachmentKind(StrEnum):
    CONFIGURATION = "CONFIGURATION"
    """The XML of 3.2 that is put on the device; at most one."""
    BUNDLE = "BUNDLE"
    """A package that DEPLOY-V2 installs; at most nine."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A bundle is at `uri`, or its content is here and is fetched from this server under `token`."""

    request_id: str
    position: int
    kind: AttachmentKind
    name: str
    version: str = ""
    uri: str = ""
    content_base64: str = ""
    token: str = ""

    @property
    def content(self) -> bytes:
        return b64decode(self.content_base64)


REQUEST: Final = Kind(
    "kura.provision_request",
    ProvisionRequest,
    lambda request: request.id,
    {
        "scope": lambda request: (request.scope_id,),
        "client": lambda request: (request.client_id,),
        "user": lambda request: (request.provision_user_id,),
    },
)
ATTACHMENT: Final = Kind(
    "kura.attachment",
    Attachment,
    lambda attachment: f"{attachment.request_id}/{attachment.position}",
    {
        "request": lambda attachment: (attachment.request_id,),
        "token": lambda attachment: (attachment.token,) if attachment.token else (),
    },
)
