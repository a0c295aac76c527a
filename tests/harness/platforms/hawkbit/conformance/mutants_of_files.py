"""Mistakes in maintenance windows, artifacts and confirmation (rows S112 to S118, S120, S140)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit.ddi import artifact_files
from fleetrig.reference_server.platforms.hawkbit.ddi import artifacts as ddi_artifacts
from fleetrig.reference_server.platforms.hawkbit.ddi import confirmation as ddi_confirmation
from fleetrig.reference_server.platforms.hawkbit.ddi import root as ddi_root
from fleetrig.reference_server.platforms.hawkbit.mgmt import target_details as mgmt_target_details
from fleetrig.reference_server.platforms.hawkbit.request import byte_ranges
from fleetrig.reference_server.platforms.hawkbit.request.byte_ranges import ByteRange, Unsatisfiable
from fleetrig.reference_server.platforms.hawkbit.state import action_rules, deployments, maintenance
from fleetrig.reference_server.platforms.hawkbit.state.action_records import Action
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import always, giving, instead
from tests.harness.platforms.hawkbit.conformance.mutants import answering, mutant, status_for, without_header


def one_byte_short(original: Any, header: str, total_bytes: int, **more: Any) -> Any:
    ranges = original(header, total_bytes, **more)
    return tuple(ByteRange(one.first, max(one.last - 1, one.first)) for one in ranges)


def all_for_too_long_suffix(original: Any, text: str, total_bytes: int) -> Any:
    if text.startswith("-") and int(text[1:]) > total_bytes:
        return ByteRange(0, total_bytes - 1)
    return original(text, total_bytes)


def any_unit(original: Any, header: str, total_bytes: int, **more: Any) -> Any:
    return original("bytes=" + header.partition("=")[2], total_bytes, **more)


def whole_for_bad_range(original: Any, header: str, total_bytes: int, **more: Any) -> Any:
    try:
        return original(header, total_bytes, **more)
    except Unsatisfiable:
        return (ByteRange(0, total_bytes - 1),)


def quotes_do_not_matter(original: Any, if_match: str | None, sha1: str) -> bool:
    return bool(original(None if if_match is None else if_match.replace('"', ""), sha1))


def note_ranges_too(original: Any, call: Any, file: Any) -> Any:
    if call.headers.get("range") is not None:
        for action in deployments.active_actions(call, call.device):
            deployments.note_download(call, action, call.request.path)
    return original(call, file)


def newline_after_md5sum(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if not request.path.endswith(".MD5SUM") or response.status != 200:
        return response
    return replace(response, body=bytes(response.body) + b"\n")  # type: ignore[arg-type]


def denied_is_confirmed(original: Any, action: Any, confirmation: Any, *more: Any) -> Any:
    return original(action, action_rules.Confirmation.CONFIRMED, *more)


def confirmed_is_denied(original: Any, action: Any, confirmation: Any, *more: Any) -> Any:
    return original(action, action_rules.Confirmation.DENIED, *more)


MUTANTS = (
    # windows
    mutant("sleep-not-shortened", "S112", (ddi_root, "window_sleep_s", instead(lambda _, sleep, *more: sleep))),
    mutant("sleep-is-the-time-left", "S112",
           (ddi_root, "window_sleep_s", instead(lambda make, sleep, left_s, _, *more: make(sleep, left_s, 1, *more)))),
    mutant("window-always-open", "S112", (action_rules, "window_is_open", giving(True))),
    mutant("window-never-open", "S113", (action_rules, "window_is_open", giving(False))),
    mutant("past-window-accepted", "S112", (maintenance, "check", giving(None))),
    # artifacts
    mutant("range-one-byte-short", "S114", (byte_ranges, "parse_ranges", instead(one_byte_short))),
    mutant("range-ignored", "S114", (byte_ranges, "wants_whole", giving(True))),
    mutant("if-range-ignored", "S114", (byte_ranges, "wants_whole", giving(False))),
    mutant("too-long-suffix-is-all", "S114", (byte_ranges, "_parse_one", instead(all_for_too_long_suffix))),
    mutant("any-range-unit", "S114", (byte_ranges, "parse_ranges", instead(any_unit))),
    mutant("bad-range-is-all", "S114", (byte_ranges, "parse_ranges", instead(whole_for_bad_range))),
    mutant("416-without-content-range", "S114", without_header("Content-Range", 416)),
    mutant("206-without-content-range", "S114", without_header("Content-Range", 206)),
    mutant("file-without-etag", "S114 S115", without_header("ETag", 200)),
    mutant("file-without-accept-ranges", "S114 S115", without_header("Accept-Ranges", 200)),
    mutant("file-without-disposition", "S114 S116", without_header("Content-Disposition", 200)),
    mutant("ranges-in-the-history", "S114", (artifact_files, "send", instead(note_ranges_too))),
    mutant("downloads-not-in-the-history", "S114 S115", (deployments, "note_download", giving(None))),
    mutant("no-head", "S115", status_for("HEAD", "/fw.bin", 200, 405)),
    mutant("md5sum-with-newline", "S116", answering(newline_after_md5sum)),
    mutant("files-for-everybody", "S117 S140", (ddi_artifacts, "_need_action", giving(None)),
           (deployments, "note_download", giving(None))),
    mutant("unassigned-is-forbidden", "S117 S140", status_for("GET", "/fw.bin", 404, 403)),
    mutant("if-match-ignored", "S118", (byte_ranges, "matches", giving(True))),
    mutant("if-match-with-quotes", "S118", (byte_ranges, "matches", instead(quotes_do_not_matter))),
    # confirmation
    mutant("nobody-asks-the-device", "S120", (Action, "waits_for_confirmation", always(False))),
    mutant("denied-is-confirmed", "S120", (action_rules, "confirmation_entry", instead(denied_is_confirmed))),
    mutant("confirmed-is-denied", "S120", (action_rules, "confirmation_entry", instead(confirmed_is_denied))),
    mutant("auto-confirm-forgotten", "S120", (ddi_confirmation, "switch_auto_confirm_on", giving(None))),
    mutant("auto-confirm-twice-ok", "S120", status_for("POST", "/activateAutoConfirm", 409, 200)),
    mutant("auto-confirm-for-ever", "S120", (mgmt_target_details, "switch_auto_confirm_off", giving(None)),
           (ddi_confirmation, "switch_auto_confirm_off", giving(None))),
)  # fmt: skip
