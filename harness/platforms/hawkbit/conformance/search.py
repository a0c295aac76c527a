"""Searching: every operator, kind of field and mistake (§1.2)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import Deployment, unassigned
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import NOT_READABLE
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "search")

SYNTAX: Final = "rest.param.rsqlParamSyntax"
FIELD: Final = "rest.param.rsqlInvalidField"


def found(client: RowClient, query: str, path: str = "/targets") -> list[str]:
    """The names of our own targets that a query finds."""
    ours = quote(f"controllerid=={client.name_prefix}*;({query})", safe="")
    page = expect_document(client.mgmt("GET", f"{path}?q={ours}&sort=name:ASC"))
    return [target["name"] for target in page["content"]]


@ROWS.row("S181", "operators", "Each operator finds what it says, in texts, numbers, words, attributes and tags")
def operators(client: RowClient) -> None:
    for name, more in (("aaa", {"description": "First one"}), ("bbb", {"description": "a*b"}), ("ccc", {})):
        client.target(name=name, **more)
    first, second = found_record(client, "aaa"), found_record(client, "bbb")
    tag = client.made("/targettags", {"name": client.name("tag")})["name"]
    client.mgmt("POST", f"/targettags/{tag_id(client, tag)}/assigned/{second}")
    client.mgmt("POST", f"/targets/{first}/metadata", [{"key": "Line", "value": "7"}])
    new = client.generation.first_status
    for query, names in (
        ("name==AAA", "aaa"), ("name!=aaa", "bbb ccc"), ("name=in=(aaa,ccc)", "aaa ccc"), ("name=out=(aaa,ccc)", "bbb"),
        ("name=gt=aaa", "bbb ccc"), ("name=ge=bbb", "bbb ccc"), ("name=lt=bbb", "aaa"), ("name=le=bbb", "aaa bbb"),
        ("description==First*", "aaa"), ("description==a\\**", "bbb"), ("description==*one", "aaa"),
        ("name==aaa,name==bbb", "aaa bbb"), ("name==aaa or name==bbb", "aaa bbb"), ("name!=aaa and name!=bbb", "ccc"),
        ("(name==aaa,name==ccc);name!=ccc", "aaa"), ("name=='aaa'", "aaa"), ('name=="a*"', "aaa"),
        ("createdat=gt=0", "aaa bbb ccc"), ("createdat=lt=1000", ""), ("lastmodifiedat!=0", "aaa bbb ccc"),
        (f"updatestatus=={new}", "aaa bbb ccc"), ("updatestatus=in=(error,pending)", ""),
        (f"updatestatus!={new}", ""), ("metadata.line==7", "aaa"), ("metadata.line!=8", "aaa"),
        ("tag==nothing", ""), (f"tag=={tag}", "bbb"), (f"tag!={tag}", "aaa ccc"), ("tag=is=null", "aaa ccc"),
        ("tag==''", "aaa ccc"), ("tag!=''", "bbb"), ("metadata.line=is=null", "bbb ccc"),
        ("metadata.line=not=null", "aaa"), ("description=is=null", "ccc"), ("assignedds.name==x*", ""),
        (f"createdby=={client.under_test.admin.user}", "aaa bbb ccc"),
    ):  # fmt: skip
        expect(f"targets found by {query}", names.split(), found(client, query))
    if client.generation.has_target_groups:
        client.mgmt("POST", f"/targets/{first}/autoConfirm/activate", {})
        for query, names in (
            ("autoconfirm==true", "aaa"),
            ("autoconfirm!=true", "bbb ccc"),
            ("group=is=null", "aaa bbb ccc"),
        ):
            expect(f"targets found by {query}", names.split(), found(client, query))


def tag_id(client: RowClient, name: str) -> int:
    number: int = expect_document(client.mgmt("GET", f"/targettags?q=name=={name}"))["content"][0]["id"]
    return number


def found_record(client: RowClient, name: str) -> str:
    ours = f"/targets?q=controllerid=={client.name_prefix}*;name=={name}"
    controller_id: str = expect_document(client.mgmt("GET", ours))["content"][0]["controllerId"]
    return controller_id


@ROWS.row("S182", "mistakes", "A query that cannot be read, or asks for what there is not, is a 400 that says which")
def mistakes(client: RowClient) -> None:
    for query, code in (
        ("name", SYNTAX), ("name==", SYNTAX), ("name=like=x", SYNTAX), ("(name==x", SYNTAX), ("name==x;", SYNTAX),
        ("name=='x", SYNTAX), ("colour==red", FIELD), ("attribute==x", FIELD), ("assignedds==x", FIELD),
        ("assignedds.size==x", FIELD), ("name.first==x", FIELD), ("updatestatus==lost", FIELD),
        ("updatestatus=gt=error", SYNTAX), ("createdat==now", NOT_READABLE), ("lasttargetquery=gt=0", FIELD),
    ):  # fmt: skip
        expect_error(client.mgmt("GET", f"/targets?q={quote(query, safe='')}"), 400, code)


@ROWS.row("S183", "actions", "Actions are found by their state, target and set; their history is sorted by time")
def actions(client: RowClient) -> None:
    update, target = unassigned(client)
    one = Deployment(client, update, target, client.assign(update, target))
    path = f"/targets/{target.controller_id}/actions"
    over = "active==false" if client.generation.actions_tell_active else "status==finished"
    is_open = "active==true" if client.generation.actions_tell_active else "status==pending"
    for query, count in (
        (is_open, 1), (over, 0), (f"distributionset.name=={update.name}", 1), ("distributionset.version==2", 0),
        (f"target.controllerid=={target.controller_id};target.updatestatus==pending", 1), ("weight=gt=999", 1),
        (f"distributionset.id=={update.set_id};distributionset.type.key==os", 1), ("rollout.id==1", 0),
        ("rollout.name==x", 0),
    ):  # fmt: skip
        total = expect_document(client.mgmt("GET", f"{path}?q={quote(query, safe='')}"))["total"]
        expect(f"actions found by {query}", count, total)
    expect_error(client.mgmt("GET", f"{path}?q=colour==red"), 400, FIELD)
    one.reported("proceeding", details=["half"])
    history = f"{path}/{one.action_id}/status?sort="
    newest, oldest = (
        expect_document(client.mgmt("GET", history + by))["content"] for by in ("id:DESC", "timestamp:ASC")
    )
    expect("messages of the newest entry", ["half"], newest[0]["messages"])
    expect_that(oldest[-1]["id"] == newest[0]["id"], "the other way round the newest is last", oldest)
