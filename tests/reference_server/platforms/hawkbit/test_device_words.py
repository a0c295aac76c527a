"""What a device may say, as the real server's JSON reader takes it: places, nulls, markup, encodings (§2.3-2.7)."""

from __future__ import annotations

import json

import cbor2
import pytest

from fleetrig.reference_server.platforms.hawkbit.state.action_rules import split_messages
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.hawkbit.deployment_bench import GATEWAY, Bench, said

NOT_READABLE = "hawkbit.server.error.rest.body.notReadable"
RULE_BROKEN = "hawkbit.server.error.repo.constraintViolation"
TOLD = "Initiated using the Device Direct Integration API without providing a remark."


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("execution", "expected"),
    [(1, 200), (" proceeding ", 200), ("PROCEEDING", 400), (8, 400), (-1, 400), (1.0, 400), ("01", 400),
     (True, 400), ("", 400), (None, 400), (["proceeding"], 400)],
)  # fmt: skip
def test_a_word_may_be_given_by_its_place(bench, execution, expected):
    action_id = bench.deployed()
    assert bench.report(action_id, said(execution)).status == expected
    assert len(bench.history(action_id)) == (2 if expected == 200 else 1)


def test_places_of_all_words(bench):
    action_id = bench.deployed()
    assert bench.device("PUT", "/configData", {"mode": 1, "data": {"a": "b"}}).status == 200
    assert bench.device("PUT", "/configData", {"mode": 2, "data": {"a": "b"}}).status == 200
    assert bench.mgmt("GET", "/targets/dev/attributes").status == 204  # 1 replaced, 2 removed
    assert bench.report(action_id, said("1", "2")).status == 200  # proceeding, none
    closed_and_failed = {"execution": 0, "result": {"finished": "1"}}
    assert bench.report(action_id, closed_and_failed).status == 200
    assert bench.mgmt("GET", "/targets/dev").body["updateStatus"] == "error"


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(None, 200), ({}, 200), ({"cnt": 1, "of": 2}, 200), ({"cnt": "1", "of": 1.5}, 200), ({"cnt": "x"}, 400),
     ({"of": True}, 400), ({"cnt": 2**31}, 400), (5, 400), ([], 400)],
)  # fmt: skip
def test_progress_is_read_though_nobody_looks_at_it(bench, progress, expected):
    action_id = bench.deployed()
    status = said("proceeding")
    status["result"]["progress"] = progress
    assert bench.report(action_id, status).status == expected


def test_a_null_between_details_says_nothing(bench):
    action_id = bench.deployed()
    assert bench.report(action_id, said("proceeding", details=["a", None, "b"])).status == 200
    assert bench.history(action_id)[0] == ("running", ["a", "b"])


@pytest.mark.parametrize(
    ("what", "method"), [("deploymentBase", "addUpdateActionStatus"), ("cancelAction", "addCancelActionStatus")]
)
def test_details_hold_no_markup(bench, what, method):
    action_id = bench.deployed()
    answer = bench.report(action_id, said("closed", "success", details=["<b>x</b>", "1 < 2", "<i>"]), what)
    sentence = f"{method}.create.messages[].<iterable element> Invalid characters in string."
    assert (answer.status, answer.body["errorCode"]) == (400, RULE_BROKEN)
    assert answer.body["message"] == f"{sentence} {sentence}"
    assert bench.mgmt("GET", f"/targets/dev/actions/{action_id}").body["active"] is True


def test_confirmations_may_hold_markup(bench):
    bench.configure({"user.confirmation.flow.enabled": True})
    action_id = bench.deployed()
    body = {"confirmation": "denied", "details": ["<b>", None]}
    assert bench.device("POST", f"/confirmationBase/{action_id}/feedback", body).status == 200
    assert "<b>" in bench.history(action_id)[0][1]


