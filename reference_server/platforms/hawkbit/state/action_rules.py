"""The state machine of an action, as tables and pure functions. Who stores what comes out is `deployments`.

1. A device's report becomes one `Entry` of the history (`FEEDBACK`, `CANCEL_FEEDBACK`), whatever else happens.
2. The entry's status decides what becomes of the action and of its target (`after_feedback`, `after_cancel_feedback`).
3. Which action a device sees is `current`: of its active ones the heaviest, among equals the oldest (§2.1).

Rows and texts: docs/contracts/hawkbit.md §2.4-2.6, recordings S94-S111, S120, S129, S133.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state import maintenance
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action, ForceType, Status
from fleetrig.simulator.contract.clock import US_PER_MS

SERVER: Final = "Update Server: "
GREATEST_MESSAGE_CHARS: Final = 512
"""A longer message is cut into pieces of this length, each of which counts (§1.7)."""

RETRIEVED_UPDATE: Final = SERVER + "Target retrieved update action and should start now the download."
RETRIEVED_CANCEL: Final = SERVER + "Target retrieved cancel action and should start now the cancellation."
CANCEL_REQUESTED: Final = SERVER + "manual cancelation requested"
LAPSED: Final = "manual cancelation requested"
"""What the history says when a maintenance schedule lapsed; unlike the operator's, without the server's prefix."""
CANCEL_COMPLETED: Final = "Cancellation completion is finished successfully."
OVERRIDDEN: Final = SERVER + "cancel obsolete action due to new update"
CLOSED_BY_NEXT: Final = SERVER + "close obsolete action due to new update"
FORCE_QUIT: Final = SERVER + "A force quit has been performed."
OFFLINE: Final = SERVER + "Action reported as offline deployment"
WAITING: Final = "Waiting for the confirmation by the device before processing with the deployment"
CONFIRMED: Final = (
    SERVER + "Target confirmed action. Therefore, it will be set to the running state to proceed with the deployment."
)
DENIED: Final = SERVER + "Target rejected action. Action will stay in confirmation pending state."
REVOKED: Final = (
    SERVER + "Target revoked previously granted confirmation. Action returned to confirmation-pending state."
)


class Execution(StrEnum):
    """`status.execution` of a device's report (§2.5)."""

    CLOSED = "closed"
    PROCEEDING = "proceeding"
    CANCELED = "canceled"
    SCHEDULED = "scheduled"
    REJECTED = "rejected"
    RESUMED = "resumed"
    DOWNLOADED = "downloaded"
    DOWNLOAD = "download"


class Finished(StrEnum):
    """`status.result.finished`."""

    SUCCESS = "success"
    FAILURE = "failure"
    NONE = "none"


class Confirmation(StrEnum):
    CONFIRMED = "confirmed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a device reported. `timestamp_ms` None: it sent none."""

    execution: Execution
    finished: Finished
    details: tuple[str, ...] = ()
    code: int | None = None
    timestamp_ms: int | None = None

    @property
    def failed(self) -> bool:
        return self.finished is Finished.FAILURE


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the history that is about to be written."""

    status: Status
    messages: tuple[str, ...] = ()
    code: int | None = None
    timestamp_ms: int | None = None

    @property
    def is_final(self) -> bool:
        """Final entries are taken even when an action's history is full (§1.7)."""
        return self.status in (Status.FINISHED, Status.ERROR)


