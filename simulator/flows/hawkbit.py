"""A hawkBit device: polls, tells its attributes when asked, installs what is deployed, reports, and stays polite.

    device                                server
      | -- GET root ------------------------> |   poll; `sleep` says when to come again
      | -- PUT configData ------------------> |   only when the poll links it
      | -- GET deploymentBase --------------> |   POST feedback proceeding, GET artifacts, POST downloaded,
      | -- POST feedback closed ------------> |   install, POST closed
      | -- GET cancelAction, POST feedback -> |   also between two slices of an installation

Source: spec/hawkbit.md §2 and the rows V01 to V34. What real clients do instead stands in §7.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Final

from simulator.backoff import parse_retry_after
from simulator.contract.identity import Credential, DeviceIdentity
from simulator.contract.wire import HttpResponse, Json
from simulator.effects import Done, Effect, Enter, Flow, NoReply, Outcome, Pause, Remember, Reply, ask
from simulator.flows.hawkbit_device import Contact, HawkbitSettings, why_of
from simulator.flows.hawkbit_messages import JsonDict, attributes_request, link, poll_request, read_document, sleep_s
from simulator.flows.hawkbit_update import stop_deployment, update
from simulator.stages import Stage

LEAST_INTERVAL_S: Final = 1.0
REFUSALS: Final = frozenset({401, 403, 404})


def hawkbit(
    settings: HawkbitSettings,
    credential: Credential | None,
    device: DeviceIdentity,
    remembered: Mapping[str, Json],
) -> Flow:
    """The whole life of a device; ends only with the power."""
    contact = Contact(settings, credential, device, settings.default_interval_s, remembered.get("stage") is not None)
    memory = dict(remembered)
    if not contact.enrolled:
        yield Enter(Stage.ENROLLING, "power on")
    while True:
        # One round is a generator of its own, so that nothing of it is kept while the device sleeps.
        if (yield from one_round(contact, memory)):
            yield Pause(contact.interval_s, contact.interval_s * (1 + settings.poll_jitter), "poll interval")


def one_round(contact: Contact, memory: dict[str, Json]) -> Generator[Effect, Outcome, bool]:
    """A poll and what it asks for. False when the poll failed; the wait for the next try is then already over."""
    document = yield from poll(contact)
    if document is None:
        return False
    yield from follow_links(contact, memory, document)
    return True


def poll(contact: Contact) -> Generator[Effect, Outcome, JsonDict | None]:
    """One poll. None when it failed, after the wait that failure demands."""
    request = poll_request(contact.settings.server_url, contact.device, contact.credential)
    answer = yield from ask("poll", request, contact.settings.timeout_s)
    match answer:
        case Reply(HttpResponse(status=200) as response):
            document = read_document(response) or {}
        case Reply(HttpResponse(status=304)):
            document = {}
        case _:
            yield from wait_after_failure(contact, answer)
            return None
    yield from came_through(contact)
    contact.interval_s = usable_interval_s(sleep_s(document), contact)
    return document


def usable_interval_s(named_s: float | None, contact: Contact) -> float:
    """The interval to keep: the last good one when the announced one is nonsense, never a spin on zero (V11, V12)."""
    return contact.interval_s if named_s is None else max(LEAST_INTERVAL_S, named_s)


def came_through(contact: Contact) -> Generator[Effect, Outcome, None]:
    """The server knows this device: enrolled for good, online for now."""
    contact.failures, contact.previous_delay_s = 0, None
    if not contact.enrolled:
        yield Remember({"stage": Stage.ENROLLED.value})
        yield Enter(Stage.ENROLLED, "first accepted poll")
        contact.enrolled = True
    yield Enter(Stage.ONLINE)


def follow_links(contact: Contact, memory: dict[str, Json], document: JsonDict) -> Generator[Effect, Outcome, None]:
    """Does what a poll document asks for, in the order in which it matters to the operator."""
    if href := link(document, "cancelAction"):
        yield from stop_deployment(contact, memory, href)
    elif href := link(document, "deploymentBase"):
        yield from update(contact, memory, href)
    if href := link(document, "configData"):
        yield from send_attributes(contact, href)


def send_attributes(contact: Contact, href: str) -> Generator[Effect, Outcome, None]:
    """Only when asked (V04). A failure is not retried here: the link stays, so the next poll asks again."""
    settings = contact.settings
    if settings.attributes:
        request = attributes_request(href, contact.credential, settings.attributes_mode, settings.attributes)
        yield from ask("configData", request, settings.timeout_s)


def wait_after_failure(contact: Contact, answer: Reply | NoReply) -> Generator[Effect, Outcome, None]:
    """Refused devices come back no faster than their interval (V05); others back off or do as told (V07)."""
    contact.failures += 1
    settings = contact.settings
    refused = isinstance(answer, Reply) and answer.envelope.status in REFUSALS
    least_s, most_s = settings.backoff.delay_range_s(
        contact.failures,
        interval_s=contact.interval_s,
        previous_s=contact.previous_delay_s,
        retry_after_s=retry_after_s(answer),
    )
    if refused:
        least_s, most_s = max(least_s, contact.interval_s), max(most_s, contact.interval_s)
    yield Enter(Stage.REFUSED if refused else Stage.BACKING_OFF, why_of(answer))
    waited = yield Pause(least_s, most_s, "backoff")
    contact.previous_delay_s = waited.after_s if isinstance(waited, Done) else None
    if not contact.enrolled:
        yield Enter(Stage.ENROLLING, "try again")


def retry_after_s(answer: Reply | NoReply) -> float | None:
    """Seconds that the server asked for, if it did."""
    if isinstance(answer, NoReply):
        return None
    return parse_retry_after(answer.envelope.header("Retry-After"), answer.envelope.header("Date"))
