"""Whatever a server or a file says, there is a page and no traceback."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.doctor.page import as_document, page
from fleetrig.harness.platforms.kura.doctor.commands import RestShell
from fleetrig.harness.platforms.kura.doctor.facts import Facts, Gateway, Message, Purpose
from fleetrig.harness.platforms.kura.doctor.judging import judge
from fleetrig.harness.platforms.kura.doctor.keystore import NotKeystore, read_keystore
from fleetrig.harness.platforms.kura.doctor.rest_view import LOG_IN, NoServer, RestView
from fleetrig.harness.platforms.kura.doctor.server_looks import look
from fleetrig.reference_server.platforms.kura.payload.codec import encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, int32, octets, string
from fleetrig.simulator.contract.identity import UserPassword

GATEWAY = Gateway(account="acct", set_login="gw", set_client_id="gw-1", activation_key="k", mac="00600caabbcc")
MEMBERS = (
    "id", "name", "status", "clientId", "provisionUserId", "provisionJob", "createdOn", "expiresOn", "activationKey",
    "userId", "reservedUserId", "allowUserChange", "lockoutReset", "loginFailures", "permission", "domain",
    "properties", "property", "configuration", "certificateUsages", "items", "provisionRequest", "limitExceeded",
    "retryCount",
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(
    ["", "acct", "gw", "gw-1", "ENABLED", "COMPLETED", "FAILED", "CONNECTED", "2020-01-01", "é"]
)  # fmt: skip
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=6),
    max_leaves=12,
)
LISTS = st.lists(st.dictionaries(st.sampled_from(MEMBERS), DOCUMENTS, max_size=8), max_size=3)
SEGMENTS = st.sampled_from(["$EDC", "acct", "gw-1", "CONF-V1", "GET", "PUT", "REPLY", "PROV-SIM1", "", "#", "x" * 300])
METRICS = st.dictionaries(
    st.sampled_from(["request.id", "requester.client.id", "sig.alg", "sig.alias", "sig.time", "sig.value",
                     "prov.nonce", "prov.attempt", "response.code"]),
    st.builds(string, st.text(max_size=9)) | st.builds(int32, st.integers(-9, 999)) | st.builds(
        octets, st.binary(max_size=20)),
)  # fmt: skip


class OddServer:
    """Signs everybody in, and answers all else with the next thing that it has."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers

    def call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        del headers, body
        if path == LOG_IN:
            return Answer(200, (), b'{"tokenId": "t", "scopeId": "AQ"}', f"{method} {path}")
        self.answers.append(told := self.answers.pop(0))
        return Answer(200, (), json.dumps(told).encode(), f"{method} {path}")


def facts(purpose: Purpose) -> Facts:
    return Facts(RestShell("http://h", "u"), GATEWAY, purpose, datetime.now(UTC))


def shown(found: Facts) -> None:
    judgement = judge(found)
    assert list(page(judgement))
    assert as_document(judgement)["subject"]


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(DOCUMENTS | st.fixed_dictionaries({"items": LISTS, "provisionRequest": LISTS}), min_size=1, max_size=5),
       st.sampled_from(Purpose))  # fmt: skip
def test_whatever_a_server_answers_there_is_a_page(answers: list[Any], purpose: Purpose) -> None:
    view = RestView(cast(ExactClient, OddServer(answers)), UserPassword("u", "p"))
    shown(look(facts(purpose), view))


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(SEGMENTS, max_size=8), st.binary(max_size=40) | st.builds(
    lambda metrics, body: encode(KuraPayload(metrics=metrics, body=body)), METRICS, st.none() | st.binary(max_size=9)
))  # fmt: skip
def test_whatever_a_message_is_there_is_a_page(segments: list[str], payload: bytes) -> None:
    shown(replace(facts(Purpose.CONNECTION), message=Message("/".join(segments), payload), is_signed_expected=True))


@settings(max_examples=40)
@given(st.binary(max_size=40) | st.builds(lambda document: json.dumps(document).encode(), DOCUMENTS | LISTS))
def test_whatever_a_keystore_holds_it_is_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(NotKeystore):
        assert isinstance(read_keystore(content), tuple)


def test_a_server_that_is_no_kapua_is_said_to_be_none() -> None:
    class Elsewhere(OddServer):
        def call(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
            return Answer(404, (), b"<html>", f"{method} {path}")

    with pytest.raises(NoServer, match="which no Kapua does"):
        look(facts(Purpose.CONNECTION), RestView(cast(ExactClient, Elsewhere([])), UserPassword("u", "p")))
