"""A server with one mistake is found by the rows that should find it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from fleetrig.harness.conformance.run_rows import run_row
from fleetrig.harness.platforms.thingsboard.conformance.row_client import open_client
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.thingsboard.coap import provision as over_coap
from fleetrig.reference_server.platforms.thingsboard.coap.answers import CREATED
from fleetrig.reference_server.platforms.thingsboard.mqtt import certificate_chain, interface, provision_sessions
from fleetrig.reference_server.platforms.thingsboard.provisioning import answers, decision
from fleetrig.reference_server.platforms.thingsboard.state import credential_forms, field_rules, generations, registry
from tests.harness.platforms.thingsboard.conformance.in_process import reference

pytestmark = pytest.mark.slow
BLANK = Report(name="conform/thingsboard", title="", verdict=Verdict.PASSED)
BY_NUMBER = {row.number: row for row in ROWS}
CURRENT = generations.Profile.CURRENT


def said(**texts: str) -> Mapping[str, str]:
    """The fixed texts, one of them changed."""
    return {str(status): text for status, text in answers.MESSAGES.items()} | texts


def traits(**changes: Any) -> Mapping[generations.Profile, generations.Traits]:
    """The newest generation with one trait of another."""
    return {**generations.TRAITS, CURRENT: replace(generations.TRAITS[CURRENT], **changes)}


MUTANTS: list[tuple[str, Any, str, Any, str]] = [
    (
        "another text of FAILURE",
        answers,
        "MESSAGES",
        said(FAILURE="Failed"),
        "S04 S47 S71",
    ),
    (
        "another text of NOT_FOUND",
        answers,
        "MESSAGES",
        said(NOT_FOUND="No"),
        "S10 S15 S94",
    ),
    ("names keep their blanks", decision, "JAVA_WHITE", "\x00", "S07 S08"),
    ("another provisionState", decision, "PROVISIONED", "yes", "S02 S38"),
    ("CoAP answers refusals with 2.01", over_coap, "BAD_REQUEST", CREATED, "S71"),
    ("CoAP has another format", over_coap, "TEXT", 50, "S71"),
    ("own credentials are ignored", decision, "own_credentials", lambda _: None, "S16 S19 S25 S97"),
    ("certificates keep their armour", credential_forms, "ARMOUR", (), "S25"),
    ("markup is a name", field_rules, "MOST_CHARS", 1000, "S96"),
    ("listed devices ask for ever", registry, "TRAITS", traits(answers_once=False), "S39 S86"),
    ("no sixty seconds", registry, "TRAITS", traits(closes_after_reply_s=70), "S64 S88"),
    ("no gateways", registry, "TRAITS", traits(has_gateway_flag=False), "S29"),
    ("no chains", registry, "TRAITS", traits(has_certificate_chain=False), "S75 S76 S80 S109 S110"),
    ("as the documentation has it", registry, "TRAITS", traits(answers_as_documented=True), "S01 S10 S38 S45"),
    ("another topic of replies", provision_sessions, "PROVISION_RESPONSE", "provision/response", "S52 S58 S60"),
    ("chains need no signatures", certificate_chain, "chain_flaw", lambda _: "", "S79"),
    ("nobody provisions over MQTT", interface, "wants_to_provision", lambda _: False, "S52 S53 S55 S68 S91"),
]


@pytest.mark.parametrize(("name", "module", "attribute", "value", "rows"), MUTANTS, ids=[name for name, *_ in MUTANTS])
def test_a_mutant_is_found_by_each_row_that_it_names(
    monkeypatch: pytest.MonkeyPatch, name: str, module: Any, attribute: str, value: Any, rows: str
) -> None:
    monkeypatch.setattr(module, attribute, value)
    with reference() as server:
        judged = partial(run_row, open_client=partial(open_client, server), can=server.can, blank=BLANK)
        verdicts = {number: judged(BY_NUMBER[number]).verdict for number in rows.split()}
    assert set(verdicts.values()) == {Verdict.FAILED}, (name, verdicts)
