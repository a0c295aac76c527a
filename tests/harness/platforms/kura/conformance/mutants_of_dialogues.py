"""Mistakes in who is let in to be provisioned, and in the dialogue (S01 to S16, S34 to S37, P01, P02, P07, P08)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.mqtt_sessions.application import LogIn
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.kura.broker import broker, signing_in
from fleetrig.reference_server.platforms.kura.broker.access_rules import AccessList, AccessRule
from fleetrig.reference_server.platforms.kura.broker.signing_in import SignIn
from fleetrig.reference_server.platforms.kura.device_management import control_calls
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, boolean, int32, int64, octets, string
from fleetrig.reference_server.platforms.kura.provisioning import (
    decision,
    dialogue,
    issuing,
    messages,
)
from fleetrig.reference_server.platforms.kura.provisioning.decision import Course
from fleetrig.reference_server.platforms.kura.provisioning.dialogue import ProvisionDialogue
from fleetrig.reference_server.platforms.kura.provisioning.exchange import ProvisionExchange
from fleetrig.reference_server.platforms.kura.provisioning.job_runs import JobRun
from fleetrig.reference_server.platforms.kura.provisioning.provision_errors import (
    Denial,
    ProvisionError,
)
from fleetrig.reference_server.platforms.kura.signing import signer
from fleetrig.reference_server.platforms.kura.state import provision_jobs, sign_in
from fleetrig.reference_server.platforms.kura.state.errors import LoginFailure, LoginRefused
from fleetrig.reference_server.platforms.kura.state.provision_records import (
    REQUEST,
    JobStatus,
    ProvisionRequest,
)
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION
from fleetrig.reference_server.platforms.kura.state.users import user_by_name
from tests.harness.conformance.code_changes import Change, being, giving, instead, then
from tests.harness.platforms.kura.conformance.mutants import mutant, not_refused, says, with_metrics

# -- signing in


def let_in_all_the_same(_: Any, registry: Any, connect: Any, *more: Any) -> SignIn:
    return SignIn(LogIn(device=connect.client_id))


def of_any_client(original: Any, registry: Any, client_id: str, username: str, *more: Any) -> Any:
    user = user_by_name(registry, username)
    found = [] if user is None else registry.store.find(REQUEST, INSTALLATION, "user", user.id)
    return original(registry, found[0].client_id if found else client_id, username, *more)


def client_in_any_case(original: Any, registry: Any, client_id: str, *more: Any) -> Any:
    return original(registry, client_id.lower(), *more)


def client_without_blanks(original: Any, registry: Any, client_id: str, *more: Any) -> Any:
    return original(registry, client_id.strip(), *more)


def by_name(change: Callable[[str], str]) -> tuple[Change, Change]:
    def changed(original: Any, registry: Any, name: str) -> Any:
        return original(registry, change(name))

    return (signing_in, "user_by_name", instead(changed)), (sign_in, "user_by_name", instead(changed))


def refuse(*_: Any, **__: Any) -> Any:
    raise LoginRefused(LoginFailure.NOT_AUTHORIZED, "nobody is let in")


def without_a_reason(original: Any, registry: Any, connect: Any, session: Any, code: Any, *more: Any) -> SignIn:
    return SignIn(LogIn(code, device=connect.client_id))


def started_by_a_wrong_password(original: Any, registry: Any, client_id: str, *more: Any) -> Any:
    try:
        return original(registry, client_id, *more)
    except LoginRefused:
        for one in registry.store.find(REQUEST, INSTALLATION, "client", client_id):
            provision_jobs.save_request(registry, provision_jobs.moved(one, JobStatus.STARTED))
        raise


# -- asking


def fixed_topic(self: Any) -> str:
    return f"{self.app_id}/REPLY/1"


def in_any_case(original: Any, request: ProvisionRequest, message: Any) -> Any:
    lower = replace(message, activation_key=message.activation_key.lower())
    return original(replace(request, activation_key=request.activation_key.lower()), lower)


def a_prefix(original: Any, request: ProvisionRequest, message: Any) -> Any:
    shown = message.activation_key
    return None if shown and request.activation_key.startswith(shown) else original(request, message)


def any_key_but_none(original: Any, request: ProvisionRequest, message: Any) -> Any:
    return None if message.activation_key else original(request, message)


def needless_keys_refused(original: Any, request: ProvisionRequest, message: Any) -> Any:
    if message.activation_key and not request.activation_key:
        return Denial(ProvisionError.BAD_ACTIVATION_KEY, "there is none")
    return original(request, message)


def never_repeated(original: Any, *args: Any, **more: Any) -> Any:
    course = original(*args, **more)
    return Course.RESTART if course is Course.REPEAT else course


def never_busy(original: Any, *args: Any, **more: Any) -> Any:
    course = original(*args, **more)
    return Course.RESTART if isinstance(course, Denial) else course


def repeated_otherwise(original: Any, self: Any, exchange: Any, run: JobRun) -> Reaction:
    assert run.issued is not None
    run.issued = replace(run.issued, reply_hex=f"{run.issued.reply_hex}a00601")
    reaction: Reaction = original(self, exchange, run)
    return reaction


def without_gzip(original: Any, data: bytes) -> KuraPayload:
    return KuraPayload(body=data, undecodable="gzip") if data.startswith(b"\x1f\x8b") else original(data)


def with_json(original: Any, data: bytes) -> KuraPayload:
    if not data.startswith(b"{"):
        found: KuraPayload = original(data)
        return found
    values = json.loads(data)["metrics"]
    metrics = {name: int32(value) if isinstance(value, int) else string(value) for name, value in values.items()}
    return KuraPayload(metrics={**metrics, "prov.nonce": octets(b"0123456789abcdef")})


def any_attempt(original: Any, payload: KuraPayload) -> Any:
    return original(replace(payload, metrics={**payload.metrics, "prov.attempt": int32(1)}))


def any_profile(original: Any, payload: KuraPayload) -> Any:
    return original(replace(payload, metrics={**payload.metrics, "prov.profile": string(messages.PROFILE_NAME)}))


def any_nonce(original: Any, payload: KuraPayload) -> Any:
    return original(replace(payload, metrics={**payload.metrics, "prov.nonce": octets(b"0123456789abcdef")}))


class AnyWord(str):
    """One that is never another."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def of_any_job(message: Any) -> Any:
    return message if isinstance(message, Denial) else replace(message, job_id=AnyWord(message.job_id))


