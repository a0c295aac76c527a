"""Facts in, judgement out: what becomes of this device, and why, the heaviest reason first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.doctor.contact import Trouble
from fleetrig.harness.doctor.diagnosis import Admission, Diagnosis, Judgement, Weight, heaviest_first, quoted
from fleetrig.harness.platforms.hawkbit.doctor.answers import answer_line, answers, unexplained
from fleetrig.harness.platforms.hawkbit.doctor.certificate import certificate, faults, open_door
from fleetrig.harness.platforms.hawkbit.doctor.confirmation import confirmation
from fleetrig.harness.platforms.hawkbit.doctor.facts import MODES, Facts, Kind
from fleetrig.harness.platforms.hawkbit.doctor.ids import REGISTERING, hint, ids
from fleetrig.harness.platforms.hawkbit.doctor.links import links
from fleetrig.harness.platforms.hawkbit.doctor.sending import HARMLESS, as_sent
from fleetrig.harness.platforms.hawkbit.doctor.surroundings import is_device_api, is_no_api, surroundings, tenant_typo
from fleetrig.harness.platforms.hawkbit.doctor.tokens import tokens, weak

REFUSALS: Final = frozenset({400, 401, 403, 429})
OTHER_HEADERS: Final = (
    "hawkbit.server.ddi.security.rp.controllerIdHeader, authorityHeader or authoritiesSeparatorRegex set otherwise"
)
OTHERWISE: Final = {
    Kind.CERTIFICATE: f"the server was started with {OTHER_HEADERS}",
    Kind.NOTHING: "a proxy on the way adds a credential of its own",
}
LET_IN_BY_404: Final = "that is: let in; nobody was registered by this, --try polls"
NOT_POLLED: Final = "nobody would have been registered by this"
LET_IN: Final = frozenset({200, 304, 409})
"""409: a first poll lost a race against another one of the same device (S55); the next one is answered."""


def judge(facts: Facts) -> Judgement:
    """The whole page."""
    around = list(surroundings(facts))
    about_device = list(faults(facts))
    if not _unusable(facts):
        about_device = [*ids(facts), *answers(facts), *_credential(facts), *open_door(facts), *weak(facts)]
    outcome = _outcome(facts, [*around, *about_device])
    found = [*around, *about_device]
    if outcome is Admission.REFUSED and not any(one.weight is Weight.CAUSE for one in found):
        more = list(unexplained(facts, found))
        found += [*_should_be_let_in(facts, [*found, *more]), *more]
    if outcome is Admission.LET_IN:
        found = [*_agreeing(facts, found), *links(facts), *confirmation(facts), *_consequences(facts)]
    return Judgement(
        subject=f"{quoted(facts.controller_id)} in tenant {quoted(facts.tenant)} at {facts.url}",
        outcome=outcome,
        headline=_headline(facts, outcome),
        asked=_asked(facts),
        answered=_answered(facts),
        diagnoses=heaviest_first(found),
        seen=tuple(_seen(facts)),
        gaps=facts.gaps,
    )


def _credential(facts: Facts) -> list[Diagnosis]:
    """What the account's tenant would say to this credential; in another tenant it proves nothing."""
    found = [*tokens(facts), *certificate(facts)]
    if facts.account is None or facts.same_tenant:
        return found
    inherent = {
        "no-credential",
        "token-malformed",
        "certificate-malformed",
        "headers",
        *(one.name for one in faults(facts)),
    }
    would_fit = _knows_enough(facts) and not any(one.weight is Weight.CAUSE for one in found)
    return [*(one for one in found if one.name in inherent), *tenant_typo(facts, would_fit=would_fit)]


def _unusable(facts: Facts) -> bool:
    return facts.contact.trouble is not None or is_no_api(facts)


