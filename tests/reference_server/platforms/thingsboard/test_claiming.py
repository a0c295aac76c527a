"""Claiming over HTTP: a device offers itself, a customer's user takes it, the tenant takes it back (section 3.5)."""

from __future__ import annotations

import json

import pytest

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.simulator.contract.clock import US_PER_S
from tests.reference_server.platforms.thingsboard.http_rig import HttpRig, document, refused, text
from tests.reference_server.platforms.thingsboard.test_rest_login import customer_user


class Claiming:
    """A device `d` with token `mine`, and a customer's user."""

    def __init__(self) -> None:
        self.rig = HttpRig()
        self.rig.device("d", token="mine")
        self.bearer = f"Bearer {self._activated()}"

    def _activated(self) -> str:
        activation = {"activateToken": customer_user(self.rig), "password": "Secret-123"}
        token: str = document(self.rig.post("/api/noauth/activate", activation))["token"]
        return token

    def offer(self, **members: object) -> HttpAnswer:
        return self.rig.post("/api/v1/mine/claim", members)

    def claim(self, secret: str, name: str = "d") -> HttpAnswer:
        body = json.dumps({"secretKey": secret}).encode()
        headers = {"X_Authorization": self.bearer, "Content_Type": "application/json"}
        return self.rig.send("POST", f"/api/customer/device/{name}/claim", body, **headers)

    def see(self) -> HttpAnswer:
        device = self.rig.get("/api/tenant/devices?deviceName=d")["id"]["id"]
        return self.rig.send("GET", f"/api/device/{device}", X_Authorization=self.bearer)


def test_a_claimed_device_is_the_customers() -> None:
    claiming = Claiming()
    before = claiming.see()

    offered = claiming.offer(secretKey="k", durationMs=60000)
    claimed = claiming.claim("k")

    assert refused(before)[:2] == (403, 20)
    assert (offered.response.status, text(offered)) == (200, "")
    assert document(claimed)["response"] == "SUCCESS"
    assert document(claimed)["device"] == document(claiming.see())


def test_a_claimed_device_is_not_claimed_again_until_it_is_taken_back() -> None:
    claiming = Claiming()
    claiming.offer(secretKey="k")
    claiming.claim("k")

    again = claiming.claim("k")
    back = claiming.rig.ask("DELETE", "/api/customer/device/d/claim")

    assert (again.response.status, text(again)) == (400, '"CLAIMED"')
    assert (back.response.status, text(back)) == (200, "")
    assert claiming.see().response.status == 403
    claiming.offer(secretKey="k")
    assert claiming.claim("k").response.status == 200


def test_one_wrong_secret_ends_the_offer() -> None:
    claiming = Claiming()
    claiming.offer(secretKey="k")

    answers = [claiming.claim("bad"), claiming.claim("k")]

    assert [(answer.response.status, text(answer)) for answer in answers] == [(400, '"FAILURE"')] * 2
    assert all(answer.reason for answer in answers)


def test_an_offer_lapses() -> None:
    claiming = Claiming()
    claiming.offer(secretKey="k", durationMs=60000)
    claiming.rig.now_us += 61 * US_PER_S

    assert text(claiming.claim("k")) == '"FAILURE"'


def test_nobody_claims_what_was_never_offered() -> None:
    assert text(Claiming().claim("")) == '"FAILURE"'


def test_an_offer_without_a_body_has_no_secret() -> None:
    claiming = Claiming()

    offered = claiming.rig.send("POST", "/api/v1/mine/claim")

    assert offered.response.status == 200
    assert claiming.claim("").response.status == 200


def test_a_claim_without_a_body_has_no_secret_either() -> None:
    claiming = Claiming()
    claiming.offer()

    claimed = claiming.rig.send("POST", "/api/customer/device/d/claim", X_Authorization=claiming.bearer)

    assert claimed.response.status == 200


def test_a_customers_user_sees_attributes_of_its_own_devices_only() -> None:
    claiming = Claiming()
    device = claiming.rig.get("/api/tenant/devices?deviceName=d")["id"]["id"]
    path = f"/api/plugins/telemetry/DEVICE/{device}/values/attributes/SERVER_SCOPE"

    before = claiming.rig.send("GET", path, X_Authorization=claiming.bearer)
    claiming.offer()
    claiming.claim("")
    after = claiming.rig.send("GET", path, X_Authorization=claiming.bearer)

    said = "You don't have permission to perform this operation!"
    assert (before.response.status, text(before)) == (403, said)
    assert after.response.status == 200


def test_an_active_user_has_no_link() -> None:
    rig = HttpRig()
    user = rig.get("/api/auth/user")["id"]["id"]

    assert refused(rig.ask("GET", f"/api/user/{user}/activationLink")) == (400, 31, "User is already activated!")


def test_taking_back_what_nobody_has_says_nothing() -> None:
    back = Claiming().rig.ask("DELETE", "/api/customer/device/d/claim")

    assert (back.response.status, text(back), back.changed) == (200, "", "")


def test_a_name_that_there_is_not_is_not_found() -> None:
    assert refused(Claiming().claim("k", "nobody"))[:2] == (404, 32)


def test_the_tenants_administrator_claims_nothing() -> None:
    answer = HttpRig().ask("POST", "/api/customer/device/d/claim", {"secretKey": ""})

    assert refused(answer)[:2] == (403, 20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"email": "x"}, "Invalid email address format 'x'!"),
        ({"email": ""}, "User email should be specified!"),
        ({"authority": None}, "User authority isn't defined!"),
        ({"customerId": None}, "Customer user should be assigned to customer!"),
    ],
)
def test_a_bad_account_is_refused(change: dict[str, object], message: str) -> None:
    rig = HttpRig()
    customer = document(rig.ask("POST", "/api/customer", {"title": "c"}))
    body = {"email": "u@example.org", "authority": "CUSTOMER_USER", "customerId": customer["id"]} | change

    assert refused(rig.ask("POST", "/api/user", body)) == (400, 31, message)
    assert refused(rig.ask("POST", "/api/user", body | {"authority": "FOO"})) == (500, 2, "JSON parse error")


def test_titles_and_addresses_are_taken_once() -> None:
    rig = HttpRig()
    customer_user(rig)

    again = rig.ask("POST", "/api/user", {"email": "u@example.org", "authority": "TENANT_ADMIN"})

    assert refused(rig.ask("POST", "/api/customer", {"title": "c"}))[2] == "Customer with such title already exists!"
    assert refused(again)[2] == "User with email 'u@example.org' already present in database!"
