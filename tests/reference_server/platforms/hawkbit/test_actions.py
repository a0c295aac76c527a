"""The whole feedback table, the whole cancel table, confirmation, and which action is current (§2.1, §2.5-2.7)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hawkbit.state import action_rules
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action, ForceType, Status
from fleetrig.reference_server.platforms.hawkbit.state.action_rules import (
    Confirmation,
    Execution,
    Feedback,
    Finished,
    TargetEffect,
    after_cancel_feedback,
    after_confirmation,
    after_feedback,
    after_retrieval,
    cache_breaker,
    cancel_entry,
    confirmation_entry,
    current,
    feedback_entry,
    is_forced,
    is_lapsed,
    split_messages,
)

NOW_US = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
SERVER = "Update Server: "


def action(**changes) -> Action:
    fields = {
        "id": 7, "created_by": "admin", "created_at_ms": 1, "modified_by": "admin", "modified_at_ms": 1,
        "controller_id": "dev", "set_id": 3, "status": Status.RUNNING, "active": True,
    }  # fmt: skip
    return Action(**{**fields, **changes})


def report(execution: Execution, finished: Finished = Finished.NONE, **changes) -> Feedback:
    return Feedback(execution, finished, **changes)


FEEDBACK_ROWS = [
    # execution, finished, entry, text, action's status afterwards, still active, effect on the target
    ("closed", "success", "finished", "Target reported CLOSED with OK!.", "finished", False, TargetEffect.INSTALLED),
    ("closed", "none", "finished", "Target reported CLOSED with OK!.", "finished", False, TargetEffect.INSTALLED),
    ("closed", "failure", "error", "Target reported CLOSED with ERROR!.", "error", False, TargetEffect.FAILED),
    *[
        (execution, finished, entry, text, "running", True, TargetEffect.NOTHING)
        for finished in ("success", "none", "failure")
        for execution, entry, text in [
            ("proceeding", "running", "Target reported PROCEEDING."),
            ("scheduled", "running", "Target reported SCHEDULED."),
            ("resumed", "running", "Target reported RESUMED."),
            ("download", "download", "Target confirmed download start."),
            ("downloaded", "downloaded", "Target confirmed download finished."),
            ("canceled", "canceled", "Target confirmed cancellation.."),
            ("rejected", "warning", "Target REJECTED update."),
        ]
    ],
]


@pytest.mark.parametrize(("execution", "finished", "entry", "text", "status", "active", "effect"), FEEDBACK_ROWS)
def test_feedback_table(execution, finished, entry, text, status, active, effect):
    line = feedback_entry(report(Execution(execution), Finished(finished)))
    after, target = after_feedback(action(), line)
    assert (line.status, line.messages) == (entry, (SERVER + text,))
    assert (after.status, after.active, target) == (status, active, effect)


def test_the_feedback_table_has_no_hole():
    assert {(row[0], row[1]) for row in FEEDBACK_ROWS} == {(e.value, f.value) for e in Execution for f in Finished}


def test_a_device_that_says_something_is_quoted():
    line = feedback_entry(report(Execution.PROCEEDING, details=("a", "b"), code=200, timestamp_ms=5))
    assert line.messages == ("a", "b", "Device reported status code: 200")
    assert (line.code, line.timestamp_ms) == (200, 5)
    assert after_feedback(action(), line)[0].last_status_code == 200


def test_downloaded_ends_a_download_only_action():
    line = feedback_entry(report(Execution.DOWNLOADED))
    after, effect = after_feedback(action(force_type=ForceType.DOWNLOADONLY), line)
    assert (after.status, after.active, effect) == ("downloaded", False, TargetEffect.DOWNLOADED)


def test_closing_a_canceling_action_wins():
    after, effect = after_feedback(action(status=Status.CANCELING), feedback_entry(report(Execution.CLOSED)))
    assert (after.status, after.active, effect) == ("finished", False, TargetEffect.INSTALLED)


def test_other_reports_leave_a_canceling_action_canceling():
    after, _ = after_feedback(action(status=Status.CANCELING), feedback_entry(report(Execution.PROCEEDING)))
    assert after.status == "canceling"


CANCEL_ROWS = [
    ("closed", "success", "canceled", ["Cancellation confirmed.", "Cancellation completion is finished successfully."],
     "canceled", False, TargetEffect.CANCELED),
    ("closed", "none", "canceled", ["Cancellation confirmed.", "Cancellation completion is finished successfully."],
     "canceled", False, TargetEffect.CANCELED),
    ("closed", "failure", "error", ["Target was not able to complete cancellation."],
     "running", True, TargetEffect.NOTHING),
    *[
        row
        for finished in ("success", "none", "failure")
        for row in [
            ("rejected", finished, "cancel_rejected", ["Target rejected the cancellation request."],
             "running", True, TargetEffect.NOTHING),
            ("canceled", finished, "warning",
             ["Target reported cancel for a cancel which is not supported by the server."],
             "canceling", True, TargetEffect.NOTHING),
            *[(other, finished, "running", [], "canceling", True, TargetEffect.NOTHING)
              for other in ("proceeding", "scheduled", "resumed", "download", "downloaded")],
        ]
    ],
]  # fmt: skip


@pytest.mark.parametrize(("execution", "finished", "entry", "texts", "status", "active", "effect"), CANCEL_ROWS)
def test_cancel_table(execution, finished, entry, texts, status, active, effect):
    line = cancel_entry(report(Execution(execution), Finished(finished)))
    after, target = after_cancel_feedback(action(status=Status.CANCELING), line)
    assert (line.status, line.messages) == (entry, tuple(SERVER + text for text in texts))
    assert (after.status, after.active, target) == (status, active, effect)


def test_the_cancel_table_has_no_hole():
    assert {(row[0], row[1]) for row in CANCEL_ROWS} == {(e.value, f.value) for e in Execution for f in Finished}


def test_the_server_speaks_first_on_a_cancellation():
    line = cancel_entry(report(Execution.CLOSED, details=("cancellation acknowledged.",), code=3))
    assert line.messages == (
        SERVER + "Cancellation confirmed.",
        "cancellation acknowledged.",
        "Device reported status code: 3",
        SERVER + "Cancellation completion is finished successfully.",
    )


def test_confirmation_and_denial():
    waiting = action(status=Status.WAIT_FOR_CONFIRMATION)
    denied = confirmation_entry(waiting, Confirmation.DENIED, ("not now",), 1)
    assert denied.messages == ("not now", action_rules.DENIED, "Confirmation status code: 1")
    assert after_confirmation(waiting, denied).status == Status.WAIT_FOR_CONFIRMATION
    confirmed = confirmation_entry(waiting, Confirmation.CONFIRMED, (), None)
    running = after_confirmation(waiting, confirmed)
    assert (confirmed.messages, running.status) == ((action_rules.CONFIRMED,), Status.RUNNING)
    revoked = confirmation_entry(running, Confirmation.DENIED, (), None)
    assert revoked.messages == (action_rules.REVOKED,)
    assert after_confirmation(running, revoked).status == Status.WAIT_FOR_CONFIRMATION


@pytest.mark.parametrize("status", [Status.RUNNING, Status.FINISHED, Status.ERROR])
def test_reading_makes_retrieved_even_of_a_finished_action(status):
    after = after_retrieval(action(status=status, active=status == Status.RUNNING))
    assert (after.status, after.active) == ("retrieved", status == Status.RUNNING)


@pytest.mark.parametrize("status", [Status.CANCELING, Status.CANCELED])
def test_reading_leaves_a_canceled_action_alone(status):
    assert after_retrieval(action(status=status)).status == status


def test_the_current_action_is_the_heaviest_then_the_oldest():
    light, old, young = action(id=1, weight=10), action(id=2), action(id=3)
    assert current([young, light, old]) == old
    assert current([light]) == light
    assert current([action(id=4, weight=500), action(id=5, weight=501)]) == action(id=5, weight=501)
    assert current([]) is None


def test_forced():
    now_ms = NOW_US // 1000
    assert is_forced(action(), NOW_US)
    assert not is_forced(action(force_type=ForceType.SOFT), NOW_US)
    assert not is_forced(action(force_type=ForceType.DOWNLOADONLY), NOW_US)
    assert not is_forced(action(force_type=ForceType.TIMEFORCED, force_time_ms=now_ms + 1), NOW_US)
    assert is_forced(action(force_type=ForceType.TIMEFORCED, force_time_ms=now_ms), NOW_US)


def test_the_cache_breaker_changes_when_the_device_should_look_again():
    soft = action(force_type=ForceType.SOFT)
    forced = action_rules.changed(soft, force_type=ForceType.FORCED)
    assert cache_breaker(soft, NOW_US) == cache_breaker(soft, NOW_US + 1)
    assert cache_breaker(soft, NOW_US) != cache_breaker(forced, NOW_US)
    timed = action(force_type=ForceType.TIMEFORCED, force_time_ms=NOW_US // 1000)
    assert cache_breaker(timed, NOW_US - 1000) != cache_breaker(timed, NOW_US)
    windowed = action(schedule="0 0 12 21 11 ? 2026", duration="00:10:00", timezone="+00:00")
    assert cache_breaker(windowed, NOW_US) != cache_breaker(windowed, NOW_US + 1)


@pytest.mark.parametrize("number", [1, 2**20, 2**31 - 1])
def test_the_cache_breaker_is_a_signed_int(number):
    values = [cache_breaker(action(id=number, revision=revision), NOW_US) for revision in range(1, 200)]
    assert all(-(2**31) <= value < 2**31 for value in values)
    assert len(set(values)) == len(values)


def test_a_schedule_lapses():
    windowed = action(schedule="0 0 12 21 11 ? 2026", duration="00:10:00", timezone="+00:00")
    assert not is_lapsed(windowed, NOW_US)
    assert is_lapsed(windowed, NOW_US + 600_000_000)
    assert not is_lapsed(action(), NOW_US)


def test_long_messages_are_split():
    assert [len(piece) for piece in split_messages(["x" * 1100, "", "y" * 512])] == [512, 512, 76, 0, 512]


def test_nothing_changed_keeps_the_revision():
    one = action()
    assert action_rules.changed(one, status=Status.RUNNING) is one
    assert action_rules.changed(one, status=Status.RETRIEVED).revision == one.revision + 1
