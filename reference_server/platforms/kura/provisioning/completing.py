"""The end of a provision job: the first BIRTH in the target account (spec 1.6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.provisioning.installing import BundleInstaller
from fleetrig.reference_server.platforms.kura.provisioning.job_runs import JobRun
from fleetrig.reference_server.platforms.kura.state.attachments import bundles_of
from fleetrig.reference_server.platforms.kura.state.device_records import DEVICE, DeviceEvent
from fleetrig.reference_server.platforms.kura.state.devices import device_by_client
from fleetrig.reference_server.platforms.kura.state.events import record_event
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus, ProvisionRequest
from fleetrig.reference_server.platforms.kura.state.provision_requests import request_awaiting_birth, request_by_id
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_S

AGAIN_US: Final = 10 * US_PER_S
"""After a bundle that has failed: a device that refuses at once is not asked as fast as it answers."""


class JobCompletion:
    """Hears of every BIRTH that was taken."""

    def __init__(self, registry: Registry, installer: BundleInstaller) -> None:
        self._registry = registry
        self._installer = installer

    def is_expected(self, live: LiveClient) -> bool:
        """A provision job waits for this client, signed in as the user that was made for it."""
        return self._awaiting(live) is not None

    def born(self, live: LiveClient, now_us: int) -> Reaction:
        """COMPLETED, or first the bundles that could not be installed before."""
        request = self._awaiting(live)
        if request is None:
            return NOTHING
        run = JobRun(self._registry, request)
        if run.status in (JobStatus.CONF_UPDATED, JobStatus.APPS_INSTALLING) and request.attachments:
            bundles = bundles_of(self._registry, request.id)
            if bundles:
                return self._install(live, run, now_us)
        return self._complete(live, run, now_us)

    def _awaiting(self, live: LiveClient) -> ProvisionRequest | None:
        request = request_awaiting_birth(self._registry, live.scope_id, live.client_id)
        issued = None if request is None else request.job.issued
        return request if issued is not None and issued.target_user_id == live.user.id else None

    def _install(self, live: LiveClient, run: JobRun, from_us: int) -> Reaction:
        if self._installer.is_under_way(run.request_id):
            return NOTHING  # a second BIRTH on the same connection
        if run.status is JobStatus.CONF_UPDATED:
            run.to(JobStatus.APPS_INSTALLING)
        run.wait_without_end()
        run.save()
        request_id = run.request_id
        bundles = bundles_of(self._registry, request_id)
        self._installer.begin(
            request_id, live, bundles, lambda why, at_us: self._installed(live, request_id, why, at_us), from_us
        )
        return Reaction(device=live.client_id, changed=f"{len(bundles)} bundles to install", steps=tuple(run.steps))

    def _installed(self, live: LiveClient, request_id: str, why: str, now_us: int) -> Reaction:
        request = request_by_id(self._registry, request_id)
        if request is None or request.job.status is not JobStatus.APPS_INSTALLING:
            return Reaction(reason=why, device=live.client_id)
        run = JobRun(self._registry, request)
        if not why:
            run.to(JobStatus.APPS_INSTALLED)
            return self._complete(live, run, now_us)
        run.retry_installing()
        if run.status is JobStatus.FAILED:
            run.save()
            return Reaction(reason=why, device=live.client_id, steps=tuple(run.steps))
        tried = self._install(live, run, now_us + AGAIN_US)
        return replace(tried, reason=why)

    def _complete(self, live: LiveClient, run: JobRun, now_us: int) -> Reaction:
        run.complete()
        run.save()
        device = device_by_client(self._registry, live.scope_id, live.client_id)
        if device is not None:
            marked = replace(device, provisioned_us=now_us)
            self._registry.store.put(DEVICE, live.scope_id, marked)
            record_event(self._registry, marked, DeviceEvent(0, "", "", now_us, "PROVISIONED"))
        return Reaction(device=live.client_id, changed="device provisioned", steps=tuple(run.steps))
