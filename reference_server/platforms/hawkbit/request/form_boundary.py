"""A form in parts that names no boundary: refused before it is clear which handler is meant."""

from __future__ import annotations

from fleetrig.reference_server.multipart import NO_BOUNDARY, has_boundary
from fleetrig.reference_server.platforms.hawkbit.state.errors import REST, HawkbitError


def unreadable_form(message: str) -> HawkbitError:
    """400 uploadFailed, in the words of the container."""
    return HawkbitError(400, "artifact.uploadFailed", REST + "MultiPartFileUploadException", message)


def check_boundary(content_type: str) -> None:
    """Raises 400 for any `multipart/…` without one, whatever the method and the path."""
    if content_type[:10].lower() == "multipart/" and not has_boundary(content_type):
        raise unreadable_form(NO_BOUNDARY)
