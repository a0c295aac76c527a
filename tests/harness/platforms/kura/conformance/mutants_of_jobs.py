"""Mistakes in what becomes of a provision job, and of what is attached to it (S12 to S20, S40, P09 to P12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.kura import platform
from fleetrig.reference_server.platforms.kura.broker import broker
from fleetrig.reference_server.platforms.kura.provisioning import (
    completing,
    dialogue,
    issuing,
    job_runs,
)
from fleetrig.reference_server.platforms.kura.provisioning.completing import JobCompletion
from fleetrig.reference_server.platforms.kura.provisioning.dialogue import ProvisionDialogue
from fleetrig.reference_server.platforms.kura.provisioning.job_runs import JobRun
from fleetrig.reference_server.platforms.kura.provisioning.provision_errors import (
    Denial,
)
from fleetrig.reference_server.platforms.kura.state import installation, provision_jobs
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    REQUEST,
    JobStatus,
    ProvisionJob,
    ProvisionRequest,
)
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION
from fleetrig.reference_server.platforms.kura.state.settings import Settings
from tests.harness.conformance.code_changes import Change, giving, instead
from tests.harness.platforms.kura.conformance.mutants import mutant


def enabled_again(original: Any, request: ProvisionRequest, now_us: int) -> Denial | None:
    return None if request.job.status in (JobStatus.CREATED, JobStatus.SKIPPED) else original(request, now_us)


def without_counting(original: Any, registry: Any, request: ProvisionRequest, now_us: int) -> ProvisionRequest:
    failed: ProvisionRequest = original(registry, request, now_us)
    return replace(failed, job=replace(failed.job, retry_count=request.job.retry_count))


def with_attempts(more: int) -> Callable[..., ProvisionRequest]:
    def failed(original: Any, registry: Any, request: ProvisionRequest, now_us: int) -> ProvisionRequest:
        wanted = request.job.retry_max_attempts
        changed = replace(request, job=replace(request.job, retry_max_attempts=wanted + more))
        after: ProvisionRequest = original(registry, changed, now_us)
        return replace(after, job=replace(after.job, retry_max_attempts=wanted))

    return failed


def completed_at_confirm(original: Any, self: Any, exchange: Any, run: JobRun) -> Reaction:
    reaction: Reaction = original(self, exchange, run)
    run.complete()
    run.save()
    return reaction


def at_start(change: Callable[[ProvisionJob], ProvisionJob]) -> Change:
    """What the server makes of every job when it starts."""

    def opened(original: Any, registry: Any, now_us: int) -> Any:
        found = original(registry, now_us)
        for one in list(registry.store.scan(REQUEST, INSTALLATION)):
            registry.store.put(REQUEST, INSTALLATION, replace(one, job=change(one.job)))
        return found

    return platform, "open_installation", instead(opened)


def begun_anew(job: ProvisionJob) -> ProvisionJob:
    return ProvisionJob(job.id, retry_max_attempts=job.retry_max_attempts)


def given_out_anew(job: ProvisionJob) -> ProvisionJob:
    return replace(job, issued=None)


def opened_again(job: ProvisionJob) -> ProvisionJob:
    return begun_anew(job) if job.status.is_terminal else job


def as_if_all_were_installed(job: ProvisionJob) -> ProvisionJob:
    return replace(job, status=JobStatus.APPS_INSTALLED) if job.status is JobStatus.APPS_INSTALLING else job


def as_if_installed(original: Any, self: Any, request_id: str, why: str, now_us: int) -> Any:
    return original(self, request_id, "", now_us)


MUTANTS = (
    mutant("active at once", "S12", (ProvisionRequest, "is_not_yet_active", giving(False)), spares="S13"),
    mutant("nothing expires", "S13", (ProvisionRequest, "has_expired", giving(False)), spares="S12"),
    mutant("time does nothing to jobs", "S13 S20", (platform, "advance_jobs", giving([])), spares="S12"),
    mutant("disabled requests are served", "S14", (dialogue, "denial_of", instead(enabled_again)), bug=True,
           spares="S18"),
    mutant("what was issued stays good", "S17 S20", (provision_jobs, "void_issued", giving(None)), spares="S15 S18"),
    mutant("runs that fail are not counted", "S17 S18", (job_runs, "attempt_failed", instead(without_counting)),
           spares="S15"),
    mutant("one attempt more", "S18", (job_runs, "attempt_failed", instead(with_attempts(1))), spares="S17"),
    mutant("one attempt less", "S18", (job_runs, "attempt_failed", instead(with_attempts(-1))), spares="S17"),
    mutant("completed at confirm", "S19 S20 P02", (ProvisionDialogue, "_permitted", instead(completed_at_confirm)),
           spares="S06"),
    mutant("BIRTH completes nothing", "S19 S21 S22", (JobCompletion, "born", giving(NOTHING)), spares="S20"),
    mutant("no event PROVISIONED", "S19", (completing, "record_event", giving(None)), spares="S21"),
    mutant("the job has half its time", "S20", settings=Settings(job_timeout_s=150), spares="S19"),
    mutant("jobs are forgotten in a restart", "S40", at_start(begun_anew)),
    mutant("deadlines are forgotten in a restart", "S40", (installation, "load_deadlines", giving(None))),
    mutant("a restart makes void what was given out", "S40", at_start(given_out_anew),
           bug=True),
    mutant("a restart opens jobs that are over", "S40", at_start(opened_again)),
    mutant("a restart ends installations", "S40", at_start(as_if_all_were_installed)),
    mutant("a stop is not told to the gateway", "P12", (broker.KuraBroker, "_abort", giving(NOTHING)), silence=True,
           spares="S19"),
    mutant("a job is never STOPPED", "P12", (broker, "finish_stop", giving(NOTHING)), spares="S19"),
    # attachments
    mutant("bundles are forgotten at confirm", "P09 P11", (dialogue, "bundles_of", giving([])), spares="P02"),
    mutant("bundles are forgotten at BIRTH", "P10", (completing, "bundles_of", giving([])), spares="P09"),
    mutant("the configuration is not attached", "P09", (issuing, "attachments_of", giving([])), spares="S06"),
    mutant("a bundle that fails is installed", "P11", (ProvisionDialogue, "_installed", instead(as_if_installed)),
           spares="P09"),
)  # fmt: skip
