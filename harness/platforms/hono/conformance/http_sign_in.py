"""Devices with a password at the HTTP adapter (docs/contracts/hono.md §4.1, §4.5)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import TELEMETRY, mqtt, with_basic
from fleetrig.harness.platforms.hono.conformance.registry_api import JSON, expect_error_body, expect_status
from fleetrig.harness.platforms.hono.conformance.row_client import AUTH_ID, PASSWORD, RowClient, password

ROWS: Final[Resource[RowClient]] = Resource("hono", "http")
NEEDS: Final = ("http",)
EMPTY: Final = {"Content-Type": "application/vnd.eclipse-hono-empty-notification"}
MOST_BYTES: Final = 2048
PAST: Final = "2020-01-01T00:00:00Z"
FUTURE: Final = "2040-01-01T00:00:00Z"


@ROWS.row("H01", "right", "The right password is taken, for telemetry and events; the body is empty", needs=NEEDS)
def right(client: RowClient) -> None:
    account = client.with_password(client.tenant())
    for path in ("/telemetry", "/event"):
        answer = with_basic(client, account, path=path)
        expect_status(answer, 202)
        expect("the body", b"", answer.body)
    expect_status(with_basic(client, account, headers={}), 202)


@ROWS.row("H02", "wrong", "A wrong password, auth-id, tenant or form is 401; who gives none is told what to give",
          needs=NEEDS)  # fmt: skip
def wrong(client: RowClient) -> None:
    tenant = client.tenant()
    client.with_password(tenant)
    nobody = client.name("nosuch")
    for account in (
        f"{AUTH_ID}@{tenant}:x",
        f"nope@{tenant}:{PASSWORD}",
        f"{AUTH_ID}:{PASSWORD}",
        f"{AUTH_ID}@{nobody}:{PASSWORD}",
    ):
        answer = with_basic(client, account)
        expect_refused(client, answer, 401)
        expect_that(answer.header("WWW-Authenticate") is None, "no WWW-Authenticate", answer.header("WWW-Authenticate"))
    answer = with_basic(client, None)
    expect_refused(client, answer, 401)
    wanted = ['Basic realm="Hono"', 'Bearer realm="Hono"']
    expect("WWW-Authenticate", wanted if client.generation.is_current else wanted[:1], challenges(answer))


def expect_refused(client: RowClient, answer: Answer, status: int) -> None:
    """With an error in JSON; Hono 1.1 has text there."""
    expect_status(answer, status)
    if client.generation.is_current:
        expect_error_body(answer)


def challenges(answer: Answer) -> list[str]:
    """In one header or in several."""
    values = [value for name, value in answer.headers if name.lower() == "www-authenticate"]
    return sorted(one.strip() for value in values for one in value.split(","))


def expect_bad(client: RowClient, body: bytes | None, status: int, **headers: str) -> None:
    """Of a device that may sign in."""
    account = client.with_password(client.tenant())
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    expect_refused(client, with_basic(client, account, body=body, headers=named), status)
    expect_status(with_basic(client, account), 202)


@ROWS.row("H03", "empty", "An empty body without a content type is 400", needs=NEEDS)
def empty(client: RowClient) -> None:
    expect_bad(client, b"", 400)


@ROWS.row("H04", "empty-notification", "An empty notification has no body, else 400", needs=NEEDS)
def empty_notification(client: RowClient) -> None:
    account = client.with_password(client.tenant())
    expect_refused(client, with_basic(client, account, headers=EMPTY), 400)
    expect_status(with_basic(client, account, path="/event", body=b"", headers=EMPTY), 202)


@ROWS.row("H05", "qos", "A qos-level of 2 is 400, one of 1 is taken", needs=NEEDS)
def qos(client: RowClient) -> None:
    expect_bad(client, TELEMETRY, 400, content_type="text/plain", qos_level="2")
    account = client.with_password(client.tenant())
    expect_status(with_basic(client, account, headers={**JSON, "qos-level": "1"}), 202)


@ROWS.row("H06", "too-large", "A body of 2048 bytes is taken, one of 2049 is 413", needs=NEEDS)
def too_large(client: RowClient) -> None:
    account = client.with_password(client.tenant())
    expect_status(with_basic(client, account, body=b"x" * MOST_BYTES), 202)
    larger = with_basic(client, account, body=b"x" * (MOST_BYTES + 1))
    if client.under_test.is_foreign and larger.status == 202:
        client.warn(f"413 for {MOST_BYTES + 1} bytes", "an adapter that is set up to take more")
    else:
        expect_refused(client, larger, 413)


@ROWS.row("H07", "data-volume", "Once a tenant's data volume is used up, it is 429 (a Hono without Prometheus does not "
          "count)", needs=("current", *NEEDS))  # fmt: skip
def data_volume(client: RowClient) -> None:
    volume = {"max-bytes": 2 * len(TELEMETRY), "effective-since": PAST, "period": {"mode": "days", "no-of-days": 30}}
    tenant = client.tenant({"resource-limits": {"data-volume": volume}})
    account = client.with_password(tenant)
    statuses = [with_basic(client, account).status for _ in range(4)]
    expect("the first status", 202, statuses[0])
    client.expect_known("the status once it is used up", statuses[-1], lambda one: 429 if one.counts_data else 202)


@ROWS.row("H08", "sink-down", "While nobody takes messages, telemetry of qos 1 and events are 503, to be tried again "
          "after 2 s; an event over MQTT ends the connection", needs=("sink", "current", *NEEDS))  # fmt: skip
def sink_down(client: RowClient) -> None:
    tenant = client.tenant()
    account = client.with_password(tenant)
    with client.under_test.failing_sink(tenant):
        expect_status(with_basic(client, account), 202)
        for path, headers in (("/telemetry", {**JSON, "qos-level": "1"}), ("/event", JSON)):
            answer = with_basic(client, account, path=path, headers=headers)
            expect_refused(client, answer, 503)
            expect("Retry-After", "2", answer.header("Retry-After"))
        if "mqtt" in client.under_test.can:
            connection, connack = mqtt(client, account)
            expect("CONNECT", "CONNACK 0", connack)
            connection.publish("event", TELEMETRY)
            connection.expect_heard("after an event", "closed")
    expect_status(with_basic(client, account, path="/event"), 202)


@ROWS.row("H09", "validity", "A secret that has expired, does not count yet or is disabled signs nobody in: 401",
          needs=NEEDS)  # fmt: skip
def validity(client: RowClient) -> None:
    tenant = client.tenant()
    secrets: list[tuple[str, dict[str, Any]]] = [
        ("a", {"not-after": PAST}), ("b", {"not-before": FUTURE}), ("c", {"enabled": False}),
        ("d", {"not-before": PAST, "not-after": FUTURE}),
    ]  # fmt: skip
    client.give(tenant, client.device(tenant), *(with_secret(password(name), more) for name, more in secrets))
    statuses = {name: with_basic(client, f"{name}@{tenant}:{PASSWORD}").status for name, _ in secrets}
    expect("statuses", {"a": 401, "b": 401, "c": 401, "d": 202}, statuses)


def with_secret(entry: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    """The first secret with further members."""
    return {**entry, "secrets": [{**entry["secrets"][0], **members}]}


@ROWS.row("H10", "two-passwords", "Two passwords that count at the same time are both taken", needs=NEEDS)
def two_passwords(client: RowClient) -> None:
    tenant = client.tenant()
    old, new = password(text="old"), password(text="new")
    client.give(tenant, client.device(tenant), {**old, "secrets": [*old["secrets"], *new["secrets"]]})
    statuses = [with_basic(client, f"{AUTH_ID}@{tenant}:{text}").status for text in ("old", "new", "other")]
    expect("statuses of both and of another", [202, 202, 401], statuses)


@ROWS.row("H11", "switched-off", "A tenant that is disabled, or does not list the adapter any more, is 403",
          needs=("current", *NEEDS))  # fmt: skip
def switched_off(client: RowClient) -> None:
    tenant = client.tenant()
    account = client.with_password(tenant)
    expect_status(with_basic(client, account), 202)
    client.change_tenant(tenant, {"enabled": False})
    client.under_test.after_change(lambda: expect_refused(client, with_basic(client, account), 403))
    client.change_tenant(tenant, {"adapters": [{"type": "hono-mqtt", "enabled": True}]})
    client.under_test.after_change(lambda: expect_refused(client, with_basic(client, account), 403))
    client.change_tenant(tenant, {})
    client.under_test.after_change(lambda: expect_status(with_basic(client, account), 202))
