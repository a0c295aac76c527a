"""A hawkBit device: polls, tells its attributes when asked, installs what is deployed, reports, and stays polite.

    device                                server
      | -- GET root ------------------------> |   poll; `sleep` says when to come again
      | -- PUT configData ------------------> |   only when the poll links it
      | -- GET confirmationBase ------------> |   only when the poll links it: POST feedback confirmed or denied
      | -- GET deploymentBase --------------> |   POST feedback proceeding, GET artifacts, POST downloaded,
      | -- POST feedback closed ------------> |   install, POST closed
      | -- GET cancelAction, POST feedback -> |   also between two slices of an installation

Links are followed exactly as given, with the device's credential, wherever they lead: the server that is trusted with
updates names them. Redirects are not followed at all, so the credential goes nowhere else (V31): a redirected poll is
a failed poll.

Source: docs/contracts/hawkbit.md §2 and the rows V01 to V34. What real clients do instead stands in §7.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.identity import Credential, DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Behaviour, Effect, Flow, HttpReply, NoReply, Outcome, Remember, Reply
from fleetrig.simulator.flows.hawkbit.cancel import stop_deployment
from fleetrig.simulator.flows.hawkbit.confirmation import be_asked, settle_auto_confirm
from fleetrig.simulator.flows.hawkbit.device import Contact, HawkbitSettings, switched_on, why_of
from fleetrig.simulator.flows.hawkbit.messages import (
    JsonDict,
    attributes_request,
    link,
    poll_request,
    read_document,
    sleep_s,
)
from fleetrig.simulator.flows.hawkbit.update import update
from fleetrig.simulator.stages import Stage

REFUSALS: Final = frozenset({401, 403, 404})


@dataclass(frozen=True, slots=True)
class HawkbitDevice:
    """Our make of hawkBit device with its settings and its credential: a `Behaviour`."""

    settings: HawkbitSettings
    credential: Credential | None

    def __call__(self, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        return hawkbit(self.settings, self.credential, device, remembered)


HawkbitMake = Callable[[HawkbitSettings, Credential | None], Behaviour]
"""A make of hawkBit device; `HawkbitDevice` is ours, tests hand in others that misbehave."""


def hawkbit(
    settings: HawkbitSettings,
    credential: Credential | None,
    device: DeviceIdentity,
    remembered: Mapping[str, Json],
) -> Flow:
    """The whole life of a device; ends only with the power."""
    return life(switched_on(settings, credential, device, remembered))


def life(contact: Contact) -> Flow:
    """A generator of its own, which holds nothing but the contact: a large fleet has one for each device."""
    if not contact.enrolled:
        yield from contact.enter(Stage.ENROLLING, "power on")
    while True:
        # One round is a generator of its own, so that nothing of it is kept while the device sleeps.
        if (yield from one_round(contact)):
            yield contact.until_next_poll()


def one_round(contact: Contact) -> Generator[Effect, Outcome, bool]:
    """A poll and what it asks for. False when the poll failed; the wait for the next try is then already over."""
    document = yield from poll(contact)
    if document is None:
        return False
    yield from follow_links(contact, document)
    return True


def poll(contact: Contact) -> Generator[Effect, Outcome, JsonDict | None]:
    """One poll. None when it failed, after the wait that failure demands.

    A 200 that is no JSON object is a failure too: it comes from something else, a captive portal for instance.
    """
    request = poll_request(contact.settings.server_url, contact.device, contact.credential)
    answer = yield from contact.poll(request)
    match answer:
        case Reply(HttpResponse(status=200) as response) if (found := read_document(response)) is not None:
            document = found
        case Reply(HttpResponse(status=304)):
            document = {}
        case _:
            yield from wait_after_failure(contact, answer)
            return None
    yield from came_through(contact)
    contact.keep_interval(sleep_s(document))
    return document


def came_through(contact: Contact) -> Generator[Effect, Outcome, None]:
    """The server knows this device: enrolled for good, online for now."""
    contact.failures, contact.previous_delay_s = 0, None
    if not contact.enrolled:
        contact.enrolled = True
        yield Remember({"stage": Stage.ENROLLED.value})
        yield from contact.enter(Stage.ENROLLED, "first accepted poll")
    yield from contact.enter(Stage.ONLINE)


def follow_links(contact: Contact, document: JsonDict) -> Generator[Effect, Outcome, None]:
    """Does what a poll document asks for, in the order in which it matters to the operator."""
    if contact.settings.confirmation.auto_confirm is not None and not contact.auto_confirm_settled:
        yield from settle_auto_confirm(contact)
    if href := link(document, "cancelAction"):
        yield from stop_deployment(contact, href)
    elif href := link(document, "confirmationBase"):
        yield from be_asked(contact, href)
    elif href := link(document, "deploymentBase"):
        yield from update(contact, href)
    if href := link(document, "configData"):
        yield from send_attributes(contact, href)


def send_attributes(contact: Contact, href: str) -> Generator[Effect, Outcome, None]:
    """Only when asked (V04). A failure is not retried here: the link stays, so the next poll asks again."""
    settings = contact.settings
    if settings.attributes:
        request = attributes_request(href, contact.credential, settings.attributes_mode, settings.attributes)
        yield from contact.ask("configData", request)


def wait_after_failure(contact: Contact, answer: HttpReply | NoReply) -> Generator[Effect, Outcome, None]:
    """Refused devices come back no faster than their interval (V05); others back off, or wait as asked (V07)."""
    contact.failures += 1
    refused = isinstance(answer, Reply) and answer.envelope.status in REFUSALS
    delay = contact.backoff(contact.failures)
    if refused:
        least_s, most_s = contact.interval_s, contact.interval_s * (1 + contact.settings.poll_jitter)
        delay = delay._replace(
            at_least_s=max(delay.at_least_s, least_s),
            at_most_s=max(delay.at_most_s, most_s),
            capped_at_s=max(delay.capped_at_s, most_s),
        )
    yield from contact.enter(Stage.REFUSED if refused else Stage.BACKING_OFF, why_of(answer))
    contact.previous_delay_s = yield from contact.wait(delay, "backoff")
    if not contact.enrolled:
        yield from contact.enter(Stage.ENROLLING, "try again")
