"""POST /api/v1/provision: 200 for every decision, whatever it is (sections 1.5 and 1.6)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.http.waiting import Wait
from fleetrig.reference_server.platforms.thingsboard.provisioning.answers import json_answer
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import GIVES_UP_AFTER_US, decide
from fleetrig.reference_server.platforms.thingsboard.provisioning.json_request import read_json_request
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import BadProvisionRequest, ProvisionRequest
from fleetrig.simulator.contract.http import HttpResponse

GAVE_UP: Final = HttpResponse(500)


def provision(call: Call) -> Reply | Wait:
    """Without a decision nothing comes before the internal time-out (S81)."""
    request = _read(call)
    decision = decide(call.registry, request, call.now_us)
    if decision.status is None:
        return Wait(GIVES_UP_AFTER_US, GAVE_UP, decision.reason)
    answer = json_answer(decision, call.registry.traits).decode()
    name = decision.device.name if decision.device else ""
    return Reply(text=answer, device=name, changed=decision.changed, reason=decision.reason)


def _read(call: Call) -> ProvisionRequest:
    """Raises 500 with what the parser says, and 400 for no body."""
    try:
        return read_json_request(call.text, call.registry.traits)
    except BadProvisionRequest as bad:
        raise HttpRefusal(500, str(bad), reason=bad.reason + call.form_hint) from None
