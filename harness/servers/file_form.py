"""A form with one file, as browsers send it (multipart/form-data): how files get to a server."""

from __future__ import annotations

from typing import Final, NamedTuple

from fleetrig.simulator.contract.http import Body, BodyPart

BOUNDARY: Final = "fleetrig-7d1f3a5b9c"
ESCAPED_IN_FORMS: Final = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}
"""How browsers write a file's name in a form (WHATWG HTML, multipart/form-data)."""


class FileForm(NamedTuple):
    """`shown_name` is the file's name as it stands in the form."""

    content_type: str
    body: Body
    shown_name: str


def file_form(filename: str, content: BodyPart) -> FileForm:
    """A form whose part `file` is the content."""
    shown = filename.translate(ESCAPED_IN_FORMS)
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{shown}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = (head.encode(), content, f"\r\n--{BOUNDARY}--\r\n".encode())
    return FileForm(f"multipart/form-data; boundary={BOUNDARY}", body, shown)
