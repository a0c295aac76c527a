"""The dialogue PROV-SIM1, a profile of this project, as a gateway leads it (docs/contracts/kura.md §1.6)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.harness.conformance.expect import Mismatch, expect, expect_that
from fleetrig.harness.platforms.kura.conformance.gateway_session import ANSWERS_WITHIN_S, GatewaySession, Message
from fleetrig.harness.platforms.kura.conformance.payload_bytes import (
    BYTES,
    INT32,
    STRING,
    HeardPayload,
    Value,
    payload,
)
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, RowRequest
from fleetrig.harness.verdict import Finding

PROFILE: Final = "PROV-SIM1"
MATERIAL: Final = {
    "response.code": INT32,
    "prov.job.id": STRING,
    "prov.nonce": BYTES,
    "prov.broker-url": STRING,
    "prov.account-name": STRING,
    "prov.client-id": STRING,
    "prov.username": STRING,
    "prov.password": STRING,
    "prov.cert.chain": STRING,
    "prov.dm.alias": STRING,
    "prov.apps": INT32,
}
"""What a reply with 200 brings, each in its type."""
SECRETS: Final = frozenset({"prov.username", "prov.password", "prov.cert.chain", "prov.device.cert"})
"""What nobody gets who is refused."""
UNDER_WAY: Final = ("STARTED", "RUNNING", "CONF_UPDATING", "CONF_UPDATED", "APPS_INSTALLING", "APPS_INSTALLED")
OK: Final = 200

Metrics = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server to a request or to a confirm."""

    topic: str
    data: bytes
    content: HeardPayload

    @property
    def code(self) -> Value | None:
        return self.content.value("response.code")

    def text(self, name: str) -> str:
        """A metric as text; empty without one."""
        value = self.content.value(name)
        return "" if value is None else str(value)

    @property
    def job_id(self) -> str:
        return self.text("prov.job.id")


class Provisioning:
    """A gateway's session with the provision broker."""

    def __init__(self, session: GatewaySession, app_id: str) -> None:
        self.session = session
        self.app_id = app_id
        self.attempt = 0

    # -- saying

    def request(self, nonce: bytes | None = None, **changes: Value | None) -> Reply:
        """Asks for material, and has to be answered. `changes`: `prov_nonce=None` leaves a metric out."""
        metrics = self.request_metrics(nonce, **changes)
        return self.asked("request", payload(metrics), str(metrics.get("request.id")))

    def request_metrics(self, nonce: bytes | None = None, **changes: Value | None) -> dict[str, Value]:
        self.attempt += 1
        return self._metrics(
            {"prov.profile": PROFILE, "prov.attempt": self.attempt, "prov.nonce": nonce or new_nonce()}, changes
        )

    def confirm(self, job_id: str, result: str = "STAGED", **changes: Value | None) -> Reply:
        """Tells the outcome, and has to be answered."""
        metrics = self.confirm_metrics(job_id, result, **changes)
        return self.asked("confirm", payload(metrics), str(metrics.get("request.id")))

    def confirm_metrics(self, job_id: str, result: str = "STAGED", **changes: Value | None) -> dict[str, Value]:
        return self._metrics({"prov.job.id": job_id, "prov.result": result, "prov.reason": ""}, changes)

    def _metrics(self, own: Metrics, changes: Metrics) -> dict[str, Value]:
        ids = {"request.id": new_request_id(), "requester.client.id": self.session.client_id}
        named = {NAMES.get(name, name.replace("_", ".")): value for name, value in changes.items()}
        return {name: value for name, value in {**ids, **own, **named}.items() if value is not None}

    def asked(self, resource: str, data: bytes, request_id: str, within_s: float = ANSWERS_WITHIN_S) -> Reply:
        """Publishes these bytes; the reply comes at the topic of the session's own client id."""
        self.publish(resource, data)
        return self.heard(resource, request_id, within_s)

    def heard(self, resource: str, request_id: str, within_s: float = ANSWERS_WITHIN_S) -> Reply:
        """The reply to what was published, on its own topic."""
        message = self.session.message(f"the reply to a {resource} for provisioning", within_s)
        wanted = self.session.control(f"{self.app_id}/REPLY/{request_id}")
        expect(f"the topic of the reply to a {resource}", wanted, message.topic)
        return reply_of(message)

    def unanswered(self, what: str, resource: str, data: bytes) -> None:
        """Publishes these bytes; nothing comes, and the session goes on."""
        self.publish(resource, data)
        self.session.expect_nothing(what)

    def publish(self, resource: str, data: bytes) -> None:
        self.session.publish(self.session.control(f"{self.app_id}/POST/{resource}"), data, 1)


