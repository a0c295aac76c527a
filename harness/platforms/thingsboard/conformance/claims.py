"""A customer claims a device (docs/contracts/thingsboard.md §3.5)."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Final

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.logins import log_in
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import OperatorApi
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "claim")
SECRET: Final = "the-right-one"


@ROWS.row("S101", "wrong-secret", "A wrong secret ends the offer of a device: the right one fails from then on, until "
          "the device offers itself again")  # fmt: skip
def wrong_secret(client: RowClient) -> None:
    profile, customer = client.profile("A"), client.customer()
    for over in client.transports:
        token = client.name("tok")
        device = client.imported(profile, token)
        client.set_server_attribute(device, "claimingAllowed", True)
        offer(client, over, token)
        client.under_test.settle()
        for secret in ("wrong", SECRET):
            answer = claim(customer, device, secret)
            expect(f"status and body of a claim with the {secret} secret", (400, "FAILURE"), told(answer))
        offer(client, over, token)
        client.until(partial(expect_claimed, customer, device))
        expect("status and body of one more", (400, "CLAIMED"), told(claim(customer, device, SECRET)))


def offer(client: RowClient, over: str, token: str) -> None:
    """The device says that it may be claimed for a minute by who knows the secret."""
    body = json.dumps({"secretKey": SECRET, "durationMs": 60_000}).encode()
    path = f"/api/v1/{token}/claim"
    match over:
        case "http":
            answer = client.http.call("POST", path, {"Content-Type": "application/json"}, body)
            expect("status of an offer", 200, answer.status)
        case "coap":
            expect("code of an offer", "2.01", client.coap().ask(exact_coap.POST, path, body).code)
        case _:
            connection = log_in(client, user_name=token)
            connection.publish("v1/devices/me/claim", body)
            connection.expect_heard("an offer", "PUBACK")


def expect_claimed(customer: OperatorApi, device: dict[str, Any]) -> None:
    answer = claim(customer, device, SECRET)
    expect("status of a claim after a new offer", 200, answer.status)
    expect("response", "SUCCESS", answer.json()["response"])


def claim(customer: OperatorApi, device: dict[str, Any], secret: str) -> Answer:
    return customer.api("POST", f"/customer/device/{device['name']}/claim", {"secretKey": secret})


def told(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.json()
