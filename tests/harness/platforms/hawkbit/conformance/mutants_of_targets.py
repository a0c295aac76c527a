"""Mistakes in targets, lists, rights and configuration (rows S01 to S31, S76, S127, S130)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.mgmt import config as mgmt_config
from fleetrig.reference_server.platforms.hawkbit.mgmt import config_values, target_documents, target_requests
from fleetrig.reference_server.platforms.hawkbit.mgmt import targets as mgmt_targets
from fleetrig.reference_server.platforms.hawkbit.request import fields
from fleetrig.reference_server.platforms.hawkbit.request.call import Call
from fleetrig.reference_server.platforms.hawkbit.search import listing
from fleetrig.reference_server.platforms.hawkbit.state import repository, rules
from fleetrig.reference_server.platforms.hawkbit.state.config_keys import KEYS
from fleetrig.reference_server.platforms.hawkbit.state.errors import bare, not_readable, violations
from fleetrig.reference_server.platforms.hawkbit.state.records import LAST_POLL
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import Change, being, giving, instead, then
from tests.harness.platforms.hawkbit.conformance.mutants import answering, mutant, status_for, without_header

TARGETS = "/rest/v1/targets"


def keep_what_came_before(error: Any) -> Any:
    error.keeps = True
    return error


def keep_empty_token(original: Any, call: Any, request: Any, new_token: str) -> Any:
    draft = original(call, request, new_token)
    return {**draft, "securityToken": ""} if request.texts["securityToken"] == "" else draft


def born_with(**fields: Any) -> Change:
    """A new target with other fields than it was asked for."""
    return mgmt_targets, "stored", then(lambda stored: {**stored, **fields})


def at_most(field: str, most: int) -> Change:
    """Text in a field of a target may be longer."""
    return (
        target_requests,
        "TEXTS",
        lambda texts: tuple(replace(rule, most=most) if rule.name == field else rule for rule in texts),
    )


def one_of_each(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({entry.get("controllerId"): entry for entry in entries}.values())


def only_lists(original: Any, document: Any) -> Any:
    if not isinstance(document, list):
        raise not_readable("an array is expected")
    return document


def never_404(original: Any, store: Any, tenant: str, controller_id: str) -> Any:
    found = store.target(tenant, controller_id)
    if found is None:
        raise bare(404, "no such target")
    return found


def without_body(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    return replace(response, body=b"") if response.status == 401 else response


def any_boolean(original: Any, key: Any, given: Any) -> Any:
    return bool(given) if key.java_type == "Boolean" else original(key, given)


def tolerating_proxies(original: Any, key: Any, given: Any) -> Any:
    return original(key, given) and given


def skip_unknown_keys(original: Any, call: Any, given: dict[str, Any]) -> None:
    original(call, {name: value for name, value in given.items() if name in KEYS})


def least_first(original: Any, call: Any, records: Any, *more: Any, **named: Any) -> Any:
    return original(call, records, *more, **{**named, "newest_first": True})


MUTANTS = (
    # creating
    mutant("given-token-replaced", "S01", born_with(token="0" * 32)),
    mutant("token-in-capitals", "S02",
           (mgmt_targets, "new_token", instead(lambda make, repo: make(repo).upper()))),
    mutant("all-links-in-the-answer", "S01",
           (mgmt_targets, "target_document", being(target_documents.full_target_document))),
    mutant("created-as-registered", "S01", born_with(update_status="registered")),
    mutant("name-not-cut", "S03", (target_requests, "GREATEST_NAME", being(256))),
    mutant("name-of-129", "S10", at_most("name", 129)),
    mutant("answered-backwards", "S04", (mgmt_targets, "as_new_objects", then(lambda entries: entries[::-1]))),
    mutant("taken-is-a-violation", "S05 S06 S130",
           (mgmt_targets, "already_exists", being(lambda reason: violations([reason])))),
    mutant("half-of-the-array-created", "S06", (mgmt_targets, "already_exists", then(keep_what_came_before))),
    mutant("bad-targets-ok", "S07 S08 S09 S10 S11 S12", status_for("POST", TARGETS, 400, 201)),
    mutant("blanks-in-ids", "S08", (rules, "broken_whitespace", giving([]))),
    mutant("257-characters", "S09", (target_requests, "ID", lambda rule: replace(rule, most=257))),
    mutant("255-characters", "S09", (target_requests, "ID", lambda rule: replace(rule, most=255))),
    mutant("description-of-513", "S10", at_most("description", 513)),
    mutant("token-of-129", "S10", at_most("securityToken", 129)),
    mutant("address-of-513", "S10", at_most("address", 513)),
    mutant("empty-token-refused", "S10", (target_requests, "_draft", instead(keep_empty_token))),
    mutant("markup-accepted", "S11", (rules, "MARKUP", being(re.compile(r"(?!)")))),
    mutant("any-bracket-is-markup", "S11", (rules, "MARKUP", being(re.compile(r"[<>]")))),
    mutant("unknown-type-ignored", "S13", (target_requests, "_check_type", giving(None))),
    mutant("attributes-not-asked", "S01 S14", born_with(request_attributes=False)),
    mutant("only-arrays", "S130", (fields, "as_list", instead(only_lists))),
    mutant("twice-in-one-array-once", "S130", (mgmt_targets, "as_new_objects", then(one_of_each))),
    # reading, changing, deleting
    mutant("zeros-for-what-has-not-happened", "S15", (mgmt_targets, "full_target_document",
           then(lambda document: {**document, "installedAt": 0, "lastControllerRequestAt": 0}))),
    mutant("self-link-only", "S15", (target_documents, "target_links", giving({}))),
    mutant("bare-404", "S16 S28", (repository.Repository, "need_target", instead(never_404))),
    mutant("changes-forget-the-rest", "S17",
           (mgmt_targets, "changes", then(lambda changes: {"description": None, **changes}))),
    mutant("un-asking-ok", "S18 S19", (target_requests, "boolean", giving(None))),
    mutant("un-asking-explained", "S18",
           (mgmt_targets, "bare", being(lambda status, reason: violations([reason])))),
    mutant("minus-one-is-a-type", "S20", (target_requests, "NO_TYPE", being(-2))),
    mutant("deleted-stays", "S21", (mgmt_targets, "TARGET", being(LAST_POLL))),
    mutant("deletion-answers-200", "S21 S30 S105", status_for("DELETE", "", 204, 200)),
    # lists
    mutant("49-to-a-page", "S22", (listing, "DEFAULT_LIMIT", being(49))),
    mutant("55-at-most", "S22", (listing, "MOST", being(55))),
    mutant("sort-ignored", "S23", (listing, "sort_orders", giving(None))),
    mutant("default-order-backwards", "S23", (target_documents, "stored_page", instead(least_first))),
    mutant("wrong-parameters-ok", "S22 S23 S24", status_for("GET", TARGETS, 400, 200)),
    mutant("search-ignored", "S24 S25", (listing, "compiled", giving(lambda record, look: True))),
    # rights
    mutant("no-challenge", "S26", without_header("WWW-Authenticate", 401)),
    mutant("401-without-a-body", "S26", answering(without_body)),
    mutant("tokens-for-everybody", "S27", (Call, "has", giving(True))),
    mutant("everybody-may-create", "S31", (Call, "need", giving(None))),
    # details
    mutant("no-attributes-is-200", "S28", status_for("GET", "/attributes", 204, 200)),
    mutant("no-set-is-404", "S29", status_for("GET", "edDS", 204, 404)),
    mutant("metadata-answers-200", "S30", status_for("POST", "/metadata", 201, 200)),
    # configuration
    mutant("29-seconds-accepted", "S76", (config_values, "_check_range", giving(None))),
    mutant("any-boolean", "S127", (config_values, "_converted", instead(any_boolean))),
    mutant("values-not-converted", "S127", (config_values, "_converted", instead(tolerating_proxies))),
    mutant("unknown-keys-skipped", "S127", (mgmt_config, "_put", instead(skip_unknown_keys))),
)  # fmt: skip
