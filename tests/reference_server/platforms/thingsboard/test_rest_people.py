"""Customers and users over the operator's API: who may make, see, change and delete whom."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.settings import Account
from tests.reference_server.platforms.thingsboard.http_rig import OTHER, HttpRig, document, refused, text
from tests.reference_server.platforms.thingsboard.test_rest_tenants import ADMINISTRATOR, DENIED, NOBODY

PAGE = "pageSize=10&page=0"
NO_TENANT = {"entityType": "TENANT", "id": "13814000-1dd2-11b2-8080-808080808080"}


class People:
    """A customer `c` and an active user of it."""

    def __init__(self) -> None:
        self.rig = HttpRig()
        self.customer = document(self.rig.ask("POST", "/api/customer", {"title": "c"}))
        self.user, self.account = self.add("u@example.org")

    def add(self, email: str) -> tuple[dict[str, Any], Account]:
        body = {"email": email, "authority": "CUSTOMER_USER", "customerId": self.customer["id"]}
        user = document(self.rig.ask("POST", "/api/user?sendActivationMail=false", body))
        link = text(self.rig.ask("GET", f"/api/user/{user['id']['id']}/activationLink"))
        account = Account(email, "password-of-user")
        self.rig.post(
            "/api/noauth/activate",
            {"activateToken": link.partition("activateToken=")[2], "password": account.password},
        )
        return user, account


def test_a_customer_is_read_changed_and_listed() -> None:
    people = People()
    customer = people.customer["id"]["id"]
    changed = document(people.rig.ask("POST", "/api/customer", people.customer | {"title": "d", "city": "Ulm"}))
    assert (changed["title"], changed["city"], changed["version"]) == ("d", "Ulm", 2)
    assert people.rig.get(f"/api/customer/{customer}") == changed
    assert people.rig.get(f"/api/customers?{PAGE}")["data"] == [changed]
    assert people.rig.get("/api/tenant/customers?customerTitle=d") == changed
    gone = refused(people.rig.ask("GET", "/api/tenant/customers?customerTitle=c"))
    assert gone == (404, 32, "Customer with title [c] is not found")
    stale = people.rig.ask("POST", "/api/customer", people.customer)
    assert refused(stale) == (409, 35, "Customer was already changed by someone else")


def test_a_deleted_customer_takes_its_users_and_leaves_its_devices() -> None:
    people = People()
    device = people.rig.device("d")["id"]["id"]
    customer = people.customer["id"]["id"]
    assert people.rig.ask("POST", f"/api/customer/{customer}/device/{device}").response.status == 200

    assert people.rig.ask("DELETE", f"/api/customer/{customer}").response.status == 200

    assert people.rig.get(f"/api/device/{device}")["customerId"] == NO_TENANT | {"entityType": "CUSTOMER"}
    login = {"username": people.account.email, "password": people.account.password}
    assert people.rig.post("/api/auth/login", login).response.status == 401
    assert refused(people.rig.ask("GET", f"/api/customer/{customer}"))[0] == 404


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Customer title should be specified!"),
        ({"title": "Public"}, "'Public' title for customer is system reserved!"),
        ({"title": "x" * 256}, "Validation error: title length must be equal or less than 255"),
        ({"title": "x", "email": "none"}, "Invalid email address format 'none'!"),
        (
            {"title": "x", "zip": "1" * 256},
            "Validation error: zip or postal code length must be equal or less than 255",
        ),
        ({"title": "x", "zip": "<b>1"}, "Validation error: zip is malformed"),
    ],
    ids=["no title", "reserved", "too long", "no address", "long zip", "markup"],
)
def test_what_is_no_customer(body: dict[str, Any], message: str) -> None:
    assert refused(HttpRig().ask("POST", "/api/customer", body)) == (400, 31, message)


def test_users_see_whom_they_may() -> None:
    people = People()
    user, other = people.user["id"]["id"], people.add("v@example.org")[0]["id"]["id"]
    mine = people.rig.get("/api/auth/user")["id"]["id"]
    asked = [
        people.rig.ask("GET", f"/api/user/{user}", account=people.account),
        people.rig.ask("GET", f"/api/user/{other}", account=people.account),
        people.rig.ask("GET", f"/api/user/{mine}", account=people.account),
        people.rig.ask("GET", f"/api/user/{user}", account=OTHER),
        people.rig.ask("GET", f"/api/user/{user}", account=ADMINISTRATOR),
        people.rig.ask("GET", f"/api/user/{mine}", account=ADMINISTRATOR),
    ]
    assert [each.response.status for each in asked] == [200, 200, 403, 403, 403, 200]
    listed = document(people.rig.ask("GET", f"/api/users?{PAGE}", account=people.account))["data"]
    assert sorted(each["email"] for each in listed) == ["u@example.org", "v@example.org"]
    assert people.rig.get(f"/api/users?{PAGE}")["totalElements"] == 3
    of_customer = people.rig.get(f"/api/customer/{people.customer['id']['id']}/users?{PAGE}")
    assert of_customer["totalElements"] == 2


def test_a_user_is_changed_but_for_what_it_is() -> None:
    people = People()
    changed = document(people.rig.ask("POST", "/api/user", people.user | {"firstName": "Ada", "phone": "1"}))
    assert (changed["firstName"], changed["phone"], changed["version"]) == ("Ada", "1", 2)
    own = people.rig.ask("POST", "/api/user", changed | {"lastName": "L"}, account=people.account)
    assert document(own)["lastName"] == "L", "a user may change himself"
    assert people.rig.token(people.account), "and can still log in"
    read = people.rig.get(f"/api/user/{people.user['id']['id']}")["additionalInfo"]
    login_ms = people.rig.now_us // 1000
    assert read == {"userCredentialsEnabled": True, "userActivated": True, "lastLoginTs": login_ms}
    other = document(people.rig.ask("POST", "/api/customer", {"title": "another"}))["id"]
    for change, message in (
        ({"authority": "TENANT_ADMIN", "customerId": None}, "Can't update user authority!"),
        ({"authority": "TENANT_ADMIN"}, "Tenant administrator can't be assigned to customer!"),
        ({"customerId": None}, "Customer user should be assigned to customer!"),
        ({"customerId": other}, "Can't update user customer id!"),
        ({"email": "tenant@thingsboard.org"}, "User with email 'tenant@thingsboard.org' already present in database!"),
    ):
        assert refused(people.rig.ask("POST", "/api/user", people.user | change)) == (400, 31, message)


def test_the_last_administrator_stays() -> None:
    rig = HttpRig()
    mine = rig.get("/api/auth/user")["id"]["id"]
    last = rig.ask("DELETE", f"/api/user/{mine}")
    assert refused(last) == (400, 31, "At least one tenant administrator must remain!")
    second = document(
        rig.ask("POST", "/api/user?sendActivationMail=false", {"email": "b@example.org", "authority": "TENANT_ADMIN"})
    )["id"]["id"]
    assert rig.ask("DELETE", f"/api/user/{second}").response.status == 200
    assert refused(rig.ask("GET", f"/api/user/{second}")) == (404, 32, f"User with id [{second}] is not found")
    himself = document(rig.ask("GET", "/api/auth/user", account=ADMINISTRATOR))["id"]["id"]
    answer = rig.ask("DELETE", f"/api/user/{himself}", account=ADMINISTRATOR)
    assert refused(answer) == (403, 20, "Sysadmin is not allowed to delete himself")


def test_without_a_mail_server_nobody_is_written_to() -> None:
    rig = HttpRig()
    body = {"email": "b@example.org", "authority": "TENANT_ADMIN"}
    assert refused(rig.ask("POST", "/api/user", body)) == (500, 2, "Couldn't send user activation email")
    assert rig.get(f"/api/users?{PAGE}")["totalElements"] == 1, "and there is no account"


@pytest.mark.parametrize(
    ("account", "body", "answer"),
    [
        (ADMINISTRATOR, {"authority": "CUSTOMER_USER"}, (403, 20, DENIED)),
        (
            ADMINISTRATOR,
            {"authority": "TENANT_ADMIN"},
            (400, 31, "Tenant administrator should be assigned to tenant!"),
        ),
        (
            ADMINISTRATOR,
            {"authority": "TENANT_ADMIN", "tenantId": {"entityType": "TENANT", "id": NOBODY}},
            (400, 31, "User is referencing to non-existent tenant!"),
        ),
        (None, {"authority": "SYS_ADMIN"}, (403, 20, DENIED)),
        (None, {}, (400, 31, "User authority isn't defined!")),
        (
            None,
            {"authority": "CUSTOMER_USER", "customerId": {"entityType": "CUSTOMER", "id": NOBODY}},
            (400, 31, "User is referencing to non-existent customer!"),
        ),
    ],
    ids=["customer by system", "no tenant", "strange tenant", "system by tenant", "no authority", "strange customer"],
)
def test_who_cannot_be_made(account: Account | None, body: dict[str, Any], answer: tuple[int, int, str]) -> None:
    wanted = {"email": "n@example.org"} | body
    rig = HttpRig()
    assert (
        refused(rig.ask("POST", "/api/user?sendActivationMail=false", wanted, account=account or Account())) == answer
    )
