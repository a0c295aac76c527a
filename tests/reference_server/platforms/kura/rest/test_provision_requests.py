"""Provision requests over REST, in JSON and XML (spec 1.5; S-23 to S-27)."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.kura.safe_xml import read_xml
from fleetrig.reference_server.platforms.kura.state.attachments import attachments_of, bundle_uri, bundles_of
from fleetrig.reference_server.platforms.kura.state.provision_jobs import moved, save_request, started
from fleetrig.reference_server.platforms.kura.state.provision_records import JobStatus
from fleetrig.reference_server.platforms.kura.state.provision_requests import request_by_id
from fleetrig.simulator.contract.bodies import body_bytes
from tests.reference_server.platforms.kura.rest_rig import ACCOUNT, XML, RestRig

PATH = "/v2/provisionRequests"
BUNDLE = {"type": "BUNDLE", "name": "b", "version": "1", "content": b64encode(b"dp").decode()}
CONFIGURATION = {"type": "CONFIGURATION", "name": "c", "content": b64encode(b"<esf:configurations/>").decode()}


def listed(rig: RestRig, query: str = "", **options: Any) -> list[str]:
    return [
        one["clientId"]
        for one in rig.done("GET", f"{PATH}?accountId={rig.scope()}&{query}", **options)["provisionRequest"]
    ]


class TestCreate:
    def test_all_fields(self) -> None:
        rig = RestRig()
        made = rig.request(
            "gw-1", generateActivationKey=True, activatesOn=rig.now_ms, expiresOn=rig.now_ms + 1,
            provisionSecureURL=True, deviceCredentialsTight=True,
        )  # fmt: skip

        key = made.pop("activationKey")
        assert len(key) == 32
        job = made.pop("provisionJob")
        names = ("accountId", "activatesOn", "expiresOn", "status", "clientId", "optlock")
        assert {name: made[name] for name in names} == {
            "accountId": rig.scope(), "activatesOn": rig.now_ms, "expiresOn": rig.now_ms + 1, "status": "ENABLED",
            "clientId": "gw-1", "optlock": 1,
        }  # fmt: skip
        assert (made["provisionSecureURL"], made["provisionedCredentialsTight"]) == (True, True)
        assert {name: job[name] for name in ("status", "jobType", "retryMaxAttempts", "retryCount")} == {
            "status": "CREATED", "jobType": "device_provision_v3", "retryMaxAttempts": 2, "retryCount": 0,
        }  # fmt: skip
        assert ("activation-key", key) in rig.registry.new_secrets
        assert "secret" not in json.dumps(made)
        user = rig.done("GET", f"/v1/{rig.scope('ec-provisioning')}/users/{made['provisionUserId']}")
        assert (user["name"], user["userType"]) == ("boot-gw-1", "DEVICE")

    def test_without_a_key(self) -> None:
        assert "activationKey" not in RestRig().request()

    def test_a_thousand_keys_differ(self) -> None:
        """S-25: 32 characters, never in the trace."""
        rig = RestRig()
        keys = set()
        for number in range(1_000):
            draft = rig.creator(f"gw-{number}", generateActivationKey=True)
            answer = rig.send("POST", PATH, draft)
            key = json.loads(body_bytes(answer.response.body))["activationKey"]
            assert key not in answer.reason + answer.changed + answer.device
            keys.add(key)

        assert len(keys) == 1_000
        assert all(len(key) == 32 and key.isalnum() for key in keys)
        assert keys <= {value for kind, value in rig.registry.new_secrets if kind == "activation-key"}

    @pytest.mark.parametrize("name", ["accountId", "clientId", "provisionUserUsername", "provisionUserPassword",
                                      "generateActivationKey", "retryMaxAttempts", "overwriteIfDuplicate",
                                      "provisionSecureURL"])  # fmt: skip
    def test_what_has_to_be_there(self, name: str) -> None:
        """Without an account it is that of the user who asks."""
        rig = RestRig()
        document = {key: value for key, value in rig.creator().items() if key != name}

        if name == "accountId":
            assert rig.done("POST", PATH, document, user=ACCOUNT.user)["accountId"] == rig.scope()
        else:
            assert rig.refused("POST", PATH, document) == (400, "ILLEGAL_NULL_ARGUMENT")

    @pytest.mark.parametrize(
        "members",
        [
            {"activatesOn": 2_000, "expiresOn": 2_000}, {"activatesOn": 2_001, "expiresOn": 2_000},
            {"expiresOn": -1}, {"expiresOn": 1 << 60}, {"clientId": "a/b"}, {"clientId": "a+b"}, {"clientId": "#"},
            {"clientId": "a::b"}, {"clientId": ""}, {"clientId": "x" * 256}, {"retryMaxAttempts": -2},
            {"retryMaxAttempts": "many"}, {"generateActivationKey": "perhaps"}, {"provisionUserUsername": ""},
            {"provisionUserPassword": ""}, {"provisionAttachments": [CONFIGURATION] * 2},
            {"provisionAttachments": [BUNDLE] * 10}, {"provisionAttachments": [CONFIGURATION, *[BUNDLE] * 10]},
            {"provisionAttachments": [{"name": "x"}]}, {"provisionAttachments": [{**BUNDLE, "uri": "http://x"}]},
            {"provisionAttachments": [{**BUNDLE, "content": "no base64!"}]},
            {"provisionAttachments": [{"type": "BUNDLE", "name": "x"}]},
            {"provisionAttachments": [{"type": "CONFIGURATION", "name": "x", "uri": "http://x"}]},
            {"provisionAttachments": [{**BUNDLE, "name": ""}]}, {"provisionAttachments": "none"},
            {"provisionAttachments": [{**BUNDLE, "content": b64encode(bytes((1 << 20) + 1)).decode()}]},
            {"clientId": "\ud800"}, {"provisionAttachments": [BUNDLE] * 101},
        ],
    )  # fmt: skip
    def test_what_is_refused(self, members: dict[str, Any]) -> None:
        """S-24, and nothing of it is kept."""
        rig = RestRig()

        assert rig.refused("POST", PATH, rig.creator(**members)) == (400, "ILLEGAL_ARGUMENT")
        assert listed(rig) == []

    def test_duplicates(self) -> None:
        """S-23."""
        rig = RestRig()
        old = rig.request(generateActivationKey=True)
        assert rig.refused("POST", PATH, rig.creator()) == (409, "DUPLICATE_NAME")

        new = rig.request(generateActivationKey=True, overwriteIfDuplicate=True)

        assert listed(rig) == ["gw-1"]
        assert new["activationKey"] != old["activationKey"]
        assert rig.refused("GET", f"{PATH}/{old['id']}") == (404, "ENTITY_NOT_FOUND")

    def test_another_account_may_want_the_same_device(self) -> None:
        rig = RestRig()
        rig.request()
        rig.request(accountId="AQ")

        assert listed(rig) == ["gw-1"]

    @pytest.mark.parametrize("name", ["kapua-sys", ACCOUNT.user])
    def test_a_user_of_somebody_else(self, name: str) -> None:
        rig = RestRig()

        assert rig.refused("POST", PATH, rig.creator(provisionUserUsername=name)) == (409, "DUPLICATE_NAME")

    def test_into_an_account_where_one_may_not(self) -> None:
        rig = RestRig()
        document = rig.creator(accountId="AQ")

        assert rig.refused("POST", PATH, document, user=ACCOUNT.user) == (403, "SUBJECT_UNAUTHORIZED")

    def test_attachments_are_kept_and_fetched(self) -> None:
        rig = RestRig()
        rig.registry.listeners = {"http": "http://kura.test:8081"}
        elsewhere = {"type": "BUNDLE", "name": "e", "version": "2", "uri": "http://127.0.0.1/e.dp"}
        made = rig.request(provisionAttachments=[CONFIGURATION, BUNDLE, elsewhere])

        own, other = bundles_of(rig.registry, made["id"])
        assert bundle_uri(rig.registry, other) == "http://127.0.0.1/e.dp"
        uri = bundle_uri(rig.registry, own)
        assert uri.startswith("http://kura.test:8081/attachments/")
        fetched = rig.raw("GET", uri.removeprefix("http://kura.test:8081"))
        assert isinstance(fetched, HttpAnswer)
        assert (fetched.response.status, fetched.response.body) == (200, b"dp")
        assert len(attachments_of(rig.registry, made["id"])) == 3
        rig.done("DELETE", f"{PATH}/{made['id']}")
        gone = rig.raw("GET", uri.removeprefix("http://kura.test:8081"))
        assert isinstance(gone, HttpAnswer)
        assert gone.response.status == 404


class TestUpdate:
    def test_with_the_optlock_last_read(self) -> None:
        rig = RestRig()
        made = rig.request()
        changed = rig.done("PUT", f"{PATH}/{made['id']}", {**made, "expiresOn": rig.now_ms + 5, "status": "DISABLED"})

        assert (changed["optlock"], changed["expiresOn"], changed["status"]) == (2, rig.now_ms + 5, "DISABLED")
        assert changed["provisionJob"]["status"] == "SKIPPED"
        assert rig.done("GET", f"{PATH}/{made['id']}") == changed

    @pytest.mark.parametrize("optlock", [0, 2, -1])
    def test_with_a_stale_one(self, optlock: int) -> None:
        """S-26."""
        rig = RestRig()
        made = rig.request()

        refused = rig.refused("PUT", f"{PATH}/{made['id']}", {**made, "optlock": optlock, "status": "DISABLED"})
        assert refused == (409, "OPTIMISTIC_LOCKING")
        assert rig.done("GET", f"{PATH}/{made['id']}") == made

    @pytest.mark.parametrize(
        "members", [{"clientId": "other"}, {"status": "GONE"}, {"activatesOn": 5, "expiresOn": 5}, {"optlock": None},
                    {"provisionJob": {"status": "COMPLETED"}}, {"provisionJob": {"retryMaxAttempts": -5}},
                    {"provisionJob": []}],
    )  # fmt: skip
    def test_what_is_refused(self, members: dict[str, Any]) -> None:
        rig = RestRig()
        made = rig.request()

        assert rig.refused("PUT", f"{PATH}/{made['id']}", {**made, **members})[0] == 400
        assert rig.done("GET", f"{PATH}/{made['id']}") == made

    def test_a_job_is_stopped_and_reset(self) -> None:
        rig = RestRig()
        made = rig.request()
        request = request_by_id(rig.registry, made["id"])
        assert request is not None
        with rig.store.transaction():
            save_request(rig.registry, started(rig.registry, request, rig.now_us))
        path = f"{PATH}/{made['id']}"
        assert rig.refused("PUT", path, {"optlock": 1, "provisionJob": {"status": "CREATED"}})[0] == 409

        answer = rig.send("PUT", path, {"optlock": 1, "provisionJob": {"status": "STOPPING"}})

        assert (answer.response.status, list(answer.steps)) == (200, ["job_stopping"])

    @pytest.mark.parametrize("said", ["CREATED", "STARTED"])
    def test_a_job_that_has_gone_on_meanwhile_is_left_alone(self, said: str) -> None:
        """What was read of it is older; all else of the update counts."""
        rig = RestRig()
        made = rig.request()
        request = request_by_id(rig.registry, made["id"])
        assert request is not None
        with rig.store.transaction():
            running = moved(started(rig.registry, request, rig.now_us), JobStatus.RUNNING)
            save_request(rig.registry, running)
        read = {**made, "provisionJob": {**made["provisionJob"], "status": said}, "status": "DISABLED"}

        changed = rig.done("PUT", f"{PATH}/{made['id']}", read)

        assert (changed["status"], changed["provisionJob"]["status"]) == ("DISABLED", "RUNNING")

    def test_a_skipped_job_is_reset(self) -> None:
        rig = RestRig()
        made = rig.request()
        path = f"{PATH}/{made['id']}"
        skipped = rig.done("PUT", path, {"optlock": 1, "status": "DISABLED"})
        asked = {**skipped, "status": "ENABLED", "provisionJob": {"status": "CREATED"}}

        answer = rig.send("PUT", path, asked)

        assert list(answer.steps) == ["job_created"]

    def test_of_another_account(self) -> None:
        rig = RestRig()
        made = rig.request(accountId="AQ")

        for method in ("GET", "PUT", "DELETE"):
            refused = rig.refused(method, f"{PATH}/{made['id']}", {"optlock": 1}, user=ACCOUNT.user)
            assert refused == (403, "SUBJECT_UNAUTHORIZED")


class TestList:
    def rig(self) -> RestRig:
        rig = RestRig()
        rig.request("old", activatesOn=rig.now_ms - 9_000, expiresOn=rig.now_ms - 5_000)
        rig.later(0.001)
        rig.request("new", activatesOn=rig.now_ms + 5_000)
        rig.later(0.001)
        rig.request("open")
        return rig

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["old", "new", "open"]),
            ("clientIDs=new&clientIDs=old", ["old", "new"]),
            ("clientIDs=new,open", ["new", "open"]),
            ("clientIDs=NEW", []),
            ("statuses=CREATED", ["old", "new", "open"]),
            ("statuses=COMPLETED&statuses=FAILED", []),
            ("startDate={0}", ["new", "open"]),
            ("endDate={0}", ["old", "open"]),
            ("startDate={0}&endDate={0}", ["open"]),
            ("startDate=0&endDate=0&clientIDs=new", ["new"]),
            ("endDate={0}&clientIDs=new&statuses=COMPLETED", ["old", "open"]),
            ("clientIDs=new&statuses=COMPLETED", ["new"]),
        ],
    )
    def test_of_three_filters_one_counts(self, query: str, expected: list[str]) -> None:
        """S-27: period before client ids before statuses."""
        rig = self.rig()

        assert listed(rig, query.format(rig.now_ms)) == expected

    def test_pages(self) -> None:
        rig = RestRig()
        for number in range(51):
            rig.request(f"gw-{number:02}")
            rig.later(0.001)

        first = rig.done("GET", f"{PATH}?accountId={rig.scope()}")
        assert (len(first["provisionRequest"]), first["limitExceeded"]) == (50, True)
        rest = rig.done("GET", f"{PATH}?accountId={rig.scope()}&offset=50")
        assert (len(rest["provisionRequest"]), rest["limitExceeded"]) == (1, False)
        assert rig.done("GET", f"{PATH}?accountId={rig.scope()}&limit=51")["limitExceeded"] is False

    def test_an_account_of_ones_own(self) -> None:
        rig = RestRig()
        rig.request()

        assert len(rig.done("GET", PATH, user=ACCOUNT.user)["provisionRequest"]) == 1
        assert rig.done("GET", PATH)["provisionRequest"] == []

    @pytest.mark.parametrize("query", ["statuses=ENABLED", "startDate=x", "endDate=-1", "limit=0", "accountId=a%2Fb"])
    def test_what_is_refused(self, query: str) -> None:
        rig = RestRig()

        assert rig.refused("GET", f"{PATH}?{query}") == (400, "ILLEGAL_ARGUMENT")


class TestXml:
    CREATOR = """<?xml version="1.0"?><provisionRequestCreator xmlns="http://eurotech.com/edc/2.0">
        <accountId>{scope}</accountId><clientId>gw&amp;-1</clientId><generateActivationKey>true</generateActivationKey>
        <provisionUserUsername>boot</provisionUserUsername><provisionUserPassword>secret</provisionUserPassword>
        <retryMaxAttempts>1</retryMaxAttempts><overwriteIfDuplicate>false</overwriteIfDuplicate>
        <expiresOn>2030-01-01T00:00:00.000Z</expiresOn><provisionSecureURL>false</provisionSecureURL>
        <provisionAttachments><type>BUNDLE</type><name>b</name><content>QUJD</content></provisionAttachments>
        </provisionRequestCreator>"""

    def send(self, rig: RestRig, method: str, path: str, body: str, **headers: str) -> HttpAnswer:
        given = {"Content-Type": XML, "Authorization": f"Bearer {rig.token()}", **headers}
        answer = rig.raw(method, path, body.encode(), tuple(given.items()))
        assert isinstance(answer, HttpAnswer)
        return answer

    def test_created_read_and_listed(self) -> None:
        rig = RestRig()
        creator = self.CREATOR.format(scope=rig.scope()).replace("gw&amp;-1", "gw-1")
        answer = self.send(rig, "POST", PATH, creator)

        assert answer.response.status == 201, answer
        assert answer.response.header("content-type") == XML
        root = read_xml(body_bytes(answer.response.body))
        assert (root.name, root.namespace) == ("provisionRequest", "http://eurotech.com/edc/2.0")
        assert (root.child_text("expiresOn"), root.child_text("optlock")) == ("2030-01-01T00:00:00.000Z", "1")
        job = root.child("provisionJob")
        assert job is not None
        assert job.child_text("status") == "CREATED"
        listing = self.send(rig, "GET", f"{PATH}?accountId={rig.scope()}", "", Accept="text/xml")
        whole = read_xml(body_bytes(listing.response.body))
        assert (len(whole.all("provisionRequest")), whole.child_text("limitExceeded")) == (1, "false")
        as_json = rig.done("GET", f"{PATH}/{root.child_text('id')}")
        assert as_json["expiresOn"] == 1_893_456_000_000

    def test_updated(self) -> None:
        rig = RestRig()
        made = rig.request()
        body = "<provisionRequest><optlock>1</optlock><status>DISABLED</status><expiresOn/></provisionRequest>"

        answer = self.send(rig, "PUT", f"{PATH}/{made['id']}", body, Accept="application/json")

        assert json.loads(body_bytes(answer.response.body))["status"] == "DISABLED"

    @pytest.mark.parametrize(
        "body",
        [
            "", "<", "text", "<other/>", "<provisionRequestCreator xmlns='urn:other'/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><provisionRequestCreator>&b;</provisionRequestCreator>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><provisionRequestCreator/>",
            "<provisionRequestCreator>&nbsp;</provisionRequestCreator>", "<a>" * 60 + "</a>" * 60,
            "<?xml version='1.0' encoding='no-such'?><provisionRequestCreator/>",
        ],
    )  # fmt: skip
    def test_what_is_no_document(self, body: str) -> None:
        answer = self.send(RestRig(), "POST", PATH, body)

        assert answer.response.status == 400
        assert read_xml(body_bytes(answer.response.body)).name == "throwableInfo"

    def test_refusals_are_xml_too(self) -> None:
        rig = RestRig()
        answer = self.send(rig, "POST", PATH, self.CREATOR.format(scope=rig.scope()))

        root = read_xml(body_bytes(answer.response.body))
        assert (answer.response.status, root.child_text("kapuaErrorCode")) == (400, "ILLEGAL_ARGUMENT")
        assert root.child_text("argumentName") == "clientId"


def test_keys_are_masked_again_after_a_restart() -> None:
    """S-25: whoever lists requests makes them known to the trace."""
    rig = RestRig()
    key = rig.request(generateActivationKey=True)["activationKey"]
    request_id = rig.done("GET", PATH, user=ACCOUNT.user)["provisionRequest"][0]["id"]
    for target in (f"{PATH}?accountId={rig.scope()}", f"{PATH}/{request_id}"):
        rig.registry.new_secrets.clear()
        rig.done("GET", target)

        assert ("activation-key", key) in rig.registry.new_secrets
