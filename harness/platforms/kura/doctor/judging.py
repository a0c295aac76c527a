"""Facts in, judgement out: what is in the way of this gateway or message, the heaviest first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.doctor.contact import Trouble
from fleetrig.harness.doctor.diagnosis import Admission, Diagnosis, Judgement, Weight, heaviest_first, quoted
from fleetrig.harness.doctor.server_certificate import TlsLook, not_trusted, server_certificate
from fleetrig.harness.platforms.kura.doctor.account_causes import account_causes
from fleetrig.harness.platforms.kura.doctor.asking import place_of
from fleetrig.harness.platforms.kura.doctor.chain_causes import chain_causes
from fleetrig.harness.platforms.kura.doctor.facts import Facts, Heard, Purpose, Said
from fleetrig.harness.platforms.kura.doctor.login_causes import login_causes
from fleetrig.harness.platforms.kura.doctor.moving_causes import moving_causes
from fleetrig.harness.platforms.kura.doctor.name_causes import form_causes, request_name_causes
from fleetrig.harness.platforms.kura.doctor.payload_causes import payload_causes
from fleetrig.harness.platforms.kura.doctor.request_causes import request_causes
from fleetrig.harness.platforms.kura.doctor.settings_causes import settings_causes
from fleetrig.harness.platforms.kura.doctor.signature_causes import signature_causes
from fleetrig.harness.platforms.kura.doctor.topic_causes import topic_causes

EVERYTHING: Final = (
    form_causes, settings_causes, account_causes, request_name_causes, request_causes, login_causes, chain_causes,
    topic_causes, payload_causes, signature_causes, moving_causes,
)  # fmt: skip
LATER: Final = frozenset(
    {
        "activation-key-missing", "activation-key-wrong", "no-device-limit", "client-id-of-another-gateway",
        "device-disabled", "request-not-active-yet", "attempts-exhausted", "job-failed", "job-abandoned", "job-stopped",
    }
)  # fmt: skip
"""What a CONNECT says nothing of."""
OF_SECRETS: Final = ("CONNACK 4", "CONNACK 5")


def causes_of(facts: Facts) -> tuple[Diagnosis, ...]:
    """All that is in the way by what was seen, each once."""
    found = {one.name: one for part in reversed(EVERYTHING) for one in part(facts)}
    order = [one.name for part in EVERYTHING for one in part(facts)]
    return tuple(found[name] for name in dict.fromkeys(order))


def judge(facts: Facts) -> Judgement:
    """The whole page."""
    causes = causes_of(facts)
    found = [*_surroundings(facts), *causes]
    if facts.heard is not None:
        found = list(_with_answer(facts, facts.heard, found))
    outcome = _outcome(facts, found)
    return Judgement(
        subject=_subject(facts),
        outcome=outcome,
        headline=_headline(facts, outcome),
        asked=_asked(facts),
        answered=facts.heard.line if facts.heard is not None else "",
        diagnoses=heaviest_first(found),
        seen=tuple(_seen(facts)),
        gaps=(*facts.gaps, *_not_given(facts, outcome)),
    )


def _outcome(facts: Facts, found: Sequence[Diagnosis]) -> Admission:
    heard, weights = facts.heard, {one.weight for one in found}
    if Weight.CAUSE in weights and facts.contact.trouble is None:
        return Admission.REFUSED
    if facts.contact.trouble is not None:
        is_shown = any(one.weight is Weight.CAUSE and one.name != "broker-not-reached" for one in found)
        return Admission.REFUSED if is_shown else Admission.UNUSABLE
    if heard is not None and heard.said is not Said.LET_IN:
        return Admission.REFUSED if heard.said is Said.REFUSED else Admission.UNUSABLE
    if weights & {Weight.LIKELY, Weight.POSSIBLE}:
        return Admission.UNCERTAIN
    return Admission.LET_IN if heard is not None or not facts.calls or _is_about_files(facts) else Admission.UNCERTAIN


def _is_about_files(facts: Facts) -> bool:
    """A message, a chain or a keystore was given, and that is what is asked about."""
    return facts.message is not None or facts.material.chain is not None or facts.material.signer is not None


# -- the way to the broker


def _surroundings(facts: Facts) -> Iterator[Diagnosis]:
    contact = facts.contact
    if contact.trouble is None and contact.certificate is None:
        return
    host, port = place_of(facts.gateway.broker_url)
    look = TlsLook(host, port, contact, facts.now, "its user name and password")
    found = list(server_certificate(look))
    yield from found
    match contact.trouble:
        case None:
            return
        case Trouble.NOT_TRUSTED:
            if not found:
                yield not_trusted(look)
        case _:
            yield Diagnosis(
                "broker-not-reached", Weight.CAUSE,
                f"No broker can be spoken to at {facts.gateway.broker_url}: {_trouble(contact.trouble)}"
                + (f" ({contact.detail})." if contact.detail else "."),
                "Correct the address, or start the broker; usual ports are 8883 (mqtts) and 1883 (mqtt).",
            )  # fmt: skip


def _trouble(trouble: Trouble) -> str:
    return "it does not speak TLS" if trouble is Trouble.NOT_TLS else str(trouble)


# -- what the broker said


def _with_answer(facts: Facts, heard: Heard, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    against = [one for one in found if one.weight is Weight.CAUSE and one.name not in LATER]
    if heard.said is Said.LET_IN and against:
        yield from (one for one in found if one not in against)
        names = ", ".join(one.name for one in against)
        yield Diagnosis(
            "contradiction", Weight.NOTE,
            f"By what could be seen this gateway should have been refused ({names}). It was let in: another server was "
            "looked at, or something was changed just now.",
        )  # fmt: skip
        return
    yield from found
    if heard.said is Said.REFUSED and not any(one.weight in (Weight.CAUSE, Weight.LIKELY) for one in found):
        yield _unexplained(facts, heard)


def _unexplained(facts: Facts, heard: Heard) -> Diagnosis:
    if not heard.line.startswith(OF_SECRETS):
        return Diagnosis(
            "contradiction", Weight.POSSIBLE,
            f"The broker answers {heard.line}, which is about no user: 1 another version of MQTT, 2 the client id, "
            "3 it is busy.",
            "Ask again in some minutes, and look at the broker's log.",
        )  # fmt: skip
    is_seen = facts.server.user is not None
    return Diagnosis(
        "secret-differs", Weight.CAUSE if is_seen else Weight.POSSIBLE,
        f"The broker refuses {quoted(facts.gateway.login)} ({heard.line})"
        + (
            ", and all that can be seen of it is in order: the password is not the one that the server has."
            if is_seen else
            ": the user name, the password or the client id is another than the server's, or there is no provision "
            "request, "
            "or the user is locked."
        ),
        "Set the password anew, here and there; mind that three wrong ones lock the user for three hours."
        if is_seen else "Look at the server as well: --against URL.",
    )  # fmt: skip


# -- the page


def _subject(facts: Facts) -> str:
    who = f"gateway {quoted(facts.gateway.client_id)}" if facts.gateway.client_id else "a gateway"
    if facts.message is not None:
        return f"a message at {quoted(facts.message.topic)}"
    if not facts.calls and facts.material.chain is not None:
        return "a certificate chain"
    where = f" at {facts.gateway.broker_url}" if facts.gateway.broker_url else ""
    return f"{who} for {facts.purpose}{where}" + (
        ", from files alone" if facts.is_offline and facts.heard is None else ""
    )


def _headline(facts: Facts, outcome: Admission) -> str:
    is_chain = not facts.calls and facts.material.chain is not None
    what = "This message" if facts.message is not None else "This chain" if is_chain else "This gateway"
    match outcome:
        case Admission.LET_IN if facts.heard is not None:
            return "The broker lets this gateway in, and nothing else is in its way that can be seen."
        case Admission.LET_IN:
            return "Nothing is wrong with what was given."
        case Admission.REFUSED if facts.heard is not None and facts.heard.said is Said.REFUSED:
            return f"The broker refuses this gateway: {facts.heard.line}."
        case Admission.REFUSED if is_chain and facts.message is None:
            return f"{what} is rejected."
        case Admission.REFUSED if facts.message is None and facts.purpose is Purpose.PROVISIONING:
            return f"{what} is not provisioned like that."
        case Admission.REFUSED:
            return f"{what} gets nowhere like that."
        case Admission.UNCERTAIN:
            return "What can be seen from here does not decide it."
        case Admission.UNUSABLE:
            return "No broker can be used there."


def _asked(facts: Facts) -> str:
    if facts.heard is None:
        return "nothing as the gateway"
    return f"CONNECT at {facts.gateway.broker_url} as {quoted(facts.gateway.login)}, then DISCONNECT"


def _seen(facts: Facts) -> Iterator[str]:
    gateway, server, request = facts.gateway, facts.server, facts.request
    if gateway.login:
        yield f"user name {quoted(gateway.login)}" + ("" if gateway.set_login else " (made of MAC and serial number)")
    if gateway.client_id:
        yield f"client id {quoted(gateway.client_id)}" + ("" if gateway.set_client_id else " (made of the MAC)")
    if gateway.account:
        yield f"account {quoted(gateway.account)}"
    if request is not None:
        yield f"provision request {request.id}: {request.text('status')}, job {request.job_status}"
    if server.connection is not None:
        yield f"its connection is {server.connection.status}"
    if server.device is not None:
        yield f"device {server.device.id}, registered"
    if not facts.is_offline:
        yield f"{len(server.accounts)} accounts" + (
            "" if server.requests is None else f", {len(server.requests)} provision requests"
        )


def _not_given(facts: Facts, outcome: Admission) -> Iterator[str]:
    """What would say more."""
    if outcome is Admission.UNCERTAIN and not facts.shell.url and facts.calls:
        yield "what the server knows of it: give --against URL"
    if facts.material.chain and facts.material.checks_authority and not facts.material.trusted:
        yield "whom the gateway trusts: give --trust FILE"
