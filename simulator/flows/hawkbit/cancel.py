"""How a hawkBit device learns that an action is called off, and what it answers (§2.6, V21, V22, V26)."""

from __future__ import annotations

from collections.abc import Generator

from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.hawkbit.device import Contact, Progress
from fleetrig.simulator.flows.hawkbit.feedback import report
from fleetrig.simulator.flows.hawkbit.job import Job
from fleetrig.simulator.flows.hawkbit.messages import document_of, get_request, link, poll_request, read_cancel, sleep_s


def stop_deployment(contact: Contact, href: str, goes_on_with: str = "") -> Generator[Effect, Outcome, str]:
    """Answers a cancel: done, or rejected for what is installed already or cannot be stopped (`goes_on_with`).

    Returns the id of the action that has stopped, empty when none has.
    """
    answer = yield from contact.ask("cancelAction", get_request(href, contact.credential))
    stop_id = read_cancel(document_of(answer) or {})
    if stop_id is None:
        return ""
    if stop_id == goes_on_with:
        yield from report(contact, href, "rejected", details=("the installation is under way",))
        return ""
    if contact.progress(stop_id) is Progress.SUCCESS:  # the report of success will win over the cancel (§2.6)
        yield from report(contact, href, "rejected", details=("already installed",))
    else:
        yield from report(contact, href, "closed", "success", ("cancelled before it was installed",))
    return stop_id


def called_off_meanwhile(job: Job, *, can_stop: bool = True) -> Generator[Effect, Outcome, bool]:
    """Polls if it is time to poll anyway: an update keeps nobody from cancelling it."""
    if not job.contact.poll_is_due():
        return False
    return (yield from called_off(job, can_stop=can_stop))


def called_off(job: Job, *, can_stop: bool = True) -> Generator[Effect, Outcome, bool]:
    """A poll in mid-update: True when its action was cancelled, replaced or taken back; failures stop nothing."""
    return (yield from no_longer_offered(job.contact, "deploymentBase", job.href, job.action_id, can_stop=can_stop))


def no_longer_offered(
    contact: Contact, relation: str, href: str, action_id: str, *, can_stop: bool = True
) -> Generator[Effect, Outcome, bool]:
    """A poll that looks whether `href` still stands there under `relation`; answers a cancel if one has come."""
    request = poll_request(contact.settings.server_url, contact.device, contact.credential)
    document = document_of((yield from contact.poll(request)))
    if document is None:
        return False
    contact.keep_interval(sleep_s(document))
    if cancel := link(document, "cancelAction"):
        stopped = yield from stop_deployment(contact, cancel, "" if can_stop else action_id)
        return stopped == action_id
    offered = link(document, relation)
    return can_stop and (offered is None or _path(offered) != _path(href))


def _path(href: str) -> str:
    """A link without its query: `c` changes when a soft action becomes a forced one (§2.1)."""
    return href.partition("?")[0]
