"""Whatever comes to the REST API, it is answered, never with a failure of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.kura.rest.routes import ROUTES
from fleetrig.reference_server.platforms.kura.state.settings import Settings
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.simulator.contract.bodies import body_bytes
from tests.reference_server.platforms.kura.rest_rig import ACCOUNT, XML, RestRig

BIG = 1 << 70
ODD_TEXTS = st.sampled_from(
    ["", "AQ", "_", "x", "\ud800", "\0", "ä" * 300, "[]", "true", "-1", "2026-01-01T00:00:00Z", "9" * 30]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(BIG) | st.floats(allow_nan=False) | ODD_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXTS, inner, max_size=3),
    max_leaves=4,
)
NAMES = (
    "name", "clientId", "username", "password", "userId", "credentialKey", "credentialType", "status", "permissions",
    "permission", "domain", "optlock", "expirationDate", "properties", "property", "value", "id", "configuration",
    "limit", "offset", "predicate", "predicates", "attributeName", "attributeValue", "operator", "type", "keystoreId",
    "alias", "certificate", "channel", "payload", "metrics", "appName", "method", "uri", "version", "reservedUserId",
    "userCouplingMode", "accountId", "provisionUserUsername", "provisionUserPassword", "generateActivationKey",
    "retryMaxAttempts", "overwriteIfDuplicate", "provisionSecureURL", "activatesOn", "expiresOn",
    "provisionAttachments", "provisionJob", "content", "organization", "extendedProperties", "certificateUsages",
    "newPassword", "tokenId",
)  # fmt: skip
WHOLE: tuple[dict[str, Any], ...] = (
    {},
    {"clientId": "gw-9", "provisionUserUsername": "boot", "provisionUserPassword": "p", "generateActivationKey": True,
     "overwriteIfDuplicate": True, "retryMaxAttempts": 1, "provisionSecureURL": False,
     "provisionAttachments": [{"type": "BUNDLE", "name": "b", "content": "QUJD"}]},
    {"name": "abc", "organizationName": "x", "organization": {"city": "y"}, "optlock": 1},
    {"username": "kapua-sys", "password": "kapua-password"},
    {"userId": "AQ", "credentialKey": "Strong-password-1", "credentialStatus": "ENABLED"},
    {"userId": "AQ", "permissions": [{"domain": "a", "action": "b"}], "permission": {"domain": "c"}},
    {"id": "x", "properties": {"property": [{"name": "infiniteChildEntities", "type": "Boolean", "value": ["true"]}]}},
    {"channel": {"appName": "A", "method": "READ"},
     "payload": {"metrics": [{"name": "m", "valueType": "long", "value": 1}]}},
    {"keystoreId": "K", "alias": "a", "certificate": "c", "algorithm": "x", "size": 1, "signatureAlgorithm": "y",
     "attributes": "z"},
    {"uri": "http://x", "name": "a", "version": "1", "advancedOptions": {"blockSize": 1}},
    {"name": "abc", "certificateUsages": [{"name": "TLS"}]},
    {"predicate": {"type": "andPredicate", "predicates": [{"attributeName": "id", "attributeValue": "x"}]}},
)  # fmt: skip
"""What paths take, to be spoilt."""
DOCUMENTS = st.builds(
    lambda whole, odd: whole | odd, st.sampled_from(WHOLE), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3)
)
BODIES = st.one_of(
    DOCUMENTS.map(lambda one: json.dumps(one).encode()),
    st.sampled_from([b"", b"{", b"[]", b"null", b"\xff", b"NaN", b'{"a":' * 5_000, b"1" * 5_000, b"<a/>", b"<a>"]),
)
QUERIES = st.sampled_from(
    ["", "limit=3", "offset=1&askTotalCount=true", "limit=%00", "clientId=%ff", "sortParam=id&sortDir=x", "timeout=1",
     "clientIDs=a,b&statuses=CREATED", "startDate=99999999999999", "=&&=%", "accountId=_", "a=1&" * 1_001,
     "keystoreId=a&alias=b"]
)  # fmt: skip
HEADERS = st.sampled_from(
    [(), (("Content-Type", "text/plain"),), (("Content-Type", XML), ("Accept", XML)), (("Accept", "*/*;q=0,,;"),),
     (("Content-Type", "application/json; charset=x"),)]
)  # fmt: skip
PATHS = st.sampled_from([(route.method, route.path) for route in ROUTES])
METHODS = st.sampled_from(["", "HEAD", "OPTIONS", "PATCH", "BREW"])


class Company:
    """A server that has one of everything."""

    def __init__(self, rig: RestRig) -> None:
        self.rig = rig
        user_id = self.rig.user("dev", {"domain": "device", "action": "read"})
        device_id = self.rig.connect("gw-1")
        request = self.rig.request()
        here = self.rig.scope()
        first = {
            name: self.rig.done("GET", f"/v1/{here}/{collection}")["items"][0]["id"]
            for name, collection in (
                ("credential", "credentials"), ("access", "accessinfos"), ("connection", "deviceconnections"),
                ("certificate", "certificateInfos"),
            )
        }  # fmt: skip
        self.ids = {
            "scope": here, "user": user_id, "device": device_id, "request": request["id"], "account": here,
            "component": "org.eclipse.kura.data.DataService", "snapshot": "0", "service": "x", "event": "AQ",
            "permission": "AQ", "token": "AQ", **first,
        }  # fmt: skip

    def path(self, template: str, odd: str) -> str:
        for name, value in self.ids.items():
            template = template.replace(f"{{{name}}}", odd if name == odd.partition(":")[0] else value)
        return template


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    rig = RestRig()
    rig.use(SqliteStore(tmp_path_factory.mktemp("kura") / "kura.db"), SeededEntropy(3))
    yield Company(rig)
    rig.store.close()


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(PATHS, METHODS, QUERIES, HEADERS, BODIES, st.sampled_from(["", "scope:", "device:%2F", "user:%ff", "request:ä"]))
def test_anything(
    company: Company,
    route: tuple[str, str],
    method: str,
    query: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    odd: str,
) -> None:
    """What one request leaves behind is there for the next, in a file."""
    own = (("Authorization", f"Bearer {company.rig.token()}"), *headers)
    answer = company.rig.raw(method or route[0], f"{company.path(route[1], odd)}?{query}", body, own)

    if isinstance(answer, HeldRequest):
        return
    said = answer.response.status, body_bytes(answer.response.body)
    assert answer.response.status < 500 or b"OPTIMISTIC_LOCKING" in said[1] or b"OPERATION_NOT_ALLOWED" in said[1], said
    assert answer.response.status < 400 or answer.reason, said
    if answer.response.header("content-type") == "application/json" and said[1]:
        json.loads(said[1])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/v1", 404), ("GET", "/v1/", 404), ("GET", "/v3/x", 404), ("GET", "//", 404),
     ("PATCH", "/v1/_/users", 405), ("DELETE", "/v1/_/users", 405), ("GET", "/v1/authentication/user", 405),
     ("GET", "/v1/_/users/", 200), ("GET", "/%76%31/_/users", 200), ("GET", "/v2/provisionRequests/x/y", 404)],
)  # fmt: skip
def test_paths(method: str, path: str, status: int) -> None:
    rig = RestRig()
    answer = rig.send(method, path)

    assert answer.response.status == status
    if status == 405:
        assert answer.response.header("allow")


def test_head_is_get_without_what_it_would_have_said() -> None:
    rig = RestRig()
    full, head = rig.send("GET", "/v1/account"), rig.send("HEAD", "/v1/account")

    assert (head.response.status, head.response.body) == (200, b"")
    assert head.response.header("content-length") == str(len(body_bytes(full.response.body)))


def test_a_body_that_is_too_large() -> None:
    rig = RestRig(Settings(accounts=(ACCOUNT,), request_body_bytes=1_000))

    assert rig.refused("POST", "/v1/_/users", {"name": "x" * 1_000}) == (413, "")


def test_another_media_type() -> None:
    rig = RestRig()

    assert rig.refused("POST", "/v1/_/users", {"name": "abc"}, headers=(("Content-Type", "text/plain"),)) == (415, "")


def test_nothing_is_changed_by_what_is_refused() -> None:
    """A user whose document breaks off half way."""
    rig = RestRig()
    before = rig.store.totals()
    document = {"name": "abc", "displayName": ["no text"]}

    assert rig.refused("POST", "/v1/_/users", document) == (400, "ILLEGAL_ARGUMENT")
    assert rig.store.totals() == {**before, "kura.access_token": 1}


def test_answers_are_for_the_trace_too() -> None:
    rig = RestRig()
    answer = rig.send("POST", "/v1/_/users", {"name": "abc"})

    assert isinstance(answer, HttpAnswer)
    assert answer.changed == "user abc created"
