"""Many gateways at the same time, and a server that has too much to do (docs/contracts/kura.md §1.6, §4.4).

The storm of 10,000 gateways is a scenario; here as many come as a suite has time for.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import Mismatch, expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.audit import expect_audited
from fleetrig.harness.platforms.kura.conformance.dialogue import (
    Provisioning,
    Reply,
    bootstrap,
    bootstrap_answer,
    bootstrap_session,
    expect_error,
    expect_material,
    listening,
    on_target,
)
from fleetrig.harness.platforms.kura.conformance.gateway_session import GatewaySession
from fleetrig.harness.platforms.kura.conformance.payload_bytes import Value, payload
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, RowRequest, new_password
from fleetrig.harness.verdict import Finding

ROWS: Final[Resource[RowClient]] = Resource("kura", "crowd")
NEEDS: Final = ("mqtt", "provisioning")
AT_ONCE: Final = 200
LET_IN: Final = "CONNACK 0"
SHED: Final = "CONNACK 3"
BUSY: Final = 500
ROUNDS: Final = 3
WAITS_AT_MOST_S: Final = 60
TOO_SLOW_S: Final = 14
GIVES_UP_WITHIN_S: Final = 13
"""Gateways themselves wait 10 to 20 s."""


def connected_at_once(client: RowClient, requests: list[RowRequest]) -> list[tuple[RowRequest, GatewaySession, str]]:
    """All have said CONNECT before the first of them hears an answer."""
    sessions = [bootstrap_session(client, one) for one in requests]
    for one, session in zip(requests, sessions, strict=True):
        session.say_connect(one.user_name, one.password)
    return [(one, session, session.hear_connect()) for one, session in zip(requests, sessions, strict=True)]


def come_back(client: RowClient, requests: list[RowRequest]) -> list[Provisioning]:
    """All connect at the same time; who is told 3 comes again, three times at most."""
    back: list[Provisioning] = []
    waiting = requests
    for _ in range(ROUNDS):
        answered = connected_at_once(client, waiting)
        expect("answers other than CONNACK 0 and CONNACK 3", [], sorted({one[2] for one in answered} - {LET_IN, SHED}))
        back += [listening(client, session) for _, session, answer in answered if answer == LET_IN]
        waiting = [one for one, _, answer in answered if answer == SHED]
        if not waiting:
            return back
    raise Mismatch(Finding("all are let in, if not at once", f"{len(waiting)} are not, {waiting[0].client_id} first"))


def asked_at_once(client: RowClient, gateways: list[Provisioning]) -> list[Reply]:
    """All ask for material at the same time; who is told BUSY asks again when it may, three times at most."""
    replies: dict[str, Reply] = {}
    waiting = gateways
    for _ in range(ROUNDS):
        replies |= said_at_once(waiting)
        waiting = [one for one in waiting if replies[one.session.client_id].code == BUSY]
        if not waiting:
            return [expect_material(replies[one.session.client_id]) for one in gateways]
        client.under_test.let_pass(max(come_again_after_s(replies[one.session.client_id]) for one in waiting))
    raise Mismatch(Finding("all are served, if not at once", f"{len(waiting)} are still told BUSY"))


def said_at_once(gateways: list[Provisioning]) -> dict[str, Reply]:
    """Of each client: all have asked before the first of them hears its reply."""
    said = [one.request_metrics() for one in gateways]
    for one, metrics in zip(gateways, said, strict=True):
        one.publish("request", payload(metrics))
    return {
        one.session.client_id: one.heard("request", str(metrics["request.id"]))
        for one, metrics in zip(gateways, said, strict=True)
    }


def come_again_after_s(reply: Reply) -> int:
    after_s = expect_error(reply, BUSY, "BUSY").content.value("prov.retry-after")
    if not isinstance(after_s, int) or after_s <= 0:
        raise Mismatch(Finding("prov.retry-after is above 0", str(after_s)))
    return min(after_s, WAITS_AT_MOST_S)


@ROWS.row("S35", "all-at-once", "Profile: when all lose their connection and come back at once, each is let in, or "
          "told 3 and let in later; all ask at once, and each is provisioned, or told BUSY and provisioned later",
          needs=NEEDS)  # fmt: skip
def all_at_once(client: RowClient) -> None:
    requests = [client.request() for _ in range(min(client.under_test.crowd, AT_ONCE))]
    for one in come_back(client, requests):
        one.session.drop()
    gateways = come_back(client, requests)
    replies = asked_at_once(client, gateways)
    expect("different users", len(requests), len({one.text("prov.username") for one in replies}))
    expect("client ids", [one.session.client_id for one in gateways], [one.text("prov.client-id") for one in replies])
    for reply in replies[:: max(len(replies) // 10, 1)]:
        on_target(client, reply).birth()


@ROWS.row("S36", "overloaded", "Profile: a server that has too much to do says 500 BUSY with the time after which to "
          "come again, or ends the connection before PUBACK: nothing is lost in silence",
          needs=(*NEEDS, "slow_store"))  # fmt: skip
def overloaded(client: RowClient) -> None:
    request = client.request()
    provisioning = bootstrap(client, request)
    with client.under_test.slow_store(f"PUBLISH *{request.client_id}*", TOO_SLOW_S):
        metrics = provisioning.request_metrics()
        reply = provisioning.asked("request", payload(metrics), str(metrics["request.id"]), GIVES_UP_WITHIN_S)
    come_again_after_s(reply)
    expect("prov.retry", True, reply.content.value("prov.retry"))
    expect_material(bootstrap(client, request).request())


@ROWS.row("S37", "audit", "Profile: each refusal is told with time, client id, user and reason, and never with a "
          "password or a key", needs=(*NEEDS, "audit"))  # fmt: skip
def audit(client: RowClient) -> None:
    request = client.request(generateActivationKey=True)
    secrets = (request.password, request.activation_key, wrong := new_password())
    bootstrap_answer(client, request, password=wrong)
    told = expect_audited(client, request.client_id, *secrets)
    expect_that(request.user_name in str(told), "a refused CONNECT is told with its user", told)
    stranger = client.name()
    bootstrap_answer(client, request, client_id=stranger)
    expect_audited(client, stranger, *secrets)
    provisioning, count = bootstrap(client, request), len(client.under_test.refusals(request.client_id))
    odd: list[tuple[dict[str, Value], str]] = [
        ({"activation_key": wrong}, "BAD_ACTIVATION_KEY"), ({"prov_profile": "x"}, "MALFORMED"),
        ({"requester_client_id": stranger}, "CLIENT_ID_MISMATCH"),
    ]  # fmt: skip
    for changes, error in odd:
        expect_error(provisioning.request(None, **changes), 400, error)
        count += 1
        told = expect_audited(client, request.client_id, *secrets)
        expect(f"refusals after {error}", count, len(client.under_test.refusals(request.client_id)))
