"""A package, or a chunk of it, as an HTTP answer (DeviceApiController, OtaPackageController)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import OtaPackage
from fleetrig.simulator.contract.http import Body

OCTETS: Final = "application/octet-stream"


def file_reply(package: OtaPackage, data: Body, device: str = "") -> Reply:
    name = (package.file_name or "").replace("\r", "").replace("\n", "")
    headers = (
        ("Content-Disposition", f"attachment;filename={name}"),
        ("x-filename", name),
        ("Content-Type", package.content_type or OCTETS),
    )
    return Reply(data=data, headers=headers, device=device)
