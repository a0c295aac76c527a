"""One deployment on a hawkBit device: download, verify, install, report.

The device writes down how far it has come (`Progress`), so nothing is done twice. What was *done* is remembered before
it is reported: after a power cut, or an answer that got lost, the server offers the action again, and the device only
repeats the report (V25, V27). What was *heard* is remembered after the answer: a report may come twice, but never not
at all, and a device that waits for its maintenance window does not report at every poll (V18, V20).
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Final

from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.hawkbit.cancel import called_off_meanwhile
from fleetrig.simulator.flows.hawkbit.device import Contact, Progress
from fleetrig.simulator.flows.hawkbit.download import fetch_all
from fleetrig.simulator.flows.hawkbit.feedback import Heard, report
from fleetrig.simulator.flows.hawkbit.job import DONE, LATER, STOPPED, End, Job, Result, Work, failed
from fleetrig.simulator.flows.hawkbit.messages import Deployment, document_of, get_request, read_deployment
from fleetrig.simulator.stages import Stage

SKIP: Final = "skip"
UNAVAILABLE: Final = "unavailable"


def update(contact: Contact, href: str) -> Generator[Effect, Outcome, None]:
    """Follows a `deploymentBase` link (V14). An unusable document changes nothing: the next poll asks again."""
    answer = yield from contact.ask("deploymentBase", get_request(href, contact.credential))
    plan = read_deployment(document_of(answer) or {})
    if plan is None:
        return
    job = Job(contact, href, plan)
    match contact.progress(plan.action_id):
        case Progress.OVER:
            return
        case Progress.SUCCESS | Progress.FAILURE as done:
            yield from report_end(job, done)
        case reached if plan.download == SKIP or (reached is Progress.ANNOUNCED and not may_install(plan)):
            return  # nothing to do yet, and nothing new to say (V19, V20)
        case reached:
            yield from contact.enter(Stage.UPDATING, f"action {plan.action_id}")
            result = yield from carry_out(job, reached)
            yield from close(job, result)
            yield from contact.enter(Stage.ONLINE)


def may_install(plan: Deployment) -> bool:
    """False for download-only, and while the maintenance window is closed (§2.4)."""
    return plan.update != SKIP and plan.maintenance_window != UNAVAILABLE


def carry_out(job: Job, reached: Progress | None) -> Work:
    """Everything between the document and the final report that is not done yet."""
    if reached is None and not (yield from announce(job, "proceeding", Progress.BEGUN)):
        return STOPPED
    if reached in (None, Progress.BEGUN):
        result = yield from fetch_all(job)
        if result is not DONE:
            return result
        yield from job.contact.reach(job.action_id, Progress.FETCHED)
    if reached is not Progress.ANNOUNCED and not (yield from announce(job, "downloaded", Progress.ANNOUNCED)):
        return STOPPED
    return (yield from install(job)) if may_install(job.plan) else LATER


def announce(job: Job, execution: str, heard_as: Progress) -> Generator[Effect, Outcome, bool]:
    """Reports, and remembers that it was heard. False when the server has done with the action (V23)."""
    heard = yield from report(job.contact, job.href, execution)
    if heard is Heard.YES:
        yield from job.contact.reach(job.action_id, heard_as)
    elif heard is Heard.OVER:
        yield from job.contact.reach(job.action_id, Progress.OVER)
    return heard in (Heard.YES, Heard.NO)


def install(job: Job) -> Work:
    """Installs slice by slice, and looks for a cancel as often as it would poll anyway (V21, V22)."""
    settings = job.contact.settings
    slices = math.ceil(settings.install_s / settings.install_slice_s)
    for n in range(slices):
        if (yield from called_off_meanwhile(job, can_stop=n == 0 or settings.install_stops)):
            return STOPPED
        left_s = settings.install_s - n * settings.install_slice_s
        yield from job.contact.work(job.action_id, min(settings.install_slice_s, left_s))
    return failed("installation failed") if settings.install_fails else DONE


def close(job: Job, result: Result) -> Generator[Effect, Outcome, None]:
    """Remembers what came of it, then reports it. Nothing is said of what goes on later, or was called off."""
    if result.end in (End.LATER, End.STOPPED):
        return
    done = Progress.SUCCESS if result is DONE else Progress.FAILURE
    yield from job.contact.reach(job.action_id, done, result.reason)
    yield from report_end(job, done)


def report_end(job: Job, done: Progress) -> Generator[Effect, Outcome, None]:
    """A final report that stays unheard is not lost: the server goes on offering the action, and it is repeated."""
    details = (job.contact.reason,) if job.contact.reason else ()
    heard = yield from report(job.contact, job.href, "closed", done.value, details)
    if heard is Heard.OVER:
        yield from job.contact.reach(job.action_id, Progress.OVER)
