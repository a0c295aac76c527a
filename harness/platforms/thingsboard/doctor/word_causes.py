"""The device's way of asking, compared with the only one that is answered, and what it reads in replies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.thingsboard.doctor.facts import Facts, Kind
from fleetrig.harness.platforms.thingsboard.doctor.near import nearest
from fleetrig.harness.platforms.thingsboard.doctor.replies import DOCUMENTED_MEMBERS, DOCUMENTED_STATUS, REPLY_MEMBERS
from fleetrig.harness.platforms.thingsboard.doctor.way import (
    JSON,
    PATH,
    PROVISION,
    REQUEST_TOPIC,
    RESPONSE_TOPIC,
    Over,
)

FORM: Final = "application/x-www-form-urlencoded"


def words(facts: Facts) -> Iterator[Diagnosis]:
    """The device's way of asking, compared with the only one that is answered (spec 1.4, 1.5)."""
    way, presented = facts.way, facts.presented
    if presented.kind is not Kind.REQUEST:
        return
    if way.over.plain == Over.MQTT:
        yield from _mqtt_words(facts)
    else:
        yield from _web_words(facts)
    yield from _reads(facts)


def _mqtt_words(facts: Facts) -> Iterator[Diagnosis]:
    way = facts.way
    if not way.opens_provision_session:
        yield Diagnosis(
            "no-provision-session", Weight.CAUSE,
            f"The device connects as user {quoted(way.user_name or '')} with client id {quoted(way.client_id)}. Only "
            f"the user name or the client id {PROVISION!r} (lower case) opens a session that provisions; any other is "
            "an ordinary login, where a request is never answered.",
            f"Connect with the user name {PROVISION}, without a password.",
        )  # fmt: skip
    if way.topic != REQUEST_TOPIC:
        yield Diagnosis(
            "wrong-topic", Weight.CAUSE,
            f"The device publishes to {quoted(way.topic)}. In a provision session the server acknowledges that and "
            "closes, without a word; in an ordinary one nothing happens at all.",
            "Publish "
            f"to {REQUEST_TOPIC}" + (", with the slash at its beginning." if way.topic == REQUEST_TOPIC[1:] else "."),
        )  # fmt: skip
    if way.response_topic != RESPONSE_TOPIC:
        yield Diagnosis(
            "wrong-response-topic", Weight.CAUSE,
            f"The device subscribes to {quoted(way.response_topic)}, which is refused (SUBACK 0x80; wildcards are "
            f"too). The reply comes all the same, on {RESPONSE_TOPIC}, where a client library finds nobody to hand it "
            "to.",
            f"Subscribe to {RESPONSE_TOPIC}, exactly.",
        )  # fmt: skip


def _web_words(facts: Facts) -> Iterator[Diagnosis]:
    way = facts.way
    is_coap = way.over.plain == Over.COAP
    fits = way.path.strip("/").split("/")[:2] == ["api", "v1"] and way.path.rstrip("/").endswith("/provision")
    if way.path != PATH and not (is_coap and fits):
        what = " (a slash at the end is another path to the server)" if way.path == f"{PATH}/" else ""
        yield Diagnosis(
            "wrong-path", Weight.CAUSE, f"The device asks at {quoted(way.path)}{what}, where nothing provisions.",
            f"POST to {PATH}.",
        )  # fmt: skip
    if not is_coap and way.content_type.partition(";")[0].strip().lower() == FORM:
        yield Diagnosis(
            "form-content-type", Weight.CAUSE,
            f"The request goes out as {FORM}, as many clients do by default (curl -d): the server then loses the body "
            "and answers 500.",
            f"Send Content-Type: {JSON}.",
        )  # fmt: skip


def _reads(facts: Facts) -> Iterator[Diagnosis]:
    """What the program looks for in a reply."""
    speaks_so = facts.heard is not None and DOCUMENTED_STATUS in facts.heard.document
    for name in facts.way.reads:
        if speaks_so or name in REPLY_MEMBERS:
            continue
        meant = {
            "provisionDeviceStatus": "status",
            "accessToken": "credentialsValue",
            "credentialsId": "credentialsValue",
        }.get(name) or nearest(name, REPLY_MEMBERS)
        why = (
            "stands in the documentation and in no reply of any release"
            if name in DOCUMENTED_MEMBERS
            else "is in no reply"
        )
        yield Diagnosis(
            "reply-member", Weight.CAUSE,
            f"The device reads {quoted(name)}, which {why}: a device that waits for it takes a SUCCESS for a failure, "
            "and the reply is not sent again.",
            f"Read {meant}." if meant else f"Replies have {', '.join(REPLY_MEMBERS)}, and no id of the device.",
        )  # fmt: skip
    if speaks_so:
        yield Diagnosis(
            "replies-as-documented", Weight.NOTE,
            f"This server says {DOCUMENTED_STATUS}, as the documentation has it. No release of ThingsBoard does: they "
            "say status and credentialsValue.",
        )  # fmt: skip
