"""Being asked before an update (§2.7): a device confirms or denies an action, and touches none of its files before.

A denied action goes on waiting, and every poll links it again; a device that has said its word stays silent then. So
the word is remembered before the server hears it, since another word after a power cut would contradict it, and once
more when it was heard: until then it is repeated, afterwards never.

A device that is told another policy meanwhile (its owner has changed his mind) says its new word.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from fleetrig.simulator.effects import Effect, Outcome, Reply
from fleetrig.simulator.flows.hawkbit.cancel import no_longer_offered
from fleetrig.simulator.flows.hawkbit.device import LEAST_INTERVAL_S, Contact, Word
from fleetrig.simulator.flows.hawkbit.feedback import Heard, tell
from fleetrig.simulator.flows.hawkbit.messages import (
    auto_confirm_request,
    confirmation_base_request,
    confirmation_request,
    document_of,
    get_request,
    link,
    read_confirmation,
)

RELATION: Final = "confirmationBase"
AUTO_CONFIRM: Final = {True: "activateAutoConfirm", False: "deactivateAutoConfirm"}
DONE: Final = frozenset({200, 204, 409})
"""409: active already."""


def be_asked(contact: Contact, href: str) -> Generator[Effect, Outcome, None]:
    """Follows a `confirmationBase` link. An unusable document changes nothing: the next poll asks again."""
    policy = contact.settings.confirmation
    if policy.auto_confirm:
        yield from settle_auto_confirm(contact)  # which confirms what waits, too
        return
    if policy.answer is None:
        return
    answer = yield from contact.ask(RELATION, get_request(href, contact.credential))
    action_id = read_confirmation(document_of(answer) or {})
    if action_id is None:
        return
    word = contact.word
    if word is None or (word.action_id, word.consent) != (action_id, policy.answer):
        if not (yield from take_time(contact, href, action_id)):
            return
        word = Word(action_id, policy.answer, heard=False)
        yield from contact.keep_word(word)
    if not word.heard:
        yield from say(contact, href, word)


def take_time(contact: Contact, href: str, action_id: str) -> Generator[Effect, Outcome, bool]:
    """Lets somebody think, and polls meanwhile. False when the server asks no more."""
    left_s = contact.settings.confirmation.after_s
    while left_s > 0:
        slice_s = min(left_s, max(contact.interval_s - contact.since_poll_s, LEAST_INTERVAL_S))
        yield from contact.think(slice_s, "confirmation")
        left_s -= slice_s
        if contact.poll_is_due() and (yield from no_longer_offered(contact, RELATION, href, action_id)):
            return False
    return True


def say(contact: Contact, href: str, word: Word) -> Generator[Effect, Outcome, None]:
    """Confirms or denies. What stays unheard is repeated when the next poll asks again."""
    policy = contact.settings.confirmation
    request = confirmation_request(href, contact.credential, word.consent.value, policy.code, policy.details)
    if (yield from tell(contact, f"feedback-{word.consent}", request)) is not Heard.NO:
        yield from contact.keep_word(word._replace(heard=True))


def settle_auto_confirm(contact: Contact) -> Generator[Effect, Outcome, None]:
    """Switches the server's own confirming on or off, if it is otherwise (§2.7); failing that, tries later."""
    wanted = contact.settings.confirmation.auto_confirm
    assert wanted is not None
    request = confirmation_base_request(contact.settings.server_url, contact.device, contact.credential)
    document = document_of((yield from contact.ask(RELATION, request)))
    if document is None:
        return
    href = link(document, relation := AUTO_CONFIRM[wanted])
    if href is not None:
        remark = " ".join(contact.settings.confirmation.details)
        order = auto_confirm_request(href, contact.credential, contact.device.serial, remark, on=wanted)
        answer = yield from contact.ask(relation, order)
        if not (isinstance(answer, Reply) and answer.envelope.status in DONE):
            return
    contact.auto_confirm_settled = True
