"""What tests attach to provision requests."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.state.provision_records import Attachment, AttachmentKind

XML: Final = b'<esf:configurations xmlns:esf="http://eurotech.com/esf/2.0"/>'


def configuration() -> Attachment:
    return Attachment("", 0, AttachmentKind.CONFIGURATION, "conf", content_base64=b64encode(XML).decode())


def bundle(position: int = 1, **fields: Any) -> Attachment:
    made = {"name": f"app-{position}", "version": "1.2.3", "uri": f"https://h/app-{position}.dp", **fields}
    return Attachment("", position, AttachmentKind.BUNDLE, **made)
