"""Who gets in: the outcome matrix of §3.2, the three filters of §3.1 and §3.3, and the reason beside the wire."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Profile, Settings
from tests.reference_server.platforms.hawkbit.rig import GATEWAY_KEY, Rig, document, status

TOKEN = "the-target-token"
AUTHORITY = "sha256:ab"


@dataclass(frozen=True)
class Case:
    """One line of the matrix: what is presented, to which paths, and what comes of it."""

    name: str
    headers: dict[str, str]
    is_known: bool
    modes: tuple[str, ...]
    root: int
    attributes: int
    creates: bool = False


TARGET = {"Authorization": f"TargetToken {TOKEN}"}
GATEWAY = {"Authorization": f"GatewayToken {GATEWAY_KEY}"}
CERTIFICATE = {"X-Controller-Id": "dev", "X-Authority": AUTHORITY}
MATRIX = [
    Case("target token, known", TARGET, True, ("targettoken",), 200, 200),
    Case("wrong target token", {"Authorization": "TargetToken nope"}, True, ("targettoken",), 401, 401),
    Case("target token, unknown", TARGET, False, ("targettoken",), 401, 401),
    Case("target token, mode off", TARGET, True, (), 401, 401),
    Case("target token, only gateway mode", TARGET, True, ("gatewaytoken",), 401, 401),
    Case("gateway token, known", GATEWAY, True, ("gatewaytoken",), 200, 200),
    Case("gateway token, unknown", GATEWAY, False, ("gatewaytoken",), 200, 404, creates=True),
    Case("wrong gateway token", {"Authorization": "GatewayToken no"}, True, ("gatewaytoken",), 401, 401),
    Case("gateway token, mode off", GATEWAY, True, (), 401, 401),
    Case("gateway token, only target mode", GATEWAY, True, ("targettoken",), 401, 401),
    Case("certificate, known", CERTIFICATE, True, ("header",), 200, 200),
    Case("certificate, unknown", CERTIFICATE, False, ("header",), 200, 404, creates=True),
    Case("certificate, mode off", CERTIFICATE, True, (), 401, 401),
    Case("other authority", {**CERTIFICATE, "X-Authority": "other"}, True, ("header",), 401, 401),
    Case("no authority", {"X-Controller-Id": "dev"}, True, ("header",), 401, 401),
    Case("other identity", {**CERTIFICATE, "X-Controller-Id": "else"}, True, ("header",), 401, 401),
    Case("nothing", {}, True, ("targettoken", "gatewaytoken", "header"), 401, 401),
    Case("first success wins", {**CERTIFICATE, **TARGET}, False, ("header", "targettoken"), 200, 404, creates=True),
    Case("a failing filter falls through", {**CERTIFICATE, "X-Authority": "other", **GATEWAY}, False,
         ("header", "gatewaytoken"), 200, 404, creates=True),
]  # fmt: skip
EVERY_MODE = ("targettoken", "gatewaytoken", "header")


def prepared(rig: Rig, case: Case) -> None:
    if case.is_known:
        rig.create("dev", securityToken=TOKEN)
    rig.configure(
        **{f"authentication__{mode}__enabled": mode in case.modes for mode in EVERY_MODE},
        authentication__gatewaytoken__key=GATEWAY_KEY,
        authentication__header__authority=f"first; {AUTHORITY.upper()}",
    )


def exists(rig: Rig, controller_id: str = "dev") -> bool:
    return status(rig.mgmt("GET", f"/targets/{controller_id}")) == 200


@pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.name)
def test_the_poll(rig: Rig, case: Case) -> None:
    prepared(rig, case)
    answer = rig.send("GET", "/DEFAULT/controller/v1/dev", case.headers)
    assert status(answer) == case.root
    assert exists(rig) == (case.is_known or case.creates)
    assert answer.device == "dev"


@pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.name)
def test_another_resource_never_creates(rig: Rig, case: Case) -> None:
    prepared(rig, case)
    headers = {**case.headers, "Content-Type": "application/json"}
    answer = rig.send("PUT", "/DEFAULT/controller/v1/dev/configData", headers, b'{"data": {"a": "b"}}')
    assert status(answer) == case.attributes
    assert exists(rig) == case.is_known


@pytest.mark.parametrize("case", [case for case in MATRIX if case.root == 401], ids=lambda case: case.name)
def test_a_refusal_is_bare_on_the_wire_and_says_why_beside_it(rig: Rig, case: Case) -> None:
    prepared(rig, case)
    answer = rig.send("GET", "/DEFAULT/controller/v1/dev", case.headers)
    assert answer.response.body == b""
    assert answer.response.header("WWW-Authenticate") is None
    assert answer.response.header("X-Content-Type-Options") == "nosniff"
    assert answer.reason
    assert TOKEN not in answer.reason
    assert GATEWAY_KEY not in answer.reason


def test_a_tenant_with_an_account_is_no_typo_before_its_operator_has_come(rig: Rig) -> None:
    assert "tenant DEFAULT has not been used yet, server defaults apply" in rig.poll("dev", TOKEN).reason


def test_reasons_can_be_acted_on(rig: Rig) -> None:
    rig.create("dev", securityToken=TOKEN)
    assert "target token mode is off for tenant DEFAULT: PUT" in rig.poll("dev", TOKEN).reason
    rig.target_tokens_on()
    assert "target dev exists, token differs" in rig.poll("dev", "wrong").reason
    assert "no such target: other, and target tokens never create one" in rig.poll("other", TOKEN).reason
    assert "gateway token mode is off" in rig.poll("dev").reason
    rig.configure(authentication__gatewaytoken__enabled=True)
    assert "the gateway key was never set" in rig.poll("dev").reason
    typo = rig.poll("dev", TOKEN, tenant="DEFUALT")
    assert "tenant DEFUALT does not exist (a typo?)" in typo.reason
    lower = rig.send("GET", "/DEFAULT/controller/v1/dev", {"Authorization": f"targettoken {TOKEN}"})
    assert "case-sensitive" in lower.reason


@pytest.mark.parametrize(
    "presented",
    [
        "targettoken {}",
        "TARGETTOKEN {}",
        "TargetToken  {}",
        "TargetToken{}",
        "Bearer {}",
        "TargetToken",
        "",
        "Basic {}",
    ],
)
def test_the_scheme_is_exact(rig: Rig, presented: str) -> None:
    rig.create("dev", securityToken=TOKEN)
    rig.target_tokens_on()
    headers = {"Authorization": presented.format(TOKEN)}
    assert status(rig.send("GET", "/DEFAULT/controller/v1/dev", headers)) == 401


def test_a_token_opens_one_target_only(rig: Rig) -> None:
    rig.target_tokens_on()
    rig.create("a", securityToken=TOKEN)
    rig.create("b")
    assert status(rig.poll("a", TOKEN)) == 200
    assert status(rig.poll("b", TOKEN)) == 401


def test_a_gateway_key_that_was_never_set_lets_nobody_in(rig: Rig) -> None:
    rig.configure(authentication__gatewaytoken__enabled=True)
    for presented in ("GatewayToken ", "GatewayToken", "GatewayToken null"):
        answer = rig.send("GET", "/DEFAULT/controller/v1/dev", {"Authorization": presented})
        assert status(answer) == 401


def test_a_rotated_token_works_at_once_and_the_old_one_never_again(rig: Rig) -> None:
    """S56."""
    rig.target_tokens_on()
    rig.create("dev", securityToken="old")
    assert status(rig.mgmt("PUT", "/targets/dev", {"securityToken": "new"})) == 200
    assert status(rig.poll("dev", "old")) == 401
    assert status(rig.poll("dev", "new")) == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Authority": "x,SHA256:AB"}, 200),
        ({"X-Authority": " x ; sha256:ab "}, 200),
        ({"X-Authority-0": "x", "X-Authority-1": AUTHORITY}, 200),
        ({"X-Authority-1": "x", "X-Authority-2": AUTHORITY}, 200),
        ({"X-Authority-1": "x", "X-Authority-3": AUTHORITY}, 401),
        ({"X-Authority-2": AUTHORITY}, 401),
        ({"X-Authority": "x", "X-Authority-1": AUTHORITY}, 401),
        ({"X-Ssl-Issuer-Hash-1": AUTHORITY}, 401),
    ],
)
def test_authorities_come_as_a_list_or_numbered(rig: Rig, headers: dict[str, str], expected: int) -> None:
    rig.configure(authentication__header__enabled=True, authentication__header__authority=AUTHORITY)
    answer = rig.send("GET", "/DEFAULT/controller/v1/dev", {"X-Controller-Id": "dev", **headers})
    assert status(answer) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Ssl-Client-Cn": "dev", "X-Ssl-Issuer-Hash-1": "x", "X-Ssl-Issuer-Hash-2": AUTHORITY}, 200),
        ({"X-Ssl-Client-Cn": "dev", "X-Ssl-Issuer-Hash-2": AUTHORITY}, 401),
        ({"X-Controller-Id": "dev", "X-Authority": AUTHORITY}, 401),
    ],
)
def test_header_names_before_1_0(headers: dict[str, str], expected: int) -> None:
    rig = Rig(Settings(profile=Profile.OLD))
    answer = rig.mgmt("PUT", "/system/configs", {
        "authentication.header.enabled": True, "authentication.header.authority": AUTHORITY})  # fmt: skip
    assert status(answer) == 200
    assert status(rig.send("GET", "/DEFAULT/controller/v1/dev", headers)) == expected


@pytest.mark.parametrize(("trusted", "expected"), [("", 200), ("a,,b", 200), (" ", 200), ("a;b;;", 401), (",", 401)])
def test_an_empty_authority_is_one_where_the_list_has_it(rig: Rig, trusted: str, expected: int) -> None:
    """As Java splits: nothing at all is one empty text, empty ones at the end are left out."""
    rig.configure(authentication__header__enabled=True, authentication__header__authority=trusted)
    answer = rig.send("GET", "/DEFAULT/controller/v1/dev", {"X-Controller-Id": "dev", "X-Authority": ""})
    assert status(answer) == expected


SPLITTING = [
    ("CN=Plant CA, O=Acme", "CN=Other CA,O=Acme", 200, 401),
    ("CN=Plant CA, O=Acme", "Other CA", 401, 401),
    ("", "", 200, 200),
    ("a,,b", "", 200, 200),
    ("a,,b", "x,,y", 200, 401),
    ("a,", "", 401, 401),
    (",", "", 401, 401),
    ("a\u00a0", "a", 401, 401),
    ("\u00c4", "\u00e4", 200, 200),
    (" a ; b ", "B", 200, 200),
    ("a", "x;a", 200, 401),
    ("", "x,", 401, 401),
    ("x,", "x,", 200, 401),
]
"""Of a real server: what is trusted, what is sent, the answer to it as a list and as a numbered header."""


@pytest.mark.parametrize(("trusted", "sent", "as_list", "numbered"), SPLITTING)
def test_lists_of_authorities_are_split_as_the_real_server_does(
    rig: Rig, trusted: str, sent: str, as_list: int, numbered: int
) -> None:
    rig.configure(authentication__header__enabled=True, authentication__header__authority=trusted)
    for name, expected in (("X-Authority", as_list), ("X-Authority-1", numbered)):
        answer = rig.send("GET", "/DEFAULT/controller/v1/dev", {"X-Controller-Id": "dev", name: sent})
        assert (name, status(answer)) == (name, expected)


@pytest.mark.parametrize(("presented", "expected"), [("x#b,c", 200), ("b", 401), ("a", 200), ("a,x", 401)])
def test_what_separates_authorities_is_a_setting(presented: str, expected: int) -> None:
    rig = Rig(Settings(authority_separator="#"))
    rig.configure(authentication__header__enabled=True, authentication__header__authority="A # B,C")
    answer = rig.send("GET", "/DEFAULT/controller/v1/dev", {"X-Controller-Id": "dev", "X-Authority": presented})
    assert status(answer) == expected


def test_header_names_are_settings() -> None:
    rig = Rig(Settings(identity_header="X-Cn", authority_header="X-Ca"))
    rig.configure(authentication__header__enabled=True, authentication__header__authority=AUTHORITY)
    answer = rig.send("GET", "/DEFAULT/controller/v1/dev", {"X-Cn": "dev", "X-Ca": AUTHORITY})
    assert status(answer) == 200


def test_only_trusted_peers_are_looked_at_whatever_they_present() -> None:
    """S54; a forwarding header does not help."""
    rig = Rig(Settings(trusted_ips=("10.0.0.1",)))
    rig.gateway_on()
    answer = rig.poll("dev", headers={"X-Forwarded-For": "10.0.0.1"})
    assert status(answer) == 401
    assert "trusted IPs" in answer.reason
    rig.peer = "10.0.0.1"
    assert status(rig.poll("dev")) == 200


def test_the_tenant_is_compared_without_case_and_links_echo_its_spelling(rig: Rig) -> None:
    """S59."""
    rig.gateway_on()
    link = document(rig.poll("dev", tenant="default"))["_links"]["configData"]["href"]
    assert link == "http://hawkbit.test:8080/default/controller/v1/dev/configData"
    assert rig.read("/targets")["total"] == 1


def test_an_unknown_tenant_has_the_servers_defaults() -> None:
    """S123: with the gateway mode on in the server's properties, tenant and target come into being."""
    defaults = {"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": GATEWAY_KEY}
    rig = Rig(Settings(config_defaults=defaults))
    assert status(rig.poll("dev", tenant="NEW")) == 200
    assert status(rig.put_attributes("dev", "", {"a": "b"})) == 404
    assert status(rig.device("PUT", "dev", "/configData", body={"data": {"a": "b"}}, tenant="new")) == 200


def test_where_devices_may_not_make_tenants_they_get_400() -> None:
    defaults = {"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": GATEWAY_KEY}
    rig = Rig(Settings(config_defaults=defaults, implicit_tenant_creation=False))
    answer = rig.poll("dev", tenant="NEW")
    assert (status(answer), document(answer)["errorCode"]) == (400, "hawkbit.server.error.repo.tenantNotExists")


@pytest.mark.parametrize("path", ["/DEFAULT/controller/v1", "/DEFAULT/controller/v1/"])
def test_without_a_controller_id_nobody_is_authenticated(rig: Rig, path: str) -> None:
    rig.gateway_on()
    assert status(rig.send("GET", path, {"Authorization": f"GatewayToken {GATEWAY_KEY}"})) == 401
