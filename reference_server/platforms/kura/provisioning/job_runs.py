"""What messages of a device do to its provision job: each state is told to the trace when it is come to (spec 1.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.errors import IllegalMove
from fleetrig.reference_server.platforms.kura.state.provision_jobs import (
    MOVES,
    attempt_failed,
    completed,
    job_step,
    save_request,
)
from fleetrig.reference_server.platforms.kura.state.provision_records import Issued, JobStatus, ProvisionRequest
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_S

CREDENTIALS_CREATED: Final = "credentials_created"
"""A step of the trace: the device has a user in its account."""
STEPS: Final = {status: job_step(status) for status in JobStatus}


class JobRun:
    """A request on its way through a message: changed step by step, and made and saved once at the end.

    A frozen record costs more to make anew than all the rest of a step, and a message takes several.
    """

    def __init__(self, registry: Registry, request: ProvisionRequest) -> None:
        self._registry = registry
        self.steps: list[str] = []
        self._take(request)

    def _take(self, request: ProvisionRequest) -> None:
        self.kept = request
        """As it was read: all but its job is as it was."""
        job = request.job
        self.status = job.status
        self.issued = job.issued
        self._start_us = job.start_us
        self._deadline_us = job.deadline_us
        self._retry_count = job.retry_count
        self._moves = 0

    @property
    def request(self) -> ProvisionRequest:
        """As it is now."""
        job = replace(
            self.kept.job,
            status=self.status,
            issued=self.issued,
            start_us=self._start_us,
            deadline_us=self._deadline_us,
            retry_count=self._retry_count,
            optlock=self.kept.job.optlock + self._moves,
        )
        return replace(self.kept, job=job)

    @property
    def request_id(self) -> str:
        return self.kept.id

    @property
    def job_id(self) -> str:
        return self.kept.job.id

    def to(self, *statuses: JobStatus) -> None:
        """One after the other. Raises IllegalMove."""
        for status in statuses:
            if status not in MOVES[self.status]:
                raise IllegalMove(f"a provision job cannot go from {self.status} to {status}")
            self.status = status
            self._moves += 1
            self.steps.append(STEPS[status])

    def begin(self, now_us: int) -> None:
        """CREATED → STARTED → RUNNING; a job that runs already goes on."""
        if self.status is JobStatus.CREATED:
            self._start_us = now_us
            self.to(JobStatus.STARTED)
        if self.status is JobStatus.STARTED:
            self.to(JobStatus.RUNNING)

    def hand_out(self, issued: Issued) -> None:
        """The material is on its way."""
        self.steps.append(CREDENTIALS_CREATED)
        self.issued = issued
        self.to(JobStatus.CONF_UPDATING)

    def confirmed(self, reply: bytes, now_us: int) -> Issued:
        """All is staged, and the device may commit."""
        assert self.issued is not None, "only what was handed out is confirmed"
        self.issued = replace(self.issued, confirmed_us=now_us, confirm_reply_hex=reply.hex())
        return self.issued

    def fail(self, now_us: int) -> None:
        """RUNNING again, or FAILED."""
        self._take(attempt_failed(self._registry, self.request, now_us))
        self.steps.append(STEPS[self.status])

    def retry_installing(self) -> None:
        """The device is in its account already: its user stays. The job goes through its states again, or is FAILED."""
        most = self.kept.job.retry_max_attempts
        if self._retry_count >= most >= 0:
            self.to(JobStatus.FAILED)
            return
        self._retry_count += 1
        self.to(JobStatus.RUNNING, JobStatus.CONF_UPDATING, JobStatus.CONF_UPDATED)

    def complete(self) -> None:
        self._take(completed(self._registry, self.request))
        self.steps.append(STEPS[JobStatus.COMPLETED])

    def wait_without_end(self) -> None:
        """The device is in its account: what is waited for has times of its own.

        Whose connection ends meanwhile is waited for without end, as Kapua's own jobs wait in AWAITING_COMPLETION: to
        abandon the job would take away the user with whom the device is to come again.
        """
        self._deadline_us = None

    def heard(self, now_us: int) -> None:
        """The device is alive: its job gets the full time-out anew."""
        self._deadline_us = now_us + self._registry.settings.job_timeout_s * US_PER_S

    def save(self) -> ProvisionRequest:
        request = self.request
        save_request(self._registry, request)
        return request
