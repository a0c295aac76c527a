"""Facts in, judgement out: what becomes of this device, and why, the heaviest reason first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.doctor.diagnosis import Admission, Diagnosis, Judgement, Weight, heaviest_first, printable, quoted
from fleetrig.harness.platforms.thingsboard.doctor.answers import answers
from fleetrig.harness.platforms.thingsboard.doctor.chain_causes import chain_causes, chain_slips
from fleetrig.harness.platforms.thingsboard.doctor.effects import Effect, effect
from fleetrig.harness.platforms.thingsboard.doctor.facts import Asked, Facts, Heard, Kind, Said
from fleetrig.harness.platforms.thingsboard.doctor.form_causes import form
from fleetrig.harness.platforms.thingsboard.doctor.login_causes import duties, login_causes, slips
from fleetrig.harness.platforms.thingsboard.doctor.request_causes import request_causes
from fleetrig.harness.platforms.thingsboard.doctor.surroundings import is_unusable, surroundings
from fleetrig.harness.platforms.thingsboard.doctor.way import Over
from fleetrig.harness.platforms.thingsboard.doctor.word_causes import words

STAYS: Final = frozenset(
    {"server-certificate-host", "server-certificate-dates", "reply-member", "wrong-response-topic", "no-gateway",
     "captured-by-provision", "credentials-of-another", "unknown-member", "gateway-flag-ignored", "claiming-off",
     "other-tenant"}
)  # fmt: skip
"""What is wrong though the server itself lets the device in."""
HOW: Final = {
    Asked.IN_EARNEST: "",
    Asked.BY_AN_IMPOSSIBLE_NAME: " under a name that no device can have, so that nobody is provisioned",
    Asked.THROW_AWAY: " for a throw-away device, which is removed again",
    Asked.LEAF_ALONE: " with the certificate alone, so that the chain creates and replaces nothing",
}


def judge(facts: Facts) -> Judgement:
    """The whole page."""
    found = list(surroundings(facts))
    if not is_unusable(facts) or facts.tenant is not None:
        found += [*form(facts), *words(facts), *slips(facts), *chain_slips(facts), *_of_tenant(facts), *duties(facts)]
    outcome = _outcome(facts, found)
    if not is_unusable(facts):
        found += answers(facts, found)
        found += _contradiction(facts, found, outcome)
    if outcome is Admission.LET_IN:
        found = [*_agreeing(facts, found), *_consequences(facts)]
    if facts.left_behind:
        found.append(_left_behind(facts))
    return Judgement(
        subject=f"{_subject(facts)} at {facts.way.url}",
        outcome=outcome,
        headline=_headline(facts, outcome),
        asked=_asked(facts),
        answered=_answered(facts),
        diagnoses=heaviest_first(found),
        seen=tuple(_seen(facts)),
        gaps=facts.gaps,
    )


def _of_tenant(facts: Facts) -> list[Diagnosis]:
    """What the account's tenant would say. A request that is answered by another tenant's profile is its own affair."""
    return [*request_causes(facts), *login_causes(facts), *chain_causes(facts)]


def _outcome(facts: Facts, found: Sequence[Diagnosis]) -> Admission:
    if is_unusable(facts):
        return Admission.UNUSABLE
    heard, has_cause = facts.heard, any(one.weight is Weight.CAUSE for one in found)
    if heard is None:
        return Admission.REFUSED if has_cause else _foretold(facts)
    if heard.asked is Asked.BY_AN_IMPOSSIBLE_NAME and heard.said in (Said.FAILURE, Said.SUCCESS):
        return Admission.REFUSED if has_cause else _foretold(facts)
    if heard.asked is Asked.LEAF_ALONE and not heard.is_positive and heard.said is Said.REFUSED:
        return Admission.REFUSED if has_cause else _foretold(facts)
    if heard.is_positive:
        return Admission.REFUSED if any(one.weight is Weight.CAUSE and one.name in STAYS for one in found) else (
            Admission.LET_IN
        )  # fmt: skip
    return Admission.UNUSABLE if heard.is_unheard else Admission.REFUSED


def _foretold(facts: Facts) -> Admission:
    """Where nothing was asked in earnest: the account's view, if there is one."""
    expected = effect(facts)
    if facts.presented.kind in (Kind.REQUEST, Kind.CERTIFICATE):
        wanted = (Effect.CREATES, Effect.PROVISIONS, Effect.REPLACES)
        known = facts.presented.kind is Kind.CERTIFICATE and expected is Effect.NOTHING and facts.tenant is not None
        return Admission.LET_IN if expected in wanted or known else Admission.UNCERTAIN
    return Admission.UNCERTAIN


