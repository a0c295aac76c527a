"""Claiming by a customer, and taking a device back (section 3.5)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.forms import device_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import device_called
from fleetrig.reference_server.platforms.thingsboard.rest.members import text
from fleetrig.reference_server.platforms.thingsboard.state.claims import ClaimResult, reclaim
from fleetrig.reference_server.platforms.thingsboard.state.claims import claim as take
from fleetrig.reference_server.platforms.thingsboard.state.devices import device_by_id


def claim(call: Call, name: str) -> Reply:
    """POST /api/customer/device/{name}/claim; refused with a JSON text in place of a document (Q01, S101)."""
    device = device_called(call, name)
    secret = text(call.object, "secretKey") or "" if call.request.body else ""
    customer_id = call.operator.customer_id or ""
    result = take(call.registry, device, customer_id, secret, call.now_us)
    if result is not ClaimResult.SUCCESS:
        why = "it is claimed already" if result is ClaimResult.CLAIMED else "no such offer: wrong secret, late, or none"
        return Reply(400, document=str(result), device=device.name, reason=f"device {device.name}: {why}")
    claimed = device_by_id(call.registry, device.id) or device
    document = {"device": device_form(claimed), "response": str(result)}
    return Reply(document=document, device=device.name, changed=f"device {device.name} claimed")


def take_back(call: Call, name: str) -> Reply:
    """DELETE /api/customer/device/{name}/claim: nobody's again; nothing to say when it was nobody's."""
    device = device_called(call, name)
    reclaim(call.registry, device)
    return Reply(device=device.name, changed=f"device {device.name} reclaimed" if device.customer_id else "")
