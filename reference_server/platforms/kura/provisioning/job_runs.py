"""What messages of a device do to its provision job: each state is told to the trace when it is come to (spec 1.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.provision_jobs import (
    attempt_failed,
    completed,
    extended,
    job_step,
    moved,
    save_request,
    started,
    with_issued,
)
from fleetrig.reference_server.platforms.kura.state.provision_records import Issued, JobStatus, ProvisionRequest
from fleetrig.reference_server.platforms.kura.state.registry import Registry

CREDENTIALS_CREATED: Final = "credentials_created"
"""A step of the trace: the device has a user in its account."""


class JobRun:
    """A request on its way through a message: changed step by step, saved once at the end."""

    def __init__(self, registry: Registry, request: ProvisionRequest) -> None:
        self._registry = registry
        self.request = request
        self.steps: list[str] = []

    @property
    def status(self) -> JobStatus:
        return self.request.job.status

    def to(self, *statuses: JobStatus) -> None:
        """One after the other. Raises IllegalMove."""
        for status in statuses:
            self.request = moved(self.request, status)
            self.steps.append(job_step(status))

    def begin(self, now_us: int) -> None:
        """CREATED → STARTED → RUNNING; a job that runs already is given its full time again."""
        if self.status is JobStatus.CREATED:
            self.request = started(self._registry, self.request, now_us)
            self.steps.append(job_step(JobStatus.STARTED))
        if self.status is JobStatus.STARTED:
            self.to(JobStatus.RUNNING)

    def hand_out(self, issued: Issued) -> None:
        """The material is on its way."""
        self.steps.append(CREDENTIALS_CREATED)
        self.request = with_issued(self.request, issued)
        self.to(JobStatus.CONF_UPDATING)

    def confirmed(self, reply: bytes, now_us: int) -> None:
        """All is staged, and the device may commit."""
        issued = self.request.job.issued
        assert issued is not None, "only what was handed out is confirmed"
        self.request = with_issued(self.request, replace(issued, confirmed_us=now_us, confirm_reply_hex=reply.hex()))

    def fail(self, now_us: int) -> None:
        """RUNNING again, or FAILED."""
        self.request = attempt_failed(self._registry, self.request, now_us)
        self.steps.append(job_step(self.status))

    def retry_installing(self, now_us: int) -> None:
        """The device is in its account already: its user stays. The job goes through its states again, or is FAILED."""
        job = self.request.job
        if job.retry_count >= job.retry_max_attempts >= 0:
            self.to(JobStatus.FAILED)
            return
        self.request = replace(self.request, job=replace(job, retry_count=job.retry_count + 1))
        self.to(JobStatus.RUNNING, JobStatus.CONF_UPDATING, JobStatus.CONF_UPDATED)

    def complete(self) -> None:
        self.request = completed(self._registry, self.request)
        self.steps.append(job_step(JobStatus.COMPLETED))

    def wait_without_end(self) -> None:
        """The device is there: what is waited for has times of its own."""
        self.request = replace(self.request, job=replace(self.request.job, deadline_us=None))

    def heard(self, now_us: int) -> None:
        """The device is alive: its job gets the full time-out anew."""
        self.request = extended(self._registry, self.request, now_us)

    def save(self) -> None:
        save_request(self._registry, self.request)
