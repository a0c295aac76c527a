"""The state machine of provision jobs, and that it outlives a restart in every state (spec 1.5; S-18 to S-22, S-40)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.kura.state.credentials import credential_by_id
from fleetrig.reference_server.platforms.kura.state.errors import IllegalMove, LoginRefused, Refused
from fleetrig.reference_server.platforms.kura.state.provision_jobs import (
    MOVES,
    advance_jobs,
    attempt_failed,
    completed,
    job_step,
    moved,
    next_due_us,
    reset_job,
    save_request,
    set_bootstrap_enabled,
    started,
    stop_job,
    stopped,
    with_issued,
)
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    Issued,
    JobFailure,
    JobStatus,
    ProvisionRequest,
    RequestStatus,
)
from fleetrig.reference_server.platforms.kura.state.provision_requests import (
    RequestChange,
    RequestDraft,
    create_request,
    delete_request,
    request_awaiting_birth,
    request_by_id,
    update_request,
)
from fleetrig.reference_server.platforms.kura.state.records import CredentialStatus
from fleetrig.reference_server.platforms.kura.state.registry import NoticeKind
from fleetrig.reference_server.platforms.kura.state.sign_in import sign_in_to_provision
from fleetrig.reference_server.platforms.kura.state.target_users import issue_target_user
from fleetrig.reference_server.platforms.kura.state.users import user_by_id
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.simulator.contract.clock import US_PER_S
from tests.reference_server.platforms.kura.rest_rig import RestRig

S = JobStatus
ARROWS = {
    (S.CREATED, S.STARTED), (S.CREATED, S.ABANDONED), (S.CREATED, S.SKIPPED), (S.STARTED, S.RUNNING),
    (S.RUNNING, S.CONF_UPDATING), (S.CONF_UPDATING, S.CONF_UPDATED), (S.CONF_UPDATED, S.APPS_INSTALLING),
    (S.CONF_UPDATED, S.COMPLETED), (S.APPS_INSTALLING, S.APPS_INSTALLED), (S.APPS_INSTALLED, S.COMPLETED),
    (S.STOPPING, S.STOPPED),
}  # fmt: skip
WORKING = (S.STARTED, S.RUNNING, S.CONF_UPDATING, S.CONF_UPDATED, S.APPS_INSTALLING, S.APPS_INSTALLED)
ARROWS |= {(one, end) for one in WORKING for end in (S.FAILED, S.ABANDONED, S.STOPPING, S.RUNNING)}
TERMINAL = (S.COMPLETED, S.FAILED, S.ABANDONED, S.SKIPPED, S.STOPPED)
PATH = (S.STARTED, S.RUNNING, S.CONF_UPDATING, S.CONF_UPDATED, S.APPS_INSTALLING, S.APPS_INSTALLED, S.COMPLETED)


def made(rig: RestRig, **members: object) -> ProvisionRequest:
    draft = replace(RequestDraft(rig.scope(), "gw-1", "boot", "secret", retry_max_attempts=2), **members)  # type: ignore[arg-type]
    with rig.store.transaction():
        return create_request(rig.registry, draft, rig.now_us, "AQ")


def in_status(rig: RestRig, request: ProvisionRequest, status: JobStatus) -> ProvisionRequest:
    found = replace(request, job=replace(request.job, status=status))
    save_request(rig.registry, found)
    return found


def begun(rig: RestRig, request: ProvisionRequest, *, is_confirmed: bool = False) -> ProvisionRequest:
    """Material was given out, to a user of its own."""
    with rig.store.transaction():
        user, _ = issue_target_user(rig.registry, request, rig.now_us)
        issued = Issued("aa", "bb", user.id, rig.now_us, rig.now_us if is_confirmed else None)
        running = moved(started(rig.registry, request, rig.now_us), S.RUNNING)
        running = moved(moved(with_issued(running, issued), S.CONF_UPDATING), S.CONF_UPDATED)
        save_request(rig.registry, running)
    return running


def now(rig: RestRig, request: ProvisionRequest) -> ProvisionRequest:
    found = request_by_id(rig.registry, request.id)
    assert found is not None
    return found


def passes(rig: RestRig, seconds: float) -> list[str]:
    rig.later(seconds)
    with rig.store.transaction():
        return [one.step for one in advance_jobs(rig.registry, rig.now_us)]


def test_there_are_13_states() -> None:
    assert len(JobStatus) == 13
    assert set(MOVES) == set(JobStatus)
    assert {one for one in JobStatus if one.is_terminal} == set(TERMINAL)


def test_arrows() -> None:
    """All of them, and no others."""
    request = made(RestRig())
    taken = set()
    for before, after in product(JobStatus, JobStatus):
        try:
            changed = moved(replace(request, job=replace(request.job, status=before)), after)
        except IllegalMove:
            continue
        assert (changed.job.status, changed.job.optlock) == (after, request.job.optlock + 1)
        taken.add((before, after))

    assert taken == ARROWS


def test_steps_are_told_by_name() -> None:
    assert [job_step(one) for one in PATH[:3]] == ["job_started", "job_running", "job_conf_updating"]


def test_three_failures_exhaust_two_retries() -> None:
    """S-18; what was given out is void each time (S-17)."""
    rig = RestRig()
    request = made(rig)
    seen: list[tuple[JobStatus, int, JobFailure]] = []
    for _ in range(3):
        running = begun(rig, request) if not seen else with_issued(request, begun_again(rig, request))
        user_id = running.job.issued.target_user_id if running.job.issued else ""
        assert user_by_id(rig.registry, user_id) is not None
        with rig.store.transaction():
            request = attempt_failed(rig.registry, running, rig.now_us)
            save_request(rig.registry, request)
        assert user_by_id(rig.registry, user_id) is None
        assert request.job.issued is None
        seen.append((request.job.status, request.job.retry_count, request.job.failure))

    assert seen == [
        (S.RUNNING, 1, JobFailure.NONE),
        (S.RUNNING, 2, JobFailure.NONE),
        (S.FAILED, 2, JobFailure.ATTEMPTS_EXHAUSTED),
    ]
    assert next_due_us(rig.registry) is None


def begun_again(rig: RestRig, request: ProvisionRequest) -> Issued:
    with rig.store.transaction():
        return Issued("cc", "dd", issue_target_user(rig.registry, request, rig.now_us)[0].id)


def test_minus_one_retries_for_ever() -> None:
    rig = RestRig()
    request = in_status(rig, made(rig, retry_max_attempts=-1), S.RUNNING)

    for _ in range(50):
        request = attempt_failed(rig.registry, request, rig.now_us)

    assert (request.job.status, request.job.retry_count) == (S.RUNNING, 50)


class TestTime:
    def test_an_expired_request_is_abandoned(self) -> None:
        """S-13."""
        rig = RestRig()
        request = made(rig, expires_us=rig.now_us + 60 * US_PER_S)

        assert passes(rig, 59.9) == []
        assert passes(rig, 0.1) == ["job_abandoned"]
        assert now(rig, request).job.status is S.ABANDONED

    def test_one_without_a_date_waits_for_ever(self) -> None:
        rig = RestRig()
        made(rig)

        assert next_due_us(rig.registry) is None

    def test_silence_abandons_a_job_that_runs(self) -> None:
        rig = RestRig()
        request = begun(rig, made(rig))
        user_id = request.job.issued.target_user_id if request.job.issued else ""

        assert passes(rig, 299.9) == []
        assert passes(rig, 0.1) == ["job_abandoned"]
        assert user_by_id(rig.registry, user_id) is None

    def test_no_birth_is_a_failure_and_lets_the_bootstrap_in_again(self) -> None:
        """S-20."""
        rig = RestRig()
        request = begun(rig, made(rig), is_confirmed=True)
        set_bootstrap_enabled(rig.registry, request, False)

        assert passes(rig, 300) == ["job_failed"]
        assert now(rig, request).job.failure is JobFailure.NO_BIRTH
        found = credential_by_id(rig.registry, request.credential_id)
        assert found is not None
        assert found.status is CredentialStatus.ENABLED

    def test_a_stop_that_is_not_answered_ends_by_itself(self) -> None:
        rig = RestRig()
        request = begun(rig, made(rig))
        with rig.store.transaction():
            stop_job(rig.registry, request, rig.now_us)

        assert now(rig, request).job.status is S.STOPPING
        assert [one.kind for one in rig.registry.take_notices()] == [NoticeKind.JOB_STOPPING]
        assert passes(rig, 5) == ["job_stopped"]

    @pytest.mark.parametrize("status", TERMINAL)
    def test_what_is_over_stays(self, status: JobStatus) -> None:
        rig = RestRig()
        in_status(rig, made(rig, expires_us=rig.now_us + 10 * US_PER_S), status)

        assert passes(rig, 1_000) == []


class TestOperator:
    def test_completed_disables_the_bootstrap(self) -> None:
        """S-19, S-21."""
        rig = RestRig()
        request = begun(rig, made(rig), is_confirmed=True)
        assert request_awaiting_birth(rig.registry, rig.scope(), "gw-1") == request
        with rig.store.transaction():
            save_request(rig.registry, completed(rig.registry, request))

        assert request_awaiting_birth(rig.registry, rig.scope(), "gw-1") is None
        with pytest.raises(LoginRefused):
            sign_in_to_provision(rig.registry, "gw-1", "boot", "secret", rig.now_us)
        credential = credential_by_id(rig.registry, request.credential_id)
        assert credential is not None
        assert credential.status is CredentialStatus.DISABLED
        with rig.store.transaction():
            fresh = reset_job(rig.registry, now(rig, request), rig.now_us)
        assert sign_in_to_provision(rig.registry, "gw-1", "boot", "secret", rig.now_us) == fresh

    def test_overwriting_lets_the_device_in_again(self) -> None:
        """S-22."""
        rig = RestRig()
        request = begun(rig, made(rig))
        with rig.store.transaction():
            save_request(rig.registry, completed(rig.registry, request))
        target = request.job.issued.target_user_id if request.job.issued else ""

        again = made(rig, overwrite_if_duplicate=True)

        assert sign_in_to_provision(rig.registry, "gw-1", "boot", "secret", rig.now_us) == again
        assert request_by_id(rig.registry, request.id) is None
        assert user_by_id(rig.registry, target) is not None, "the device is in use with it"

    def test_a_running_job_that_is_overwritten_is_void(self) -> None:
        rig = RestRig()
        request = begun(rig, made(rig))
        target = request.job.issued.target_user_id if request.job.issued else ""

        made(rig, overwrite_if_duplicate=True)

        assert user_by_id(rig.registry, target) is None
        assert [one.kind for one in rig.registry.take_notices()] == [NoticeKind.REQUEST_GONE]

    @pytest.mark.parametrize("status", TERMINAL)
    def test_reset(self, status: JobStatus) -> None:
        rig = RestRig()
        request = in_status(rig, made(rig), status)
        with rig.store.transaction():
            fresh = reset_job(rig.registry, request, rig.now_us)

        assert (fresh.job.status, fresh.job.retry_count, fresh.job.failure) == (S.CREATED, 0, JobFailure.NONE)
        assert fresh.job.id != request.job.id
        assert sign_in_to_provision(rig.registry, "gw-1", "boot", "secret", rig.now_us) == fresh

    @pytest.mark.parametrize("status", [one for one in JobStatus if one not in TERMINAL])
    def test_no_reset_while_it_is_not_over(self, status: JobStatus) -> None:
        rig = RestRig()
        request = in_status(rig, made(rig), status)

        with pytest.raises(Refused) as refused:
            reset_job(rig.registry, request, rig.now_us)
        assert refused.value.status == 409

    @pytest.mark.parametrize("status", [*TERMINAL, S.STOPPING])
    def test_no_stop_of_what_is_over(self, status: JobStatus) -> None:
        rig = RestRig()
        request = in_status(rig, made(rig), status)

        with pytest.raises(Refused):
            stop_job(rig.registry, request, rig.now_us)

    def test_a_stop_before_it_has_begun_skips_it(self) -> None:
        rig = RestRig()

        assert stop_job(rig.registry, made(rig), rig.now_us).job.status is S.SKIPPED

    def test_stopped_is_the_end(self) -> None:
        rig = RestRig()
        ended = stopped(stop_job(rig.registry, begun(rig, made(rig)), rig.now_us))

        assert (ended.job.status, ended.job.deadline_us, ended.job.issued) == (S.STOPPED, None, None)

    @pytest.mark.parametrize(("status", "after"), [(S.CREATED, S.SKIPPED), (S.RUNNING, S.RUNNING)])
    def test_disabling_skips_what_has_not_begun(self, status: JobStatus, after: JobStatus) -> None:
        rig = RestRig()
        request = in_status(rig, made(rig), status)
        change = RequestChange(RequestStatus.DISABLED, None, None, 2, False)

        assert update_request(rig.registry, request, change, 1, rig.now_us, "AQ").job.status is after

    def test_deleting_takes_all_with_it(self) -> None:
        rig = RestRig()
        request = made(rig, expires_us=rig.now_us + US_PER_S)
        with rig.store.transaction():
            delete_request(rig.registry, request)

        assert next_due_us(rig.registry) is None
        assert user_by_id(rig.registry, request.provision_user_id) is None
        assert credential_by_id(rig.registry, request.credential_id) is None
        totals = rig.store.totals()
        assert "kura.provision_request" not in totals
        assert "kura.attachment" not in totals


@pytest.fixture
def reopened(tmp_path: Path) -> Callable[[RestRig], RestRig]:
    """Another process over the same file."""
    path = tmp_path / "kura.db"

    def reopen(rig: RestRig) -> RestRig:
        rig.store.close()
        rig.use(SqliteStore(path), SeededEntropy(2))
        return rig

    return reopen


@pytest.mark.parametrize("status", list(JobStatus))
def test_a_restart_in_each_state(status: JobStatus, reopened: Callable[[RestRig], RestRig]) -> None:
    """S-40: state, attempts and the bytes of the idempotent reply are there again, and its time-out goes on."""
    rig = reopened(RestRig())
    issued = Issued("00ff", "c2b802", "user", rig.now_us, rig.now_us, "c2b803")
    request = made(rig)
    job = replace(request.job, status=status, retry_count=1, issued=issued, deadline_us=rig.now_us + 7 * US_PER_S)
    with rig.store.transaction():
        save_request(rig.registry, replace(request, job=job))

    rig = reopened(rig)

    assert now(rig, request).job == job
    ends = {S.STOPPING: ["job_stopped"], **{one: ["job_failed"] for one in WORKING}}
    assert passes(rig, 7) == ends.get(status, [])
    rig.store.close()
