"""The state machine of a provision job (spec 1.5): what may follow what, attempts, time-outs, what operators do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.credentials import credential_by_id, save_credential, unlocked
from fleetrig.reference_server.platforms.kura.state.errors import IllegalMove, Refused
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    REQUEST,
    Issued,
    JobFailure,
    JobStatus,
    ProvisionJob,
    ProvisionRequest,
    RequestStatus,
)
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION, CredentialStatus
from fleetrig.reference_server.platforms.kura.state.registry import Notice, NoticeKind, Registry
from fleetrig.reference_server.platforms.kura.state.users import delete_user, user_by_id
from fleetrig.simulator.contract.clock import US_PER_S, earliest_us

_ENDS: Final = frozenset({JobStatus.FAILED, JobStatus.ABANDONED, JobStatus.STOPPING})
"""What any running state can come to."""
MOVES: Final[Mapping[JobStatus, frozenset[JobStatus]]] = {
    JobStatus.CREATED: frozenset({JobStatus.STARTED, JobStatus.ABANDONED, JobStatus.SKIPPED}),
    JobStatus.STARTED: _ENDS | {JobStatus.RUNNING},
    JobStatus.RUNNING: _ENDS | {JobStatus.RUNNING, JobStatus.CONF_UPDATING},
    JobStatus.CONF_UPDATING: _ENDS | {JobStatus.RUNNING, JobStatus.CONF_UPDATED},
    JobStatus.CONF_UPDATED: _ENDS | {JobStatus.RUNNING, JobStatus.APPS_INSTALLING, JobStatus.COMPLETED},
    JobStatus.APPS_INSTALLING: _ENDS | {JobStatus.RUNNING, JobStatus.APPS_INSTALLED},
    JobStatus.APPS_INSTALLED: _ENDS | {JobStatus.RUNNING, JobStatus.COMPLETED},
    JobStatus.STOPPING: frozenset({JobStatus.STOPPED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.ABANDONED: frozenset(),
    JobStatus.SKIPPED: frozenset(),
    JobStatus.STOPPED: frozenset(),
}
"""The arrows of 1.5; without applications CONF_UPDATED goes right on to COMPLETED (1.6)."""
LOOK_AGAIN_US: Final = US_PER_S
STOP_S: Final = 5
"""How long a device that is told to abort keeps a job STOPPING."""


@dataclass(frozen=True, slots=True)
class JobMoved:
    """A job that time has moved, for the trace."""

    request: ProvisionRequest
    step: str
    reason: str


def job_step(status: JobStatus) -> str:
    """How the trace tells that a job has come to a status."""
    return f"job_{status.lower()}"


def moved(request: ProvisionRequest, status: JobStatus) -> ProvisionRequest:
    """The request with its job in another status, not yet saved. Raises IllegalMove."""
    job = request.job
    if status not in MOVES[job.status]:
        raise IllegalMove(f"a provision job cannot go from {job.status} to {status}")
    return replace(request, job=replace(job, status=status, optlock=job.optlock + 1))


def started(registry: Registry, request: ProvisionRequest, now_us: int) -> ProvisionRequest:
    """CREATED → STARTED: the device's message was accepted. Not yet saved."""
    begun = moved(request, JobStatus.STARTED)
    return extended(registry, replace(begun, job=replace(begun.job, start_us=now_us)), now_us)


def extended(registry: Registry, request: ProvisionRequest, now_us: int) -> ProvisionRequest:
    """The device was heard: its job gets the full time-out anew. Not yet saved."""
    deadline_us = now_us + registry.settings.job_timeout_s * US_PER_S
    return replace(request, job=replace(request.job, deadline_us=deadline_us))


def attempt_failed(registry: Registry, request: ProvisionRequest, now_us: int) -> ProvisionRequest:
    """An error in a running job: RUNNING again with one more retry, or FAILED at the last. What it had issued is void.

    Not yet saved; the user that was made for the device is gone at once.
    """
    void_issued(registry, request)
    job = replace(request.job, issued=None)
    if job.retry_count >= job.retry_max_attempts >= 0:
        failed = moved(replace(request, job=replace(job, failure=JobFailure.ATTEMPTS_EXHAUSTED)), JobStatus.FAILED)
        return replace(failed, job=replace(failed.job, deadline_us=None))
    status = job.status
    again = request if status is JobStatus.STARTED else moved(request, JobStatus.RUNNING)
    retried = replace(again.job, issued=None, retry_count=job.retry_count + 1)
    return extended(registry, replace(again, job=retried), now_us)


def completed(registry: Registry, request: ProvisionRequest) -> ProvisionRequest:
    """The first BIRTH has come to the target account: the bootstrap password is disabled (S-21). Not yet saved."""
    set_bootstrap_enabled(registry, request, False)
    done = moved(request, JobStatus.COMPLETED)
    return replace(done, job=replace(done.job, deadline_us=None))


def stopped(request: ProvisionRequest) -> ProvisionRequest:
    """STOPPING → STOPPED. Not yet saved."""
    ended = moved(request, JobStatus.STOPPED)
    return replace(ended, job=replace(ended.job, deadline_us=None, issued=None))


def with_issued(request: ProvisionRequest, issued: Issued | None) -> ProvisionRequest:
    """Not yet saved."""
    return replace(request, job=replace(request.job, issued=issued))


def void_issued(registry: Registry, request: ProvisionRequest) -> None:
    """The user that was made for the device is gone: what it was told is good no longer (S-17)."""
    issued = request.job.issued
    user = None if issued is None else user_by_id(registry, issued.target_user_id)
    if user is not None:
        delete_user(registry, user)


