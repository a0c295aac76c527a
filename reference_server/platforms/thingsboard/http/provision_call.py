"""POST /api/v1/provision: 200 for every decision, whatever it is (sections 1.5 and 1.6)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal, plain
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.provisioning.answers import json_answer
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import decide
from fleetrig.reference_server.platforms.thingsboard.provisioning.json_request import read_json_request
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import BadProvisionRequest, ProvisionRequest


def provision(call: Call) -> Reply:
    """No decision is the internal time-out, without a body; the real server takes 10 to 16 s for it (S81)."""
    request = _read(call)
    decision = decide(call.registry, request, call.now_us)
    if decision.status is None:
        raise plain(500, reason=decision.reason)
    answer = json_answer(decision, call.registry.traits).decode()
    name = decision.device.name if decision.device else ""
    return Reply(text=answer, device=name, changed=decision.changed, reason=decision.reason)


def _read(call: Call) -> ProvisionRequest:
    """Raises 500 with what the parser says, and 400 for no body."""
    try:
        return read_json_request(call.text, call.registry.traits)
    except BadProvisionRequest as bad:
        raise HttpRefusal(500, str(bad), reason=bad.reason + call.form_hint) from None