class TargetEffect(StrEnum):
    """What an entry means for the target."""

    NOTHING = "nothing"
    INSTALLED = "installed"
    FAILED = "failed"
    DOWNLOADED = "downloaded"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a feedback table: the entry's status, and the server's own text."""

    status: Status
    text: str


FEEDBACK: Final[Mapping[tuple[Execution, bool], Line]] = {
    (Execution.CLOSED, False): Line(Status.FINISHED, "Target reported CLOSED with OK!."),
    (Execution.CLOSED, True): Line(Status.ERROR, "Target reported CLOSED with ERROR!."),
    **{
        (execution, failed): line
        for failed in (False, True)
        for execution, line in {
            Execution.PROCEEDING: Line(Status.RUNNING, "Target reported PROCEEDING."),
            Execution.SCHEDULED: Line(Status.RUNNING, "Target reported SCHEDULED."),
            Execution.RESUMED: Line(Status.RUNNING, "Target reported RESUMED."),
            Execution.DOWNLOAD: Line(Status.DOWNLOAD, "Target confirmed download start."),
            Execution.DOWNLOADED: Line(Status.DOWNLOADED, "Target confirmed download finished."),
            Execution.CANCELED: Line(Status.CANCELED, "Target confirmed cancellation.."),
            Execution.REJECTED: Line(Status.WARNING, "Target REJECTED update."),
        }.items()
    },
}
"""(execution, whether `finished` was failure) -> entry. The text is written when the device gave none."""

CANCEL_RUNNING: Final = Line(Status.RUNNING, "")
CANCEL_FEEDBACK: Final[Mapping[tuple[Execution, bool], Line]] = {
    **{(execution, failed): CANCEL_RUNNING for execution in Execution for failed in (False, True)},
    (Execution.CLOSED, False): Line(Status.CANCELED, "Cancellation confirmed."),
    (Execution.CLOSED, True): Line(Status.ERROR, "Target was not able to complete cancellation."),
    **{
        (execution, failed): line
        for failed in (False, True)
        for execution, line in {
            Execution.REJECTED: Line(Status.CANCEL_REJECTED, "Target rejected the cancellation request."),
            Execution.CANCELED: Line(
                Status.WARNING, "Target reported cancel for a cancel which is not supported by the server."
            ),
        }.items()
    },
}
"""As `FEEDBACK`, for reports on a cancellation. The text, if any, always comes before what the device says."""


def feedback_entry(feedback: Feedback) -> Entry:
    """The history's line for a report on a deployment."""
    line = FEEDBACK[feedback.execution, feedback.failed]
    messages = (*feedback.details, *_code_message(feedback.code)) or (SERVER + line.text,)
    return Entry(line.status, messages, feedback.code, feedback.timestamp_ms)


def cancel_entry(feedback: Feedback, completed: str = CANCEL_COMPLETED) -> Entry:
    """The history's line for a report on a cancellation; `completed` is said at its end."""
    line = CANCEL_FEEDBACK[feedback.execution, feedback.failed]
    opening = (SERVER + line.text,) if line.text else ()
    closing = (SERVER + completed,) if line.status is Status.CANCELED else ()
    messages = (*opening, *feedback.details, *_code_message(feedback.code), *closing)
    return Entry(line.status, messages, feedback.code, feedback.timestamp_ms)


def confirmation_entry(action: Action, confirmation: Confirmation, details: tuple[str, ...], code: int | None) -> Entry:
    """The history's line for a confirmation or a denial (S120)."""
    closing = () if code is None else (f"Confirmation status code: {code}",)
    if confirmation is Confirmation.CONFIRMED:
        return Entry(Status.RUNNING, (*details, CONFIRMED, *closing), code)
    text = DENIED if action.waits_for_confirmation else REVOKED
    return Entry(Status.WAIT_FOR_CONFIRMATION, (*details, text, *closing), code)


def _code_message(code: int | None) -> tuple[str, ...]:
    return () if code is None else (f"Device reported status code: {code}",)


def changed(action: Action, **changes: object) -> Action:
    """The action with `changes` and the next revision; itself when nothing changes."""
    if all(getattr(action, name) == value for name, value in changes.items()):
        return action
    return replace(action, revision=action.revision + 1, **changes)  # type: ignore[arg-type]


def after_feedback(action: Action, entry: Entry) -> tuple[Action, TargetEffect]:
    """What a report on the deployment makes of an action; one that is being canceled can still be closed (S109)."""
    action = changed(action, last_status_code=entry.code)
    match entry.status:
        case Status.FINISHED:
            return changed(action, active=False, status=Status.FINISHED), TargetEffect.INSTALLED
        case Status.ERROR:
            return changed(action, active=False, status=Status.ERROR), TargetEffect.FAILED
        case Status.DOWNLOADED if action.is_download_only:
            return changed(action, active=False, status=Status.DOWNLOADED), TargetEffect.DOWNLOADED
        case _:
            return action, TargetEffect.NOTHING


