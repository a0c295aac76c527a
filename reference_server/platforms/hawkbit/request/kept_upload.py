"""An upload whose file is kept before its request is handled: what takes long is done beside everybody else's polls.

Used for large forms that come over sockets; smaller ones, and all in virtual time, are read while they are handled.
"""

from __future__ import annotations

from itertools import chain

from fleetrig.reference_server.multipart import BadMultipart, Upload
from fleetrig.reference_server.stores.interface import Blob, Blobs
from fleetrig.simulator.contract.http import Body

FILE_FIELD = "file"


class KeptUpload(tuple[()]):
    """Stands for the body of the request. `form` is exhausted; `failure` is what came up while it was read."""

    content_type: str
    form: Upload
    kept: Blob | None
    failure: Exception | None

    def discard(self, blobs: Blobs) -> None:
        """Removes the file, unless it has been taken: call it when the request has been handled."""
        if self.kept is not None:
            blobs.reject(self.kept)
            self.kept = None


def keep_upload(body: Body, content_type: str, blobs: Blobs, at_most_bytes: int) -> KeptUpload | Body:
    """For another thread. The body itself when it is no form with a boundary: the handler says so."""
    try:
        form = Upload(body, content_type, FILE_FIELD)
    except BadMultipart:
        return body
    upload = KeptUpload()
    upload.content_type, upload.form, upload.kept, upload.failure = content_type, form, None, None
    try:
        blocks = form.file_blocks()
        first = next(blocks, b"")
        if first:
            upload.kept = blobs.receive(chain((first,), blocks), at_most_bytes=at_most_bytes)
    except Exception as failure:  # noqa: BLE001 (for the handler, who says what it means)
        upload.failure = failure
    return upload
