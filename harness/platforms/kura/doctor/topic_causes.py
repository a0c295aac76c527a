"""Where a message goes: to this gateway, to one of its applications, by a method that there is (spec 2.1, 2.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.kura.doctor.facts import Facts
from fleetrig.harness.platforms.kura.doctor.names import how_client_ids_differ
from fleetrig.harness.platforms.kura.doctor.topics import CONTROL, METHODS, WELL_KNOWN, ControlTopic, Role, read_topic
from fleetrig.harness.servers.description import did_you_mean

NO_REPLY: Final = "The gateway logs that and answers nothing."
CONF_RESOURCES: Final = {
    "GET": ("configurations", "snapshots"),
    "PUT": ("configurations",),
    "EXEC": ("snapshot", "rollback"),
}  # fmt: skip


def topic_causes(facts: Facts) -> Iterator[Diagnosis]:
    """Of the message that was given."""
    message = facts.message
    if message is None or not message.topic:
        return
    topic = read_topic(message.topic)
    if any(sign in message.topic for sign in "+#"):
        yield Diagnosis(
            "topic-wildcard", Weight.CAUSE,
            f"The topic {quoted(message.topic)} holds a wildcard; nothing can be published there. (#account-name and "
            "#client-id are replaced on gateways alone.)",
            "Write the account and the client id out.",
        )  # fmt: skip
        return
    if topic.role is Role.DATA:
        yield from _data(topic)
        return
    yield from _whose(facts, topic)
    if topic.role is Role.REQUEST:
        yield from _application(facts, topic)
        yield from _method(topic)


def _data(topic: ControlTopic) -> Iterator[Diagnosis]:
    if topic.method in METHODS or topic.application in WELL_KNOWN:
        yield Diagnosis(
            "topic-prefix", Weight.CAUSE,
            f"The topic does not begin with {CONTROL}: it is taken for data, and no gateway hears it as a request.",
            f"Publish at {CONTROL}/{topic.account}/{topic.client_id}/{topic.request}.",
        )  # fmt: skip


def _whose(facts: Facts, topic: ControlTopic) -> Iterator[Diagnosis]:
    account, own = facts.gateway.account, facts.gateway.client_id
    if account and topic.account != account:
        yield Diagnosis(
            "topic-account", Weight.CAUSE,
            f"The topic is of the account {quoted(topic.account)}, the gateway is in {quoted(account)}: nobody hears "
            "it.",
            f"Publish at {CONTROL}/{account}/…",
        )  # fmt: skip
    if own and topic.role is Role.REQUEST and topic.client_id != own:
        is_near = how_client_ids_differ(own, topic.client_id) != "name"
        near = " They are meant to be the same; topics are compared to the letter." if is_near else ""
        yield Diagnosis(
            "topic-client-id", Weight.CAUSE,
            f"The topic is of the client id {quoted(topic.client_id)}, the gateway's is {quoted(own)}.{near}",
            f"Publish at {CONTROL}/{topic.account}/{own}/…",
        )  # fmt: skip


def _application(facts: Facts, topic: ControlTopic) -> Iterator[Diagnosis]:
    device = facts.server.device
    told = device.text("applicationIdentifiers") if device is not None else ""
    known = tuple(filter(None, (one.strip() for one in told.split(","))))
    application = topic.application
    if application in (known or WELL_KNOWN) or application in WELL_KNOWN[-3:]:
        return
    if known or application.upper() in WELL_KNOWN or did_you_mean(application, WELL_KNOWN):
        where = "its BIRTH told of" if known else "known are"
        yield Diagnosis(
            "application-unknown", Weight.CAUSE if known or application.upper() in WELL_KNOWN else Weight.LIKELY,
            "No application of the gateway is called "
            f"{quoted(application)}{did_you_mean(application, known or WELL_KNOWN)}; "
            f"{where} {', '.join(known or WELL_KNOWN[:6])}. {NO_REPLY}",
            "Correct the application in the topic, or install it on the gateway.",
        )  # fmt: skip
    else:
        yield Diagnosis(
            "application-not-seen", Weight.POSSIBLE,
            f"Whether the gateway has an application {quoted(application)} cannot be seen from here. If not: "
            f"{NO_REPLY}",
            "See application_ids of its BIRTH.",
        )  # fmt: skip


def _method(topic: ControlTopic) -> Iterator[Diagnosis]:
    if not topic.method:
        yield Diagnosis(
            "method-missing", Weight.CAUSE, f"The topic ends before the method. {NO_REPLY}",
            f"Add one of {', '.join(METHODS)} after {quoted(topic.application)}.",
        )  # fmt: skip
    elif topic.method not in METHODS:
        is_lower = topic.method.upper() in METHODS
        yield Diagnosis(
            "method-lower-case" if is_lower else "method-unknown", Weight.CAUSE,
            f"There is no method {quoted(topic.method)}: the gateway answers 400. Methods are {', '.join(METHODS)}, "
            "in upper "
            "case.",
            f"Write {topic.method.upper()}." if is_lower else f"Write one of {', '.join(METHODS)}.",
        )  # fmt: skip
    elif topic.application == "CONF-V1" and (not topic.resource or topic.resource[0] not in CONF_RESOURCES.get(
        topic.method, ())):  # fmt: skip
        offered = CONF_RESOURCES.get(topic.method, ())
        code = 500 if not offered else 400 if not topic.resource else 404
        wanted = ", ".join(f"{method}/{one}" for method, names in CONF_RESOURCES.items() for one in names)
        yield Diagnosis(
            "resource-unknown", Weight.CAUSE,
            f"CONF-V1 has no {quoted('/'.join([topic.method, *topic.resource]))}: the gateway answers {code}.",
            f"It has {wanted}.",
        )  # fmt: skip