def _outcome(facts: Facts, found: Sequence[Diagnosis]) -> Admission:
    if facts.contact.trouble is Trouble.CERTIFICATE_REFUSED:
        return Admission.REFUSED
    if _unusable(facts):
        return Admission.UNUSABLE
    if facts.answer is not None:
        return _outcome_of(facts.answer)
    if facts.trial is not None:
        impossible = facts.trial.status == 401 or any(one.weight is Weight.CAUSE for one in ids(facts))
        return Admission.REFUSED if impossible else Admission.LET_IN
    if facts.knock is not None and facts.knock.status != 401:
        return _outcome_of(facts.knock)
    if any(one.weight is Weight.CAUSE for one in found):
        return Admission.REFUSED
    doubtful = not facts.same_tenant or any(one.weight is not Weight.NOTE for one in found)
    return Admission.UNCERTAIN if doubtful or not _knows_enough(facts) else Admission.LET_IN


def _outcome_of(answer: Answer) -> Admission:
    if answer.status in LET_IN and (answer.status != 200 or is_device_api(answer)):
        return Admission.LET_IN
    return Admission.REFUSED if answer.status in REFUSALS else Admission.UNUSABLE


def _knows_enough(facts: Facts) -> bool:
    """Whether every fact that the credential depends on could be looked at."""
    config, kind = facts.config, facts.presented.kind
    if config is None or config.is_on(kind) is None:
        return kind is Kind.NOTHING
    match kind:
        case Kind.TARGET_TOKEN:
            return facts.exists is False or (facts.target is not None and facts.target.token is not None)
        case Kind.GATEWAY_TOKEN:
            return config.gateway_key is not None and facts.exists is not None
        case _:
            return config.authority is not None and facts.exists is not None