def set_bootstrap_enabled(registry: Registry, request: ProvisionRequest, is_enabled: bool) -> None:
    """Whether the device may sign in with the password of its request."""
    credential = credential_by_id(registry, request.credential_id)
    status = CredentialStatus.ENABLED if is_enabled else CredentialStatus.DISABLED
    if credential is not None and credential.status is not status:
        save_credential(registry, replace(credential, status=status))


def save_request(registry: Registry, request: ProvisionRequest) -> None:
    """Keeps it, and notes when its job has to be looked at again."""
    registry.store.put(REQUEST, INSTALLATION, request)
    note_deadline(registry, request)


def note_deadline(registry: Registry, request: ProvisionRequest) -> None:
    """Once the transaction is committed; a request without a job to wait for needs none."""
    job = request.job
    due_us = job.deadline_us
    if job.status is JobStatus.CREATED:
        due_us = earliest_us(request.expires_us, due_us)

    def settled(committed: bool) -> None:
        if committed and due_us is not None:
            registry.job_deadlines.put(request.id, due_us)
        elif committed:
            registry.job_deadlines.cancel(request.id)

    registry.store.when_settled(settled)


def load_deadlines(registry: Registry) -> None:
    """After a start: what jobs of an earlier process wait for."""
    for request in registry.store.scan(REQUEST, INSTALLATION):
        if not request.job.status.is_terminal:
            note_deadline(registry, request)


def next_due_us(registry: Registry) -> int | None:
    return registry.job_deadlines.next_due_us()


def advance_jobs(registry: Registry, now_us: int) -> list[JobMoved]:
    """What time does to jobs: ABANDONED at the end of a request or of patience, FAILED without a BIRTH, STOPPED."""
    told = []
    while (request_id := registry.job_deadlines.pop_due(now_us)) is not None:
        _look_again_unless_kept(registry, request_id, now_us)
        request = registry.store.get(REQUEST, INSTALLATION, request_id)
        if request is not None and (out := _out_of_time(registry, request, now_us)) is not None:
            save_request(registry, out.request)
            told.append(out)
    return told


def _look_again_unless_kept(registry: Registry, request_id: str, now_us: int) -> None:
    """What cannot be kept now has to be looked at again."""

    def settled(committed: bool) -> None:
        if not committed:
            registry.job_deadlines.put(request_id, now_us + LOOK_AGAIN_US)

    registry.store.when_settled(settled)


def _out_of_time(registry: Registry, request: ProvisionRequest, now_us: int) -> JobMoved | None:
    job = request.job
    if job.status is JobStatus.CREATED and request.has_expired(now_us):
        return _ended(request, JobStatus.ABANDONED, "the provision request has expired before the device came")
    if job.deadline_us is None or now_us < job.deadline_us:
        return None
    if job.status is JobStatus.STOPPING:
        return _ended(request, JobStatus.STOPPED, "the device has not answered the abort")
    if not job.status.is_running:
        return None
    void_issued(registry, request)
    if job.issued is not None and job.issued.confirmed_us is not None:
        set_bootstrap_enabled(registry, request, True)
        failed = replace(request, job=replace(job, failure=JobFailure.NO_BIRTH))
        return _ended(failed, JobStatus.FAILED, "the device has confirmed and never came to its account")
    return _ended(request, JobStatus.ABANDONED, "the device was not heard for the job's time-out")


def _ended(request: ProvisionRequest, status: JobStatus, reason: str) -> JobMoved:
    ended = moved(request, status)
    job: ProvisionJob = replace(ended.job, deadline_us=None, issued=None)
    return JobMoved(replace(ended, job=job), job_step(status), reason)


# An administrator's deeds


def stop_job(registry: Registry, request: ProvisionRequest, now_us: int) -> ProvisionRequest:
    """STOPPING; a job that has not begun is SKIPPED. Raises Refused when it is over. Saved."""
    if request.job.status is JobStatus.CREATED:
        ended = moved(request, JobStatus.SKIPPED)
    elif request.job.status.is_running and request.job.status is not JobStatus.STOPPING:
        void_issued(registry, request)
        ended = moved(request, JobStatus.STOPPING)
        deadline_us = now_us + STOP_S * US_PER_S
        ended = replace(ended, job=replace(ended.job, deadline_us=deadline_us, issued=None))
        registry.notify(Notice(NoticeKind.JOB_STOPPING, request.scope_id, request.client_id, request.id))
    else:
        raise _not_now("stop", request)
    save_request(registry, ended)
    return ended


def reset_job(registry: Registry, request: ProvisionRequest, now_us: int) -> ProvisionRequest:
    """A job that is over begins anew at CREATED; the bootstrap password is good again. Raises Refused. Saved."""
    if not request.job.status.is_terminal:
        raise _not_now("reset", request)
    job = request.job
    fresh = ProvisionJob(
        registry.new_id(),
        job_type=job.job_type,
        display_name=job.display_name,
        retry_max_attempts=job.retry_max_attempts,
        created_us=now_us,
        created_by=job.created_by,
    )
    set_bootstrap_enabled(registry, request, True)
    credential = credential_by_id(registry, request.credential_id)
    if credential is not None:
        save_credential(registry, unlocked(credential))
    renewed = replace(request, job=fresh, optlock=request.optlock + 1)
    save_request(registry, renewed)
    return renewed


def skipped_if_disabled(request: ProvisionRequest) -> ProvisionRequest:
    """A job that has not begun is SKIPPED when its request is disabled. Not yet saved."""
    if request.status is RequestStatus.DISABLED and request.job.status is JobStatus.CREATED:
        return moved(request, JobStatus.SKIPPED)
    return request


def _not_now(deed: str, request: ProvisionRequest) -> Refused:
    error = f"The provision job is {request.job.status}."
    why = f"cannot {deed} the provision job of {request.client_id}: it is {request.job.status}"
    return Refused(409, "PROVISION_JOB_STATUS", error, why)
