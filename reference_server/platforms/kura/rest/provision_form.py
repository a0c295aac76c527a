"""What an administrator says of a provision request, read from a document (spec 1.5). Each raises Refused."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.forms import (
    date_us,
    flag,
    inner,
    needed_flag,
    needed_text,
    needed_whole,
    objects,
    text,
    whole,
    word,
    wrong,
)
from fleetrig.reference_server.platforms.kura.state.attachments import MOST_CONTENT_BYTES
from fleetrig.reference_server.platforms.kura.state.errors import illegal
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    Attachment,
    AttachmentKind,
    ProvisionRequest,
    RequestStatus,
)
from fleetrig.reference_server.platforms.kura.state.provision_requests import RequestChange, RequestDraft

SHORT: Final = 255
MOST_URI_CHARS: Final = 2_048
MOST_BASE64_CHARS: Final = MOST_CONTENT_BYTES * 4 // 3 + 1_024
MOST_ATTACHMENTS: Final = 100
"""Of a document that is looked at; the rules permit fewer."""


def draft_in(asked: Mapping[str, Any], scope_id: str) -> RequestDraft:
    """A `ProvisionRequestCreator`."""
    attachments = objects(asked, "provisionAttachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise illegal("provisionAttachments", str(len(attachments)), "at most one configuration and nine bundles")
    return RequestDraft(
        scope_id,
        needed_text(asked, "clientId", SHORT),
        needed_text(asked, "provisionUserUsername", SHORT),
        needed_text(asked, "provisionUserPassword", SHORT),
        needed_flag(asked, "generateActivationKey"),
        needed_flag(asked, "overwriteIfDuplicate"),
        needed_whole(asked, "retryMaxAttempts"),
        date_us(asked, "activatesOn"),
        date_us(asked, "expiresOn"),
        needed_flag(asked, "provisionSecureURL"),
        flag(asked, "deviceCredentialsTight"),
        tuple(_attachment(position, one) for position, one in enumerate(attachments)),
    )


def change_in(asked: Mapping[str, Any], request: ProvisionRequest) -> RequestChange:
    """A `ProvisionRequest` with the fields that may be edited; what it does not say stays, a null date is none."""
    client_id = text(asked, "clientId", SHORT)
    if client_id not in (None, request.client_id):
        raise illegal("clientId", str(client_id), "the client id of a request stays: create another request")
    retries = whole(inner(asked, "provisionJob"), "retryMaxAttempts")
    status = word(asked, "status", tuple(RequestStatus)) or request.status
    return RequestChange(
        RequestStatus(status),
        date_us(asked, "activatesOn") if "activatesOn" in asked else request.activates_us,
        date_us(asked, "expiresOn") if "expiresOn" in asked else request.expires_us,
        request.job.retry_max_attempts if retries is None else retries,
        flag(asked, "provisionSecureURL", default=request.provision_secure_url),
    )


def _attachment(position: int, said: Mapping[str, Any]) -> Attachment:
    kind = word(said, "type", tuple(AttachmentKind))
    if kind is None:
        raise illegal(f"provisionAttachments[{position}].type", "", " or ".join(AttachmentKind))
    return Attachment(
        "",
        position,
        AttachmentKind(kind),
        needed_text(said, "name", SHORT),
        text(said, "version", SHORT) or "",
        text(said, "uri", MOST_URI_CHARS) or "",
        _content(said),
    )


def _content(said: Mapping[str, Any]) -> str:
    """In Base64, written as one line."""
    found = text(said, "content", MOST_BASE64_CHARS) or ""
    try:
        content = b64decode("".join(found.split()), validate=True)
    except (binascii.Error, ValueError):
        raise wrong("content", "Base64", found) from None
    if len(content) > MOST_CONTENT_BYTES:
        raise illegal("content", "…", f"an attachment has at most {MOST_CONTENT_BYTES:,} bytes: give it a uri")
    return b64encode(content).decode("ascii")
