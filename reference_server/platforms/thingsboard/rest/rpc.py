"""Commands to devices (T07): handed to whatever session the device has, and forgotten if it has none."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import device_at
from fleetrig.reference_server.platforms.thingsboard.rest.members import text
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind

METHOD: Final = "method"
PARAMS: Final = "params"


def send_one_way(call: Call, device_id: str) -> Reply:
    """POST /api/rpc/oneway/{id}: 200 without a body, the device's answer is not waited for."""
    body = call.object
    method = text(body, METHOD)
    if not method:
        raise invalid("Invalid request body: method is missing", reason="the body names no method")
    device = device_at(call, device_id)
    command = {METHOD: method, PARAMS: body.get(PARAMS)}
    call.registry.notify(Notice(NoticeKind.RPC_REQUESTED, device.id, command))
    return Reply(device=device.name)
