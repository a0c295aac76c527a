"""From facts to diagnosis: each cause by itself, its words and what to change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fleetrig.harness.doctor.diagnosis import Admission, Judgement, Weight
from fleetrig.harness.platforms.hawkbit.doctor.facts import (
    Facts,
    Kind,
    Presented,
    TargetRecord,
    config_from,
    masked,
    target_from,
)
from fleetrig.harness.platforms.hawkbit.doctor.ids import difference, near
from fleetrig.harness.platforms.hawkbit.doctor.judging import judge
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, HEADER_AUTHORITY, HEADER_MODE, TARGET_MODE
from tests.harness.doctor.facts_builder import (
    KEY,
    LET_IN,
    NOW,
    REFUSED,
    TOKEN,
    answer,
    certificate,
    gateway_token,
    given,
    judged,
    names,
    off,
    target_token,
)


def only(judgement: Judgement, name: str) -> Any:
    (found,) = [one for one in judgement.diagnoses if one.name == name]
    return found


# -- tokens


def test_both_tokens_are_told_apart_by_their_masks_and_never_shown() -> None:
    page = judged(target_token("another-secret"), REFUSED)

    cause = only(page, "token-differs").cause
    assert masked(Kind.TARGET_TOKEN, "another-secret") in cause
    assert masked(Kind.TARGET_TOKEN, TOKEN) in cause
    assert TOKEN not in repr(page)
    assert "another-secret" not in repr(page)
    assert TOKEN not in repr(given(target_token()))


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (TOKEN.upper(), "is another one in case only:"),
        (f"'{TOKEN}'", "is another one but for blanks or quotes:"),
        ("x", "is another one: the device has"),
    ],
)
def test_how_a_token_differs(token: str, said: str) -> None:
    assert said in only(judged(target_token(token), REFUSED), "token-differs").cause


def test_the_command_gives_the_server_the_device_s_token_without_showing_it() -> None:
    assert only(judged(target_token("x"), REFUSED), "token-differs").command == (
        "curl -u admin -X PUT \\",
        "  -H 'Content-Type: application/json' \\",
        """  -d '{"securityToken": "'"${TOKEN}"'"}' \\""",
        "  http://hawkbit.test:8080/rest/v1/targets/gw-17",
    )


@pytest.mark.parametrize(
    ("presented", "otherwise", "said"),
    [
        (target_token(KEY), {}, "is the gateway key of the tenant"),
        (target_token(KEY), {"modes": off(Kind.TARGET_TOKEN)}, "is the gateway key of the tenant"),
        (target_token(KEY), {"exists": False}, "is the gateway key of the tenant"),
        (gateway_token(TOKEN), {}, "is the token of this very target"),
    ],
)
def test_the_right_secret_under_the_wrong_word(presented: Presented, otherwise: dict[str, Any], said: str) -> None:
    page = judged(presented, REFUSED, **otherwise)

    assert names(page) == ["wrong-kind"]
    assert said in page.diagnoses[0].cause
    assert page.diagnoses[0].change.endswith("that way in is on.")


def test_a_way_in_that_is_off_is_said_of_the_wrong_word() -> None:
    page = judged(gateway_token(TOKEN), REFUSED, modes=off(Kind.TARGET_TOKEN))

    assert only(page, "wrong-kind").change.endswith("that way in is off and has to be turned on.")


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (f"{TOKEN}\n", "holds a line end, so no header can carry it"),
        ("tokén€", "holds “€” (U+20AC), and headers are Latin-1, so no header can carry it"),
        ("a\x07b", "holds a control character (U+0007), so no header can carry it"),
        (f" {TOKEN}", "begins with a blank, which HTTP takes away, so no header can carry it"),
        (f"TargetToken {TOKEN}", "begins with the word TargetToken: the device writes TargetToken before it by itself"),
        (f'"{TOKEN}"', "stands in quotes, which count as part of it"),
    ],
)
def test_slips_in_the_token_itself(token: str, said: str) -> None:
    assert only(judged(target_token(token), REFUSED), "token-malformed").cause == f"The target token as given {said}."


def test_blanks_at_the_end_do_not_matter() -> None:
    assert names(judged(target_token(f"{TOKEN} "))) == []


def test_a_token_of_another_target() -> None:
    others = (TargetRecord("gw-18", "its-token"),)

    known = judged(target_token("its-token"), REFUSED, others=others)
    unknown = judged(target_token("its-token"), REFUSED, others=others, exists=False)

    assert names(known) == names(unknown) == ["token-of-another"]
    assert known.diagnoses[0].cause == "This token is that of target gw-18, not of gw-17, which has another one."
    assert unknown.diagnoses[0].cause == "This token is that of target gw-18, not of gw-17, which there is none of."


def test_what_is_on_is_named_and_nothing_on_looks_like_a_new_server() -> None:
    nothing_on = judged(target_token(), REFUSED, modes=off(*Kind))
    gateway_on = judged(target_token(), REFUSED, modes=off(Kind.TARGET_TOKEN, Kind.CERTIFICATE))

    assert only(nothing_on, "mode-off").cause.endswith("No way in is on, as on a new server.")
    assert only(nothing_on, "mode-off").change == "Turn it on, for all devices of tenant DEFAULT."
    assert only(gateway_on, "mode-off").cause.endswith("On is: gateway token.")
    assert only(gateway_on, "mode-off").command[-1].endswith("/system/configs/authentication.targettoken.enabled")


# -- ids


@pytest.mark.parametrize(
    ("wanted", "other", "how"),
    [
        ("GW-17", "gw-17", "differs in case only"),
        ("gw-17 ", "gw-17", "differs in blanks only"),
        ("gw-l7", "gw-17", "looks alike, but has 1 where this has l"),
        ("gw17", "gw-17", "looks alike, but has - where this has 1"),
        ("\uff47w-17", "gw-17", "looks alike, but has g where this has \uff47 (U+FF47)"),
        ("gw-71", "gw-17", "is similar"),
    ],
)
def test_how_ids_differ(wanted: str, other: str, how: str) -> None:
    assert difference(wanted, other) == how


def test_near_ids_come_nearest_first_and_strangers_not_at_all() -> None:
    assert near("gw-17", ["press-4", "gw-18", "GW-17", "gw_17", "gw-17"]) == ["GW-17", "gw_17", "gw-18"]


def test_a_near_id_is_named_where_the_target_is_unknown() -> None:
    others = (TargetRecord("GW-17", "x"), TargetRecord("press-4", "y"))

    refused = judged(target_token(), REFUSED, exists=False, others=others)
    registers = judged(gateway_token(), exists=False, others=others)

    assert only(refused, "unknown-target").cause.endswith("There is GW-17 (differs in case only).")
    assert only(registers, "registers").cause.endswith(
        "There is GW-17 (differs in case only). If that one was meant, correct the id."
    )


@pytest.mark.parametrize(
    ("controller_id", "said"),
    [
        ("a%b", "holds % (sent as %25)."),
        ("a;b/c", "holds ; (sent as %3B), / (sent as %2F)."),
        ("a\\b", "holds \\ (sent as %5C)."),
        ("a\nb", 'holds "\\n" (sent as %0A).'),
        ("..", "is .., which means a folder in a path."),
    ],
)
def test_ids_that_the_url_firewall_refuses(controller_id: str, said: str) -> None:
    page = judged(target_token(), answer(400, b"<html>"), controller_id=controller_id, exists=False)

    assert names(page) == ["url-firewall"]
    assert page.diagnoses[0].cause.startswith(f"The id {said}")
    assert page.outcome is Admission.REFUSED


def test_a_tenant_that_the_url_firewall_refuses() -> None:
    assert names(judged(gateway_token(), answer(400), tenant="a;b"))[0] == "url-firewall"


@pytest.mark.parametrize("controller_id", ["gw 17", "gw-17 ", "\tgw-17", "gw\u00a017"])
def test_blanks_in_an_id(controller_id: str) -> None:
    for presented in (target_token(), gateway_token(), certificate(common_name=controller_id)):
        page = judged(presented, controller_id=controller_id, exists=False)
        assert names(page) == ["id-blank"]
        assert page.outcome is Admission.REFUSED


@pytest.mark.parametrize(
    ("length", "presented", "exists", "expected"),
    [
        (128, gateway_token(), False, []),
        (129, gateway_token(), False, ["name-too-long"]),
        (256, certificate(common_name="x" * 256), False, ["name-too-long"]),
        (256, gateway_token(), True, []),
        (256, target_token(), True, []),
        (257, gateway_token(), False, ["id-too-long"]),
        (257, target_token(), False, ["id-too-long"]),
    ],
)
def test_long_ids(length: int, presented: Presented, exists: bool, expected: list[str]) -> None:
    page = judged(presented, controller_id="x" * length, exists=exists)

    assert names(page) == expected


# -- tenants


def elsewhere(tenant: str, **otherwise: Any) -> Facts:
    """The device asks in `tenant`, the account is of DEFAULT."""
    return replace(given(target_token(), REFUSED, **otherwise), tenant=tenant)


def test_tenants_have_no_case() -> None:
    assert judge(replace(given(target_token(), LET_IN), tenant="default")).diagnoses == ()


@pytest.mark.parametrize(
    ("tenant", "otherwise", "weight", "said"),
    [
        ("DEFAUTL", {}, Weight.LIKELY, "In DEFAULT nothing would refuse this device."),
        ("ACME", {}, Weight.LIKELY, "In DEFAULT nothing would refuse this device."),
        ("ACME", {"target": TargetRecord("gw-17", "x")}, Weight.LIKELY, "In DEFAULT there is a target of this name."),
        ("ACME", {"exists": False}, Weight.POSSIBLE, "answers 401 too."),
        ("DEFAULTS", {"exists": False}, Weight.LIKELY, "answers 401 too."),
    ],
)
def test_another_tenant_than_the_account_s(tenant: str, otherwise: dict[str, Any], weight: Weight, said: str) -> None:
    page = judge(elsewhere(tenant, **otherwise))

    assert page.diagnoses[0].name == "other-tenant"
    assert page.diagnoses[0].weight is weight
    assert page.diagnoses[0].cause.endswith(said)
    assert "token-differs" not in names(page)
    assert "unknown-target" not in names(page)


def test_nothing_is_foretold_of_a_tenant_that_the_account_does_not_see() -> None:
    page = judge(replace(given(gateway_token()), tenant="ACME"))

    assert page.outcome is Admission.UNCERTAIN
    assert page.exit == 3


# -- certificates


CERTIFICATE_CASES: list[tuple[str, Presented, dict[str, Any], list[str]]] = [
    ("other name", certificate(common_name="GW-17"), {}, ["identity-differs"]),
    ("no name", certificate(common_name=""), {}, ["identity-differs"]),
    ("no authority trusted", certificate(), {"authority": " "}, ["authority-empty"]),
    ("case and place in the list do not matter", certificate(), {"authority": "x; ACME ca ,y"}, []),
    ("issuer not in the list", certificate(), {"authority": "Hawkbit"}, ["authority-unknown"]),
    ("fixed text", certificate(authority="hawkbit"), {"authority": "Hawkbit"}, []),
    ("fixed text not in the list", certificate(authority="x"), {"authority": "Acme CA"}, ["authority-unknown"]),
    ("fingerprint", certificate(issuer_fingerprints=("ab:cd",)), {"authority": "AB:CD"}, []),
    ("expired", certificate(not_after=NOW - timedelta(days=1)), {}, ["certificate-dates"]),
    ("not yet", certificate(not_before=NOW + timedelta(days=1)), {}, ["certificate-dates"]),
    ("by the server's clock", certificate(not_before=NOW - timedelta(hours=1)), {"skew_s": -7200.0},
     ["certificate-dates"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("presented", "otherwise", "expected"),
    [case[1:] for case in CERTIFICATE_CASES],
    ids=[case[0] for case in CERTIFICATE_CASES],
)
def test_certificates(presented: Presented, otherwise: dict[str, Any], expected: list[str]) -> None:
    page = judged(presented, REFUSED if expected else LET_IN, **otherwise)

    assert names(page) == expected
    assert page.outcome is (Admission.REFUSED if expected else Admission.LET_IN)


def test_a_proxy_may_send_anything_so_an_unknown_issuer_is_no_proof() -> None:
    guessed = judged(certificate(), authority="Hawkbit")
    said = judged(certificate(authority="x"), authority="Hawkbit")

    assert (guessed.outcome, said.outcome) == (Admission.UNCERTAIN, Admission.REFUSED)
    assert "say --authority TEXT" in only(guessed, "authority-unknown").cause


def test_an_authority_is_added_to_the_list_never_put_in_its_place() -> None:
    page = judged(certificate(), REFUSED, authority="Hawkbit;other")

    assert """  -d '{"value": "Hawkbit;other,Acme CA"}' \\""" in only(page, "authority-unknown").command


@pytest.mark.parametrize("common_name", ["装置1", "gw-\u20ac", "gw\x80", "a\nb"])
def test_a_name_that_no_header_carries_is_the_cause_and_never_left_out(common_name: str) -> None:
    page = judge(replace(given(certificate(common_name=common_name)), controller_id=common_name, exists=False))

    assert page.outcome is Admission.REFUSED
    assert only(page, "certificate-malformed").cause.startswith("The common name")
    assert "X-Controller-Id cannot carry it" in only(page, "certificate-malformed").cause
    assert page.exit == 1


def test_a_name_beyond_ascii_is_not_what_nginx_passes_on() -> None:
    page = judge(replace(given(certificate(common_name="schön-1"), LET_IN), controller_id="schön-1"))

    assert page.outcome is Admission.LET_IN, "as it was sent"
    assert r"nginx passes it on as sch\C3\B6n-1" in only(page, "certificate-escaped").cause
    assert "certificate-escaped" not in names(judged(certificate(), LET_IN), notes=True)


def test_an_issuer_that_no_header_carries_needs_a_text_of_its_own() -> None:
    names_it = {"issuer": "CN=工場 CA", "issuer_common_name": "工場 CA"}
    page = judged(certificate(**names_it), authority="x")

    assert page.outcome is Admission.UNCERTAIN, "the proxy may send anything"
    assert "X-Authority cannot carry it" in only(page, "certificate-malformed").cause
    assert "工" not in "".join(only(page, "headers").command + only(page, "authority-unknown").command)
    assert 'proxy_set_header X-Authority "NAME-OF-THIS-CA";' in only(page, "headers").command
    sure = judged(certificate(**names_it, authority="工場"), authority="工場")
    assert sure.outcome is Admission.REFUSED
    by_hash = judged(certificate(**names_it, issuer_fingerprints=("ab:cd",)), LET_IN, authority="ab:cd")
    assert names(by_hash) == []


def test_the_headers_of_both_generations_are_named() -> None:
    note = only(judged(certificate(), REFUSED, authority="Hawkbit"), "headers")

    for header in ("X-Controller-Id", "X-Authority", "X-Ssl-Client-Cn", "X-Ssl-Issuer-Hash-1"):
        assert header in note.cause
    assert 'proxy_set_header X-Authority "Acme CA";' in note.command


def test_headers_from_anybody_are_a_finding() -> None:
    assert "headers-taken-from-here" in names(judged(certificate(), LET_IN), notes=True)
    assert "headers-taken-from-here" not in names(judged(certificate(has_key=True), LET_IN), notes=True)


# -- what the account cannot see, and what nobody can


def test_without_an_account_the_page_says_what_looks_the_same() -> None:
    page = judge(replace(given(target_token(), REFUSED, exists=None), account=None, config=None, gaps=("none",)))

    assert names(page) == ["not-looked", "header-missing", "trusted-ips"]
    assert page.gaps == ("none",)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(given(target_token(), REFUSED), config=None), "mode-unseen"),
        (given(target_token(), REFUSED, target=TargetRecord("gw-17")), "token-unseen"),
        (given(target_token(), REFUSED, exists=None), "token-unseen"),
        (given(gateway_token(), REFUSED, key=None), "key-unseen"),
    ],
)
def test_missing_rights_leave_possibilities(facts: Facts, expected: str) -> None:
    refused, foretold = judge(facts), judge(replace(facts, answer=None))

    assert names(refused) == [expected, "header-missing", "trusted-ips"]
    assert foretold.outcome is Admission.UNCERTAIN


@pytest.mark.parametrize(
    ("presented", "said"),
    [
        (target_token(), "drops the Authorization header"),
        (certificate(has_key=True), "drops the identity and authority headers"),
        (certificate(), "drops identity headers that come from outside"),
    ],
)
def test_a_refusal_that_nothing_explains(presented: Presented, said: str) -> None:
    page = judged(presented, REFUSED)

    assert names(page) == ["contradiction", "header-missing", "trusted-ips"]
    assert "this device should have been let in. It was refused" in page.diagnoses[0].cause
    assert ("authoritiesSeparatorRegex" in page.diagnoses[0].cause) is (presented.kind is Kind.CERTIFICATE)
    assert said in page.diagnoses[1].cause


def test_a_switch_that_was_just_changed_may_be_cached() -> None:
    just_now_ms = int(NOW.timestamp() * 1000) - 5_000

    assert names(judged(target_token(), REFUSED, changed_at_ms=just_now_ms)) == ["cached"]
    assert names(judged(target_token(), REFUSED, changed_at_ms=just_now_ms - 60_000)) == [
        "contradiction",
        "header-missing",
        "trusted-ips",
    ]


def test_a_401_that_is_not_hawkbits() -> None:
    page = judged(target_token(), answer(401, b"<html>", WWW_Authenticate='Basic realm="proxy"'))

    assert names(page) == ["not-from-hawkbit"]
    assert 'asks for Basic realm="proxy"' in page.diagnoses[0].cause


def test_what_was_asked_counts_more_than_what_was_seen() -> None:
    page = judged(target_token("x"), LET_IN, modes=off(Kind.TARGET_TOKEN))

    assert page.outcome is Admission.LET_IN
    assert "(mode-off, token-differs)" in only(page, "contradiction").cause


# -- answers before any authentication


@pytest.mark.parametrize(
    ("said", "outcome", "expected"),
    [
        (answer(403), Admission.REFUSED, "blacklisted"),
        (answer(403, b"<html>", Content_Type="text/html"), Admission.REFUSED, "forbidden"),
        (answer(429), Admission.REFUSED, "limiter"),
        (answer(400), Admission.REFUSED, "host-check"),
        (answer(400, b"<h1>The plain HTTP request was sent to HTTPS port</h1>"), Admission.REFUSED, "is-tls"),
        (answer(400, b"<h1>No required SSL certificate was sent</h1>"), Admission.REFUSED, "wants-certificate"),
        (answer(502, b"<html>", Content_Type="text/html"), Admission.UNUSABLE, "server-error"),
        (answer(500, b"{}", Content_Type="application/json"), Admission.UNUSABLE, "server-error"),
    ],
)
def test_what_a_status_says(said: Any, outcome: Admission, expected: str) -> None:
    for page in (judged(target_token(), said), judge(replace(given(gateway_token(), exists=False), knock=said))):
        assert expected in names(page)
        assert page.outcome is outcome


def test_a_lost_race_is_no_refusal() -> None:
    assert judged(gateway_token(), answer(409, b'{"errorCode":"x"}'), exists=False).outcome is Admission.LET_IN


# -- from what the Management API answers


def test_a_configuration_is_read_as_far_as_it_is_shown() -> None:
    config = config_from(
        {
            TARGET_MODE: {"value": True, "global": False, "lastModifiedAt": 17},
            HEADER_MODE: {"value": False, "global": True},
            HEADER_AUTHORITY: {"value": "Acme CA; other,,"},
        }
    )

    assert [config.is_on(kind) for kind in (Kind.TARGET_TOKEN, Kind.GATEWAY_TOKEN, Kind.CERTIFICATE)] == [
        True,
        None,
        False,
    ]
    assert config.gateway_key is None
    assert config.authority == "Acme CA; other,,"
    assert config.changed_at_ms == 17


def test_a_server_that_answers_nonsense_is_no_crash() -> None:
    config = config_from(
        {TARGET_MODE: {"value": "yes", "lastModifiedAt": "today"}, GATEWAY_KEY: 17, HEADER_AUTHORITY: []}
    )

    assert config.is_on(Kind.TARGET_TOKEN) is None
    assert (config.gateway_key, config.authority, config.changed_at_ms) == (None, None, 0)
    assert target_from({"controllerId": 17, "securityToken": {}}) == TargetRecord("17")
    for body in (b"[]", b"{}", b'{"config":[]}', b'{"config":{"polling":7}}', b'"polling" "config"'):
        judged(target_token(), answer(200, body, Content_Type="application/json"))


# -- weak tokens


def test_a_short_token_and_one_held_by_two_are_said_and_not_shown() -> None:
    target = TargetRecord("gw-17", "abc")
    others = (target, TargetRecord("gw-18", "abc"), TargetRecord("gw-19", "abc"), TargetRecord("gw-20", "other"))

    page = judged(target_token("abc"), LET_IN, target=target, others=others)

    assert names(page, notes=True) == ["token-short", "token-shared"]
    assert only(page, "token-short").cause.startswith("The target token has fewer than 32 characters: whoever guesses")
    assert only(page, "token-shared").cause.startswith("The same token is held by target gw-18 and 1 more: each of")
    assert "abc" not in repr(page.diagnoses)


def test_the_gateway_token_counts_too_and_a_wrong_secret_is_only_wrong() -> None:
    assert names(judged(gateway_token("abc"), LET_IN, key="abc"), notes=True) == ["token-short"]
    assert names(judged(gateway_token("abc"), REFUSED), notes=True) == ["gateway-key-differs"]
    assert names(judged(target_token(), LET_IN), notes=True) == []
