"""What a message carries: a KuraPayload with the metrics that whoever gets it looks for (spec 1.6, 2.3 to 2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.facts import Facts
from fleetrig.harness.platforms.kura.doctor.names import is_same_secret
from fleetrig.harness.platforms.kura.doctor.topics import ControlTopic, Role, read_topic
from fleetrig.reference_server.platforms.kura.payload.codec import decode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, ValueType

REQUEST_ID: Final = "request.id"
REQUESTER: Final = "requester.client.id"
OWN_TOKEN: Final = "#client-id"
TOKENS: Final = re.compile(r"#(?:client-id|account-name)")
"""What a gateway replaces in topics (spec 2.1)."""
CODES: Final = (200, 400, 404, 500)
NONCE_BYTES: Final = (16, 64)
PROFILE: Final = "PROV-SIM1"
NO_REPLY: Final = "It is answered with nothing at all."


def payload_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Of the message that was given."""
    message = facts.message
    if message is None or message.payload is None:
        return
    topic, payload = read_topic(message.topic), decode(message.payload)
    if payload.undecodable:
        yield _undecodable(message.payload, payload, topic)
        return
    match topic.role:
        case Role.REQUEST if _is_provisioning(topic):
            yield from _ids(payload)
            yield from _provisioning(facts, payload)
        case Role.REQUEST:
            yield from _ids(payload)
            yield from _requester(payload)
        case Role.REPLY:
            yield from _reply(payload)
        case _:
            return


def _is_provisioning(topic: ControlTopic) -> bool:
    return topic.application.startswith("PROV-")


def _undecodable(raw: bytes, payload: KuraPayload, topic: ControlTopic) -> Diagnosis:
    if raw.lstrip()[:1] == b"{":
        where = "being provisioned takes protobuf alone" if _is_provisioning(topic) else (
            "whoever is set to kura-protobuf takes it for a body without metrics, and so without request.id"
        )  # fmt: skip
        return Diagnosis(
            "payload-is-json", Weight.CAUSE,
            f"The payload is JSON (payload.encoding simple-json); {where}. {NO_REPLY}",
            "Set payload.encoding of the CloudService to kura-protobuf.",
        )  # fmt: skip
    return Diagnosis(
        "payload-undecodable", Weight.CAUSE,
        f"The payload is no KuraPayload: {payload.undecodable}. The whole of it becomes the body of an empty one. "
        f"{NO_REPLY}",
        "Encode it as protobuf, package kuradatatypes, KuraPayload; metrics are field 5000, each with name and type.",
    )  # fmt: skip


def _ids(payload: KuraPayload) -> Iterator[Diagnosis]:
    """Both are needed, as STRING."""
    for name, word in ((REQUEST_ID, "request-id"), (REQUESTER, "requester-id")):
        metric = payload.metrics.get(name)
        if metric is None:
            yield Diagnosis(
                f"{word}-missing", Weight.CAUSE,
                f"The request has no metric {name}{_similar(payload, name)}. {NO_REPLY}",
                f"Add {name} (STRING).",
            )  # fmt: skip
        elif metric.type is not ValueType.STRING:
            yield _wrong_type(f"{word}-type", name, metric, "STRING", NO_REPLY)
        elif not metric.value:
            yield Diagnosis(
                f"{word}-empty", Weight.CAUSE,
                f"{name} is empty: the answer goes to a topic on which nobody listens.", f"Give {name} a value.",
            )  # fmt: skip


def _similar(payload: KuraPayload, name: str) -> str:
    flat = re.sub(r"[^a-z]", "", name)
    near = next((one for one in payload.metrics if re.sub(r"[^a-z]", "", one.lower()) == flat), None)
    return f"; it has {quoted(near)}, which is another" if near is not None else ""


def _wrong_type(name: str, metric_name: str, metric: Metric, wanted: str, told: str) -> Diagnosis:
    return Diagnosis(
        name, Weight.CAUSE,
        f"{metric_name} has the type {metric.type.name}, and must be {wanted}. {told}",
        f"Send {metric_name} as {wanted}.",
    )  # fmt: skip


