"""What each trait of a generation is on the wire: the newest server and 0.9 are asked the same (seen on a 0.9.0)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.generations import TRAITS
from fleetrig.reference_server.platforms.hawkbit.state.settings import Profile, Settings
from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Answer, Bench, said

Question = Callable[[Bench], Any]
CONFIG = "/system/configs"
CERTIFICATE = {"authentication.header.enabled": True, "authentication.header.authority": "first, second"}


@dataclass(frozen=True)
class Difference:
    trait: str
    asked: Question
    newest: Any
    old: Any


def known(bench: Bench) -> Bench:
    """With a target `dev`."""
    bench.target()
    return bench


def target(bench: Bench, **given: Any) -> Answer:
    return bench.mgmt("POST", "/targets", [given])


def told(answer: Answer) -> tuple[int, Any]:
    """Status and message, or whatever there is for a message."""
    body = answer.body
    return answer.status, body.get("message", body) if isinstance(body, dict) else body


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, str(answer.body["errorCode"]).removeprefix("hawkbit.server.error.")


def put(bench: Bench, key: str, value: Any) -> tuple[int, Any]:
    answer = bench.mgmt("PUT", f"{CONFIG}/{key}", {"value": value})
    return (answer.status, answer.body["value"]) if answer.status == 200 else told(answer)


def of_file(bench: Bench, name: str = "fw.bin", **headers: str) -> Answer:
    """The file of an assigned module."""
    bench.target()
    module = bench.module(filename=name)
    bench.assign(bench.set_of(module))
    return bench.device("GET", f"/softwaremodules/{module}/artifacts/{name.replace(' ', '%20')}", **headers)


def of_report(bench: Bench, **more: Any) -> int:
    return bench.report(bench.deployed(), said("proceeding", **more)).status


def certificate(bench: Bench, authority: str, prefix: str = "X-Authority") -> int:
    bench.configure(CERTIFICATE)
    identity = "X-Controller-Id" if prefix == "X-Authority" else "X-Ssl-Client-Cn"
    return bench.send("GET", "/DEFAULT/controller/v1/dev", **{identity: "dev", prefix: authority}).status


def canceled(bench: Bench, execution: str) -> list[tuple[str, list[str]]]:
    action = bench.deployed()
    assert bench.mgmt("DELETE", f"/targets/dev/actions/{action}").status == 204
    bench.report(action, said(execution), "cancelAction")
    return bench.history(action)


def confirmed_and_denied(bench: Bench) -> int:
    bench.configure({"user.confirmation.flow.enabled": True})
    action, path = bench.deployed(), "/confirmationBase/{}/feedback"
    assert bench.device("POST", path.format(action), {"confirmation": "confirmed"}).status == 200
    return bench.device("POST", path.format(action), {"confirmation": "denied"}).status


def declared_by(bench: Bench) -> str:
    bench.target()
    bench.release()
    assert bench.device("PUT", "/installedBase", {"name": "release", "version": "1"}).status == 201
    return str(bench.mgmt("GET", "/targets/dev/actions").body["content"][0]["createdBy"])


def assigned_by_filters(bench: Bench) -> str:
    """Two filters for one target: which of them was first?"""
    bench.target()
    for name, weight in (("light", 10), ("heavy", 900)):
        filter_id = bench.mgmt("POST", "/targetfilters", {"name": name, "query": "name==dev"}).body["id"]
        body = {"id": bench.release(name), "weight": weight}
        assert bench.mgmt("POST", f"/targetfilters/{filter_id}/autoAssignDS", body).status == 200
    bench.wait(5)
    first = bench.mgmt("GET", "/targets/dev/actions?sort=id:ASC&limit=1").body["content"][0]["id"]
    return str(bench.action(first)["_links"]["distributionset"]["name"])


def too_many_attributes(bench: Bench) -> tuple[int, str]:
    bench.target()
    return code(bench.device("PUT", "/configData", {"data": {f"k{n}": "v" for n in range(101)}}))


def visibility(bench: Bench) -> int:
    path = f"/softwaremodules/{bench.module()}/metadata"
    assert bench.mgmt("POST", path, [{"key": "k", "value": "v", "targetVisible": True}]).status == 201
    return bench.mgmt("PUT", f"{path}/k", {"value": "w"}).status


def one_action(bench: Bench) -> dict[str, Any]:
    action = bench.deployed()
    bench.report(action, CLOSED)
    return {name: bench.action(action).get(name) for name in ("status", "detailStatus", "active")}


def metadata_of_nobody(bench: Bench) -> int:
    bench.target()
    return bench.mgmt("PUT", "/targets/dev/metadata/fresh", {"value": "v"}).status


def group_of(bench: Bench) -> Any:
    return target(bench, controllerId="dev", group="Europe").body[0].get("group")


def self_made(bench: Bench) -> tuple[str, str]:
    bench.device("GET", "")
    record = bench.mgmt("GET", "/targets/dev").body
    return record["createdBy"], record["lastModifiedBy"]


def tagged_by_put(bench: Bench) -> int:
    bench.target()
    tag = bench.mgmt("POST", "/targettags", [{"name": "red"}]).body[0]["id"]
    return bench.mgmt("PUT", f"/targettags/{tag}/assigned", ["dev"]).status


def found_by(bench: Bench, query: str) -> int:
    """How many of one running action, or the refusal."""
    bench.deployed()
    answer = bench.mgmt("GET", f"/targets/dev/actions?q={query}")
    return int(answer.body["total"]) if answer.status == 200 else answer.status


def asked_after_removal(bench: Bench) -> bool:
    bench.target()
    assert bench.device("PUT", "/configData", {"mode": "remove", "data": {"nosuch": ""}}).status == 200
    return "configData" in bench.links()


def of_search(bench: Bench, query: str) -> Any:
    return bench.mgmt("GET", f"/targets?q={query}").body.get("message")


VIOLATED = "create.create[0].name size must be between 1 and 128."
CONVERT = "Cannot parse the value true of type class java.lang.String into the type class java.lang.Boolean"
LONG = "x" * 100
DIFFERENCES = (
    Difference("names_charset", lambda b: b.mgmt("GET", "/targets").headers["Content-Type"],
               "application/hal+json", "application/hal+json;charset=UTF-8"),
    Difference("names_charset", lambda b: b.device("GET", "", Accept="application/cbor").headers["Content-Type"],
               "application/cbor", "application/cbor;charset=UTF-8"),
    Difference("names_charset", lambda b: of_file(b).headers["Content-Type"],
               "application/octet-stream", "application/octet-stream"),
    Difference("names_charset", lambda b: b.send("GET", "/rest/v1/targets").headers["WWW-Authenticate"],
               'Basic realm="hawkBit", charset="UTF-8"', 'Basic realm="hawkBit"'),
    Difference("utc_as", lambda b: b.mgmt("GET", "/nosuch").body["timestamp"].partition(".000")[2], "Z", "+00:00"),
    Difference("unknown_methods_have_body", lambda b: bool(b.mgmt("BREW", "/targets").raw), True, False),
    Difference("unknown_methods_have_body", lambda b: b.mgmt("TRACE", "/targets").status, 405, 400),
    Difference("one_counts_as_array", lambda b: b.mgmt("POST", "/targets", {"controllerId": "one"}).status, 201, 400),
    Difference("one_counts_as_array", lambda b: of_report(b, details="text"), 200, 400),
    Difference("done_status", lambda b: known(b).mgmt("DELETE", "/targets/dev").status, 204, 200),
    Difference("quota_status", too_many_attributes, (429, "quota.tooManyEntries"), (403, "quota.tooManyEntries")),
    Difference("names_request_in_violations", lambda b: told(target(b, controllerId="t", name="n" * 129)),
               (400, VIOLATED), (400, "name size must be between 1 and 128.")),
    Difference("names_request_in_violations", lambda b: told(target(b, controllerId="t", name="<b>x")),
               (400, "create.create[0].name Invalid characters in string."),
               (400, "create.creates[0].name Invalid characters in string.")),
    Difference("multi_assignment_error",
               lambda b: known(b).mgmt("POST", "/targets/dev/assignedDS", [{"id": 1}, {"id": 2}])
               .body["exceptionClass"].rpartition(".")[2],
               "MultiAssignmentException", "MultiAssignmentIsNotEnabledException"),
    Difference("addresses_are_uris", lambda b: target(b, controllerId="t", address="no uri").status, 201, 400),
    Difference("blanks_are_nothing", lambda b: target(b, controllerId="t", name=" ").status, 400, 201),
    Difference("failed_searches_have_message", lambda b: of_search(b, "name"),
               None, "The given search parameter is not well formed"),
    Difference("bodies_need_type", lambda b: known(b).device("POST", "/confirmationBase/activateAutoConfirm").status,
               200, 415),
    Difference("bodies_need_type", lambda b: known(b).mgmt("POST", "/targets/dev/autoConfirm/activate").status,
               204, 200),
    Difference("greatest_config_value", lambda b: put(b, "authentication.header.authority", "a" * 513),
               (204, None), (400, "value size must be between 0 and 512.")),
    Difference("has_old_routes", tagged_by_put, 405, 200),
    Difference("has_old_search_fields", lambda b: b.mgmt("GET", "/targets?q=group==x").status, 200, 400),
    Difference("actions_tell_active", lambda b: found_by(b, "status==pending"), 400, 1),
    Difference("actions_tell_active", lambda b: found_by(b, "detailstatus==running"), 400, 1),
    Difference("actions_tell_active", lambda b: found_by(b, "active==true"), 1, 400),
    Difference("removal_confirms", asked_after_removal, False, True),
    Difference("missing_routes", lambda b: b.mgmt("GET", "/targetgroups").status, 200, 404),
    Difference("missing_routes", lambda b: b.mgmt("GET", "/autoassignments").status, 200, 404),
    Difference("missing_routes", lambda b: known(b).mgmt("DELETE", "/targets/dev/actions?keepLast=1").status,
               204, 405),
    Difference("has_target_groups", group_of, "Europe", None),
    Difference("metadata_put_creates", metadata_of_nobody, 204, 404),
    Difference("actions_tell_active", one_action,
               {"status": "finished", "detailStatus": None, "active": False},
               {"status": "finished", "detailStatus": "finished", "active": None}),
    Difference("actions_tell_active", lambda b: b.action(b.deployed())["status"], "running", "pending"),
    Difference("modules_tell_complete",
               lambda b: "complete" in b.mgmt("GET", f"/softwaremodules/{b.module()}").body, True, False),
    Difference("visibility_is_needed", visibility, 500, 200),
    Difference("cancel_completed", lambda b: canceled(b, "closed")[0][1][-1],
               "Update Server: Cancellation completion is finished successfully.",
               "Update Server: Cancellation completion is finished sucessfully."),
    Difference("no_messages_are_null", lambda b: canceled(b, "proceeding")[0][1], [], [None]),
    Difference("confirmations_are_revocable", confirmed_and_denied, 200, 404),
    Difference("system_declares_installed", declared_by, "dev", "system"),
    Difference("heaviest_assigns_first", assigned_by_filters, "light:1", "heavy:1"),
    Difference("has_old_config_keys", lambda b: sorted(b.mgmt("GET", CONFIG).body)[:3],
               ["action.cleanup.auto.expiry", "action.cleanup.auto.status", "action.cleanup.onQuotaHit.percent"],
               ["action.cleanup.actionExpiry", "action.cleanup.actionStatus", "action.cleanup.enabled"]),
    Difference("config_change_answers", lambda b: put(b, "pollingTime", "00:01:00"), (204, None), (200, "00:01:00")),
    Difference("config_change_answers", lambda b: b.mgmt("DELETE", f"{CONFIG}/default.ds.type").status, 404, 400),
    Difference("config_values_are_converted", lambda b: put(b, "authentication.targettoken.enabled", "true"),
               (204, None), (400, f"{CONVERT} defined by the configuration key.")),
    Difference("config_values_are_converted", lambda b: put(b, "pollingOverdueTime", "00:00:05")[0], 204, 400),
    Difference("identity_header", lambda b: certificate(b, "first"), 200, 401),
    Difference("authority_header", lambda b: certificate(b, "first", "X-Ssl-Issuer-Hash-1"), 401, 200),
    Difference("authorities_are_numbered", lambda b: certificate(b, "first", "X-Ssl-Issuer-Hash"), 401, 401),
    Difference("authorities_are_numbered", lambda b: certificate(b, "second", "X-Ssl-Issuer-Hash-1"), 401, 401),
    Difference("authorities_are_numbered", lambda b: certificate(b, "second"), 200, 401),
    Difference("files_tell_bare_sha1", lambda b: len(of_file(b).headers["ETag"]), 42, 40),
    Difference("file_names_are_bare", lambda b: of_file(b, LONG).headers["Content-Disposition"],
               f"attachment;filename={LONG[:78]}", f"attachment;filename={LONG}"),
    Difference("whole_files_are_ranges", lambda b: of_file(b).headers.get("Content-Range"), None, "bytes 0-13/14"),
    Difference("whole_files_are_ranges", lambda b: of_file(b, Range="bytes=0-").status, 206, 200),
    Difference("whole_files_are_ranges", lambda b: of_file(b, Range="bytes=-99").status, 416, 500),
    Difference("whole_files_are_ranges", lambda b: of_file(b, Range="bytes=4-5,0-4").raw.count(b"Content-Type"), 0, 0),
)  # fmt: skip


@pytest.mark.parametrize("one", DIFFERENCES, ids=[f"{one.trait}-{n}" for n, one in enumerate(DIFFERENCES)])
@pytest.mark.parametrize("profile", [Profile.CURRENT, Profile.OLD])
def test_a_generation_has_its_ways(one: Difference, profile: Profile) -> None:
    expected = one.newest if profile is Profile.CURRENT else one.old
    assert one.asked(Bench(Settings(profile=profile))) == expected


def test_every_trait_in_which_they_differ_is_shown() -> None:
    newest, old = TRAITS[Profile.CURRENT], TRAITS[Profile.OLD]
    differing = {one.name for one in fields(newest) if getattr(newest, one.name) != getattr(old, one.name)}
    assert {one.trait for one in DIFFERENCES} == differing


@pytest.mark.parametrize(
    ("profile", "creator"),
    [(Profile.CURRENT, "CONTROLLER_PLUG_AND_PLAY"), (Profile.OLD, "CONTROLLER_PLUG_AND_PLAY"),
     (Profile.AS_DOCUMENTED, "system")],
)  # fmt: skip
def test_who_creates_a_target_that_creates_itself(profile: Profile, creator: str) -> None:
    """§5, 1: in all releases it was CONTROLLER_PLUG_AND_PLAY, whatever the document says."""
    assert self_made(Bench(Settings(profile=profile))) == (creator, creator)


def test_parts_of_a_file_are_bare_and_in_the_order_asked_for() -> None:
    answer = of_file(Bench(Settings(profile=Profile.OLD)), Range="bytes=4-5,0-4")
    bar = b"--THIS_STRING_SEPARATES_MULTIPART"
    assert answer.raw == (
        b"\r\n" + bar + b"\r\nContent-Range: bytes 4-5/14\r\no \r\n" + bar + b"\r\nContent-Range: bytes 0-4/14\r\nhello"
        b"\r\n" + bar + b"--"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [("maintenanceWindowPollCount", 4, 200), ("maintenanceWindowPollCount", "4", 400),
     ("action.cleanup.actionExpiry", 1, 400), ("action.cleanup.actionExpiry", 3_000_000_000, 200),
     ("pollingTime", "24:00:00", 400), ("pollingTime", "00:00:29", 400), ("pollingTime", "00:00:30", 200),
     ("pollingTime", "PT5M", 400), ("pollingTime", "00:10:00~10%", 400),
     ("pollingTime", "00:05:00, name==x -> 00:01:00", 400), ("pollingOverdueTime", "00:00:30", 200),
     ("minPollingTime", "00:01:00", 200), ("multi.assignments.enabled", False, 200),
     ("action.delete.allowed.statuses", "ERROR", 400), ("pollingTime", None, 400)],
)  # fmt: skip
def test_up_to_0_9_a_value_is_of_the_very_type(key: str, value: Any, status: int) -> None:
    """Java reads a small number as an Integer, which is no Long."""
    assert put(Bench(Settings(profile=Profile.OLD)), key, value)[0] == status