def staged_whatever_it_says(original: Any, payload: KuraPayload) -> Any:
    return original(replace(payload, metrics={**payload.metrics, "prov.result": string("STAGED")}))


def for_the_first_alone(original: Any) -> Any:
    """Whoever else asks has to wait."""
    first: list[str] = []

    def course_of(request: ProvisionRequest, *args: Any, **more: Any) -> Any:
        first.append(request.client_id)
        if request.client_id == first[0]:
            return original(request, *args, **more)
        return Denial(ProvisionError.BUSY, "another gateway is being provisioned", 1)

    return course_of


def busy_at_first(original: Any) -> Any:
    """Whoever asks has to come again."""
    known: set[str] = set()

    def course_of(request: ProvisionRequest, *args: Any, **more: Any) -> Any:
        if request.client_id in known:
            return original(request, *args, **more)
        known.add(request.client_id)
        return Denial(ProvisionError.BUSY, "there is much to do", 1)

    return course_of


# -- topics


def with_data(**more: bool) -> Callable[[tuple[AccessRule, ...]], tuple[AccessRule, ...]]:
    """All data topics of the provisioning account, too."""
    rule = AccessRule("ec-provisioning/#", may_read=more.get("read", True), may_write=more.get("write", True))
    return lambda rules: (*rules, rule)


def with_own_data(original: Any, account: str, client_id: str) -> tuple[AccessRule, ...]:
    """As other gateways have them."""
    return (*original(account, client_id), AccessRule(f"{account}/{client_id}/#"))


END = "-----END CERTIFICATE-----\n"


def chain_of(payload: KuraPayload) -> list[str]:
    return [f"{one}{END}" for one in str(payload.metrics["prov.cert.chain"].value).split(END) if one.strip()]


def without_root(payload: KuraPayload) -> KuraPayload:
    return with_metrics(prov__cert__chain=string("".join(chain_of(payload)[:-1])))(payload)


def root_first(payload: KuraPayload) -> KuraPayload:
    return with_metrics(prov__cert__chain=string("".join(chain_of(payload)[::-1])))(payload)


def certified(payload: KuraPayload) -> KuraPayload:
    """With the certificate of somebody else, unless there is one."""
    return replace(payload, metrics={"prov.device.cert": string(chain_of(payload)[0]), **payload.metrics})


