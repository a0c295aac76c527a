"""Who a device is, and whether it may come in (docs/contracts/hawkbit.md §3)."""

from __future__ import annotations

import secrets
from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_headers,
    expect_type,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import basic, tt
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import let_in, no_content
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import (
    HAL,
    POLL_TIME_WITHIN_S,
    device,
    expect_bare_401,
    expect_kept_out,
    expect_unknown,
    gateway,
    newcomer,
)
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import tolerating_proxies
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.targets import expect_not_yet
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, GATEWAY_MODE, TARGET_MODE

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "auth")

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "0",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
    "Pragma": "no-cache",
    "Expires": "0",
}
SOON_MS: Final = 60_000


def expect_never_called(client: RowClient, controller_id: str) -> None:
    record = client.record(controller_id)
    expect("updateStatus", client.generation.first_status, record["updateStatus"])
    expect_not_yet(client, record, ("lastControllerRequestAt",))


@ROWS.row("S40", "target-token", "A device with its own token is let in; its first poll registers it")
def target_token(client: RowClient) -> None:
    target = device(client)
    expect_never_called(client, target.controller_id)
    answer = client.poll(target)
    expect_document(answer)
    expect_type(answer, HAL)
    with tolerating_proxies(client, "headers"):
        expect_headers(answer, SECURITY_HEADERS)

    def registered() -> None:
        record = client.record(target.controller_id)
        expect("updateStatus", "registered", record["updateStatus"])
        since_ms = record.get("lastControllerRequestAt", 0) - record["createdAt"]
        expect_that(0 <= since_ms <= SOON_MS, "lastControllerRequestAt soon after createdAt", f"{since_ms} ms after")

    client.until(POLL_TIME_WITHIN_S, registered)


@ROWS.row("S41", "wrong-token", "A wrong target token is refused by a bare 401, and changes nothing")
def wrong_token(client: RowClient) -> None:
    target = device(client, securityToken=f"{secrets.token_hex(8)}-Ab")
    before = client.record(target.controller_id)
    for wrong in ("wrong", target.token[:-1], target.token + "0", target.token.swapcase()):
        answer = client.ddi("GET", target.controller_id, auth=f"TargetToken {wrong}")
        expect_bare_401(answer)
        with tolerating_proxies(client, "headers"):
            expect_headers(answer, SECURITY_HEADERS)
    expect_bare_401(client.ddi("PUT", target.controller_id, "/configData", auth="TargetToken wrong",
                               body={"data": {"a": "b"}}))  # fmt: skip
    expect("the target afterwards", before, client.record(target.controller_id))


@ROWS.row("S42", "unknown-target", "A target token never creates a target: an unknown device gets a bare 401")
def unknown_target(client: RowClient) -> None:
    known = device(client)
    unknown = newcomer(client)
    for token in ("any", known.token):
        expect_bare_401(client.ddi("GET", unknown, auth=f"TargetToken {token}"))
    expect_unknown(client, unknown)


@ROWS.row("S43", "token-of-another", "The token of one target does not open the path of another")
def token_of_another(client: RowClient) -> None:
    one, other = device(client), device(client)
    expect_bare_401(client.ddi("GET", other.controller_id, auth=tt(one)))
    for target in (one, other):
        expect_never_called(client, target.controller_id)


@ROWS.row("S44", "target-tokens-off", "With target tokens switched off the right token is refused")
def target_tokens_off(client: RowClient) -> None:
    target = device(client)
    client.settings.change({TARGET_MODE: False})
    expect_kept_out(client, target.controller_id, tt(target))


@ROWS.row("S45", "scheme", "The scheme is TargetToken, so spelled, and one blank; everything else is refused")
def scheme(client: RowClient) -> None:
    target = device(client)
    token = target.token
    for refused in (f"targettoken {token}", f"TARGETTOKEN {token}", f"TargetToken  {token}",
                    f"TargetToken{token}", f"Bearer {token}", f"GatewayToken {token}", token,
                    basic(client.under_test.admin), None):  # fmt: skip
        expect_bare_401(client.ddi("GET", target.controller_id, auth=refused))
    expect_never_called(client, target.controller_id)
    expect_document(client.ddi("GET", target.controller_id, headers={"authorization": tt(target)}))


@ROWS.row("S51", "gateway-refused", "A wrong gateway key, or the mode switched off, is a bare 401 that creates nothing")
def gateway_refused(client: RowClient) -> None:
    key = gateway(client)
    unknown = newcomer(client)
    for wrong in ("GatewayToken wrong", key[:-1], key + "0", key.replace("GatewayToken", "gatewaytoken")):
        expect_bare_401(client.ddi("GET", unknown, auth=wrong))
    expect_unknown(client, unknown)
    client.settings.change({GATEWAY_MODE: False})
    expect_kept_out(client, newcomer(client), key)
    expect_bare_401(client.ddi("GET", unknown, auth=key))
    expect_unknown(client, unknown)
    client.settings.change({GATEWAY_MODE: True})
    expect_document(let_in(client, unknown, key))


@ROWS.row("S56", "new-token", "A new token counts at once, and the old one no longer")
def new_token(client: RowClient) -> None:
    target = device(client)
    expect_document(client.poll(target))
    new = secrets.token_hex(16)
    answer = expect_document(client.mgmt("PUT", f"/targets/{target.controller_id}", {"securityToken": new}))
    expect("securityToken in the answer", new, answer.get("securityToken"))
    expect_bare_401(client.poll(target))
    expect_document(client.ddi("GET", target.controller_id, auth=f"TargetToken {new}"))


@ROWS.row("S123", "unknown-tenant", "Under an unknown tenant nobody is let in")
def unknown_tenant(client: RowClient) -> None:
    target = device(client)
    if client.mgmt("GET", f"/system/configs/{GATEWAY_KEY}").json().get("global") is True:
        # A key of the server's own is one of every tenant, also of those that do not exist.
        client.settings.change({GATEWAY_KEY: secrets.token_hex(16)})
    key = gateway(client)
    nowhere = f"NOPE{secrets.token_hex(4).upper()}"
    for auth in (key, tt(target), None):
        for controller_id in (newcomer(client), target.controller_id):
            expect_bare_401(client.ddi("GET", controller_id, auth=auth, tenant=nowhere))


@ROWS.row("S128", "no-gateway-key", "While there is no gateway key, an empty one opens nothing")
def no_gateway_key(client: RowClient) -> None:
    client.settings.change({GATEWAY_KEY: secrets.token_hex(16)})
    key = gateway(client)
    expect_bare(client.mgmt("DELETE", f"/system/configs/{GATEWAY_KEY}"), no_content(client))
    expect_kept_out(client, newcomer(client), key)
    unknown = newcomer(client)
    for auth in ("GatewayToken ", "GatewayToken", "GatewayToken null"):
        expect_bare_401(client.ddi("GET", unknown, auth=auth))
    expect_unknown(client, unknown)
