"""Credentials that nobody has told us, wherever they travel: masked, told apart, and nothing else changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import cbor2
import pytest

from fleetrig.simulator.contract.credential_places import shown_scheme, shown_user
from fleetrig.simulator.contract.envelope_json import envelope_to_json
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttAuth, MqttConnect
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import to_line

UNKNOWN = "4f2a90b1c3d5e7f60718293a4b5c6d7e"
ODD = 'p"w\\ü/ 9:@;,'
MISTYPED = "admim"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def written(request: HttpRequest, secrets: Secrets | None = None) -> str:
    return to_line(TraceEvent(1, 1, "", Lane.SERVER, "received", request), secrets or Secrets())


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", f"TargetToken {UNKNOWN}", "TargetToken unknown:1/32"),
        ("authorization", f"GatewayToken {UNKNOWN}", "GatewayToken unknown:1/32"),
        ("AUTHORIZATION", f"Bearer  {UNKNOWN}", "Bearer  unknown:1/32"),
        ("Authorization", f'Digest username="a", response="{UNKNOWN}"', "Digest unknown:1/57"),
        ("Authorization", UNKNOWN, "unknown:1/32"),
        ("X-Auth", UNKNOWN, "unknown:1/32"),
        ("X-Passphrase", UNKNOWN, "unknown:1/32"),
        ("X-Amz-Signature", UNKNOWN, "unknown:1/32"),
        ("Authorization", "a.secret/ without scheme", "unknown:1/24"),
        ("Authorization", "hunter", "unknown:1"),
        ("Authorization", "TargetToken", "TargetToken"),
        ("Authorization", "", ""),
        ("Authorization", "*", "*"),
        ("Authorization", basic("admin", MISTYPED), "Basic admin:unknown:1"),
        ("Authorization", basic("admin", MISTYPED).rstrip("="), "Basic admin:unknown:1"),
        ("Authorization", basic(UNKNOWN, ""), "Basic unknown:1/33"),
        ("Authorization", basic(ODD, ODD), "Basic unknown:1/25"),
        ("Authorization", "Basic !!!", "Basic unknown:1"),
        ("Proxy-Authorization", basic("proxy", ODD), "Basic proxy:unknown:1"),
        ("Cookie", f"a=1234; JSESSIONID={UNKNOWN};flag", "a=unknown:1; JSESSIONID=unknown:2/32;unknown:3"),
        ("Set-Cookie", f"sid={UNKNOWN}; Path=/; HttpOnly", "sid=unknown:1/32; Path=/; HttpOnly"),
        ("X-Auth-Token", UNKNOWN, "unknown:1/32"),
        ("x-api-key", "abc", "unknown:1"),
        ("X-Secret", ODD, "unknown:1"),
        ("Location", f"http://u:{MISTYPED}@h/a?access_token={UNKNOWN}", "http://u:unknown:1@h/a?access_token=unknown:2/32"),
        ("Content-Type", "application/json", "application/json"),
        ("WWW-Authenticate", 'Basic realm="hawkBit"', 'Basic realm="hawkBit"'),
        ("X-Ssl-Issuer-Hash-1", "AB:CD", "AB:CD"),
    ],
)  # fmt: skip
def test_headers(name: str, value: str, shown: str) -> None:
    secrets = Secrets()
    assert secrets.hide_header(name, value) == shown
    assert secrets.hide_header(name, value) == shown, "the same value is the same"
    assert secrets.hide_header(name, shown) == shown, "a relayed trace is masked already"


JSON_DOCUMENTS: list[tuple[object, object]] = [
    ({"securityToken": UNKNOWN, "name": "n"}, {"securityToken": "unknown:1/32", "name": "n"}),
    ({"password": ODD, "a": [1]}, {"password": "unknown:1", "a": [1]}),
    ({"password": 12345678, "tokens": 5, "tokenTtl": 3600}, {"password": "unknown:1", "tokens": 5, "tokenTtl": 3600}),
    ({"tokens": [UNKNOWN, "b"]}, {"tokens": ["unknown:1/32", "unknown:2"]}),
    ({"Api-Key": "k", "apikey": ""}, {"Api-Key": "unknown:1", "apikey": ""}),
    ({"authorization": f"TargetToken {UNKNOWN}"}, {"authorization": "TargetToken unknown:1/32"}),
    ({"token.key": {"value": UNKNOWN, "global": True}}, {"token.key": {"value": "unknown:1/32", "global": True}}),
    ({"authentication.targettoken.enabled": True}, {"authentication.targettoken.enabled": True}),
    ({"text": "the token differs", "kind": "token"}, {"text": "the token differs", "kind": "token"}),
]  # fmt: skip


@pytest.mark.parametrize(("document", "shown"), JSON_DOCUMENTS, ids=range(len(JSON_DOCUMENTS)))
@pytest.mark.parametrize("indent", [None, 2])
def test_members_of_json(document: object, shown: object, indent: int | None) -> None:
    assert json.loads(Secrets().hide(json.dumps(document, indent=indent))) == shown


def test_json_as_a_text_in_json() -> None:
    document = json.dumps({"details": [json.dumps({"accessToken": UNKNOWN, "n": 1})]})
    (inner,) = json.loads(Secrets().hide(document))["details"]
    assert json.loads(inner) == {"accessToken": "unknown:1/32", "n": 1}


TEXTS: dict[str, tuple[str, str]] = {
    "query": (f"/a?x=1&access_token={UNKNOWN}&y=2", "/a?x=1&access_token=unknown:1/32&y=2"),
    "first in query": (f"/a?password={quote}#f" if (quote := "p%40ss") else "", "/a?password=unknown:1#f"),
    "form": (f"grant=client&client_secret={MISTYPED}", "grant=client&client_secret=unknown:1"),
    "path parameter": (f"/a;jsessionid={MISTYPED}?b", "/a;jsessionid=unknown:1"),
    "userinfo": (f"at http://admin:{MISTYPED}@h:80/x", "at http://admin:unknown:1@h:80/x"),
    "token as userinfo": (f"https://{UNKNOWN}@h/x", "https://unknown:1/32@h/x"),
    "curl -v": (f"> Authorization: TargetToken {UNKNOWN}\n> A: b", "> Authorization: TargetToken unknown:1/32\n> A: b"),
    "curl -H": (f"curl -H 'Cookie: s={MISTYPED}' x", "curl -H 'Cookie: s=unknown:1' x"),
    "repr": (repr({"securityToken": UNKNOWN, "n": "a"}), "{'securityToken': 'unknown:1/32', 'n': 'a'}"),
    "cut": (f'{{"securityToken":"{UNKNOWN[:20]}', '{"securityToken":"unknown:1/20'),
}


@pytest.mark.parametrize("place", TEXTS)
def test_texts_of_any_kind(place: str) -> None:
    text, shown = TEXTS[place]
    secrets = Secrets()
    assert secrets.hide(text) == shown
    assert secrets.hide(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "target HB-1 exists, token differs",
        "the scheme is case-sensitive: 'targettoken' is neither TargetToken nor GatewayToken",
        "the authorization: none was sent",
        "PUT /rest/v1/system/configs/authentication.gatewaytoken.key",
        'wrote "a token" in line 3: key=value',
        "mail admin@example.org",
        '{"_links":{"configData":{"href":"http://h:80/DEFAULT/controller/v1/a@b/configData"}}}',
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert Secrets().hide(text) == text


def test_known_secrets_keep_their_own_masks() -> None:
    secrets = Secrets()
    secrets.learn("target-token", UNKNOWN)
    masked = secrets.hide_known(UNKNOWN)
    assert masked.startswith("target-token:")
    assert secrets.hide_header("Authorization", f"TargetToken {UNKNOWN}") == f"TargetToken {masked}"
    assert secrets.hide_header("X-Token", UNKNOWN) == masked
    assert json.loads(secrets.hide(json.dumps({"token": UNKNOWN}))) == {"token": masked}
    assert secrets.hide(f"/a?token={UNKNOWN}") == f"/a?token={masked}"


def test_a_secret_that_is_learnt_later_has_its_mask_from_then_on() -> None:
    secrets = Secrets()
    assert secrets.hide_header("X-Token", UNKNOWN) == "unknown:1/32"
    assert secrets.hide(f"a {UNKNOWN}") == f"a {UNKNOWN}"
    secrets.learn("token", UNKNOWN)
    assert secrets.hide_header("X-Token", UNKNOWN).startswith("token:")
    assert UNKNOWN not in secrets.hide(f"a {UNKNOWN}")


def test_different_values_have_different_numbers_in_order() -> None:
    secrets = Secrets()
    shown = [secrets.hide_header("X-Token", value) for value in ("one", "two", "one", "three")]
    assert shown == ["unknown:1", "unknown:2", "unknown:1", "unknown:3"]


def test_numbers_end_somewhere() -> None:
    secrets = Secrets()
    shown = [secrets.hide_header("X-Token", str(number)) for number in range(10_005)]
    assert shown[9_999] == "unknown:10000"
    assert set(shown[10_000:]) == {"unknown"}


SETTING = "/rest/v1/system/configs/authentication.gatewaytoken.key?x=1"

IN_REQUESTS: dict[str, Callable[[str], HttpRequest]] = {
    "setting": lambda value: HttpRequest("PUT", "http://h", SETTING, (), json.dumps({"value": value}).encode()),
    "origin": lambda value: HttpRequest("GET", f"http://u:{value}@h", "/a"),
    "cbor": lambda value: HttpRequest("POST", "http://h", "/a", (), cbor2.dumps({"n": 1, "aToken": value, "z": "end"})),
    "parts": lambda value: HttpRequest("POST", "http://h", "/a", (), (b'{"password":"' + value.encode() + b'"}', b"x")),
}


@pytest.mark.parametrize("place", IN_REQUESTS)
@pytest.mark.parametrize("value", [UNKNOWN, "shorty7", "x" * 300], ids=["32", "7", "300"])
def test_requests(place: str, value: str) -> None:
    line = written(IN_REQUESTS[place](value))
    assert value not in line
    assert base64.b64encode(value.encode()).decode().rstrip("=")[:20] not in line


def test_cbor_stays_cbor() -> None:
    body = cbor2.dumps({"n": 1, "securityToken": UNKNOWN, "data": {"tokenA": "b" * 300}, "z": "end"})
    shown = envelope_to_json(HttpResponse(200, (), body), Secrets())["response"]["body"]["base64"]
    found = cbor2.loads(base64.b64decode(shown))
    assert found == {"n": 1, "securityToken": "*" * 32, "data": {"tokenA": "*" * 300}, "z": "end"}


def test_the_password_of_a_session() -> None:
    secrets = Secrets()
    connect = MqttConnect(client_id="gw", user_name="u", password=b"\xffpass")
    auth = MqttAuth(properties=(("authentication_method", "SCRAM"), ("authentication_data", b"proof")))
    assert envelope_to_json(connect, secrets)["connect"]["password"] == "unknown:1"
    assert envelope_to_json(auth, secrets)["auth"]["properties"] == [
        ["authentication_method", "SCRAM"],
        ["authentication_data", {"bytes": "unknown:2"}],
    ]


@pytest.mark.parametrize(
    ("authorization", "shown"),
    [
        ("Basic abc", "'Basic'"),
        ("TargetTokn abc", "'TargetTokn'"),
        ("TargetToken", "'TargetToken'"),
        (UNKNOWN, "of 32 characters"),
        (f"{UNKNOWN} x", "of 32 characters"),
        ("hunter-two:3 x", "of 12 characters"),
        ("hunter", "of 6 characters"),
    ],
)
def test_a_credential_without_a_scheme_is_shown_as_none(authorization: str, shown: str) -> None:
    assert shown_scheme(authorization) == shown


@pytest.mark.parametrize(
    ("user", "password", "shown"),
    [("Admin", "x", "'Admin'"), (UNKNOWN, "", "of 32 characters"), ("x" * 33, "y", "of 33 characters")],
)
def test_a_token_in_the_place_of_a_user_is_not_shown(user: str, password: str, shown: str) -> None:
    assert shown_user(user, password) == shown