def test_long_messages_are_cut_by_utf_16_units():
    assert [len(piece) for piece in split_messages(["😀" * 300])] == [256, 44]
    assert split_messages(["x" * 512, "y" * 513, ""]) == ("x" * 512, "y" * 512, "y", "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("content_type", ["application/json", "application/json;charset=utf-8"])
def test_the_bytes_tell_which_encoding_of_unicode_it_is(bench, encoding, content_type):
    bench.target()
    body = json.dumps({"data": {"place": "A-1"}}).encode(encoding)
    assert bench.device("PUT", "/configData", body, Content_Type=content_type).status == 200
    assert bench.mgmt("GET", "/targets/dev/attributes").body == {"place": "A-1"}


def test_an_unknown_charset_is_an_unknown_type(bench):
    bench.target()
    body = b'{"data": {"a": "b"}}'
    assert bench.device("PUT", "/configData", body, Content_Type="application/json;charset=nope").status == 415


def test_minus_zero_stays_as_written(bench):
    bench.target()
    assert bench.device("PUT", "/configData", b'{"data": {"offset": -0, "zero": 0}}').status == 200
    assert bench.mgmt("GET", "/targets/dev/attributes").body == {"offset": "-0", "zero": "0"}


@pytest.mark.parametrize(
    ("body", "content_type", "expected", "state"),
    [
        (None, None, 200, {"remark": TOLD}), (None, "text/plain", 200, {"remark": TOLD}),
        (b"null", "application/json", 200, {"remark": TOLD}), (b"{}", "application/json", 200, {}),
        (b'{"initiator": "", "remark": ""}', "application/json", 200, {}),
        (b'{"initiator": "me", "remark": "why"}', "application/json", 200, {"initiator": "me", "remark": "why"}),
        (cbor2.dumps({"initiator": "me"}), "application/cbor", 200, {"initiator": "me"}),
        (b"x", "text/plain", 415, None), (b"[]", "application/json", 400, None),
    ],
)  # fmt: skip
def test_a_device_switches_confirmation_off(bench, body, content_type, expected, state):
    bench.target()
    headers = {"Content_Type": content_type} if content_type else {}
    assert bench.device("POST", "/confirmationBase/activateAutoConfirm", body, **headers).status == expected
    shown = bench.device("GET", "/confirmationBase").body["autoConfirm"]
    assert {name: shown[name] for name in shown if name in ("initiator", "remark")} == (state or {})
    assert (shown["active"], "_links" in shown) == (state is not None, False)


def test_the_history_tells_who_confirmed_for_a_device(bench):
    bench.configure({"user.confirmation.flow.enabled": True})
    action_id = bench.deployed()
    assert bench.device("POST", "/confirmationBase/activateAutoConfirm").status == 200
    (message,) = bench.history(action_id)[0][1]
    assert message.startswith("Assignment automatically confirmed by initiator 'n/a'. ")
    assert message.endswith(f"activated by system user: 'CONTROLLER_PLUG_AND_PLAY' \n\nRemark: {TOLD}")


def test_every_document_with_links_has_them_in_cbor(bench):
    action_id = bench.deployed()
    deployment = cbor2.loads(bench.device("GET", f"/deploymentBase/{action_id}", Accept="application/cbor").raw)
    assert deployment["links"] == []
    base = cbor2.loads(bench.device("GET", "/confirmationBase", Accept="application/cbor").raw)
    assert base["autoConfirm"] == {"active": False, "activatedAt": 0, "links": []}
    assert "_links" not in bench.device("GET", f"/deploymentBase/{action_id}").body


@pytest.mark.parametrize(
    ("origin", "shown"),
    [("http://h:80", "http://h"), ("https://h:443", "https://h"), ("http://h:443", "http://h:443"),
     ("https://h:80", "https://h:80"), ("http://[::1]:80", "http://[::1]")],
)  # fmt: skip
def test_a_usual_port_is_not_in_links(bench, origin, shown):
    path = "/DEFAULT/controller/v1/dev"
    request = HttpRequest("GET", origin, path, (("Authorization", GATEWAY),))
    body = bench.server.exchange(request, Session(), bench.now_us).response.body
    assert json.loads(body)["_links"]["configData"]["href"] == f"{shown}{path}/configData"


@pytest.mark.parametrize("blank", ["%C2%A0", "%E3%80%80", "%C2%85"])
def test_only_ascii_blanks_are_white_space_in_an_id(bench, blank):
    assert bench.device("GET", "", device=f"a{blank}b").status == 200
    assert bench.device("GET", "", device="a%20b").body["errorCode"] == RULE_BROKEN