def _requester(payload: KuraPayload) -> Iterator[Diagnosis]:
    """It is pasted into the topic of the answer."""
    requester = payload.text(REQUESTER) or ""
    left = TOKENS.sub("", requester)
    if "+" in left or "#" in left:
        yield Diagnosis(
            "requester-id-wildcard", Weight.CAUSE,
            f"requester.client.id is {quoted(requester)}: with + or # in it the answer can never be published. On a "
            "real "
            "gateway it stays first in the store, and from then on neither answers nor data leave it, not even after "
            "it "
            "has connected anew (the poisoned queue).",
            "Use a requester id without / + and #. A gateway that has got such a request needs its store emptied.",
        )  # fmt: skip
    elif TOKENS.search(requester):
        yield Diagnosis(
            "requester-id-token", Weight.CAUSE,
            f"requester.client.id is {quoted(requester)}, which the gateway replaces by its own name: the answer goes "
            "to itself.",
            "Use the client id of whoever asks.",
        )  # fmt: skip
    elif "/" in requester:
        yield Diagnosis(
            "requester-id-slash", Weight.CAUSE,
            f"requester.client.id is {quoted(requester)}: the slash makes another topic of it.",
            "Use a requester id without / + and #.",
        )  # fmt: skip


# -- being provisioned


def _provisioning(facts: Facts, payload: KuraPayload) -> Iterator[Diagnosis]:
    own, requester = facts.gateway.client_id, payload.text(REQUESTER)
    if own and requester and requester not in (own, OWN_TOKEN):
        yield Diagnosis(
            "requester-id-differs", Weight.CAUSE,
            f"requester.client.id is {quoted(requester)}, the client id {quoted(own)} (400 CLIENT_ID_MISMATCH).",
            "Send the client id of the connection.",
        )  # fmt: skip
    yield from _profile(payload)
    request = facts.request
    wanted = "" if request is None else request.activation_key
    sent = payload.text("activation.key") or ""
    if wanted and not is_same_secret(sent, wanted):
        yield Diagnosis(
            "activation-key-wrong" if sent else "activation-key-missing", Weight.CAUSE,
            f"The provision request has an activation key; the message has {'another' if sent else 'none'} "
            "(400 BAD_ACTIVATION_KEY).",
            "Write the key of the request into activation-key of the gateway.",
        )  # fmt: skip


def _profile(payload: KuraPayload) -> Iterator[Diagnosis]:
    """What the open profile PROV-SIM1 asks for beside the ids."""
    malformed = "(400 MALFORMED)"
    if "prov.job.id" in payload.metrics:
        return  # a confirmation
    if payload.text("prov.profile") != PROFILE:
        yield Diagnosis(
            "profile-unknown", Weight.CAUSE,
            f"prov.profile is {quoted(payload.text('prov.profile') or 'not there')}; this is the open profile "
            f"{PROFILE} "
            f"{malformed}.",
            f"Send prov.profile {PROFILE} (STRING).",
        )  # fmt: skip
    attempt = payload.metrics.get("prov.attempt")
    if attempt is None or attempt.type is not ValueType.INT32:
        yield Diagnosis(
            "attempt-malformed", Weight.CAUSE, f"prov.attempt is missing, or no INT32 {malformed}.",
            "Send prov.attempt (INT32), from 1 on.",
        )  # fmt: skip
    nonce, (least, most) = payload.octets("prov.nonce"), NONCE_BYTES
    if nonce is None or not least <= len(nonce) <= most:
        has = "is missing, or no BYTES" if nonce is None else f"has {len(nonce)} bytes"
        yield Diagnosis(
            "nonce-malformed", Weight.CAUSE, f"prov.nonce {has} {malformed}.",
            f"Send {least} to {most} random bytes (BYTES), others in each attempt.",
        )  # fmt: skip


# -- answers


def _reply(payload: KuraPayload) -> Iterator[Diagnosis]:
    code = payload.metrics.get("response.code")
    if code is None or code.type is not ValueType.INT32:
        yield Diagnosis(
            "response-code-missing", Weight.CAUSE,
            "The answer has no response.code of the type INT32: it counts as no answer.",
            "Send response.code (INT32): 200, 400, 404 or 500.",
        )  # fmt: skip
    elif code.value not in CODES:
        yield Diagnosis(
            "response-code-unknown", Weight.CAUSE,
            f"response.code is {code.value!r}; there are {', '.join(map(str, CODES))}. Any other counts as none.",
            "Send 200 for success.",
        )  # fmt: skip
    if REQUEST_ID in payload.metrics and REQUESTER in payload.metrics:
        yield Diagnosis(
            "reply-with-ids", Weight.CAUSE,
            "The answer carries request.id and requester.client.id: a real gateway takes it for a request, and "
            "answers 400.",
            "Leave both out: the request's id stands in the topic.",
        )  # fmt: skip