NAMES: Final = {"serial_number": "serial_number", "prov_retry_after": "prov.retry-after"}
"""Metrics that are not written with dots."""


def reply_of(message: Message) -> Reply:
    """Raises Mismatch for what is no reply, and for one that names a request: gateways would answer it (§2.5)."""
    content = message.content
    code = content.metrics.get("response.code")
    expect_that(code and code[0] == INT32, "response.code is there, an INT32", code)
    expect_that("request.id" not in content.metrics, "a reply has no request.id", sorted(content.metrics))
    return Reply(message.topic, message.payload, content)


def expect_material(reply: Reply) -> Reply:
    """200, with everything that a gateway needs, each in its type."""
    expect("response.code", OK, reply.code)
    kinds = {name: (reply.content.metrics[name][0] if name in reply.content.metrics else None) for name in MATERIAL}
    expect("the types of the reply's metrics", {name: int(kind) for name, kind in MATERIAL.items()},
           {name: None if kind is None else int(kind) for name, kind in kinds.items()})  # fmt: skip
    return reply


def expect_error(reply: Reply, code: int, *errors: str) -> Reply:
    """A refusal: its code, one of these errors, whether to come again, and nothing of the material."""
    if reply.code != code or reply.text("prov.error") not in errors:
        got = f"{reply.code!r} {reply.text('prov.error')} {reply.text('response.exception.message')}"
        raise Mismatch(Finding(f"{code} {' or '.join(errors)}", got.strip()))
    retry = reply.content.value("prov.retry")
    expect_that(isinstance(retry, bool), "prov.retry is there, a BOOL", retry)
    expect("material beside an error", [], sorted(SECRETS & set(reply.content.metrics)))
    return reply


def new_request_id() -> str:
    return secrets.token_hex(12)


def new_nonce() -> bytes:
    return secrets.token_bytes(16)


# -- with the client of a row


def bootstrap(client: RowClient, request: RowRequest, *, is_subscribed: bool = True) -> Provisioning:
    """The gateway of a provision request signs in at the provision broker and listens for replies."""
    session = bootstrap_session(client, request)
    expect("CONNECT at the provision broker", "CONNACK 0", session.connect(request.user_name, request.password))
    return listening(client, session) if is_subscribed else Provisioning(session, client.under_test.app_id)


def bootstrap_session(client: RowClient, request: RowRequest) -> GatewaySession:
    """A connection of the gateway to the provision broker, on which nothing was said yet."""
    return client.gateway(client.under_test.provision_account, request.client_id)


def listening(client: RowClient, session: GatewaySession) -> Provisioning:
    """One that was let in subscribes to replies and orders."""
    app_id = client.under_test.app_id
    for verb in ("REPLY", "EXEC"):
        session.subscribe(session.control(f"{app_id}/{verb}/#"))
    return Provisioning(session, app_id)


def bootstrap_answer(client: RowClient, request: RowRequest, **changes: str) -> str:
    """What CONNECT with its credentials is answered, and nothing else."""
    session = client.gateway(client.under_test.provision_account, changes.get("client_id", request.client_id))
    answer = session.connect(changes.get("user_name", request.user_name), changes.get("password", request.password))
    session.drop()
    return answer


def target_session(client: RowClient, reply: Reply) -> GatewaySession:
    """A connection of the gateway to its own account, on which nothing was said yet."""
    return client.gateway(reply.text("prov.account-name"), reply.text("prov.client-id"))


def target_answer(client: RowClient, reply: Reply) -> str:
    """What CONNECT with the credentials of a reply is answered."""
    session = target_session(client, reply)
    answer = session.connect(reply.text("prov.username"), reply.text("prov.password"))
    session.drop()
    return answer


def on_target(client: RowClient, reply: Reply) -> GatewaySession:
    """Signed in at the account of the gateway's own, with what the reply brought."""
    session = target_session(client, reply)
    answer = session.connect(reply.text("prov.username"), reply.text("prov.password"))
    expect("CONNECT at the target account with the new credentials", "CONNACK 0", answer)
    return session


def staged(client: RowClient, request: RowRequest, **changes: Any) -> Reply:
    """Asked for material, staged, confirmed, disconnected: what is missing is BIRTH."""
    provisioning = bootstrap(client, request)
    reply = expect_material(provisioning.request(**changes))
    expect("the answer to confirm", OK, provisioning.confirm(reply.job_id).code)
    provisioning.session.disconnect(dc=False)
    return reply


def provisioned(client: RowClient, request: RowRequest, **changes: Any) -> tuple[Reply, GatewaySession]:
    """The whole way: the session at the target account, with BIRTH said."""
    reply = staged(client, request, **changes)
    session = on_target(client, reply)
    session.birth()
    client.expect_job(request, "COMPLETED")
    return reply, session
