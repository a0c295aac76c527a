"""One deployment on a hawkBit device: download, verify, install, report; or stop when the operator cancels.

The result of an action is remembered *before* it is reported. So a device that loses power or the answer to its last
report does not install twice: the server offers the action again, and the device repeats the report (V25, V27).
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Final

from simulator.contract.wire import HttpResponse, Json
from simulator.effects import Apply, Downloaded, Effect, Enter, NoReply, Outcome, Pause, Remember, Reply, ask, download
from simulator.flows.hawkbit_device import Contact, why_of
from simulator.flows.hawkbit_messages import (
    Artifact,
    Deployment,
    download_request,
    feedback_request,
    get_request,
    link,
    poll_request,
    read_cancel,
    read_deployment,
    read_document,
)
from simulator.stages import Stage

REPORT_TRIES: Final = 3
DOWNLOAD_TRIES: Final = 5
SUCCESS: Final = "success"
FAILURE: Final = "failure"
LATER: Final = "later"
STOPPED: Final = "stopped"

Work = Generator[Effect, Outcome, str]
"""A part of an update; its result is SUCCESS, LATER, STOPPED or the reason of a failure."""


def update(contact: Contact, memory: dict[str, Json], href: str) -> Generator[Effect, Outcome, None]:
    """Follows a `deploymentBase` link (V14). An unusable document changes nothing: the next poll asks again."""
    answer = yield from ask("deploymentBase", get_request(href, contact.credential), contact.settings.timeout_s)
    plan = _usable(answer)
    if plan is None:
        return
    if memory.get("action") == plan.action_id:
        yield from report(contact, href, "closed", str(memory["result"]))
        return
    if plan.download == "skip":
        return
    yield Enter(Stage.UPDATING, f"action {plan.action_id}")
    result = yield from carry_out(contact, href, plan)
    if result not in (LATER, STOPPED):
        yield from close(contact, memory, href, plan.action_id, result)
    yield Enter(Stage.ONLINE)


def carry_out(contact: Contact, href: str, plan: Deployment) -> Work:
    """Everything between the document and the final report."""
    yield from report(contact, href, "proceeding", "none")
    for artifact in plan.artifacts:
        result = yield from fetch(contact, artifact)
        if result != SUCCESS:
            return result
    yield from report(contact, href, "downloaded", "none")
    if plan.update == "skip":  # download-only, or the maintenance window is closed (V18, V20)
        return LATER
    return (yield from install(contact, href, plan))


def fetch(contact: Contact, artifact: Artifact) -> Work:
    """Downloads one file, going on where a cut left off, and compares size and hashes (V15 to V17)."""
    settings, stored_bytes = contact.settings, 0
    for attempt in range(1, DOWNLOAD_TRIES + 1):
        request = download_request(artifact.href, contact.credential, stored_bytes)
        got = yield from download("download", request, artifact.filename, stored_bytes, settings.timeout_s)
        match got:
            case Downloaded(status=200 | 206, cut=False):
                return mismatch(artifact, got) or SUCCESS
            case Downloaded(status=200 | 206):
                stored_bytes = got.stored_bytes
            case Downloaded(status=416):
                stored_bytes = 0
            case Downloaded(status=status) if 400 <= status < 500 and status != 429:
                return f"download of {artifact.filename} answered {status}"
            case _:
                pass
        least_s, most_s = settings.backoff.delay_range_s(attempt, interval_s=contact.interval_s)
        yield Pause(least_s, most_s, "download retry")
    return LATER


def mismatch(artifact: Artifact, got: Downloaded) -> str:
    """What is wrong with a finished download, empty when nothing is."""
    if artifact.size_bytes is not None and got.stored_bytes != artifact.size_bytes:
        return f"{artifact.filename} has {got.stored_bytes} bytes, expected {artifact.size_bytes}"
    for name, expected in artifact.hashes.items():
        if name in got.hashes and got.hashes[name] != expected.lower():
            return f"{name} of {artifact.filename} differs"
    return ""


def install(contact: Contact, href: str, plan: Deployment) -> Work:
    """Installs slice by slice; looks for a cancel as often as it would poll anyway (V22)."""
    settings = contact.settings
    slices = math.ceil(settings.install_s / settings.install_slice_s)
    since_poll_s = 0.0
    for _ in range(slices):
        yield Apply(plan.action_id, settings.install_slice_s)
        since_poll_s += settings.install_slice_s
        if since_poll_s >= contact.interval_s:
            since_poll_s = 0.0
            if (yield from is_called_off(contact, href)):
                return STOPPED
    return "installation failed" if settings.install_fails else SUCCESS


def is_called_off(contact: Contact, href: str) -> Generator[Effect, Outcome, bool]:
    """A poll in mid-install: True when this action was cancelled or replaced (V22, V26); failures stop nothing."""
    request = poll_request(contact.settings.server_url, contact.device, contact.credential)
    answer = yield from ask("poll", request, contact.settings.timeout_s)
    match answer:
        case Reply(HttpResponse(status=200) as response) if (document := read_document(response)) is not None:
            offered = link(document, "deploymentBase")
            replaced = offered is not None and offered.partition("?")[0] != href.partition("?")[0]
            return replaced or link(document, "cancelAction") is not None
        case _:
            return False


def close(
    contact: Contact, memory: dict[str, Json], href: str, action_id: str, result: str
) -> Generator[Effect, Outcome, None]:
    """Remembers the result, then reports it."""
    finished = SUCCESS if result == SUCCESS else FAILURE
    done: dict[str, Json] = {"action": action_id, "result": finished}
    yield Remember(done)
    memory.update(done)
    yield from report(contact, href, "closed", finished, () if result == SUCCESS else (result,))


def stop_deployment(contact: Contact, memory: dict[str, Json], href: str) -> Generator[Effect, Outcome, None]:
    """Acknowledges a cancel (V21): whatever was going on for that action has stopped."""
    answer = yield from ask("cancelAction", get_request(href, contact.credential), contact.settings.timeout_s)
    match answer:
        case Reply(HttpResponse(status=200) as response) if stop_id := read_cancel(read_document(response) or {}):
            if memory.get("action") == stop_id:  # already installed: say so, the report wins over the cancel (§2.6)
                yield from report(contact, href, "rejected", "none", ("already installed",))
            else:
                yield from report(contact, href, "closed", SUCCESS, ("cancelled before installation",))
        case _:
            return


def report(
    contact: Contact, href: str, execution: str, finished: str, details: tuple[str, ...] = ()
) -> Generator[Effect, Outcome, None]:
    """Sends feedback; tries again when the server is at fault (V24), stops when it says that the action is over (V23).

    A final report that stays unheard is not lost: the server goes on offering the action, and `update` repeats it.
    """
    settings = contact.settings
    request = feedback_request(href, contact.credential, execution, finished, details)
    for attempt in range(1, REPORT_TRIES + 1):
        answer = yield from ask(f"feedback-{execution}", request, settings.timeout_s)
        if isinstance(answer, Reply) and answer.envelope.status not in (409, 429) and answer.envelope.status < 500:
            return
        if attempt < REPORT_TRIES:
            least_s, most_s = settings.backoff.delay_range_s(attempt, interval_s=contact.interval_s)
            yield Pause(least_s, most_s, f"report retry after {why_of(answer)}")


def _usable(answer: Reply | NoReply) -> Deployment | None:
    match answer:
        case Reply(HttpResponse(status=200) as response) if (document := read_document(response)) is not None:
            return read_deployment(document)
        case _:
            return None