def _agreeing(facts: Facts, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """A device that was let in has no causes; what seemed one shows that we looked at something else."""
    against = [one for one in found if one.weight is not Weight.NOTE]
    stays = [one for one in found if one.name.startswith("server-certificate")]
    yield from (one for one in found if one in stays or (one.weight is Weight.NOTE and one.name != "headers"))
    against = [one for one in against if one not in stays]
    if against:
        names = ", ".join(one.name for one in against)
        seen = f"what the account of tenant {quoted(facts.account.tenant)} shows" if facts.account else "the rules"
        yield Diagnosis(
            "contradiction", Weight.NOTE,
            f"By {seen}, this device should have been refused ({names}). It was let in: switches may be cached for "
            f"10 s after a change, the account may show another tenant or server than the device asks, or "
            f"{OTHERWISE.get(facts.presented.kind, 'something on the way changes the request')}.",
        )  # fmt: skip


def _should_be_let_in(facts: Facts, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """The other way round: a refusal that nothing explains although everything could be looked at."""
    asked = facts.answer or facts.trial
    wrong = any(one.weight in (Weight.CAUSE, Weight.LIKELY) for one in found)
    if asked is None or asked.status != 401 or wrong or not facts.same_tenant or not _knows_enough(facts):
        return
    more = f" Or the server was started with {OTHER_HEADERS}." if facts.presented.kind is Kind.CERTIFICATE else ""
    yield Diagnosis(
        "contradiction", Weight.POSSIBLE,
        f"By what the account of tenant {quoted(facts.tenant)} shows, this device should have been let in. It was "
        f"refused: something on the way changes the request, or switches are cached.{more}",
        "Ask hawkBit itself, without the proxy, and ask again in a moment.",
    )  # fmt: skip


def _consequences(facts: Facts) -> Iterator[Diagnosis]:
    """What being let in does, or did."""
    was_asked = facts.answer is not None
    was_tried = facts.trial is not None
    if facts.presented.kind in REGISTERING and facts.exists is False:
        did = "This poll has registered" if was_asked else "Its first poll registers"
        yield Diagnosis(
            "registers", Weight.NOTE,
            f"{did} a new target {quoted(facts.controller_id)}: the tenant had none.{hint(facts)}"
            + (" If that one was meant, correct the id." if hint(facts) else ""),
            f"Remove it again, if it was a trial ({quoted(facts.controller_id)} comes back with its next poll)."
            if was_asked else "",
            facts.shell.curl("DELETE", f"/rest/v1/targets/{quote(facts.controller_id, safe='')}") if was_asked else (),
        )  # fmt: skip
    if (was_asked or was_tried) and facts.presented.kind is Kind.CERTIFICATE and not facts.presented.has_key:
        yield Diagnosis(
            "headers-taken-from-here", Weight.NOTE,
            "The server took the proxy's headers from this machine, without any certificate being shown. Everybody "
            "who reaches this address can pretend to be any device.",
            "Let devices reach hawkBit through the proxy only, let it overwrite these headers, and set "
            "hawkbit.server.ddi.security.rp.trustedIPs to its address.",
        )  # fmt: skip


def _headline(facts: Facts, outcome: Admission) -> str:
    what, answer = str(facts.presented.kind), facts.answer or facts.trial
    way = "without a credential" if facts.presented.kind is Kind.NOTHING else f"with this {what}"
    match outcome:
        case Admission.LET_IN if answer is not None:
            return f"The server lets this device in {way}."
        case Admission.LET_IN:
            return f"The server would let this device in {way}."
        case Admission.REFUSED if answer is not None and answer.status != 404:
            return f"The server refuses this device {way} and answers {answer.status}."
        case Admission.REFUSED if facts.contact.trouble is not None:
            return f"The proxy refuses this device {way} at the TLS handshake."
        case Admission.REFUSED:
            return f"The server would refuse this device {way}."
        case Admission.UNCERTAIN:
            return f"What can be seen from here does not show whether the server lets this device in {way}."
        case Admission.UNUSABLE:
            return "No hawkBit can be used at this address, so no device gets in."


def _asked(facts: Facts) -> str:
    asked = facts.answer or facts.trial
    if asked is None and facts.knock is None:
        return "nothing as the device"
    path = f"GET {urlsplit(facts.url).path}/{quoted(facts.tenant)}/controller/v1/{quoted(facts.controller_id)}"
    path += HARMLESS if facts.answer is None and facts.trial is not None else ""
    if asked is not None and facts.presented.kind is not Kind.NOTHING:
        return f"{path} with {as_sent(facts.presented, facts.config)}"
    return f"{path} without a credential"


def _answered(facts: Facts) -> str:
    if facts.answer is not None:
        return answer_line(facts.answer) + (_counted(facts) if facts.answer.status in LET_IN else "")
    if facts.trial is not None:
        let_in = facts.trial.status == 404
        return f"{answer_line(facts.trial)} ({LET_IN_BY_404 if let_in else NOT_POLLED})"
    registering = facts.presented.kind in REGISTERING and facts.exists is not True
    why = "asking with the credential could register a new target; --try does it" if registering else ""
    if facts.knock is not None:
        return f"{answer_line(facts.knock)} ({why})" if why else answer_line(facts.knock)
    return why


def _counted(facts: Facts) -> str:
    return f" (it counts as a poll of {quoted(facts.controller_id)})"


def _seen(facts: Facts) -> Iterator[str]:
    if facts.account is not None:
        of_which = "" if facts.same_tenant else " (and so is the rest)"
        yield f"account {quoted(facts.account.user)} of tenant {quoted(facts.account.tenant)}{of_which}"
    if facts.config is not None:
        states = {True: "on", False: "off", None: "not shown"}
        yield ", ".join(f"{kind} {states[facts.config.is_on(kind)]}" for kind in MODES)
    if facts.exists is not None:
        record = facts.target
        about = f"a target of this id ({record.update_status or 'state not shown'})" if record else "no such target"
        yield about + (f", made by {quoted(record.created_by)}" if record and record.created_by else "")
    if facts.skew_s is not None:
        near = abs(facts.skew_s) < 2
        yield "the server's clock agrees with ours" if near else f"the server's clock is {facts.skew_s:+.0f} s off ours"
