"""How targets come into being by themselves, and what becomes of them (spec/hawkbit.md §3.4)."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import Missing, expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_error,
    expect_type,
)
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import let_in, no_content
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    HAL,
    POLL_TIME_WITHIN_S,
    SLEEP,
    config_data,
    device,
    expect_bare_401,
    expect_one,
    expect_poll,
    expect_unknown,
    expect_violation,
    gateway,
    newcomer,
)
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import as_sent
from fleetrig.harness.platforms.hawkbit.conformance.session import Session, Target, tt

ROWS: Final[Resource[Session]] = Resource("hawkbit", "registration")

TOKEN: Final = re.compile(r"[0-9a-f]{32}")
NOT_TRACKED: Final = "http://***"
AT_ONCE: Final = 20
SOON_MS: Final = 60_000
LONGEST_ID: Final = 256
LONGEST_NAME: Final = 128


def registered(server: Session, auth: str, **headers: str) -> str:
    """A newcomer that has polled once."""
    name = newcomer(server)
    expect_document(server.ddi("GET", name, auth=auth, headers=headers))
    return name


@ROWS.row("S46", "first-poll", "A gateway's first poll for an unknown device creates its target")
def first_poll(server: Session) -> None:
    auth, name = gateway(server), newcomer(server)
    answer = server.ddi("GET", name, auth=auth)
    expect_poll(expect_document(answer), SLEEP, config_data(server, name))
    expect_type(answer, HAL)

    def created() -> None:
        expect_born(server, name, server.record(name))

    server.until(POLL_TIME_WITHIN_S, created)


def expect_born(server: Session, name: str, record: dict[str, Any]) -> None:
    """A target that made itself (§3.4); who is said to have done so is what documents and server disagree on (§5)."""
    creator = server.generation.self_made_by
    born = {"controllerId": name, "name": name, "description": f"Plug and Play target: {name}",
            "updateStatus": "registered", "requestAttributes": True, "createdBy": creator,
            "lastModifiedBy": creator}  # fmt: skip
    expect_has("the target", born, record)
    token, address = record.get("securityToken", ""), record.get("address", "")
    expect_that(TOKEN.fullmatch(token), "securityToken: 32 lower-case hex digits", token)
    expect_that(address.startswith("http://"), "address: http:// and where the device is", address)
    if address != NOT_TRACKED:
        expect_address(record, address)
    since_ms = record.get("lastControllerRequestAt", 0) - record["createdAt"]
    expect_that(abs(since_ms) <= SOON_MS, "lastControllerRequestAt next to createdAt", f"{since_ms} ms after")
    expect("fields without a value yet", [], [key for key in ("targetType", "installedAt") if key in record])


@ROWS.row("S47", "second-poll", "The next poll finds the same target, with the same token")
def second_poll(server: Session) -> None:
    auth = gateway(server)
    name = registered(server, auth)
    before = expect_one(server, name)
    expect_document(server.ddi("GET", name, auth=auth))
    after = expect_one(server, name)
    for key in ("securityToken", "name", "description", "createdAt", "createdBy", "updateStatus"):
        expect(key, before.get(key), after.get(key))


@ROWS.row("S48", "attributes-first", "Anything but a poll of an unknown device is a 404, and creates nothing")
def attributes_first(server: Session) -> None:
    auth, name = gateway(server), newcomer(server)
    body = {"data": {"a": "b"}}
    for answer in (
        server.ddi("PUT", name, "/configData", auth=auth, body=body),
        server.ddi("GET", name, "/deploymentBase/1", auth=auth),
        server.ddi("GET", name, "/installedBase/1", auth=auth),
    ):
        info = {"type": "Target", "entityId": name}
        message = f"Target with given identifier {{{name}}} does not exist."
        expect_error(answer, 404, "repo.entityNotFound", info=info, message=message)
        expect_unknown(server, name)


@ROWS.row("S49", "confirmation-first", "Reading confirmationBase creates an unknown device's target as a poll does")
def confirmation_first(server: Session) -> None:
    auth, name = gateway(server), newcomer(server)
    answer = server.ddi("GET", name, "/confirmationBase", auth=auth)
    document = expect_document(answer)
    expect_type(answer, HAL)
    expect("autoConfirm", {"active": False, "activatedAt": 0}, document.get("autoConfirm"))
    expect("_links", ["activateAutoConfirm"], sorted(document.get("_links", {})))
    server.until(POLL_TIME_WITHIN_S, lambda: expect_born(server, name, server.record(name)))


@ROWS.row("S50", "id-too-long", "An id of 257 characters is refused, and creates nothing")
def id_too_long(server: Session) -> None:
    auth = gateway(server)
    name = newcomer(server).ljust(LONGEST_ID + 1, "e")
    expect_violation(server.ddi("GET", name, auth=auth), "controllerId size must be between 1 and 256.",
                     "name size must be between 1 and 128.")  # fmt: skip
    expect_unknown(server, name)


@ROWS.row("S124", "long-id", "An id may have 128 characters; up to 256 it is refused, since it becomes the name")
def long_id(server: Session) -> None:
    auth = gateway(server)
    name = newcomer(server).ljust(LONGEST_NAME, "e")
    server.forget_target(name)
    expect_poll(expect_document(server.ddi("GET", name, auth=auth)), SLEEP, config_data(server, name))
    expect("name", name, server.record(name)["name"])
    for length in (LONGEST_NAME + 1, LONGEST_ID):
        longer = name.ljust(length, "e")
        server.forget_target(longer)
        expect_violation(server.ddi("GET", longer, auth=auth), "name size must be between 1 and 128.")
        expect_unknown(server, longer)


@ROWS.row("S55", "at-once", "Twenty first polls at once make one target; who loses gets a 409 or is let in")
def at_once(server: Session) -> None:
    server.target_tokens()
    auth, name = gateway(server), newcomer(server)
    answers = polls_at_once(server, name, auth)
    statuses = Counter(answer.status for answer in answers)
    if statuses[429]:
        raise Missing(f"room for {AT_ONCE} requests at once: its request limiter refused {statuses[429]} of them")
    expect_that(statuses.keys() <= {200, 409} and statuses[200], "200 for one at least, 409 for losers", dict(statuses))
    for answer in answers:
        if answer.status == 409:
            expect_error(answer, 409, "repo.entityAlreadyExists")
    expect_one(server, name)
    expect_document(server.ddi("GET", name, auth=auth))


def polls_at_once(server: Session, controller_id: str, auth: str) -> list[Answer]:
    """As many clients as `AT_ONCE`, all connected before the first of them polls."""
    path = f"/{server.tenant}/controller/v1/{controller_id}"
    clients = [server.client.another() for _ in range(AT_ONCE)]
    together = Barrier(AT_ONCE)

    def poll(client: ExactClient) -> Answer:
        together.wait()
        return client.call("GET", path, {"Authorization": auth})

    try:
        for client in clients:
            client.call("GET", path)  # without credentials: opens the connection
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(poll, clients))
    finally:
        for client in clients:
            client.close()


@ROWS.row("S57", "born-again", "A deleted device is created anew by its gateway, with a new token and nothing known")
def born_again(server: Session) -> None:
    server.target_tokens()
    auth = gateway(server)
    name = registered(server, auth)
    first = Target(name, server.record(name)["securityToken"])
    expect_document(let_in(server, name, tt(first)))
    expect_bare(server.ddi("PUT", name, "/configData", auth=auth, body={"data": {"a": "b"}}))
    expect_bare(server.mgmt("DELETE", f"/targets/{name}"), no_content(server))
    expect_bare_401(server.poll(first))
    expect_unknown(server, name)
    expect_poll(expect_document(server.ddi("GET", name, auth=auth)), SLEEP, config_data(server, name))
    token = server.record(name)["securityToken"]
    expect_that(TOKEN.fullmatch(token) and token != first.token, "a new securityToken", token)
    expect_bare(server.mgmt("GET", f"/targets/{name}/attributes"), 204)
    expect_bare_401(server.poll(first))
    expect_document(server.poll(Target(name, token)))


@ROWS.row("S58", "address", "The address of a device is the first one in X-Forwarded-For, else its own")
def address(server: Session) -> None:
    auth = gateway(server)
    name = registered(server, auth)
    direct = server.record(name)["address"]
    if direct == NOT_TRACKED:
        raise Missing("tracking of client addresses (hawkbit.server.security.clients.trackRemoteIp)")
    with as_sent(server, "addresses in X-Forwarded-For"):
        for forwarded in ("203.0.113.9", "198.51.100.7, 10.0.0.1"):
            expect_document(server.ddi("GET", name, auth=auth, headers={"X-Forwarded-For": forwarded}))
            wait_for_address(server, name, "http://" + forwarded.partition(",")[0])
    expect_document(server.ddi("GET", name, auth=auth))
    wait_for_address(server, name, direct)


def wait_for_address(server: Session, name: str, url: str) -> None:
    server.until(POLL_TIME_WITHIN_S, lambda: expect_address(server.record(name), url))


def expect_address(record: dict[str, Any], url: str) -> None:
    """Where the device is; how `ipAddress` writes IPv6 is not laid down."""
    expect("address", url, record.get("address"))
    if "[" not in url:
        expect("ipAddress", url.removeprefix("http://"), record.get("ipAddress"))


@ROWS.row("S59", "tenant-in-any-case", "The case of the tenant in a path does not matter; links keep it")
def tenant_in_any_case(server: Session) -> None:
    target = device(server)
    spelled = server.tenant.swapcase()
    for tenant in (spelled, server.tenant):
        answer = server.poll(target, tenant=tenant)
        expect_poll(expect_document(answer), SLEEP, config_data(server, target.controller_id, tenant))
    expect("updateStatus", "registered", server.record(target.controller_id)["updateStatus"])