def named_otherwise() -> tuple[Change, ...]:
    """The alias in signatures is not that of the certificate."""

    def signed(original: Any, payload: Any, key: Any, alias: str, *more: Any) -> Any:
        return original(payload, key, f"{alias}x", *more)

    return (issuing, "signed", instead(signed)), (control_calls, "signed", instead(signed))


MUTANTS = (
    # signing in
    mutant("everybody is let in", "S01 S03 S04 S05", (signing_in, "_refused", instead(let_in_all_the_same)),
           spares="S02"),
    mutant("nobody is let in", "S02", (signing_in, "_bootstrap", being(refuse)), spares="S01"),
    mutant("any password is right", "S03 S39", (sign_in, "matches", giving(True)), spares="S02 S04"),
    mutant("a wrong password starts the job", "S03",
           (signing_in, "sign_in_to_provision", instead(started_by_a_wrong_password)), spares="S02 S04"),
    mutant("refusals of CONNECT have no reason", "S03 S37", (signing_in, "_refused", instead(without_a_reason)),
           spares="S04"),
    mutant("any client id of the user", "S04", (signing_in, "sign_in_to_provision", instead(of_any_client)),
           spares="S03 S05"),
    mutant("client ids in any case", "S04", (signing_in, "sign_in_to_provision", instead(client_in_any_case)),
           spares="S02 S05"),
    mutant("client ids without blanks", "S04", (signing_in, "sign_in_to_provision", instead(client_without_blanks)),
           spares="S05"),
    mutant("user names in any case", "S05", *by_name(str.lower), spares="S04"),
    mutant("user names without blanks", "S05", *by_name(str.strip), spares="S04"),
    mutant("who was provisioned is let in", "S19 S21", (sign_in, "_check_open", giving(None)),
           (provision_jobs, "set_bootstrap_enabled", giving(None)), spares="S02"),
    # the material
    mutant("no alias of the certificate", "S06", says(with_metrics(prov__dm__alias=None), of="material_payload")),
    mutant("no address of the broker", "S06", says(with_metrics(prov__broker___url=string("")), of="material_payload")),
    mutant("the count of bundles is an INT64", "S06", says(with_metrics(prov__apps=int64(0)), of="material_payload")),
    mutant("the code is an INT64", "S06", says(with_metrics(response__code=int64(200)), of="material_payload")),
    mutant("the nonce is another one", "S06",
           (dialogue, "start_message", then(lambda message: message if isinstance(message, Denial) else replace(
               message, nonce=message.nonce[::-1]))), spares="S09"),
    mutant("the target is the provisioning account", "S06",
           says(with_metrics(prov__account___name=string("ec-provisioning")), of="material_payload"), spares="S16"),
    mutant("replies name their request", "S06 S08",
           says(with_metrics(request__id=string("1")), of="material_payload")),
    mutant("replies go to one topic", "S06", (ProvisionExchange, "application_topic", being(property(fixed_topic)))),
    mutant("requests of nobody are answered", "S07",
           (dialogue, "request_id_of", then(lambda found: found or "none")), spares="S06"),
    mutant("what is not answered is not told", "S07", (ProvisionDialogue, "_ignored", giving(NOTHING)), spares="S06"),
    mutant("the literal is not known", "S08", (messages, "OWN_ID_TOKEN", being("")), spares="S06 S09"),
    mutant("anybody may be named", "S09", (dialogue, "requester_denial", giving(None)), spares="S06 S08"),
    mutant("keys do not matter", "S10 S23 S37", (dialogue, "key_denial_of", giving(None)), spares="S11"),
    mutant("keys in any case", "S10", (dialogue, "key_denial_of", instead(in_any_case)), spares="S11 S23"),
    mutant("the beginning of a key will do", "S10", (dialogue, "key_denial_of", instead(a_prefix)), spares="S11 S23"),
    mutant("any key will do", "S10", (dialogue, "key_denial_of", instead(any_key_but_none)), spares="S11"),
    mutant("a needless key is refused", "S11", (dialogue, "key_denial_of", instead(needless_keys_refused)),
           spares="S10"),
    mutant("the same nonce begins anew", "S15", (dialogue, "course_of", instead(never_repeated)), spares="S17"),
    mutant("the same nonce gets other bytes", "S15", (ProvisionDialogue, "_repeated", instead(repeated_otherwise)),
           spares="S16"),
    mutant("nobody is ever busy", "S16", (dialogue, "course_of", instead(never_busy)), spares="S15 S17"),
    mutant("busy for an unknown time", "S16", (decision, "BUSY_RETRY_S", being(None)), spares="S15"),
    mutant("busy and not to come again", "S16",
           says(with_metrics(prov__retry=boolean(False)), of="denied"), spares="S09"),
    mutant("errors have another code", "S09 S10 P01", says(with_metrics(response__code=int32(500)), of="denied"),
           spares="S16"),
    mutant("errors bring a password", "S09 S10", says(with_metrics(prov__password=string("x")), of="denied")),
    mutant("gzip is not read", "S34", (dialogue, "decode", instead(without_gzip)), silence=True, spares="S06"),
    mutant("JSON is read", "S34", (dialogue, "decode", instead(with_json)), spares="S06"),
    mutant("a nonce of any size", "P01", (messages, "NONCE_BYTES", being((0, 1000))), spares="S06"),
    mutant("any nonce", "P01", (dialogue, "start_message", instead(any_nonce))),
    mutant("any profile", "P01", (dialogue, "start_message", instead(any_profile)), spares="S06"),
    mutant("any attempt", "P01", (dialogue, "start_message", instead(any_attempt)), spares="S06"),
    mutant("a confirm of any job", "P02", (dialogue, "confirm_message", then(of_any_job)), spares="S19"),
    mutant("any result is STAGED", "P02", (dialogue, "confirm_message", instead(staged_whatever_it_says)),
           spares="S19"),
    # many, and too much
    mutant("one run at a time", "S35", (dialogue, "course_of", for_the_first_alone), spares="S06"),
    mutant("all have to come twice", "S06", (dialogue, "course_of", busy_at_first), spares="S35"),
    mutant("three clients and no more", "S35", (broker, "MOST_CLIENTS", being(3)), spares="S06"),
    mutant("overload is silent", "S36", (ProvisionDialogue, "failed", giving([])), silence=True, spares="S06"),
    mutant("overload without a time", "S36", says(with_metrics(prov__retry___after=None), of="denied"), spares="S10"),
    mutant("denials are not told", "S10 S37",
           (ProvisionDialogue, "_denied", then(lambda reaction: replace(reaction, reason=""))), spares="S06"),
    # signatures and others' topics
    mutant("the material is not signed", "P08", (issuing, "signed", instead(lambda _, payload, *__: payload)),
           spares="S06"),
    mutant("signatures leave out the body", "P08",
           (signer, "signed_bytes", instead(lambda original, *args: original(*args[:-1], b""))), spares="S06"),
    mutant("signatures leave out the client id", "P08 S43",
           (signer, "signed_bytes", instead(lambda original, topic, client, *args: original(topic, "", *args))),
           spares="S06"),
    mutant("signatures leave out the topic", "P08 S43",
           (signer, "signed_bytes", instead(lambda original, topic, client, *args: original("", client, *args))),
           spares="S06"),
    mutant("signatures name another certificate", "P08 S43",
           *named_otherwise(), spares="S06"),
    mutant("the chain has no root", "P08", says(without_root, of="material_payload"), spares="S06"),
    mutant("the root comes first", "P08", says(root_first, of="material_payload"), spares="S06"),
    mutant("signing requests are ignored", "P14", (issuing, "_device_certificate", giving("")), spares="S06"),
    mutant("any body is ignored that is no signing request", "P14",
           (issuing, "_device_certificate", not_refused(ValueError, "")), spares="S06"),
    mutant("everybody gets a certificate", "P14", says(certified, of="material_payload"), spares="S06"),
    mutant("bootstrap gateways may hear all", "P07", (AccessList, "may_subscribe", giving(True)), spares="S06"),
    mutant("bootstrap gateways may write to all", "P07", (AccessList, "may_write", giving(True)), spares="S06"),
    mutant("bootstrap gateways may hear data", "P07", (signing_in, "bootstrap_rules", then(with_data(write=False))),
           spares="S28"),
    mutant("bootstrap gateways may send data", "S28", (signing_in, "bootstrap_rules", then(with_data(read=False))),
           spares="S06 P07"),
    mutant("bootstrap gateways may send data of their own", "S28",
           (signing_in, "bootstrap_rules", instead(with_own_data)), spares="S06 P07"),
)  # fmt: skip
