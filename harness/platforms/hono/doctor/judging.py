"""Facts in, judgement out: which tenant, auth-id and device-id, and what is in the way, the heaviest first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.doctor.contact import Trouble
from fleetrig.harness.doctor.diagnosis import Admission, Diagnosis, Judgement, Weight, heaviest_first, quoted
from fleetrig.harness.doctor.server_certificate import TlsLook, not_trusted, server_certificate
from fleetrig.harness.platforms.hono.doctor.answers import contradictions, unexplained
from fleetrig.harness.platforms.hono.doctor.asking import place_of
from fleetrig.harness.platforms.hono.doctor.facts import Facts, Heard, Kind, Said
from fleetrig.harness.platforms.hono.doctor.foretelling import Foretold, foretell
from fleetrig.harness.platforms.hono.doctor.identity import AUTH_ID, DEVICE_ID
from fleetrig.harness.platforms.hono.doctor.presenting import OF_THE_FILE, base64_of
from fleetrig.harness.platforms.hono.doctor.trust import quoted_dn

DRAWN: Final = "under a UUID that the registry draws"
OF_MESSAGES: Final = frozenset(
    {"gateway-without-authority", "gateway-not-in-via", "edge-device-disabled", "edge-device-id-illegal"}
)
"""What refuses messages of a gateway that was let in."""
FORM: Final = "would be refused by the registry"


def judge(facts: Facts) -> Judgement:
    """The whole page."""
    foretold = foretell(facts)
    found = [*_surroundings(facts), *foretold.causes]
    outcome = _outcome(facts, foretold)
    found += _of_answer(facts, foretold, outcome)
    if outcome is Admission.LET_IN:
        found = [*_agreeing(facts, foretold, found), *_consequences(facts, foretold)]
    return Judgement(
        subject=_subject(facts),
        outcome=outcome,
        headline=_headline(facts, foretold, outcome),
        asked=_asked(facts),
        answered=facts.heard.line if facts.heard is not None else "",
        diagnoses=heaviest_first(found),
        seen=tuple(_seen(facts, foretold)),
        gaps=(*facts.gaps, *_not_given(facts, outcome)),
    )


def _outcome(facts: Facts, foretold: Foretold) -> Admission:
    trouble, heard = facts.contact.trouble, facts.heard
    if trouble is Trouble.CERTIFICATE_REFUSED:
        return Admission.REFUSED
    if trouble is not None:
        return Admission.REFUSED if foretold.is_refused else Admission.UNUSABLE
    if heard is not None:
        return _outcome_of(facts, foretold, heard)
    if foretold.is_refused:
        return Admission.REFUSED
    doubtful = any(one.weight is not Weight.NOTE for one in foretold.causes)
    return Admission.UNCERTAIN if doubtful or not _knows_enough(facts, foretold) else Admission.LET_IN


def _outcome_of(facts: Facts, foretold: Foretold, heard: Heard) -> Admission:
    match heard.said:
        case Said.LET_IN:
            later = any(one.name in OF_MESSAGES | heard.unseen for one in foretold.causes)
            return Admission.REFUSED if later else Admission.LET_IN
        case Said.REFUSED:
            return Admission.REFUSED
        case Said.SILENCE if facts.presented.kind is Kind.KEY or foretold.is_refused:
            return Admission.REFUSED  # an unknown identity and a wrong key are answered by silence (4.3)
        case _:
            return Admission.REFUSED if foretold.is_refused else Admission.UNUSABLE


def _knows_enough(facts: Facts, foretold: Foretold) -> bool:
    if foretold.tenant is None:
        return False
    if facts.presented.kind is not Kind.CERTIFICATE:
        return False  # no registry shows passwords and keys
    return facts.is_offline or facts.knows_all_tenants or bool(facts.tenant_named)


def _not_given(facts: Facts, outcome: Admission) -> Iterator[str]:
    """What would say more, where files alone did not say enough."""
    if outcome is not Admission.UNCERTAIN or not facts.is_offline:
        return
    if facts.presented.kind is Kind.CERTIFICATE:
        if not facts.authorities and not facts.tenants:
            yield "whom its tenant trusts: give --ca FILE, --tenant-file FILE, or --against a registry"
        return
    yield "its secret on the server, which no file shows: give --against a registry, and --over the adapter's address"


def _surroundings(facts: Facts) -> Iterator[Diagnosis]:
    contact = facts.contact
    if contact.trouble is None and contact.certificate is None:
        return
    host, port = place_of(facts.url)
    look = TlsLook(host, port, contact, facts.now, "its messages", "--server-ca")
    found = list(server_certificate(look))
    yield from found
    match contact.trouble:
        case None | Trouble.CERTIFICATE_REFUSED:
            return
        case Trouble.NOT_TRUSTED:
            if not found:
                yield not_trusted(look)
        case _:
            yield Diagnosis(
                "adapter-not-reached", Weight.CAUSE,
                f"No adapter can be spoken to at {facts.url}: {contact.trouble}"
                + (f" ({contact.detail})." if contact.detail else "."),
                "Correct --over, or start the adapter.",
            )  # fmt: skip


def _of_answer(facts: Facts, foretold: Foretold, outcome: Admission) -> Iterator[Diagnosis]:
    if facts.contact.trouble is Trouble.CERTIFICATE_REFUSED and not foretold.is_refused:
        yield Diagnosis(
            "certificate-refused", Weight.CAUSE,
            f"The adapter ends the handshake over this certificate ({facts.contact.detail}): over HTTP and MQTT "
            "it looks at nothing but its dates there.",
            "Compare the clock of the server with the certificate's dates.",
        )  # fmt: skip
    is_explained = any(one.weight in (Weight.CAUSE, Weight.LIKELY) for one in foretold.causes)
    if facts.heard is not None and outcome is Admission.REFUSED and not is_explained:
        yield from unexplained(facts, foretold)


def _agreeing(facts: Facts, foretold: Foretold, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """A device that was let in has no causes; what seemed one shows that somebody knows something else."""
    if facts.heard is None:
        yield from found
        return
    yield from (one for one in found if one.weight is Weight.NOTE or one.name.startswith("server-certificate"))
    yield from contradictions(facts, foretold)


def _consequences(facts: Facts, foretold: Foretold) -> Iterator[Diagnosis]:
    tenant = foretold.tenant
    if facts.made and tenant is not None:
        yield Diagnosis(
            "provisioned", Weight.NOTE,
            f"This question has provisioned the device {quoted(facts.made)} in tenant {quoted(tenant.id)}, and "
            "applications were told of it.",
            "Remove it again, if it was a trial.",
            facts.shell.delete(f"/devices/{tenant.id}/{facts.made}"),
        )  # fmt: skip
    elif facts.heard is None and foretold.provisions and not foretold.is_known and not facts.is_offline:
        yield Diagnosis(
            "provisions", Weight.NOTE,
            f"Its first contact provisions the device {_device_id(facts, foretold)}, with credentials "
            f"{quoted_dn(foretold.auth_id)}" + (", as a gateway" if foretold.as_gateway else "") + ".",
        )  # fmt: skip
    if facts.is_offline and facts.authorities and tenant is not None and tenant.anchors:
        named = {name: made for name in (AUTH_ID, DEVICE_ID) if (made := tenant.anchors[0].template(name)) is not None}
        body = {"trusted-ca": [{"cert": base64_of(facts.authorities[0]), "auto-provisioning-enabled": True, **named}]}
        path = f"/tenants/{tenant.id}" if tenant.id else "/tenants"
        yield Diagnosis(
            "how-to-upload", Weight.NOTE,
            "How a tenant comes to trust this authority: cert is Base64 of its DER, without line ends.", "",
            facts.shell.post(path, body),
        )  # fmt: skip


def _subject(facts: Facts) -> str:
    where = f" at {facts.url}" if facts.url else ", from files alone" if facts.is_offline else ""
    return f"{facts.presented} over {facts.over}{where}"


def _headline(facts: Facts, foretold: Foretold, outcome: Admission) -> str:
    tenant = foretold.tenant.called if foretold.tenant is not None else "no tenant"
    who = f"{tenant}, device {_device_id(facts, foretold)}"
    match outcome:
        case Admission.LET_IN if facts.heard is not None:
            return f"The adapter lets this device in: {who}."
        case Admission.LET_IN:
            return f"This device would be let in: {who}."
        case Admission.REFUSED if facts.heard is not None and facts.heard.said is Said.LET_IN:
            return f"The adapter lets this device in ({facts.heard.line}), and refuses what it sends."
        case Admission.REFUSED if facts.heard is not None:
            return f"The adapter refuses this device: {facts.heard.line}."
        case Admission.REFUSED if any(one.weight is Weight.CAUSE for one in facts.form):
            return f"What the files say {FORM}, or lets nobody in."
        case Admission.REFUSED:
            return "This device would be refused."
        case Admission.UNCERTAIN:
            return "What can be seen from here does not show whether this device is let in."
        case Admission.UNUSABLE:
            return "No adapter can be used there."


def _device_id(facts: Facts, foretold: Foretold) -> str:
    if facts.made:
        return quoted(facts.made)
    if foretold.device_id == OF_THE_FILE:
        return "whose credentials the file has"
    return quoted(foretold.device_id) if foretold.device_id is not None else DRAWN


def _asked(facts: Facts) -> str:
    if facts.heard is None:
        return "nothing as the device"
    what = {"http": "POST /telemetry, empty", "mqtt": "CONNECT", "coap": "POST /telemetry, empty"}
    return f"{what[facts.over.removesuffix('s')]} at {facts.url} with {facts.presented}"


def _seen(facts: Facts, foretold: Foretold) -> Iterator[str]:
    if facts.presented.kind is Kind.CERTIFICATE:
        yield f"subject {quoted_dn(facts.presented.subject_dn)}"
        yield f"issuer {quoted_dn(facts.presented.issuer_dn)}"
    if foretold.tenant is not None:
        yield f"{foretold.tenant.called}"
    if foretold.auth_id:
        yield f"auth-id {quoted_dn(foretold.auth_id)}"
    if foretold.is_known and foretold.device_id != OF_THE_FILE:
        yield f"device-id {quoted(str(foretold.device_id))} (registered)"
    elif foretold.provisions:
        yield f"not yet registered: device-id {_device_id(facts, foretold)}"
    if facts.server_name:
        yield f"asks for the host {quoted(facts.server_name)} (SNI)"
    if not facts.is_offline:
        many = len(facts.tenants)
        yield f"{many} tenant{'s' * (many != 1)}" + (" (all)" if facts.knows_all_tenants else "")
