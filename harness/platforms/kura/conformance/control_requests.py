"""Control messages that a server sends to gateways, and how rows answer them (docs/contracts/kura.md §2.5, §5.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.raw_exchange import RawExchange
from fleetrig.harness.platforms.kura.conformance.gateway_session import GatewaySession, Message, now_ms
from fleetrig.harness.platforms.kura.conformance.payload_bytes import STRING, HeardPayload, Value, payload
from fleetrig.harness.platforms.kura.conformance.row_client import RowAccount, RowClient

AFTER_BIRTH_S: Final = 3
"""A server lets gateways subscribe before it asks them (§2.2)."""
CALL_TIMEOUT_S: Final = 30
NOT_FOR_IDS: Final = "/+#"


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """One that a gateway has heard."""

    message: Message
    account: str
    app_id: str
    content: HeardPayload

    @property
    def request_id(self) -> str:
        return str(self.content.value("request.id"))

    @property
    def requester(self) -> str:
        return str(self.content.value("requester.client.id"))

    def reply_topic(self, request_id: str | None = None) -> str:
        """Where the answer goes."""
        return f"$EDC/{self.account}/{self.requester}/{self.app_id}/REPLY/{request_id or self.request_id}"


@dataclass(frozen=True, slots=True)
class Managed:
    """A gateway that is born and listens, and the path of its device in the REST API."""

    session: GatewaySession
    device: str
    device_id: str

    def hear(self, topic: str, *, app_id: str = "") -> ControlRequest:
        """A request to `CONF-V1/GET/configurations` comes next."""
        message = self.session.message(f"the request {topic}")
        expect("the topic of the request", self.session.control(topic), message.topic)
        return self.read(message)

    def read(self, message: Message) -> ControlRequest:
        """Ids are there, and are such that gateways can answer."""
        content = message.content
        for name in ("request.id", "requester.client.id"):
            kind, value = content.metrics.get(name, (None, ""))
            expect_that(kind == STRING and value, f"{name} is there, a STRING", value)
            expect(f"{NOT_FOR_IDS} in {name}", [], [one for one in NOT_FOR_IDS if one in str(value)])
        app_id = message.topic.removeprefix(self.session.control("")).partition("/")[0]
        return ControlRequest(message, self.session.account, app_id, content)

    def answer(
        self, request: ControlRequest, metrics: Mapping[str, Value] | None = None, body: bytes | None = None
    ) -> None:
        """With 200, unless other metrics are given."""
        said = {"response.code": 200} if metrics is None else metrics
        self.session.publish(request.reply_topic(), payload(said, body=body, timestamp_ms=now_ms()))
        self.session.settle()


def managed(client: RowClient, account: RowAccount | None = None, *, client_id: str = "") -> Managed:
    """A new gateway of an account, and it may be asked at once."""
    account = account or client.account()
    session = client.plain_gateway(account=account, client_id=client_id)
    session.birth()
    session.subscribe(session.control("#"))
    client.under_test.let_pass(AFTER_BIRTH_S)
    return as_managed(client, account, session)


def as_managed(client: RowClient, account: RowAccount, session: GatewaySession) -> Managed:
    device_id = client.existing_device(account, session.client_id)["id"]
    return Managed(session, f"/v1/{account.scope_id}/devices/{device_id}", device_id)


class HeldCall:
    """A REST call that is under way, on a connection of its own; its answer comes when the gateway has answered."""

    within_s = 40.0
    """More than a server waits for a gateway."""

    def __init__(self, client: RowClient, method: str, path: str, document: Any = None) -> None:
        client.call("GET", f"/v1/{client.scope_id}/accounts?limit=1")  # the token is good
        self._connection = client.http.bare_socket()
        client.closing(self._connection.close)
        self._exchange = RawExchange(self._connection, method)
        body = b"" if document is None else json.dumps(document).encode()
        self._exchange.send(head(client, method, path, len(body)) + body)

    def answer(self) -> Answer:
        """Raises Mismatch when none comes."""
        self._connection.settimeout(self.within_s)
        return self._exchange.answer()

    def expect_result(self, *statuses: int) -> Any:
        """Its document, which has to come with one of these statuses (200); None for none."""
        answer = self.answer()
        wanted = statuses or (200,)
        expect_that(
            answer.status in wanted, f"the status of the call: {wanted}", f"{answer.status} {answer.text[:200]}"
        )
        return answer.json() if answer.body else None

    def expect_failure(self, what: str) -> Answer:
        """An error, and no crash."""
        answer = self.answer()
        expect_that(400 <= answer.status <= 599, f"{what}: the call is answered with an error", answer.status)
        return answer


def head(client: RowClient, method: str, path: str, size: int) -> bytes:
    """Of a request with JSON."""
    lines = [f"{method} {client.http.prefix}{path} HTTP/1.1", f"Host: {client.http.netloc}", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in client.authorization.items()]
    lines += ["Content-Type: application/json", f"Content-Length: {size}"]
    return "\r\n".join([*lines, "", ""]).encode()
