"""What the administrator of an installation keeps: tenants, what limits them, and who administers them."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account, Settings
from tests.reference_server.platforms.thingsboard.http_rig import (
    OPERATOR,
    OTHER,
    HttpRig,
    document,
    refused,
    text,
)

ADMINISTRATOR = Settings().administrator
NOBODY = "11111111-1dd2-11b2-8080-808080808080"
NEEDED = {
    "type": "DEFAULT",
    "maxDataPointsPerRollingArg": 1000,
    "maxRelatedEntitiesToReturnPerCfArgument": 100,
    "maxRelationLevelPerCfArgument": 2,
}
"""What a configuration has to name."""
DENIED = "You don't have permission to perform this operation!"


def as_administrator(rig: HttpRig, method: str, target: str, body: Any = None) -> Any:
    """A call that succeeds: its document."""
    answer = rig.ask(method, target, body, account=ADMINISTRATOR)
    assert answer.response.status == 200, answer
    return document(answer) if answer.response.body else None


def new_profile(rig: HttpRig, name: str, **configuration: Any) -> str:
    body = {"name": name, "profileData": {"configuration": {**NEEDED, **configuration}}}
    made: str = as_administrator(rig, "POST", "/api/tenantProfile", body)["id"]["id"]
    return made


def new_tenant(rig: HttpRig, title: str, profile: str | None = None, email: str = "") -> tuple[str, Account]:
    """Its id, and its administrator, who has activated the account."""
    body: dict[str, Any] = {"title": title}
    if profile is not None:
        body["tenantProfileId"] = {"entityType": "TENANT_PROFILE", "id": profile}
    tenant = as_administrator(rig, "POST", "/api/tenant", body)["id"]
    account = Account(email or f"{title}@example.org", f"password-of-{title}", title)
    user = {"email": account.email, "authority": "TENANT_ADMIN", "tenantId": tenant}
    made = as_administrator(rig, "POST", "/api/user?sendActivationMail=false", user)["id"]["id"]
    link = text(rig.ask("GET", f"/api/user/{made}/activationLink", account=ADMINISTRATOR))
    activation = {"activateToken": link.partition("activateToken=")[2], "password": account.password}
    assert rig.post("/api/noauth/activate?sendActivationMail=false", activation).response.status == 200
    return tenant["id"], account


def test_a_new_tenant_has_a_default_device_profile_and_works_alone() -> None:
    """S51: one name in two tenants."""
    rig = HttpRig()
    tenant, account = new_tenant(rig, "second")

    assert rig.ask("POST", "/api/device", {"name": "d"}, account=account).response.status == 200
    assert rig.device("d")["tenantId"]["id"] != tenant
    assert document(rig.ask("GET", "/api/device/types", account=account)) == [
        {"tenantId": {"entityType": "TENANT", "id": tenant}, "entityType": "DEVICE", "type": "default"}
    ]


def test_a_tenant_is_read_as_it_was_made() -> None:
    rig = HttpRig()
    body = {"title": "t", "city": "Kiel", "email": "t@example.org", "additionalInfo": {"description": "x"}}
    made = as_administrator(rig, "POST", "/api/tenant", body)
    tenant = made["id"]["id"]

    assert {name: made[name] for name in body} == body
    assert (made["name"], made["region"], made["country"], made["version"]) == ("t", "Global", None, 1)
    assert as_administrator(rig, "GET", f"/api/tenant/{tenant}") == made
    info = as_administrator(rig, "GET", f"/api/tenant/info/{tenant}")
    assert info == made | {"tenantProfileName": "Default"}
    listed = as_administrator(rig, "GET", "/api/tenants?pageSize=10&page=0&textSearch=t")
    assert made in listed["data"]
    changed = as_administrator(rig, "POST", "/api/tenant", made | {"title": "u"})
    assert (changed["title"], changed["version"]) == ("u", 2)
    again = rig.ask("POST", "/api/tenant", made, account=ADMINISTRATOR)
    assert refused(again) == (409, 35, "Tenant was already changed by someone else")


def test_a_deleted_tenant_leaves_nothing_behind() -> None:
    rig = HttpRig()
    tenant, account = new_tenant(rig, "gone")
    device = document(rig.ask("POST", "/api/device?accessToken=TOKEN-OF-GONE", {"name": "d"}, account=account))
    token = rig.token(account)

    as_administrator(rig, "DELETE", f"/api/tenant/{tenant}")

    assert rig.send("POST", "/api/v1/TOKEN-OF-GONE/telemetry", b"{}").response.status == 401
    assert rig.post("/api/auth/login", {"username": account.email, "password": account.password}).response.status == 401
    assert (
        rig.send("GET", f"/api/device/{device['id']['id']}", X_Authorization=f"Bearer {token}").response.status == 401
    )
    missing = rig.ask("GET", f"/api/tenant/{tenant}", account=ADMINISTRATOR)
    assert refused(missing) == (404, 32, f"Tenant with id [{tenant}] is not found")
    assert rig.ask("POST", "/api/device?accessToken=TOKEN-OF-GONE", {"name": "d"}).response.status == 200, "free again"


def test_a_tenant_profile_limits_its_tenants_alone() -> None:
    """S82, and a limit that is taken back holds no longer."""
    rig = HttpRig()
    profile = new_profile(rig, "small", maxDevices=1)
    _, account = new_tenant(rig, "small", profile)
    assert rig.ask("POST", "/api/device", {"name": "a"}, account=account).response.status == 200
    full = rig.ask("POST", "/api/device", {"name": "b"}, account=account)
    assert full.response.status == 403
    assert document(full)["message"] == "Devices limit reached"
    assert rig.device("a")
    assert rig.device("b")
    body = as_administrator(rig, "GET", f"/api/tenantProfile/{profile}")
    body["profileData"]["configuration"]["maxDevices"] = 2
    as_administrator(rig, "POST", "/api/tenantProfile", body)
    assert rig.ask("POST", "/api/device", {"name": "b"}, account=account).response.status == 200


@pytest.mark.parametrize(("kind", "called"), [("maxCustomers", "Customer"), ("maxUsers", "User")])
def test_customers_and_users_are_limited_too(kind: str, called: str) -> None:
    rig = HttpRig(Settings(tenant_configuration={kind: 1}))
    user = {"email": "u@example.org", "authority": "TENANT_ADMIN"}
    if called == "Customer":
        assert rig.ask("POST", "/api/customer", {"title": "a"}).response.status == 200
        full = rig.ask("POST", "/api/customer", {"title": "b"})
    else:
        full = rig.ask("POST", "/api/user?sendActivationMail=false", user)
    assert (full.response.status, document(full)["message"]) == (403, f"{called}s limit reached")


def test_a_message_limit_of_a_tenant_profile_holds_at_once() -> None:
    """S105 over HTTP: 500 without a body, and nothing else of the device is counted with it."""
    rig = HttpRig()
    rig.device("d", token="TOKEN-OF-THE-DEVICE")
    listed = as_administrator(rig, "GET", "/api/tenantProfiles?pageSize=10&page=0")["data"]
    (profile,) = [each for each in listed if each["default"]]
    profile["profileData"]["configuration"]["transportDeviceTelemetryMsgRateLimit"] = "2:60"
    as_administrator(rig, "POST", "/api/tenantProfile", profile)

    answers = [rig.post("/api/v1/TOKEN-OF-THE-DEVICE/telemetry", {"a": 1}).response for _ in range(3)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, b""), (200, b""), (500, b"")]
    assert rig.send("GET", "/api/v1/TOKEN-OF-THE-DEVICE/attributes").response.status == 200
    body = {"provisionDeviceKey": "K", "provisionDeviceSecret": "S"}
    assert [rig.post("/api/v1/provision", body).response.status for _ in range(4)] == [200] * 4


@pytest.mark.parametrize(
    ("member", "other"),
    [
        ("transportTenantMsgRateLimit", "telemetry"),
        ("transportDeviceMsgRateLimit", "telemetry"),
        ("transportTenantTelemetryMsgRateLimit", "attributes"),
        ("transportDeviceTelemetryDataPointsRateLimit", "attributes"),
    ],
)
def test_each_limit_counts_what_it_says(member: str, other: str) -> None:
    """A message without values is counted apart from telemetry and its values."""
    rig = HttpRig(Settings(tenant_configuration={member: "2:60"}))
    rig.device("d", token="TOKEN-OF-THE-DEVICE")
    path = "/api/v1/TOKEN-OF-THE-DEVICE"
    asks = {
        "telemetry": lambda: rig.post(f"{path}/telemetry", {"a": 1}),
        "attributes": lambda: rig.send("GET", f"{path}/attributes"),
    }
    counted = next(name for name in asks if name != other)
    refused = 503 if counted == "attributes" else 500
    assert [asks[counted]().response.status for _ in range(3)] == [200, 200, refused]
    assert [asks[other]().response.status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "attributes"), ("GET", "attributes/updates?timeout=5000"), ("GET", "rpc?timeout=5000"), ("POST", "rpc")],
)
def test_who_asks_too_often_is_not_answered(method: str, path: str) -> None:
    """Seen on a 4.3.1.3: the server forgets the session, and the container ends the request after 30 s."""
    rig = HttpRig(Settings(tenant_configuration={"transportDeviceMsgRateLimit": "1:3600"}))
    rig.device("d", token="TOKEN-OF-THE-DEVICE")
    rig.send("GET", "/api/v1/TOKEN-OF-THE-DEVICE/attributes")
    began_us = rig.now_us

    body = b'{"method":"m","params":1}' if method == "POST" else b""
    answer = rig.send(method, f"/api/v1/TOKEN-OF-THE-DEVICE/{path}", body, Content_Type="application/json")

    assert (answer.response.status, rig.now_us - began_us) == (503, 30_000_000)
    assert "message" in answer.reason


def test_values_are_counted_one_by_one() -> None:
    rig = HttpRig(Settings(tenant_configuration={"transportDeviceTelemetryDataPointsRateLimit": "5:60"}))
    rig.device("d", token="TOKEN-OF-THE-DEVICE")
    bodies = [{"a": 1, "b": 2, "c": None}, [{"a": 1}, {"ts": 1, "values": {"a": 2, "b": 1}}], {"a": 1}]
    statuses = [rig.post("/api/v1/TOKEN-OF-THE-DEVICE/telemetry", body).response.status for body in bodies]
    assert statuses == [200, 200, 500]


def test_a_tenant_profile_says_all_its_members() -> None:
    rig = HttpRig()
    made = as_administrator(rig, "POST", "/api/tenantProfile", {"name": "p"})
    configuration = made["profileData"]["configuration"]
    assert (configuration["maxDevices"], configuration["maxArgumentsPerCF"]) == (0, 10), "it says nothing at all"
    assert configuration["transportDeviceMsgRateLimit"] is None
    other = as_administrator(rig, "GET", f"/api/tenantProfile/{new_profile(rig, 'q')}")["profileData"]["configuration"]
    assert (other["maxArgumentsPerCF"], other["alarmsReevaluationInterval"]) == (0, 60), "what it does not name is 0"
    profile = made["id"]["id"]
    assert as_administrator(rig, "GET", f"/api/tenantProfile/{profile}") == made
    assert as_administrator(rig, "GET", f"/api/tenantProfileInfo/{profile}") == {"id": made["id"], "name": "p"}
    assert as_administrator(rig, "GET", "/api/tenantProfileInfo/default")["name"] == "Default"
    assert as_administrator(rig, "POST", f"/api/tenantProfile/{profile}/default")["default"] is True
    assert as_administrator(rig, "GET", "/api/tenantProfileInfo/default")["name"] == "p"
    listed = as_administrator(rig, "GET", "/api/tenantProfileInfos?pageSize=9&page=0&sortProperty=name")["data"]
    assert [each["name"] for each in listed] == ["Default", "p", "q"]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"name": " "}, (400, 31, "Tenant profile name should be specified!")),
        ({"name": "Default"}, (400, 31, "Tenant profile with such name already exists!")),
        ({"name": "p", "default": True}, (400, 31, "Another default tenant profile is present!")),
        (
            {"name": "p", "profileData": {"configuration": None}},
            (400, 31, "Tenant profile data configuration should be specified!"),
        ),
        ({"name": "p", "profileData": {"configuration": {}}}, (500, 2, "JSON parse error")),
        (
            {
                "name": "p",
                "profileData": {"configuration": {**NEEDED, "transportDeviceMsgRateLimit": "1:1,2:1"}},
            },
            (
                400,
                31,
                "Validation error: Transport device messages rate limit has duplicate 'Per seconds' configuration.",
            ),
        ),
        (
            {"name": "p", "profileData": {"configuration": {"type": "DEFAULT", "transportDeviceMsgRateLimit": "x"}}},
            (500, 2, "HV000028: Unexpected exception during isValid call."),
        ),
        (
            {"name": "p", "profileData": {"configuration": NEEDED | {"maxRelationLevelPerCfArgument": 0}}},
            (400, 31, "Validation error: maxRelationLevelPerCfArgument must be greater than 0"),
        ),
    ],
    ids=["no name", "name taken", "second default", "no configuration", "no type", "duplicate", "no limit", "zeros"],
)
def test_what_is_no_tenant_profile(body: dict[str, Any], answer: tuple[int, int, str]) -> None:
    assert refused(HttpRig().ask("POST", "/api/tenantProfile", body, account=ADMINISTRATOR)) == answer


def test_a_tenant_profile_that_is_used_stays() -> None:
    rig = HttpRig()
    default = as_administrator(rig, "GET", "/api/tenantProfileInfo/default")["id"]["id"]
    profile = new_profile(rig, "p")
    tenant, _ = new_tenant(rig, "t", profile)
    said = [
        rig.ask("DELETE", f"/api/tenantProfile/{each}", account=ADMINISTRATOR) for each in (default, profile, NOBODY)
    ]
    assert [refused(each) for each in said] == [
        (400, 31, "Deletion of Default Tenant Profile is prohibited!"),
        (400, 31, "The tenant profile referenced by the tenants cannot be deleted!"),
        (404, 32, f"Tenant profile with id [{NOBODY}] is not found"),
    ]
    as_administrator(rig, "DELETE", f"/api/tenant/{tenant}")
    as_administrator(rig, "DELETE", f"/api/tenantProfile/{profile}")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/api/tenant"),
        ("GET", "/api/tenants?pageSize=1&page=0"),
        ("POST", "/api/tenantProfile"),
        ("GET", f"/api/tenantProfile/{NOBODY}"),
        ("GET", "/api/tenantProfiles?pageSize=1&page=0"),
    ],
)
def test_a_tenant_keeps_no_tenants(method: str, target: str) -> None:
    assert refused(HttpRig().ask(method, target, {})) == (403, 20, DENIED)


def test_the_administrator_of_all_has_no_devices() -> None:
    rig = HttpRig()
    for target in ("/api/tenant/devices?pageSize=1&page=0", "/api/deviceProfiles?pageSize=1&page=0"):
        assert refused(rig.ask("GET", target, account=ADMINISTRATOR)) == (403, 20, DENIED)


def test_a_tenant_may_read_and_delete_itself_alone() -> None:
    rig = HttpRig()
    own, other = (
        document(rig.ask("GET", "/api/auth/user", account=each))["tenantId"]["id"] for each in (OPERATOR, OTHER)
    )
    assert document(rig.ask("GET", f"/api/tenant/{own}"))["title"] == "Tenant"
    assert refused(rig.ask("GET", f"/api/tenant/{other}")) == (403, 20, DENIED)
    assert refused(rig.ask("DELETE", f"/api/tenant/{other}")) == (403, 20, DENIED)
    assert rig.ask("DELETE", f"/api/tenant/{own}").response.status == 200
    assert refused(rig.ask("GET", f"/api/tenant/{own}"))[0] == 401, "the account has gone with its tenant"


@pytest.mark.parametrize(
    ("version", "profile"),
    [("4.3.1.3", Profile.CURRENT), ("4.2.1", Profile.PREVIOUS), ("", Profile.OLD)],
)
def test_a_server_tells_its_version(version: str, profile: Profile) -> None:
    answer = HttpRig(Settings(profile=profile)).ask("GET", "/api/system/info")
    assert (document(answer).get("version", "") if answer.response.status == 200 else "") == version
    assert answer.response.status == (200 if version else 404)
