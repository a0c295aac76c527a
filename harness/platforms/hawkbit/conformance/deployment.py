"""What a device is told to install, and what it says it has (docs/contracts/hawkbit.md §2.4, §2.7)."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_keys, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_error,
    expect_link,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import report
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import (
    Deployment,
    admitted,
    deployed,
    server_now_ms,
    unassigned,
)
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import FILE_LINKS, resting_on
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Update

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "deployment")

CACHE_BREAKER: Final = re.compile(r".*\?c=-?\d+")
HOUR_MS: Final = 3_600_000
SOON_MS: Final = 200
DUE_WITHIN_S: Final = 5.0


def hashes_of(content: bytes) -> dict[str, str]:
    return {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def expect_artifact(artifact: dict[str, Any], update: Update) -> None:
    """Name, size, hashes and the links that are there by default."""
    content = {"filename": update.filename, "size": len(update.content), "hashes": hashes_of(update.content)}
    expect_has("the artifact", content, artifact)
    expect_file_links(artifact, f"/softwaremodules/{update.module_id}/artifacts/{update.filename}")


def expect_file_links(artifact: dict[str, Any], path: str) -> None:
    """The two links over plain HTTP, to the file and its MD5SUM."""
    links = artifact.get("_links", {})
    with resting_on(FILE_LINKS):
        for rel, suffix in (("download-http", ""), ("md5sum-http", ".MD5SUM")):
            expect_link(f"the link {rel}", links.get(rel, {}).get("href"), path + suffix)


def expect_deployment(document: dict[str, Any], made: Update, **deployment: str) -> None:
    """A deployment document of one chunk with one file."""
    found = document["deployment"]
    expect_has("the deployment", deployment, found)
    expect("number of chunks", 1, len(found["chunks"]))
    chunk = found["chunks"][0]
    expect_has("the chunk", {"part": "os", "name": made.name, "version": made.version}, chunk)
    expect("number of artifacts", 1, len(chunk["artifacts"]))
    expect_artifact(chunk["artifacts"][0], made)


@ROWS.row("S94", "read-twice", "Reading a deployment twice is written into its history once")
def read_twice(client: RowClient) -> None:
    one = deployed(client)
    expect_deployment(one.document(), one.update, download="forced", update="forced")
    expect_deployment(one.document("?c=1"), one.update, download="forced", update="forced")
    expect("history of the action, newest first", ["retrieved", "running"], [line["type"] for line in one.history()])
    one.expect_action("retrieved", active=True)


@ROWS.row("S95", "links", "A deployment has download-http and md5sum-http links, the poll an integer ?c=")
def links(client: RowClient) -> None:
    one = deployed(client)
    href = one.links().get("deploymentBase", "")
    expect_that(CACHE_BREAKER.fullmatch(href), "the link deploymentBase ends in ?c=<integer>", href)
    expect_deployment(one.document("?" + href.partition("?")[2]), one.update)


@ROWS.row("S191", "odd-names", "Links to files carry the controllerId as it is and the file's name as in a form")
def odd_names(client: RowClient) -> None:
    unassigned(client)
    update, name = client.update(filename="fw 1+2.bin"), client.name()
    target = client.target(controllerId=f"{name}:ef@01")
    admitted(client, target)
    one = Deployment(client, update, target, client.assign(update, target))
    href, encoded = one.links().get("deploymentBase"), f"{name}%3Aef%4001"
    expect_link("the link deploymentBase", href, f"/{encoded}/deploymentBase/{one.action_id}")
    [artifact] = one.document()["deployment"]["chunks"][0]["artifacts"]
    expect_file_links(artifact, f"/{target.controller_id}/softwaremodules/{update.module_id}/artifacts/fw+1%2B2.bin")


@ROWS.row("S111", "download-only", "A download-only deployment ends with downloaded, and installs nothing")
def download_only(client: RowClient) -> None:
    one = deployed(client, type="downloadonly")
    expect_deployment(one.document(), one.update, download="forced", update="skip")
    expect_bare(one.device("PUT", "/configData", body={"data": {"a": "b"}}))
    one.reported("downloaded")
    one.expect_action("downloaded", active=False, forceType="downloadonly")
    one.expect_target("in_sync")
    one.expect_links(["configData"])
    expect("the installed set", None, one.set_id("installedDS"))
    expect_bare(one.report("closed", "success"), 410)


@ROWS.row("S129", "read-when-finished", "Reading a finished or failed action makes it retrieved; it stays over")
def read_when_finished(client: RowClient) -> None:
    for finished, update_status in (("success", "in_sync"), ("failure", "error")):
        one = deployed(client)
        one.reported("closed", finished)
        expect_deployment(one.document(), one.update)
        one.expect_action("retrieved", active=False)
        one.expect_target(update_status)
        expect_that("installedBase" not in one.links(), "the poll has no link installedBase any more", one.links())
        expect_bare(one.report("closed", "success"), 410)
        expect("newest entry of the history", "retrieved", one.history()[0]["type"])


@ROWS.row("S134", "soft-and-forced", "A soft action is an attempt until it is forced; its history is told as asked for")
def soft_and_forced(client: RowClient) -> None:
    one = deployed(client, type="soft")
    expect_deployment(one.document(), one.update, download="attempt", update="attempt")
    before = one.links()["deploymentBase"]
    answer = one.mgmt("PUT", f"/actions/{one.action_id}", {"forceType": "forced"})
    expect("forceType of the answer", "forced", expect_document(answer)["forceType"])
    expect_deployment(one.document(), one.update, download="forced", update="forced")
    after = one.links()["deploymentBase"]
    expect_that(before != after, "?c= of the poll's link changes when the action is forced", after)
    expect_history(one)
    expect_timeforced(client)


def expect_history(one: Deployment) -> None:
    """`actionHistory`: absent at 0, else newest first without what the server wrote, but for its opening (§2.4)."""
    now_ms = server_now_ms(one.client)
    for number in (1, 2):
        body = report("proceeding", details=[f"report {number}"], timestamp=now_ms + number * 1000)
        expect_bare(one.device("POST", f"/deploymentBase/{one.action_id}/feedback", body=body))
    opening = one.history()[-1]["messages"][0]
    expect_that(opening.startswith("Assignment initiated by user '"), "the history opens with who assigned", opening)
    expect_that("actionHistory" not in one.document("?actionHistory=0"), "no actionHistory at 0", one.document())
    for asked in (10, -1):
        history = one.document(f"?actionHistory={asked}").get("actionHistory", {})
        expect_keys("actionHistory", ["status", "messages"], history)
        expect("messages of the history", ["report 2", "report 1", opening], history["messages"])
        expect_that(history["status"].isupper(), "the status of the history is in upper case", history["status"])


def expect_timeforced(client: RowClient) -> None:
    """Attempt until the time has come."""
    later = deployed(client, type="timeforced", forcetime=server_now_ms(client) + HOUR_MS)
    expect_deployment(later.document(), later.update, download="attempt", update="attempt")
    soon = deployed(client, type="timeforced", forcetime=server_now_ms(client) + SOON_MS)

    def due() -> None:
        expect_deployment(soon.document(), soon.update, download="forced", update="forced")

    client.until(DUE_WITHIN_S, due)


@ROWS.row("S135", "installed-base", "installedBase is readable when installed; a device can declare what it runs")
def installed_base(client: RowClient) -> None:
    one = deployed(client)
    path = f"/installedBase/{one.action_id}"
    expect_bare(one.device("GET", path), 404)
    one.reported("closed", "success")
    document = expect_document(one.device("GET", path))
    expect("id", str(one.action_id), document["id"])
    expect_deployment(document, one.update)
    same = {"name": one.update.name, "version": one.update.version}
    expect_bare(one.device("PUT", "/installedBase", body=same), 200)
    other = client.update(b"other fleetrig")
    declared = {"name": other.name, "version": other.version}
    expect_bare(one.device("PUT", "/installedBase", body=declared), 201)
    expect("id of the installed set", other.set_id, one.set_id("installedDS"))
    one.expect_target("in_sync")
    unknown = {"name": client.name("nope"), "version": "1.0"}
    expect_error(one.device("PUT", "/installedBase", body=unknown), 404, "repo.entityNotFound")
    expect_error(one.device("PUT", "/installedBase", body={"name": one.update.name}), 400, "rest.body.notReadable")
    expect("id of the installed set after two refusals", other.set_id, one.set_id("installedDS"))
