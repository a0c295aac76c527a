"""Many gateways at the same time, and a server that has too much to do (docs/contracts/kura.md §1.6, §4.4).

The storm of 10,000 gateways is a scenario; here as many come as a suite has time for.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.kura.conformance.audit import expect_audited
from fleetrig.harness.platforms.kura.conformance.dialogue import (
    Provisioning,
    bootstrap,
    bootstrap_answer,
    expect_error,
    expect_material,
    on_target,
)
from fleetrig.harness.platforms.kura.conformance.payload_bytes import Value, payload
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, RowRequest, new_password

ROWS: Final[Resource[RowClient]] = Resource("kura", "crowd")
NEEDS: Final = ("mqtt", "provisioning")
AT_ONCE: Final = 200
SHED: Final = "CONNACK 3"
ROUNDS: Final = 3
TOO_SLOW_S: Final = 14
GIVES_UP_WITHIN_S: Final = 13
"""Gateways themselves wait 10 to 20 s."""


def come_back(client: RowClient, requests: list[RowRequest]) -> list[Provisioning]:
    """All connect at the same time; who is told 3 comes again, three times at most."""
    back: list[Provisioning] = []
    waiting = requests
    for _ in range(ROUNDS):
        answers = [(one, bootstrap_answer(client, one)) for one in waiting]
        odd = sorted({answer for _, answer in answers} - {"CONNACK 0", SHED})
        expect("answers other than CONNACK 0 and CONNACK 3", [], odd)
        back += [bootstrap(client, one) for one, answer in answers if answer != SHED]
        waiting = [one for one, answer in answers if answer == SHED]
    expect("gateways that are still not let in", [], [one.client_id for one in waiting])
    return back


@ROWS.row("S35", "all-at-once", "Profile: when all lose their connection and come back at once, each is let in, or "
          "told 3 and let in later; all are provisioned, each for itself", needs=NEEDS)  # fmt: skip
def all_at_once(client: RowClient) -> None:
    requests = [client.request() for _ in range(min(client.under_test.crowd, AT_ONCE))]
    first = come_back(client, requests)
    for one in first:
        one.session.drop()
    replies = [expect_material(one.request()) for one in come_back(client, requests)]
    expect("different users", len(requests), len({one.text("prov.username") for one in replies}))
    expect(
        "client ids", sorted(one.client_id for one in requests), sorted(one.text("prov.client-id") for one in replies)
    )
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
    content = expect_error(reply, 500, "BUSY").content
    expect("prov.retry", True, content.value("prov.retry"))
    after_s = content.value("prov.retry-after")
    expect_that(isinstance(after_s, int) and after_s > 0, "prov.retry-after is above 0", after_s)
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
