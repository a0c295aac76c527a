"""Logins, accounts, users, passwords and rights over REST (spec 5.5), refused as Kapua does it."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.kura.state.errors import LoginRefused, decimal_id
from fleetrig.reference_server.platforms.kura.state.sign_in import sign_in_to_provision
from fleetrig.simulator.contract.bodies import body_bytes
from tests.reference_server.platforms.kura.rest_rig import ACCOUNT, ADMIN, JSON, PASSWORD, STRONG, RestRig

LOGIN = "/v1/authentication/user"


def status(answer: object) -> int:
    assert isinstance(answer, HttpAnswer)
    return answer.response.status


class TestLogin:
    def test_what_it_gives(self) -> None:
        rig = RestRig()
        token = rig.login(ADMIN, PASSWORD)

        assert (token["userId"], token["scopeId"]) == ("AQ", "AQ")
        assert token["expiresOn"] == "2026-01-01T00:30:00.000Z"
        assert token["tokenId"].count(".") == 2
        assert rig.read(bearer(rig, token["tokenId"]), 200)["name"] == "kapua-sys"

    @pytest.mark.parametrize(
        "document",
        [{"username": ADMIN, "password": "wrong"}, {"username": "nobody", "password": PASSWORD},
         {"username": "", "password": ""}],
    )  # fmt: skip
    def test_refused_without_a_word_and_audited(self, document: dict[str, str]) -> None:
        rig = RestRig()
        answer = rig.raw("POST", LOGIN, json.dumps(document).encode(), (("Content-Type", JSON),))

        assert isinstance(answer, HttpAnswer)
        assert (answer.response.status, answer.response.body) == (401, b"")
        assert answer.reason
        audit = rig.done("GET", "/v1/AQ/audit")["items"]
        assert [one["stage"] for one in audit] == ["login"]
        assert "wrong" not in json.dumps(audit[0]).replace("wrong password", "")

    def test_a_member_is_missing(self) -> None:
        answer = RestRig().raw("POST", LOGIN, b'{"username":"kapua-sys"}', (("Content-Type", JSON),))

        assert status(answer) == 400

    def test_wrong_ones_lock_here_too(self) -> None:
        rig = RestRig()
        rig.user("dev")
        for _ in range(3):
            wrong = b'{"username":"dev","password":"wrong"}'
            assert status(rig.raw("POST", LOGIN, wrong, (("Content-Type", JSON),))) == 401

        right = json.dumps({"username": "dev", "password": STRONG}).encode()
        assert status(rig.raw("POST", LOGIN, right, (("Content-Type", JSON),))) == 401

    @pytest.mark.parametrize(
        "header",
        ["", "Bearer", "Bearer x", "Bearer a.b.c", "Bearer e30.e30.e30", "Basic QUJD", "Bearer eyJ9.eyJqdGkiOjF9.x"],
    )
    def test_tokens_that_are_none(self, header: str) -> None:
        rig = RestRig()

        rig.registry.new_secrets.clear()
        assert status(rig.raw("GET", "/v1/account", b"", (("Authorization", header),))) == 401
        assert not rig.registry.new_secrets, "nobody fills memory with words that are masked where they stand"

    def test_a_forged_token_with_a_known_id(self) -> None:
        rig = RestRig()
        head, claims, _ = rig.token().split(".")

        assert status(bearer(rig, f"{head}.{claims}.AAAA")) == 401

    def test_expired(self) -> None:
        rig = RestRig()
        token = rig.token()
        rig.later(1_799.9)
        assert status(bearer(rig, token)) == 200
        rig.later(0.1)
        assert status(bearer(rig, token)) == 401

    def test_logged_out(self) -> None:
        rig = RestRig()
        rig.done("POST", "/v1/authentication/logout", status=204)

        assert status(bearer(rig, rig.token())) == 401

    def test_refreshed(self) -> None:
        rig = RestRig()
        old = rig.login(ADMIN, PASSWORD)
        rig.later(10_000)
        asked = {name: old[name] for name in ("tokenId", "refreshToken")}
        new = rig.read(rig.raw("POST", "/v1/authentication/refresh", json.dumps(asked).encode()), 200)

        assert status(bearer(rig, new["tokenId"])) == 200
        assert status(rig.raw("POST", "/v1/authentication/refresh", json.dumps(asked).encode())) == 401
        wrong = {**asked, "tokenId": new["tokenId"]}
        assert status(rig.raw("POST", "/v1/authentication/refresh", json.dumps(wrong).encode())) == 401

    def test_of_a_user_who_is_gone(self) -> None:
        rig = RestRig()
        user_id = rig.user("dev")
        token = rig.token("dev")
        rig.done("DELETE", f"/v1/{rig.scope()}/users/{user_id}")

        assert status(bearer(rig, token)) == 401

    def test_of_a_user_who_was_disabled(self) -> None:
        rig = RestRig()
        user_id = rig.user("dev")
        token = rig.token("dev")
        rig.done("PUT", f"/v1/{rig.scope()}/users/{user_id}", {"optlock": 1, "status": "DISABLED"})

        assert status(bearer(rig, token)) == 401

    def test_basic_is_for_provisioning_only(self) -> None:
        rig = RestRig()
        given = b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
        headers = (("Authorization", f"Basic {given}"),)

        assert status(rig.raw("GET", "/v2/provisionRequests", b"", headers)) == 200
        assert status(rig.raw("GET", "/v1/account", b"", headers)) == 401
        refused = rig.raw("GET", "/v2/provisionRequests", b"", (("Authorization", "Basic !"),))
        assert isinstance(refused, HttpAnswer)
        assert refused.response.header("www-authenticate")

    def test_passwords_and_tokens_are_learnt(self) -> None:
        """They are masked from then on."""
        rig = RestRig()
        rig.user("dev")
        token = rig.token("dev")

        learnt = {value for _, value in rig.registry.new_secrets}
        assert {STRONG, token} <= learnt
        assert PASSWORD not in learnt, "everybody knows it"


def bearer(rig: RestRig, token: str) -> HttpAnswer | HeldRequest:
    return rig.raw("GET", "/v1/account", b"", (("Authorization", f"Bearer {token}"),))


class TestAccounts:
    def test_made_read_changed_deleted(self) -> None:
        rig = RestRig()
        made = rig.done("POST", "/v1/_/accounts", {"name": "child", "organizationName": "Acme"})
        assert made["organization"]["name"] == "Acme"
        assert made["scopeId"] == "AQ"
        path = f"/v1/AQ/accounts/{made['id']}"
        rig.done("PUT", path, {**made, "organization": {"city": "Amaro"}})
        found = rig.done("GET", path)
        assert found["organization"] == {"type": "organization", "name": "Acme", "city": "Amaro"}
        assert rig.done("GET", "/v1/AQ/accounts?name=child")["size"] == 1
        rig.done("DELETE", path)

        assert rig.refused("GET", path) == (404, "ENTITY_NOT_FOUND")

    @pytest.mark.parametrize("name", ["ab", "a b", "a/b", "ä" * 4, "x" * 256])
    def test_names_that_are_none(self, name: str) -> None:
        assert RestRig().refused("POST", "/v1/_/accounts", {"name": name}) == (400, "ILLEGAL_ARGUMENT")

    def test_a_name_that_is_taken(self) -> None:
        assert RestRig().refused("POST", "/v1/_/accounts", {"name": "acct"}) == (409, "DUPLICATE_NAME")

    def test_what_others_need_stays(self) -> None:
        rig = RestRig()
        rig.done("POST", f"/v1/{rig.scope()}/accounts", {"name": "below"})

        for name in ("acct", "ec-provisioning"):
            refused = rig.refused("DELETE", f"/v1/AQ/accounts/{rig.scope(name)}")
            assert refused == (500, "OPERATION_NOT_ALLOWED")

    def test_all_that_belongs_to_it_goes_too(self) -> None:
        rig = RestRig()
        before = rig.store.totals()
        child = rig.done("POST", "/v1/_/accounts", {"name": "child"})["id"]
        made = rig.done("POST", f"/v1/{child}/users", {"name": "dev"})
        rig.done("POST", f"/v1/{child}/credentials", {"userId": made["id"], "credentialKey": STRONG})
        rig.done("POST", f"/v1/{child}/accessinfos", {"userId": made["id"], "permissions": [{"domain": "device"}]})
        usages = [{"name": "DEVICE_MANAGEMENT"}]
        rig.done("POST", f"/v1/{child}/certificateInfos", {"name": "c", "certificateUsages": usages})
        bundle = {"type": "BUNDLE", "name": "b", "content": "QUJD"}
        rig.request("gw", accountId=child, provisionAttachments=[bundle])
        service = "org.eclipse.kapua.service.device.registry.DeviceRegistryService"
        infinite = {"properties": {"property": [{"name": "infiniteChildEntities", "value": ["true"]}]}}
        rig.done("PUT", f"/v1/{child}/serviceConfigurations/{service}", infinite, status=204)
        rig.done("POST", f"/v1/{child}/devices", {"clientId": "gw"})
        assert len(rig.store.totals()) > len(before) + 2

        rig.done("DELETE", f"/v1/AQ/accounts/{child}")

        assert rig.store.totals() == {**before, "kura.access_token": 1}
        with pytest.raises(LoginRefused):
            sign_in_to_provision(rig.registry, "gw", "boot-gw", "secret", rig.now_us)

    def test_one_below_another(self) -> None:
        rig = RestRig()
        below = rig.done("POST", f"/v1/{rig.scope()}/accounts", {"name": "below"})

        assert rig.done("GET", f"/v1/AQ/accounts/{below['id']}")["name"] == "below"
        assert rig.done("GET", f"/v1/{below['id']}/users", user=ACCOUNT.user)["size"] == 0, "its right is forwardable"

    def test_nobody_sees_the_account_above(self) -> None:
        rig = RestRig()

        for path in ("/v1/AQ/users", "/v1/AQ/accounts/AQ", f"/v1/{rig.scope()}/accounts/AQ"):
            assert rig.refused("GET", path, user=ACCOUNT.user) == (403, "SUBJECT_UNAUTHORIZED")

    @pytest.mark.parametrize("path", ["/v1/AQ/accounts/{}", "/v1/_/accounts/{}", "/v1/accounts/{}"])
    def test_an_account_is_read_by_its_id_whatever_stands_before_it(self, path: str) -> None:
        rig = RestRig()

        assert rig.done("GET", path.format("AQ"))["name"] == "kapua-sys"
        assert rig.done("GET", path.format(rig.scope()), user=ACCOUNT.user)["name"] == ACCOUNT.name
        assert rig.refused("GET", path.format("bm9ib2R5")) == (404, "ENTITY_NOT_FOUND")

    def test_who_may_not_read_accounts_reads_not_even_his_own(self) -> None:
        rig = RestRig()
        rig.user("reader", {"domain": "device", "action": "read", "targetScopeId": rig.scope()})

        refused = rig.refused("GET", f"/v1/{rig.scope()}/accounts/{rig.scope()}", user="reader")
        assert refused == (403, "SUBJECT_UNAUTHORIZED")

    @pytest.mark.parametrize(
        ("scope", "expected"), [("nobody", (404, "ENTITY_NOT_FOUND")), ("a%20b", (400, "ILLEGAL_ARGUMENT"))]
    )
    def test_accounts_that_are_none(self, scope: str, expected: tuple[int, str]) -> None:
        assert RestRig().refused("GET", f"/v1/{scope}/users") == expected


class TestUsers:
    def test_made_read_changed_deleted(self) -> None:
        rig = RestRig()
        path = f"/v1/{rig.scope()}/users"
        made = rig.done("POST", path, {"name": "dev", "userType": "DEVICE", "email": "a@b"})
        assert (made["status"], made["userType"], made["optlock"]) == ("ENABLED", "DEVICE", 1)
        changed = rig.done("PUT", f"{path}/{made['id']}", {**made, "displayName": "D", "name": "other"})
        assert (changed["displayName"], changed["name"], changed["optlock"]) == ("D", "dev", 2)
        assert rig.refused("PUT", f"{path}/{made['id']}", made) == (500, "OPTIMISTIC_LOCKING")
        assert rig.refused("PUT", f"{path}/{made['id']}", {}) == (400, "ILLEGAL_NULL_ARGUMENT")
        rig.done("DELETE", f"{path}/{made['id']}")
        assert rig.refused("GET", f"{path}/{made['id']}") == (404, "ENTITY_NOT_FOUND")

    def test_names_are_unique_over_all_accounts(self) -> None:
        rig = RestRig()

        assert rig.refused("POST", f"/v1/{rig.scope()}/users", {"name": ADMIN}) == (409, "DUPLICATE_NAME")

    def test_the_first_administrator_stays(self) -> None:
        assert RestRig().refused("DELETE", "/v1/AQ/users/AQ") == (500, "OPERATION_NOT_ALLOWED")

    def test_of_another_account(self) -> None:
        rig = RestRig()

        assert rig.refused("GET", f"/v1/{rig.scope()}/users/AQ") == (404, "ENTITY_NOT_FOUND")

    def test_pages(self) -> None:
        rig = RestRig()
        path = f"/v1/{rig.scope()}/users"
        for number in range(4):
            rig.done("POST", path, {"name": f"dev-{number}"})

        page = rig.done("GET", f"{path}?offset=1&limit=2&askTotalCount=true")
        assert (page["size"], page["limitExceeded"], page["totalCount"]) == (2, True, 5)
        assert [one["name"] for one in page["items"]] == ["dev-0", "dev-1"]
        last = rig.done("GET", f"{path}?offset=4")
        assert (last["size"], last["limitExceeded"]) == (1, False)
        assert rig.done("GET", f"{path}?limit=5")["limitExceeded"] is False
        by_name = rig.done("GET", f"{path}?sortParam=name&sortDir=DESCENDING&limit=1")
        assert by_name["items"][0]["name"] == "dev-3"
        assert rig.done("POST", f"{path}/_count", {}, status=200)["count"] == 5
        asked = {"predicate": {"attributeName": "name", "attributeValue": "dev-2"}}
        assert rig.done("POST", f"{path}/_query", asked, status=200)["size"] == 1

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=-1", "offset=-1", "limit=x", "offset=99999999999", "sortParam=x"]
    )
    def test_pages_that_are_none(self, query: str) -> None:
        rig = RestRig()

        assert rig.refused("GET", f"/v1/{rig.scope()}/users?{query}") == (400, "ILLEGAL_ARGUMENT")


class TestPasswords:
    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("Short-1", "PASSWORD_INVALID_LENGTH"), ("X" * 250 + "-1axxxxx", "PASSWORD_INVALID_LENGTH"),
            ("lower-case-12", "ILLEGAL_ARGUMENT"), ("UPPER-CASE-12", "ILLEGAL_ARGUMENT"),
            ("No-digits-here", "ILLEGAL_ARGUMENT"), ("NoSymbolsHere1", "ILLEGAL_ARGUMENT"),
        ],
    )  # fmt: skip
    def test_rules(self, password: str, code: str) -> None:
        rig = RestRig()
        user_id = rig.done("POST", f"/v1/{rig.scope()}/users", {"name": "dev"})["id"]
        document = {"userId": user_id, "credentialType": "PASSWORD", "credentialKey": password}

        assert rig.refused("POST", f"/v1/{rig.scope()}/credentials", document) == (400, code)

    def test_one_is_enough(self) -> None:
        rig = RestRig()
        user_id = rig.user("dev")
        document = {"userId": user_id, "credentialKey": STRONG}

        refused = rig.refused("POST", f"/v1/{rig.scope()}/credentials", document)
        assert refused == (409, "DUPLICATED_PASSWORD_CREDENTIAL")

    def test_reset(self) -> None:
        rig = RestRig()
        user_id = rig.user("dev")
        path = f"/v1/{rig.scope()}/users/{user_id}/credentials/password/_reset"
        rig.done("POST", path, {"newPassword": "Another-password-2"}, status=200)

        assert rig.login("dev", "Another-password-2")
        assert rig.refused("POST", path, {"newPassword": "x"}) == (400, "PASSWORD_INVALID_LENGTH")

    def test_it_is_never_read(self) -> None:
        rig = RestRig()
        user_id = rig.user("dev")
        shown = rig.done("GET", f"/v1/{rig.scope()}/users/{user_id}/credentials")

        assert "credentialKey" not in shown["items"][0]
        assert "$" not in json.dumps(shown)

    def test_disabled(self) -> None:
        rig = RestRig()
        user_id = rig.user("dev")
        shown = rig.done("GET", f"/v1/{rig.scope()}/credentials?userId={user_id}")["items"][0]
        path = f"/v1/{rig.scope()}/credentials/{shown['id']}"
        rig.done("PUT", path, {**shown, "status": "DISABLED"})
        body = json.dumps({"username": "dev", "password": STRONG}).encode()

        assert status(rig.raw("POST", LOGIN, body)) == 401


class TestRights:
    def test_each_path_takes_its_own(self) -> None:
        rig = RestRig()
        rig.user("reader", {"domain": "device", "action": "read", "targetScopeId": rig.scope()})

        assert rig.done("GET", f"/v1/{rig.scope()}/devices", user="reader")["size"] == 0
        for method, path in (
            ("POST", "devices"), ("GET", "users"), ("DELETE", "devices/x"), ("GET", "deviceconnections"),
            ("GET", "devices/x/configurations"), ("GET", "devices/x/events"), ("GET", "credentials"),
            ("GET", "accessinfos"), ("GET", "accounts"), ("GET", "certificateInfos"), ("GET", "audit"),
        ):  # fmt: skip
            refused = rig.refused(method, f"/v1/{rig.scope()}/{path}", {}, user="reader")
            assert refused == (403, "SUBJECT_UNAUTHORIZED"), (method, path)
        assert rig.refused("GET", "/v2/provisionRequests", user="reader") == (403, "SUBJECT_UNAUTHORIZED")

    def test_roles_are_kept_and_give_nothing(self) -> None:
        rig = RestRig()
        user_id = rig.user("nobody")
        path = f"/v1/{rig.scope()}/accessinfos"
        access_id = rig.done("GET", f"{path}?userId={user_id}")["items"][0]["id"]
        roles = f"{path}/{access_id}/roles"
        assert rig.done("GET", roles)["items"] == []

        made = rig.done("POST", roles, {"roleId": "cm9sZQ"})

        assert (made["type"], made["accessInfoId"], made["roleId"]) == ("accessRole", access_id, "cm9sZQ")
        assert rig.done("GET", f"{roles}/{made['id']}") == made
        assert rig.done("POST", f"{roles}/_query", {}, status=200)["items"] == [made]
        assert rig.done("POST", f"{roles}/_count", {}, status=200)["count"] == 1
        assert rig.refused("POST", roles, {"roleId": "cm9sZQ"}) == (409, "DUPLICATE_NAME")
        assert rig.refused("POST", roles, {}) == (400, "ILLEGAL_NULL_ARGUMENT")
        assert rig.refused("GET", f"/v1/{rig.scope()}/users", user="nobody") == (403, "SUBJECT_UNAUTHORIZED")
        rig.done("DELETE", f"{roles}/{made['id']}")
        assert rig.refused("DELETE", f"{roles}/{made['id']}") == (404, "ENTITY_NOT_FOUND")
        assert rig.refused("GET", f"{path}/bm9ib2R5/roles") == (404, "ENTITY_NOT_FOUND")

    def test_the_refusal_says_which(self) -> None:
        rig = RestRig()
        rig.user("nobody")
        answer = rig.send("GET", "/v1/_/users", user="nobody")

        assert json.loads(body_bytes(answer.response.body))["permission"] == {
            "domain": "user", "action": "read", "targetScopeId": rig.scope(), "forwardable": False,
        }  # fmt: skip

    @pytest.mark.parametrize(
        "wanted",
        [
            {"domain": "device"}, {"domain": "device", "action": "read"}, {"domain": "*", "targetScopeId": "AQ"},
            {"domain": "user", "action": "read", "targetScopeId": "own", "forwardable": True}, {},
        ],
    )  # fmt: skip
    def test_nobody_gives_more_than_he_has(self, wanted: dict[str, object]) -> None:
        rig = RestRig()
        here = rig.scope()
        own = {"targetScopeId": here}
        rig.user("boss", {"domain": "access_info", **own}, {"domain": "user", **own}, {"domain": "credential", **own})
        made = rig.done("POST", f"/v1/{here}/users", {"name": "dev"}, user="boss")
        asked = {**wanted, "targetScopeId": here} if wanted.get("targetScopeId") == "own" else wanted
        document = {"userId": made["id"], "permissions": [asked]}

        assert rig.refused("POST", f"/v1/{here}/accessinfos", document, user="boss") == (403, "SUBJECT_UNAUTHORIZED")
        within = {"userId": made["id"], "permissions": [{"domain": "user", "action": "read", "targetScopeId": here}]}
        assert rig.done("POST", f"/v1/{here}/accessinfos", within, user="boss")

    def test_added_and_taken_back(self) -> None:
        rig = RestRig()
        user_id = rig.user("dev")
        access = rig.done("GET", f"/v1/{rig.scope()}/accessinfos?userId={user_id}")["items"][0]
        path = f"/v1/{rig.scope()}/accessinfos/{access['id']}/permissions"
        added = rig.done("POST", path, {"permission": {"domain": "device", "action": "read"}})
        assert rig.done("GET", f"/v1/{rig.scope()}/devices", user="dev")["size"] == 0
        assert rig.done("GET", path)["size"] == 1
        rig.done("DELETE", f"{path}/{added['id']}")

        assert rig.refused("GET", f"/v1/{rig.scope()}/devices", user="dev") == (403, "SUBJECT_UNAUTHORIZED")
        assert rig.refused("DELETE", f"{path}/{added['id']}") == (404, "ENTITY_NOT_FOUND")


def test_a_password_that_is_refused_is_masked_too() -> None:
    rig = RestRig()
    user_id = rig.done("POST", f"/v1/{rig.scope()}/users", {"name": "dev"})["id"]
    rig.refused("POST", f"/v1/{rig.scope()}/credentials", {"userId": user_id, "credentialKey": "too-weak-for-it"})

    assert ("password", "too-weak-for-it") in rig.registry.new_secrets


def test_ids_are_positive_numbers_in_short() -> None:
    rig = RestRig()
    ids = {rig.registry.new_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(0 < int(decimal_id(one)) < 1 << 63 for one in ids)


def test_the_audit_knows_who_has_tried() -> None:
    """S-37."""
    rig = RestRig()
    given = b64encode(b"gw-thief:wrong").decode()
    rig.raw("GET", "/v2/provisionRequests", b"", (("Authorization", f"Basic {given}"),))

    (record,) = rig.done("GET", "/v1/AQ/audit")["items"]
    assert (record["username"], record["remoteAddress"], record["stage"]) == ("gw-thief", "127.0.0.1", "login")