def _agreeing(facts: Facts, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """A device that was let in has no causes; what seemed one shows that we looked at something else."""
    yield from (one for one in found if one.weight is Weight.NOTE or one.name in STAYS or one.weight is Weight.POSSIBLE)
    against = [one for one in found if one.weight in (Weight.CAUSE, Weight.LIKELY) and one.name not in STAYS]
    if against:
        is_old = any(one.name == "already-provisioned" for one in against)
        yield Diagnosis(
            "answers-again" if is_old else "contradiction", Weight.NOTE,
            "The device was provisioned before and was answered again, with the same credentials: this server is "
            "older than 4.2.1.1, where a listed device may ask as often as it likes, and so may everybody who knows "
            "key, secret and name."
            if is_old else
            f"By what was looked at, this device should have been refused ({', '.join(one.name for one in against)}). "
            "It was let in: the account may show another tenant or server than the device asks, or something was "
            "changed meanwhile.",
        )  # fmt: skip


def _contradiction(facts: Facts, found: Sequence[Diagnosis], outcome: Admission) -> Iterator[Diagnosis]:
    """The other way round: a refusal that nothing explains although everything could be looked at."""
    explained = any(one.weight is not Weight.NOTE for one in found)
    if outcome is not Admission.REFUSED or explained or facts.heard is None or facts.tenant is None:
        return
    yield Diagnosis(
        "contradiction", Weight.POSSIBLE,
        f"By what the account of {quoted(facts.tenant.user)} shows, nothing refuses this device, and it was refused "
        f"({printable(_answered(facts), 120)}): the device may ask another server than this account's, or something "
        "on the way changes what is sent.",
        "Compare the addresses, and ask ThingsBoard's own ports, without what lies between.",
    )  # fmt: skip


def _consequences(facts: Facts) -> Iterator[Diagnosis]:
    """What being let in does."""
    expected = effect(facts)
    if facts.presented.kind is Kind.REQUEST and expected in (Effect.CREATES, Effect.PROVISIONS):
        yield Diagnosis(
            "answered-once", Weight.NOTE,
            "The device is given its credentials once: if the reply is lost, or they are, the next request is a "
            "FAILURE until an operator acts.",
            "Let the device store them before it disconnects.",
        )  # fmt: skip
    if facts.presented.kind is Kind.REQUEST and expected is Effect.CREATES and not facts.name:
        yield Diagnosis(
            "no-name", Weight.NOTE,
            "The request names no device: each one makes another, under a name that the device never learns.",
            "Send deviceName, the serial number for instance.",
        )  # fmt: skip
    if facts.presented.kind is Kind.CERTIFICATE and expected is Effect.CREATES:
        yield Diagnosis("creates", Weight.NOTE, "The first connection with this chain makes the device.")
    if facts.presented.kind is Kind.CERTIFICATE and expected is Effect.REPLACES:
        yield Diagnosis(
            "replaces", Weight.NOTE,
            "The first connection with this chain replaces the certificate that the device has; its old one is refused "
            "from then on, unless it is shown with its chain, which takes it back.",
        )  # fmt: skip


def _left_behind(facts: Facts) -> Diagnosis:
    return Diagnosis(
        "left-behind", Weight.LIKELY,
        f"The throw-away device {quoted(facts.left_behind)} could not be removed again.", "Delete it by hand.",
    )  # fmt: skip


# -- the page's other lines


def _subject(facts: Facts) -> str:
    named = f"Device {quoted(facts.name)}" if facts.name else "A device"
    what = {Kind.REQUEST: "asking to be provisioned", Kind.CERTIFICATE: "with a certificate"}
    return f"{named} {what.get(facts.presented.kind, f'with {facts.presented.kind}')}"


def _headline(facts: Facts, outcome: Admission) -> str:
    does = "provision this device" if facts.presented.kind is Kind.REQUEST else "let this device in"
    heard = facts.heard
    in_earnest = heard is not None and heard.asked is Asked.IN_EARNEST
    match outcome:
        case Admission.LET_IN if heard is not None and heard.asked is Asked.THROW_AWAY:
            return f"The server would {does}: it provisioned a throw-away device in its place."
        case Admission.LET_IN if in_earnest and facts.presented.kind is Kind.REQUEST:
            return "The server provisions this device."
        case Admission.LET_IN if heard is not None and heard.said is Said.LET_IN:
            return "The server lets this device in."
        case Admission.LET_IN:
            return f"The server would {does}."
        case Admission.REFUSED if in_earnest and heard is not None and heard.is_positive:
            return "The server takes the device, and yet it gets nowhere."
        case Admission.REFUSED if in_earnest and heard is not None:
            return f"The server does not {does} ({_in_short(heard)})."
        case Admission.REFUSED:
            return f"The server would not {does}."
        case Admission.UNCERTAIN:
            return f"What can be seen from here does not show whether the server would {does}."
        case _:
            return "No ThingsBoard can be used at this address, so no device gets in."


def _in_short(heard: Heard) -> str:
    """The result, or the last thing that was heard."""
    is_result = heard.said in (Said.SUCCESS, Said.NOT_FOUND, Said.FAILURE)
    return printable(heard.said if is_result else heard.lines[-1], 60)


def _asked(facts: Facts) -> str:
    heard, presented, way = facts.heard, facts.presented, facts.way
    if heard is None:
        return "nothing as the device"
    how = HOW[heard.asked]
    if presented.kind is not Kind.REQUEST:
        where = "login over" if way.over.plain == Over.MQTT else "GET …/attributes over"
        return f"{where} {way.over} with {presented}{how}"
    if way.over.plain == Over.MQTT:
        who = (
            f"user name {quoted(way.user_name)}" if way.user_name is not None else f"client id {quoted(way.client_id)}"
        )
        return f"as {who}, PUBLISH {quoted(way.topic)} with {presented}{how}"
    return f"POST {quoted(way.path)} over {way.over} with {presented}{how}"


def _answered(facts: Facts) -> str:
    heard = facts.heard
    if heard is None:
        return ""
    said = str(heard.said) if heard.said in (Said.SUCCESS, Said.NOT_FOUND, Said.FAILURE) else ""
    lines = ", ".join(printable(line, 100) for line in heard.lines)
    meaning = ""
    if heard.asked is Asked.BY_AN_IMPOSSIBLE_NAME and heard.said is Said.FAILURE:
        meaning = " (that is: key and secret are right, and the profile provisions)"
    return f"{lines}{f': {said}' if said else ''}{meaning}"


def _seen(facts: Facts) -> Iterator[str]:
    tenant = facts.tenant
    if tenant is None:
        return
    yield f"account {quoted(tenant.user)}, {len(tenant.profiles)} device profiles"
    if facts.profile is not None:
        yield f"the key is that of profile {quoted(facts.profile.name)}, {facts.profile.strategy}"
    device = tenant.device
    if device is not None:
        state = "no provisionState" if device.state is None else f"provisionState {quoted(device.state)}"
        gateway = ", a gateway" if device.is_gateway else ""
        where = f"device {quoted(device.name)} in profile {quoted(device.profile)}"
        yield f"{where}, {device.credentials_type}, {state}{gateway}"
    elif facts.name:
        yield f"no device {quoted(facts.name)}"
    if tenant.owner and facts.presented.kind is not Kind.REQUEST:
        yield f"the credentials are those of device {quoted(tenant.owner)}"
