"""No secret is ever written, in any form in which it travels; and nothing else is changed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.contract.identity import GatewayToken, TargetToken, UserPassword, mask
from fleetrig.simulator.contract.masking import Secrets
from tests.simulator.contract.plain_masking import plainly_hidden

PLAIN = "4f2a90b1c3d5e7f60718293a4b5c6d7e"
BASE64 = "q0/w+Zz81+A7bQ=="
ODD = 'p"w\\ ü/<&>, 9'
TOKENS = [PLAIN, BASE64, ODD, "a=b:c/d|e@f", "Tab\tand\nline", "%2Fnot%20decoded", "ключ-устройства", "🔑" * 8]


def knowing(*secrets: str) -> Secrets:
    known = Secrets()
    for secret in secrets:
        known.learn("token", secret)
    return known


def in_json(text: str) -> str:
    return json.dumps({"token": text, "other": 1})


PLACES: dict[str, Callable[[str], str]] = {
    "alone": str,
    "header": lambda token: f"TargetToken {token}",
    "twice": lambda token: f"{token} and {token}",
    "key-value": lambda token: f"key={token}",
    "query": lambda token: f"/a/b?x=1&token={quote(token, safe='')}&y=2",
    "query-lower-case": lambda token: "/a?t=" + re.sub("%..", lambda hex_: hex_[0].lower(), quote(token, safe="")),
    "query-plus": lambda token: f"/a?t={quote_plus(token)}" if " " not in token else token,
    "path": lambda token: f"http://h:80/v1/{quote(token, safe='/:=@')}/attributes",
    "url-in-url": lambda token: f"/go?to={quote('http://h/?t=' + quote(token, safe=''), safe='')}",
    "userinfo": lambda token: f"http://user:{quote(token, safe='')}@host/",
    "json": in_json,
    "json-utf8": lambda token: json.dumps([token], ensure_ascii=False),
    "json-slashes": lambda token: in_json(token).replace("/", "\\/"),
    "json-in-json": lambda token: json.dumps({"body": in_json(token)}),
    "basic": lambda token: "Basic " + base64.b64encode(f"admin:{token}".encode()).decode(),
    "latin-1": lambda token: token.encode().decode("latin-1"),
    "glued": lambda token: f"xx{token}xx",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("token", TOKENS)
def test_a_secret_is_hidden_wherever_it_stands(place: str, token: str) -> None:
    text = PLACES[place](token)
    hidden = knowing("another-secret-altogether", token).hide(text)
    for form in (token, quote(token, safe=""), json.dumps(token)[1:-1], base64.b64encode(token.encode()).decode()):
        assert form not in hidden
    assert mask("token", token) in hidden
    assert text != hidden


def test_the_mask_tells_kind_and_identity_but_not_the_value() -> None:
    known = Secrets()
    known.learn("target-token", PLAIN)
    known.learn("gateway-token", PLAIN[::-1])
    hidden = known.hide(f"old {PLAIN} new {PLAIN[::-1]}")
    assert hidden == f"old {mask('target-token', PLAIN)} new {mask('gateway-token', PLAIN[::-1])}"
    assert len(mask("target-token", PLAIN)) == len("target-token:") + 4


@pytest.mark.parametrize("short", ["on", "abc", "1", "tb?"])
def test_a_short_secret_is_hidden_where_it_stands_by_itself(short: str) -> None:
    known = knowing(short)
    for text in (short, f"admin:{short}", f"key={short}", f'{{"password":"{short}"}}', f"http://u:{short}@h/"):
        assert mask("token", short) in known.hide(text), text


def test_a_short_secret_does_not_spoil_other_words() -> None:
    text = '{"kind":"connection","count":1000,"abcd":"once upon"}'
    assert knowing("on", "abc", "10").hide(text) == text


def test_text_without_secrets_comes_back_as_it_was() -> None:
    text = 'GET /DEFAULT/controller/v1/dev%201?c=-2122565939 "…" Basic Zm9vOmJhcg== {"a":[1,2,{"b":"x%zz%2"}]} \udcff'
    assert Secrets().hide(text) == text
    assert knowing(*TOKENS).hide(text) == text


def test_one_secret_within_another() -> None:
    known = knowing("longer-secret", "longer-secret-still", "secret-still-longest")
    assert known.hide("longer-secret-still") == mask("token", "longer-secret-still")
    assert "secret" not in known.hide("longer-secret-still-longest").replace("token", "")


def test_hiding_twice_changes_nothing_more() -> None:
    known = knowing(*TOKENS)
    for token in TOKENS:
        once = known.hide(in_json(token))
        assert known.hide(once) == once


@pytest.mark.parametrize("token", TOKENS)
def test_a_masked_line_of_json_is_still_json(token: str) -> None:
    """A trace line is hidden once more when the run is over, for secrets that were learnt late."""
    said = {"target": f"/x?t={quote(token, safe='')}", "header": PLACES["basic"](token), "body": in_json(token)}
    line = json.dumps({"envelope": said, "n": 1})
    read = json.loads(knowing(token).hide(line))
    assert read["n"] == 1
    assert json.loads(read["envelope"]["body"])["other"] == 1


def test_binary_bodies() -> None:
    data = b"\x00\xff" + ODD.encode() + b"\xfe" + PLAIN.encode() + b"\x80"
    hidden = knowing(ODD, PLAIN).hide_bytes(data)
    assert PLAIN.encode() not in hidden
    assert ODD.encode() not in hidden
    assert hidden.startswith(b"\x00\xff")
    assert hidden.endswith(b"\x80")
    untouched = bytes(range(256))
    assert knowing(PLAIN).hide_bytes(untouched) == untouched


@pytest.mark.parametrize("nasty", ["%" + "25" * 5_000, "Basic " + "QUFB" * 5_000, "%zz" * 1_000, "=" * 10_000])
def test_nothing_nests_too_deep(nasty: str) -> None:
    assert knowing(PLAIN, "ab").hide(nasty) == nasty


def test_ten_thousand_secrets_cost_what_one_costs() -> None:
    """Counted in look-ups, not in seconds: the work is in the text."""
    many = knowing(*(f"{n:08x}{PLAIN}" for n in range(10_000)))
    text = json.dumps([{"token": f"{n:08x}{PLAIN}"} for n in range(0, 10_000, 7)])
    hidden = many.hide(text)
    assert PLAIN not in hidden
    assert hidden.count("token:") == len(range(0, 10_000, 7))
    assert max(len(notes) for size in many._long._sizes.values() for notes in size._notes.values()) == 1


LETTERS = ["xyz=:/%w", 'x"\\ é,', "xy🔑\n", "xyz", "ü<>&?"]
SECRET = st.sampled_from(LETTERS).flatmap(lambda letters: st.text(letters, min_size=1, max_size=24))


@given(st.lists(SECRET, min_size=1, max_size=40, unique=True), st.data())
def test_all_that_a_slow_search_finds_is_hidden(secrets: list[str], data: st.DataObject) -> None:
    """Secrets within secrets, overlapping, too short to be found everywhere, in every form and one after the other."""
    placed = st.builds(
        lambda place, text: place(text), st.sampled_from(list(PLACES.values())), st.sampled_from(secrets)
    )
    text = "".join(data.draw(st.lists(st.one_of(placed, SECRET, st.sampled_from(" ,&:=/%")), max_size=6)))
    for said in (text, in_json(text)):
        assert knowing(*secrets).hide_known(said) == plainly_hidden(said, secrets)


def test_learning_nothing() -> None:
    known = Secrets()
    known.learn("token", "")
    assert known.hide("anything at all") == "anything at all"


@pytest.mark.parametrize("credential", [TargetToken(PLAIN), GatewayToken(PLAIN), UserPassword("admin", PLAIN)])
def test_credentials_print_masked(credential: object) -> None:
    for shown in (str(credential), repr(credential), f"{[credential]}"):
        assert PLAIN not in shown
        assert mask("x", PLAIN).removeprefix("x") in shown
