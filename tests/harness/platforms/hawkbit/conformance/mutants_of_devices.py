"""Mistakes in who may come in, registration, polls and attributes (rows S40 to S86, S123 to S128)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.ddi import config_data as ddi_config_data
from fleetrig.reference_server.platforms.hawkbit.ddi import confirmation as ddi_confirmation
from fleetrig.reference_server.platforms.hawkbit.ddi import root as ddi_root
from fleetrig.reference_server.platforms.hawkbit.mgmt import config_values
from fleetrig.reference_server.platforms.hawkbit.mgmt import targets as mgmt_targets
from fleetrig.reference_server.platforms.hawkbit.request import call, device_auth, dos_filter, registration, replies
from fleetrig.reference_server.platforms.hawkbit.state import repository
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, bare, not_readable
from fleetrig.reference_server.platforms.hawkbit.state.polling import Interval
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import being, giving, instead, then
from tests.harness.platforms.hawkbit.conformance.mutants import (
    answering,
    mutant,
    status_for,
    with_header,
    without_header,
)

DOS = "hawkbit.server.security.dos."
TRUSTED = "hawkbit.server.ddi.security.rp.trustedIPs"


def seen_with(**changes: Any) -> Any:
    """A poll that changes its target like this."""

    def mutated(original: Any, call: Any) -> Any:
        target, changed = original(call)
        target = replace(target, **changes)
        call.repo.save(call.tenant, target)
        return target, changed

    return instead(mutated)


def new_token_each_time(original: Any, call: Any) -> Any:
    target, changed = original(call)
    target = replace(target, token=call.repo.entropy.token_hex(16))
    call.repo.save(call.tenant, target)
    return target, changed


def explain(_: HttpRequest, response: HttpResponse) -> HttpResponse:
    return replace(response, body=b"wrong token") if response.status == 401 else response


def let_strangers_in(original: Any, call: Any, config: Any, *more: Any) -> bool:
    return original(call, config, *more) or (
        config.target_token_on and call.repo.target(call.tenant, call.device) is None
    )


def target_mode_on(original: Any, call: Any, config: Any, *more: Any) -> Any:
    return original(call, replace(config, target_token_on=True), *more)


def gateway_mode_on(original: Any, call: Any, config: Any, *more: Any) -> Any:
    return original(call, replace(config, gateway_token_on=True), *more)


def no_key_opens(original: Any, call: Any, config: Any, token: str, why: Any) -> Any:
    open_to_all = config.gateway_token_on and not config.gateway_key
    return original(call, config, token, why) or (open_to_all and token in ("", "null"))


def born_by_system(original: Any, call: Any) -> Any:
    target = replace(original(call), created_by="system")
    call.repo.save(call.tenant, target)
    return target


def born_unknown(original: Any, call: Any) -> Any:
    target = replace(original(call), update_status="unknown")
    call.repo.save(call.tenant, target)
    return target


def scheme_in_any_case(original: Any, call: Any) -> None:
    sent = call.headers.get("authorization", "")
    call.headers["authorization"] = re.sub(r"^targettoken +", "TargetToken ", sent, flags=re.IGNORECASE)
    original(call)


def only_known(original: Any, call: Any) -> Any:
    return call.repo.need_target(call.tenant, call.device), ""


def refuse_the_newborn(original: Any, call: Any) -> Any:
    target = call.repo.target(call.tenant, call.device)
    if target is not None and call.now_ms - target.created_at_ms < 1000:
        raise HawkbitError(500, "repo.genericError", "java.lang.RuntimeException", "unknown error")
    return original(call)


def unknown_tenant_is_404(original: Any, call: Any, why: Any) -> Any:
    return original(call, why) if call.repo.tenant(call.tenant) else bare(404, "no such tenant")


def case_counts(original: Any, text: str, separator: str, **more: Any) -> list[str]:
    return [piece.strip() for piece in re.split(separator, text)]


def first_authority_only(original: Any, text: str, separator: str, **more: Any) -> Any:
    return original(text, separator, **more)[:1]


def any_identity(original: Any, call: Any, config: Any, why: Any) -> Any:
    if "x-controller-id" in call.headers:
        call.headers["x-controller-id"] = call.device
    return original(call, config, why)


def every_authority(original: Any, call: Any, name: str) -> list[str]:
    return sorted(call.config.authorities)


def numbered_lists(original: Any, call: Any, name: str) -> list[str]:
    return [piece.strip() for one in original(call, name) for piece in re.split("[;,]", one)]


def last_address(original: Any, headers: dict[str, str], peer: str, name: str) -> str:
    return headers.get(name, peer).rpartition(",")[2].strip()


def asks_for_ever(original: Any, target: Any, **changes: Any) -> Any:
    return original(target, **{**changes, "request_attributes": True})


def refuse_legacy(original: Any, document: Any, *more: Any) -> Any:
    if isinstance(document, dict) and {"id", "time", "status"} & set(document):
        raise not_readable("unknown field")
    return original(document, *more)


def keep_nulls(original: Any, before: Any, data: Any, mode: str) -> Any:
    return original(before, {key: "" if value is None else value for key, value in data.items()}, mode)


def in_any_case(original: Any, value: Any, *more: Any) -> Any:
    return original(value.lower() if isinstance(value, str) else value, *more)


MUTANTS = (
    # target tokens
    mutant("first-poll-does-not-register", "S40", (ddi_root, "seen", seen_with(update_status="unknown"))),
    mutant("polls-not-noted", "S40 S121", (repository.Repository, "polled", giving(None))),
    mutant("401-with-challenge", "S41 S42", with_header("WWW-Authenticate", 'Basic realm="hawkBit"', 401)),
    mutant("401-explained", "S41 S42 S51", answering(explain)),
    mutant("401-is-403", "S41 S42 S43 S44 S51", status_for("GET", "", 401, 403)),
    mutant("any-token-will-do", "S41 S43 S51 S56", (device_auth, "_same", giving(True))),
    mutant("target-token-creates", "S42", (device_auth, "_by_target_token", instead(let_strangers_in))),
    mutant("target-tokens-never-off", "S44", (device_auth, "_by_target_token", instead(target_mode_on))),
    mutant("scheme-in-any-case", "S45", (device_auth, "authenticate", instead(scheme_in_any_case))),
    mutant("old-token-lives-on", "S56",
           (mgmt_targets, "changes", then(lambda changes: {k: v for k, v in changes.items() if k != "token"}))),
    # registration
    mutant("created-by-system", "S46", (ddi_root, "register", instead(born_by_system))),
    mutant("born-unknown", "S46", (ddi_root, "register", instead(born_unknown))),
    mutant("token-changes-with-each-poll", "S47", (ddi_root, "seen", instead(new_token_each_time))),
    mutant("unknown-device-may-report", "S48", status_for("PUT", "/configData", 404, 200)),
    mutant("confirmation-creates-nobody", "S49", (ddi_confirmation, "seen", instead(only_known))),
    mutant("any-length-registers", "S50 S124", (registration, "_broken_rules", giving([]))),
    mutant("gateway-never-off", "S51", (device_auth, "_by_gateway_token", instead(gateway_mode_on))),
    mutant("no-gateway-key-opens", "S128", (device_auth, "_by_gateway_token", instead(no_key_opens))),
    mutant("losers-get-a-500", "S55", (ddi_root, "seen", instead(refuse_the_newborn))),
    mutant("unknown-tenant-is-404", "S123", (device_auth, "_refused", instead(unknown_tenant_is_404))),
    mutant("same-token-when-born-again", "S57", (registration, "new_token", giving("0" * 32))),
    mutant("forwarded-address-ignored", "S58", (call, "client_address", instead(lambda _, headers, peer, name: peer))),
    mutant("last-forwarded-address", "S58", (call, "client_address", instead(last_address))),
    mutant("tenant-in-capitals", "S59", (call.Call, "device_base", being(property(
           lambda self: f"{self.base}/{self.tenant}/controller/v1/{call.encoded(self.device)}")))),
    # certificates
    mutant("case-of-authorities-counts", "S52", (device_auth, "split_authorities", instead(case_counts)),
           (repository, "split_authorities", instead(case_counts))),
    mutant("first-authority-only", "S52", (repository, "split_authorities", instead(first_authority_only))),
    mutant("numbered-headers-are-lists", "S53", (device_auth, "_presented_authorities", instead(numbered_lists))),
    mutant("every-blank-is-trimmed", "S53", (repository, "JAVA_WHITE", being(None))),
    mutant("any-identity", "S53", (device_auth, "_by_header", instead(any_identity))),
    mutant("any-authority", "S53", (device_auth, "_presented_authorities", instead(every_authority))),
    mutant("everybody-trusted", "S54", properties={TRUSTED: ""}),
    # limits
    mutant("203-reads", "S60", properties={DOS + "filter.maxRead": "201"}),
    mutant("201-reads", "S60", properties={DOS + "filter.maxRead": "199"}),
    mutant("53-writes", "S61", properties={DOS + "filter.maxWrite": "51"}),
    mutant("51-writes", "S61", properties={DOS + "filter.maxWrite": "49"}),
    mutant("retry-after", "S60 S61", with_header("Retry-After", "1", 429)),
    mutant("limited-for-long", "S60", (dos_filter, "WINDOW_US", being(30_000_000))),
    # polls
    mutant("interval-in-iso-form", "S70 S71 S75", (ddi_root, "sleep_text", giving("PT5M"))),
    mutant("no-link-to-config-data", "S70", (ddi_root, "seen", seen_with(request_attributes=False))),
    mutant("attributes-asked-for-ever", "S71", (ddi_config_data, "replace", instead(asks_for_ever))),
    mutant("never-not-modified", "S72", (replies, "ENTITY_TAG", being(re.compile(r"(?!)")))),
    mutant("no-etag", "S72", without_header("ETag", 200)),
    mutant("cbor-with-link-objects", "S73", (replies, "_with_link_arrays", being(lambda document: document))),
    mutant("405-without-allow", "S74", without_header("Allow", 405)),
    mutant("polling-time-ignored", "S75 S77 S78", (ddi_root, "interval_for", giving(Interval(300_000)))),
    mutant("last-override-wins", "S77", (repository, "parse_polling_time",
           then(lambda polling: replace(polling, overrides=polling.overrides[::-1])))),
    mutant("override-with-unknown-field", "S77", (config_values, "compiled", giving(None))),
    mutant("no-spread", "S78", (ddi_root, "sleep_s", instead(
           lambda make, interval, *more: make(replace(interval, deviation_percent=0), *more)))),
    mutant("spread-too-far", "S78", (ddi_root, "sleep_s", instead(lambda make, interval, *more: make(
           replace(interval, deviation_percent=2 * interval.deviation_percent), *more)))),
    mutant("never-overdue", "S79",
           (repository.Repository, "_parse", then(lambda config: replace(config, overdue_ms=2**60)))),
    # attributes
    mutant("merge-replaces", "S80", (ddi_config_data, "merged", instead(
           lambda make, before, data, mode: make(before, data, "replace" if mode == "merge" else mode)))),
    mutant("remove-merges", "S80", (ddi_config_data, "merged", instead(
           lambda make, before, data, mode: make(before, data, "merge" if mode == "remove" else mode)))),
    mutant("nulls-kept", "S80", (ddi_config_data, "merged", instead(keep_nulls))),
    mutant("any-character", "S81", (ddi_config_data, "ALLOWED", being(re.compile(r".*", re.DOTALL)))),
    mutant("129-characters", "S81", (ddi_config_data, "GREATEST", being(129))),
    mutant("101-attributes", "S82", properties={DOS + "maxAttributeEntriesPerTarget": "101"}),
    mutant("99-attributes", "S82", properties={DOS + "maxAttributeEntriesPerTarget": "99"}),
    mutant("mode-in-any-case", "S83", (ddi_config_data, "word", instead(in_any_case))),
    mutant("any-content-type", "S84", status_for("PUT", "/configData", 415, 200)),
    mutant("legacy-fields-refused", "S85", (ddi_config_data, "as_object", instead(refuse_legacy))),
    mutant("numbers-as-read", "S125", (ddi_config_data, "as_text", instead(
           lambda make, value, what: str(float(value)) if isinstance(value, float) else make(value, what)))),
    mutant("objects-as-text", "S125", (ddi_config_data, "as_text", instead(
           lambda make, value, what: str(value) if isinstance(value, dict | list) else make(value, what)))),
    mutant("polls-modify", "S86", (ddi_root, "seen", seen_with(modified_by="device", modified_at_ms=1))),
)  # fmt: skip
