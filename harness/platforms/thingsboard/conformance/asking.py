"""One provision request over one transport, and what came back (docs/contracts/thingsboard.md §1.4, §1.5)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.exact_coap import CoapAnswer
from fleetrig.harness.conformance.expect import Mismatch, expect, expect_that
from fleetrig.harness.platforms.thingsboard.conformance.generations import TOKEN, USUAL_FORM, AnswerForm
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, RowMqtt
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.harness.verdict import Finding

PROVISION: Final = "provision"
REQUEST: Final = "/provision/request"
RESPONSE: Final = "/provision/response"
PATH: Final = "/api/v1/provision"
WORD: Final = re.compile(r"[A-Za-z0-9]{20}")
NOT_FOUND: Final = "NOT_FOUND"
FAILURE: Final = "FAILURE"
CODES: Final = {
    "http": {"SUCCESS": "200", "NOT_FOUND": "200", "FAILURE": "200"},
    "coap": {"SUCCESS": "2.01", "NOT_FOUND": "4.00", "FAILURE": "4.00"},
}
"""The status or code that carries each result; over MQTT there is none."""

GAVE_UP: Final = ": the server gave up, its store or its queue took more than 10 s"


@dataclass(frozen=True, slots=True)
class Said:
    """What a request got. `code` is a status or a code of CoAP; over MQTT it is empty."""

    over: str
    code: str
    body: bytes
    form: AnswerForm = USUAL_FORM
    headers: tuple[tuple[str, str], ...] = ()
    """Of HTTP."""
    content_format: int | None = None
    """Of CoAP; None: the option is not there."""

    @property
    def document(self) -> dict[str, Any]:
        try:
            return dict(read_json(self.body))
        except (NotJson, TypeError, ValueError):
            got = f"{self.code} with {self.body[:200]!r}{GAVE_UP if self.gave_up else ''}".strip()
            raise Mismatch(Finding(f"a JSON object over {self.over}", got)) from None

    @property
    def gave_up(self) -> bool:
        """The server's internal time-out came first (1.6)."""
        return not self.body and self.code in ("500", "5.00")

    @property
    def status(self) -> Any:
        """What its document says; None when that has no such member."""
        return self.document.get(self.form.status)


def as_bytes(members: Mapping[str, Any] | bytes) -> bytes:
    return members if isinstance(members, bytes) else json.dumps(members).encode()


def ask(client: RowClient, over: str, members: Mapping[str, Any] | bytes) -> Said:
    """One request over `http`, `mqtt` (3.1.1, a connection of its own) or `coap`."""
    match over:
        case "http":
            answer = client.http.call("POST", PATH, {"Content-Type": "application/json"}, as_bytes(members))
            return Said(over, str(answer.status), answer.body, client.generation.form, answer.headers)
        case "coap":
            reply = client.coap().ask(exact_coap.POST, PATH, as_bytes(members))
            return over_coap(client, reply)
        case _:
            return ask_mqtt(session(client), members)


def over_coap(client: RowClient, reply: CoapAnswer) -> Said:
    """What a message of CoAP says."""
    return Said("coap", reply.code, reply.payload, client.generation.form, content_format=reply.content_format)


def session(client: RowClient, level: int = 4, qos: int | None = 1, **connect: Any) -> RowMqtt:
    """A provision session; `qos`: of its subscription to the response topic, None for no subscription."""
    connection = client.mqtt(level)
    given = connect or {"user_name": PROVISION}
    clean = given.get("clean", True)
    answer = client.generation.connack(connection.connect(**given), clean=clean)
    expect(f"the answer to CONNECT with {given}", client.generation.connected(clean=clean), answer)
    if qos is not None:
        subscribe(connection, RESPONSE, qos, str(min(qos, 1)))
    return connection


def subscribe(connection: RowMqtt, topic_filter: str, qos: int, code: str) -> None:
    """Answered with that code; before 3.9 not at all, so that a ping is answered next."""
    connection.say_subscribe(topic_filter, qos)
    if connection.generation.acknowledges_subscriptions:
        connection.expect_heard(f"after SUBSCRIBE {topic_filter} QoS {qos}", f"SUBACK {code}")
    else:
        connection.expect_open(f"after SUBSCRIBE {topic_filter}, which is ignored")


def ask_mqtt(connection: RowMqtt, members: Mapping[str, Any] | bytes) -> Said:
    """With QoS 1: its PUBACK precedes the reply."""
    connection.publish(REQUEST, as_bytes(members))
    connection.expect_heard("after the request", "PUBACK")
    return reply(connection)


def reply(connection: RowMqtt, qos: int = 1) -> Said:
    """The next packet, which has to be a reply."""
    heard = connection.expect_heard("the reply", f"PUBLISH {RESPONSE} q{qos}")[0]
    return Said("mqtt", "", heard.payload, connection.generation.form)


def expect_result(said: Said, status: str) -> dict[str, Any]:
    """A result with the code of its transport; the document."""
    document = said.document
    expect(f"the status over {said.over} ({document.get('errorMsg', '')})", status, said.status)
    if said.over != "mqtt":
        expect(f"what carries {status} over {said.over}", CODES[said.over][status], said.code)
    return document


def expect_refused(said: Said, status: str) -> None:
    """NOT_FOUND or FAILURE: the whole document, and nothing else in it."""
    expect_result(said, status)
    expect(f"the document over {said.over}", said.form.refusal(status), said.document)


def expect_token(said: Said) -> str:
    """SUCCESS with a new access token of 20 letters and digits."""
    token = expect_value(said, TOKEN)
    expect_that(isinstance(token, str) and WORD.fullmatch(token), "a token of 20 letters and digits", token)
    return str(token)


def expect_value(said: Said, kind: str) -> Any:
    """SUCCESS with credentials of this type: the members in the server's order; the value."""
    document = expect_result(said, "SUCCESS")
    expect("the members of a SUCCESS, in order", said.form.success(kind), list(document))
    expect("credentialsType", kind, document["credentialsType"])
    return document[said.form.value_of(kind)]
