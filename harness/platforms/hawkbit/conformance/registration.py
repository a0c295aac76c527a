"""How targets come into being by themselves, and what becomes of them (docs/contracts/hawkbit.md §3.4)."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.conformance.expect import MissingCapability, expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_error,
    expect_type,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import tt
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
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import tolerating_proxies
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import FORWARDED, resting_on
from fleetrig.harness.platforms.hawkbit.conformance.targets import expect_not_yet
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "registration")

TOKEN: Final = re.compile(r"[0-9a-f]{32}")
NOT_TRACKED: Final = "http://***"
AT_ONCE: Final = 20
SOON_MS: Final = 60_000
LONGEST_ID: Final = 256
LONGEST_NAME: Final = 128


def registered(client: RowClient, auth: str, **headers: str) -> str:
    """A newcomer that has polled once."""
    name = newcomer(client)
    expect_document(client.ddi("GET", name, auth=auth, headers=headers))
    return name


@ROWS.row("S46", "first-poll", "A gateway's first poll for an unknown device creates its target")
def first_poll(client: RowClient) -> None:
    auth, name = gateway(client), newcomer(client)
    answer = client.ddi("GET", name, auth=auth)
    expect_poll(expect_document(answer), SLEEP, config_data(client, name))
    expect_type(answer, HAL)

    def created() -> None:
        expect_born(client, name, client.record(name))

    client.until(POLL_TIME_WITHIN_S, created)


def expect_born(client: RowClient, name: str, record: dict[str, Any]) -> None:
    """A target that made itself (§3.4); who is said to have done so is what documents and server disagree on (§5)."""
    creator = client.generation.self_made_by
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
    expect_not_yet(client, record, ("targetType", "installedAt"))


@ROWS.row("S47", "second-poll", "The next poll finds the same target, with the same token")
def second_poll(client: RowClient) -> None:
    auth = gateway(client)
    name = registered(client, auth)
    before = expect_one(client, name)
    expect_document(client.ddi("GET", name, auth=auth))
    after = expect_one(client, name)
    for key in ("securityToken", "name", "description", "createdAt", "createdBy", "updateStatus"):
        expect(key, before.get(key), after.get(key))


@ROWS.row("S48", "attributes-first", "Anything but a poll of an unknown device is a 404, and creates nothing")
def attributes_first(client: RowClient) -> None:
    auth, name = gateway(client), newcomer(client)
    body = {"data": {"a": "b"}}
    for answer in (
        client.ddi("PUT", name, "/configData", auth=auth, body=body),
        client.ddi("GET", name, "/deploymentBase/1", auth=auth),
        client.ddi("GET", name, "/installedBase/1", auth=auth),
    ):
        info = {"type": "Target", "entityId": name}
        message = f"Target with given identifier {{{name}}} does not exist."
        expect_error(answer, 404, "repo.entityNotFound", info=info, message=message)
        expect_unknown(client, name)


@ROWS.row("S49", "confirmation-first", "Reading confirmationBase creates an unknown device's target as a poll does")
def confirmation_first(client: RowClient) -> None:
    auth, name = gateway(client), newcomer(client)
    answer = client.ddi("GET", name, "/confirmationBase", auth=auth)
    document = expect_document(answer)
    expect_type(answer, HAL)
    expect("autoConfirm", {"active": False, "activatedAt": 0}, document.get("autoConfirm"))
    expect("_links", ["activateAutoConfirm"], sorted(document.get("_links", {})))
    client.until(POLL_TIME_WITHIN_S, lambda: expect_born(client, name, client.record(name)))


@ROWS.row("S50", "id-too-long", "An id of 257 characters is refused, and creates nothing")
def id_too_long(client: RowClient) -> None:
    auth = gateway(client)
    name = newcomer(client).ljust(LONGEST_ID + 1, "e")
    expect_violation(client.ddi("GET", name, auth=auth), "controllerId size must be between 1 and 256.",
                     "name size must be between 1 and 128.")  # fmt: skip
    expect_unknown(client, name)


@ROWS.row("S124", "long-id", "An id may have 128 characters; up to 256 it is refused, since it becomes the name")
def long_id(client: RowClient) -> None:
    auth = gateway(client)
    name = newcomer(client).ljust(LONGEST_NAME, "e")
    client.forget_target(name)
    expect_poll(expect_document(client.ddi("GET", name, auth=auth)), SLEEP, config_data(client, name))
    expect("name", name, client.record(name)["name"])
    for length in (LONGEST_NAME + 1, LONGEST_ID):
        longer = name.ljust(length, "e")
        client.forget_target(longer)
        expect_violation(client.ddi("GET", longer, auth=auth), "name size must be between 1 and 128.")
        expect_unknown(client, longer)


@ROWS.row("S55", "at-once", "Twenty first polls at once make one target; who loses gets a 409 or is let in")
def at_once(client: RowClient) -> None:
    client.settings.switch_target_tokens_on()
    auth, name = gateway(client), newcomer(client)
    answers = polls_at_once(client, name, auth)
    statuses = Counter(answer.status for answer in answers)
    if statuses[429]:
        raise MissingCapability(
            f"room for {AT_ONCE} requests at once: its request limiter refused {statuses[429]} of them"
        )
    expect_that(statuses.keys() <= {200, 409} and statuses[200], "200 for one at least, 409 for losers", dict(statuses))
    for answer in answers:
        if answer.status == 409:
            expect_error(answer, 409, "repo.entityAlreadyExists")
    expect_one(client, name)
    expect_document(client.ddi("GET", name, auth=auth))


def polls_at_once(client: RowClient, controller_id: str, auth: str) -> list[Answer]:
    """As many clients as `AT_ONCE`, all connected before the first of them polls."""
    path = f"/{client.tenant}/controller/v1/{controller_id}"
    connections = [client.http.another() for _ in range(AT_ONCE)]
    together = Barrier(AT_ONCE)

    def poll(connection: ExactClient) -> Answer:
        together.wait()
        return connection.call("GET", path, {"Authorization": auth})

    try:
        for connection in connections:
            connection.call("GET", path)  # without credentials: opens the connection
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(poll, connections))
    finally:
        for connection in connections:
            connection.close()


@ROWS.row("S57", "born-again", "A deleted device is created anew by its gateway, with a new token and nothing known")
def born_again(client: RowClient) -> None:
    client.settings.switch_target_tokens_on()
    auth = gateway(client)
    name = registered(client, auth)
    first = Target(name, client.record(name)["securityToken"])
    expect_document(let_in(client, name, tt(first)))
    expect_bare(client.ddi("PUT", name, "/configData", auth=auth, body={"data": {"a": "b"}}))
    expect_bare(client.mgmt("DELETE", f"/targets/{name}"), no_content(client))
    expect_bare_401(client.poll(first))
    expect_unknown(client, name)
    expect_poll(expect_document(client.ddi("GET", name, auth=auth)), SLEEP, config_data(client, name))
    token = client.record(name)["securityToken"]
    expect_that(TOKEN.fullmatch(token) and token != first.token, "a new securityToken", token)
    expect_bare(client.mgmt("GET", f"/targets/{name}/attributes"), 204)
    expect_bare_401(client.poll(first))
    expect_document(client.poll(Target(name, token)))


@ROWS.row("S58", "address", "The address of a device is the first one in X-Forwarded-For, else its own")
def address(client: RowClient) -> None:
    auth = gateway(client)
    name = registered(client, auth)
    direct = client.record(name)["address"]
    if direct == NOT_TRACKED:
        raise MissingCapability("tracking of client addresses (hawkbit.server.security.clients.trackRemoteIp)")
    with tolerating_proxies(client, "addresses in X-Forwarded-For"), resting_on(FORWARDED):
        for forwarded in ("203.0.113.9", "198.51.100.7, 10.0.0.1"):
            expect_document(client.ddi("GET", name, auth=auth, headers={"X-Forwarded-For": forwarded}))
            wait_for_address(client, name, "http://" + forwarded.partition(",")[0])
    expect_document(client.ddi("GET", name, auth=auth))
    wait_for_address(client, name, direct)


def wait_for_address(client: RowClient, name: str, url: str) -> None:
    client.until(POLL_TIME_WITHIN_S, lambda: expect_address(client.record(name), url))


def expect_address(record: dict[str, Any], url: str) -> None:
    """Where the device is; how `ipAddress` writes IPv6 is not laid down."""
    expect("address", url, record.get("address"))
    if "[" not in url:
        expect("ipAddress", url.removeprefix("http://"), record.get("ipAddress"))


@ROWS.row("S59", "tenant-in-any-case", "The case of the tenant in a path does not matter; links keep it")
def tenant_in_any_case(client: RowClient) -> None:
    target = device(client)
    spelled = client.tenant.swapcase()
    for tenant in (spelled, client.tenant):
        answer = client.poll(target, tenant=tenant)
        expect_poll(expect_document(answer), SLEEP, config_data(client, target.controller_id, tenant))
    expect("updateStatus", "registered", client.record(target.controller_id)["updateStatus"])
