"""The poll: `GET /{tenant}/controller/v1/{controllerId}` (§2.1)."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.platforms.hawkbit.ddi.intervals import interval_for
from fleetrig.reference_server.platforms.hawkbit.ddi.pending import Pending, pending_work
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.request.registration import address_of, register
from fleetrig.reference_server.platforms.hawkbit.request.replies import Reply
from fleetrig.reference_server.platforms.hawkbit.state.polling import sleep_s, sleep_text, window_sleep_s
from fleetrig.reference_server.platforms.hawkbit.state.records import Target, UpdateStatus
from fleetrig.simulator.contract.clock import US_PER_MS


def poll(call: Call) -> Reply:
    """The poll document. Registers an unknown device (only gateway and certificate get here without a target)."""
    target, changed = seen(call)
    pending = pending_work(call, target)
    links = dict(pending.links)
    if target.request_attributes:
        links["configData"] = {"href": f"{call.device_base}/configData"}
    return Reply(
        body={"config": {"polling": {"sleep": _sleep(call, target, pending)}}, "_links": links}, changed=changed
    )


def seen(call: Call) -> tuple[Target, str]:
    """(the target, what changed): created if unknown, registered if it never called, its address and time noted."""
    repo, tenant = call.repo, call.tenant
    target = repo.target(tenant, call.device)
    if target is None:
        return register(call), "target created"
    changed = ""
    address = address_of(call)
    if target.update_status == UpdateStatus.UNKNOWN or target.address != address:
        changed = "address changed"
        if target.update_status == UpdateStatus.UNKNOWN:
            changed = "target registered"
            target = replace(target, update_status=UpdateStatus.REGISTERED.value)
        target = replace(target, address=address)
        repo.save(tenant, target)
    call.note_poll()
    return target, changed


def _sleep(call: Call, target: Target, pending: Pending) -> str:
    repo = call.repo
    interval = interval_for(call, target)
    seconds = sleep_s(interval, repo.min_polling_s, repo.max_polling_s, repo.entropy.uniform)
    if pending.window_starts_at_ms is not None:
        until_s = (pending.window_starts_at_ms - call.now_us / US_PER_MS) / 1000
        seconds = window_sleep_s(seconds, until_s, call.config.window_poll_count, repo.min_polling_s)
    return sleep_text(seconds)