def after_cancel_feedback(action: Action, entry: Entry) -> tuple[Action, TargetEffect]:
    """What a report on the cancellation makes of a canceling or canceled action."""
    match entry.status:
        case Status.CANCELED:
            return closed_as_canceled(action), TargetEffect.CANCELED
        case Status.ERROR | Status.CANCEL_REJECTED:
            return changed(action, status=Status.RUNNING), TargetEffect.NOTHING
        case _:
            return action, TargetEffect.NOTHING


def after_confirmation(action: Action, entry: Entry) -> Action:
    """What a confirmation or denial makes of an action."""
    return changed(action, status=entry.status, last_status_code=entry.code)


def after_retrieval(action: Action) -> Action:
    """The device read the action: also a finished or failed one becomes `retrieved` (S129), a canceling one not."""
    return action if action.is_cancel else changed(action, status=Status.RETRIEVED)


def closed_as_canceled(action: Action) -> Action:
    return changed(action, active=False, status=Status.CANCELED)


def current(active: Iterable[Action]) -> Action | None:
    """The one of a target's active actions that its device sees."""
    return min(active, key=lambda action: (-action.weight, action.id), default=None)


def split_messages(messages: Iterable[str]) -> tuple[str, ...]:
    """Messages cut into pieces of at most `GREATEST_MESSAGE_CHARS`, counted in UTF-16 as Java does."""
    pieces: list[str] = []
    for message in messages:
        units = message.encode("utf-16-le", "surrogatepass")
        cuts = range(0, len(units), 2 * GREATEST_MESSAGE_CHARS) if message else (0,)
        pieces.extend(units[cut : cut + 2 * GREATEST_MESSAGE_CHARS].decode("utf-16-le", "replace") for cut in cuts)
    return tuple(pieces)


def is_timed(action: Action) -> bool:
    """Whether a device sees another action as time goes by, though nobody writes anything."""
    return action.schedule is not None or action.force_type == ForceType.TIMEFORCED


def is_forced(action: Action, now_us: int) -> bool:
    """Forced, or time-forced and its time has come."""
    return action.force_type == ForceType.FORCED or time_has_come(action, now_us)


def time_has_come(action: Action, now_us: int) -> bool:
    return action.force_type == ForceType.TIMEFORCED and now_us // US_PER_MS >= action.force_time_ms


def window_of(action: Action) -> maintenance.Window | None:
    """The maintenance window, None without one or when it cannot be read."""
    if action.schedule is None or action.duration is None or action.timezone is None:
        return None
    return maintenance.window_of(action.schedule, action.duration, action.timezone)


def window_is_open(action: Action, now_us: int) -> bool:
    """True without a schedule."""
    if action.schedule is None:
        return True
    window = window_of(action)
    return window is not None and window.is_open(now_us)


def window_start_us(action: Action, now_us: int) -> int | None:
    """When the open or next window starts; None when there is none or it lapsed."""
    window = window_of(action)
    return None if window is None else window.next_start_us(now_us)


def is_lapsed(action: Action, now_us: int) -> bool:
    """The action has a schedule and no window is left: the next contact of its device cancels it (§2.2)."""
    return action.schedule is not None and window_start_us(action, now_us) is None


def cache_breaker(action: Action, now_us: int) -> int:
    """The signed 32-bit `?c=` of a link: another one after every change and when the action's time has come (§2.1)."""
    moment = 1231 if time_has_come(action, now_us) else 1237
    if action.schedule is not None and window_is_open(action, now_us):
        moment = 1249
    mixed = (31 * (31 * (31 * action.id + action.revision) + 0x5F3759DF) + moment) & 0xFFFFFFFF
    return mixed - (1 << 32) if mixed >= 1 << 31 else mixed
