"""What is attached to a provision request: at most one configuration and nine bundles (spec 1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.reference_server.platforms.kura.state.errors import illegal
from fleetrig.reference_server.platforms.kura.state.provision_records import ATTACHMENT, Attachment, AttachmentKind
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION
from fleetrig.reference_server.platforms.kura.state.registry import Registry

MOST_CONFIGURATIONS: Final = 1
MOST_BUNDLES: Final = 9
MOST_CONTENT_BYTES: Final = 1 << 20
"""Of one attachment that is uploaded; larger bundles are at a URI of their own."""


def attachments_of(registry: Registry, request_id: str) -> list[Attachment]:
    """In their order."""
    found = registry.store.find(ATTACHMENT, INSTALLATION, "request", request_id)
    return sorted(found, key=lambda one: one.position)


def configuration_of(registry: Registry, request_id: str) -> Attachment | None:
    """The configuration that is attached, if there is one."""
    found = attachments_of(registry, request_id)
    return next((one for one in found if one.kind is AttachmentKind.CONFIGURATION), None)


def bundles_of(registry: Registry, request_id: str) -> list[Attachment]:
    return [one for one in attachments_of(registry, request_id) if one.kind is AttachmentKind.BUNDLE]


def bundle_uri(registry: Registry, bundle: Attachment) -> str:
    """Where a device gets a bundle: at its own URI, or here under its token."""
    return bundle.uri or f"{registry.http_url}/attachments/{bundle.token}"


def attachment_with(registry: Registry, token: str) -> Attachment | None:
    found = registry.store.find(ATTACHMENT, INSTALLATION, "token", token)
    return found[0] if found else None


def delete_attachments(registry: Registry, request_id: str) -> None:
    for one in attachments_of(registry, request_id):
        registry.store.delete(ATTACHMENT, INSTALLATION, f"{one.request_id}/{one.position}")


def check_attachments(attachments: Sequence[Attachment]) -> None:
    """Raises Refused (S-24)."""
    configurations = sum(one.kind is AttachmentKind.CONFIGURATION for one in attachments)
    bundles = len(attachments) - configurations
    if configurations > MOST_CONFIGURATIONS:
        raise illegal("provisionAttachments", str(len(attachments)), "at most one configuration")
    if bundles > MOST_BUNDLES:
        raise illegal("provisionAttachments", str(len(attachments)), f"at most {MOST_BUNDLES} bundles")
    for one in attachments:
        _check(one)


def _check(attachment: Attachment) -> None:
    argument = f"provisionAttachments[{attachment.position}]"
    if not attachment.name:
        raise illegal(argument, "", "an attachment needs a name")
    if attachment.kind is AttachmentKind.CONFIGURATION and not attachment.content_base64:
        raise illegal(argument, attachment.name, "a configuration needs its content, the XML of its components")
    if bool(attachment.uri) == bool(attachment.content_base64):
        raise illegal(argument, attachment.name, "a bundle needs either a uri or its content")
