"""An administrator stops a job: the device is told to abort, and the job is STOPPED (spec 1.5, 1.6 `EXEC/abort`)."""

from __future__ import annotations

from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.kura.payload.codec import encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.state.provision_jobs import job_step, save_request, stopped
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus
from fleetrig.reference_server.platforms.kura.state.provision_requests import request_by_id
from fleetrig.reference_server.platforms.kura.state.registry import Notice, Registry
from fleetrig.simulator.contract.clock import US_PER_MS


def abort_payload(now_us: int) -> bytes:
    """Without ids: nobody is to reply to it."""
    return encode(KuraPayload(now_us // US_PER_MS))


def finish_stop(registry: Registry, notice: Notice) -> Reaction:
    """STOPPING → STOPPED; what the device had been given is void already."""
    request = request_by_id(registry, notice.request_id)
    if request is None or request.job.status is not JobStatus.STOPPING:
        return NOTHING
    save_request(registry, stopped(request))
    changed = "provision job stopped"
    return Reaction(device=notice.client_id, changed=changed, steps=(job_step(JobStatus.STOPPED),))
