"""Software modules, their files and metadata (§1.4)."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_keys, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document, expect_error, expect_link
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import deployed
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import VIOLATION
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "software")

NO_ENTITY: Final = "repo.entityNotFound"


def new_module(client: RowClient, **more: Any) -> dict[str, Any]:
    return client.made("/softwaremodules", {"name": client.name("sm"), "version": "1", "type": "os", **more})


@ROWS.row("S164", "modules", "Software modules are created, found, changed and deleted; name and version belong to one")
def modules(client: RowClient) -> None:
    module = new_module(client, vendor="ACME", description="firmware")
    path = f"/softwaremodules/{module['id']}"
    fresh = {"name": module["name"], "version": "1", "vendor": "ACME", "type": "os", "locked": False, "deleted": False}
    expect_has("the module", fresh, expect_document(client.mgmt("GET", path)))
    found = expect_document(client.mgmt("GET", f"/softwaremodules?q=name=={module['name']};type==os&sort=name:DESC"))
    expect("ids found", [module["id"]], [one["id"] for one in found["content"]])
    changed = expect_document(client.mgmt("PUT", path, {"description": "changed", "name": "ignored"}))
    expect_has("the changed module", {"description": "changed", "name": module["name"], "vendor": "ACME"}, changed)
    again = {"name": module["name"], "version": "1", "type": "os"}
    expect_error(client.mgmt("POST", "/softwaremodules", [again]), 409, "repo.entityAlreadyExists")
    for wrong in ({"name": None}, {"version": "x" * 65}, {"vendor": "<b>x</b>"}):
        expect_error(client.mgmt("POST", "/softwaremodules", [{**again, **wrong}]), 400, VIOLATION)
    expect_error(client.mgmt("POST", "/softwaremodules", [{**again, "type": "nope"}]), 404, NO_ENTITY)
    expect("status of the deletion", client.generation.no_content, client.mgmt("DELETE", path).status)
    expect_error(client.mgmt("GET", path), 404, NO_ENTITY)


@ROWS.row("S165", "locked", "A used module is locked: no file comes or goes, and it is deleted with its last set only")
def locked(client: RowClient) -> None:
    client.settings.change({"implicit.lock.enabled": True})
    one = deployed(client)
    path = f"/softwaremodules/{one.update.module_id}"
    [file] = expect_document(client.mgmt("GET", f"{path}/artifacts"))
    expect("locked", True, expect_document(client.mgmt("GET", path))["locked"])
    expect_error(client.mgmt("DELETE", f"{path}/artifacts/{file['id']}"), 423, "locked")
    expect_error(client.mgmt("DELETE", path), 423, "locked")
    expect("status", client.generation.no_content,
           client.mgmt("DELETE", f"/distributionsets/{one.update.set_id}").status)  # fmt: skip
    expect("status of deleting the module", client.generation.no_content, client.mgmt("DELETE", path).status)
    expect_has("the deleted module", {"deleted": True}, expect_document(client.mgmt("GET", path)))
    expect_error(client.mgmt("PUT", path, {"description": "late"}), 404, "deleted")
    expect_error(client.mgmt("GET", f"{path}/artifacts/{file['id']}/download"), 410, "artifact.binaryDeleted")


@ROWS.row("S166", "files", "An operator lists, reads, downloads and deletes files; checksums that are given must fit")
def files(client: RowClient) -> None:
    module, content = new_module(client), b"hello operator"
    sums = {"sha1": hashlib.sha1(content).hexdigest(), "md5": hashlib.md5(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest()}  # fmt: skip
    path = f"/softwaremodules/{module['id']}/artifacts"
    given = f"?sha1sum={sums['sha1']}&md5sum={sums['md5'].upper()}&sha256sum={sums['sha256']}&filename=named.bin"
    made = expect_document(client.upload(module["id"], content, "sent.bin", given), 201)
    expect_has("the file", {"providedFilename": "named.bin", "size": len(content), "hashes": sums}, made)
    expect("ids listed", [made["id"]], [one["id"] for one in expect_document(client.mgmt("GET", path))])
    one = expect_document(client.mgmt("GET", f"{path}/{made['id']}"))
    expect_link("download", one["_links"]["download"]["href"], f"{path}/{made['id']}/download")
    expect("what is downloaded", content.decode(), client.mgmt("GET", f"{path}/{made['id']}/download").text)
    for name in ("sha1", "md5", "sha256"):
        answer = client.upload(module["id"], content, f"{name}.bin", f"?{name}sum=00")
        expect_error(answer, 400, f"artifact.uploadFailed.checksum.{name}.match")
    expect_error(client.upload(module["id"], content, "named.bin"), 409, "repo.entityAlreadyExists")
    expect_error(client.upload(module["id"], content, "<b>x</b>.bin"), 400, VIOLATION)
    no_form = client.mgmt("POST", path, content, headers={"Content-Type": "application/octet-stream"})
    expect(f"status of {no_form.request} without a form", 415, no_form.status)
    no_parts = client.mgmt("POST", path, content, headers={"Content-Type": "multipart/form-data"})
    expect(f"status of {no_parts.request} without a boundary", 400, no_parts.status)
    full = expect_document(client.mgmt("GET", f"{path}?representation=full"))
    expect_keys("_links in a full list", ["self", "download"], full[0]["_links"])
    expect_error(client.mgmt("GET", f"{path}/0"), 404, NO_ENTITY)
    expect("status", client.generation.no_content, client.mgmt("DELETE", f"{path}/{made['id']}").status)
    expect("files that are left", [], expect_document(client.mgmt("GET", path)))


@ROWS.row("S167", "metadata", "A module's metadata reaches devices where it is visible to them")
def metadata(client: RowClient) -> None:
    client.settings.change({"implicit.lock.enabled": False})
    one = deployed(client)
    path = f"/softwaremodules/{one.update.module_id}/metadata"
    pairs = [{"key": "seen", "value": "1", "targetVisible": True}, {"key": "kept", "value": "2"}]
    expect("status of POST …/metadata", 201, client.mgmt("POST", path, pairs).status)
    chunk = one.document()["deployment"]["chunks"][0]
    expect("metadata of the chunk", [{"key": "seen", "value": "1"}], chunk["metadata"])
    found = expect_document(client.mgmt("GET", path))
    expect("keys", ["kept", "seen"], sorted(pair["key"] for pair in found["content"]))
    done = client.generation.no_content
    changed = client.mgmt("PUT", f"{path}/seen", {"value": "3", "targetVisible": False})
    expect("status of PUT …/metadata/seen", done, changed.status)
    pair = expect_document(client.mgmt("GET", f"{path}/seen"))
    expect("the changed pair", {"key": "seen", "value": "3", "targetVisible": False}, pair)
    expect_that("metadata" not in one.document()["deployment"]["chunks"][0], "nothing is visible any more", chunk)
    expect("status of DELETE …/metadata/kept", done, client.mgmt("DELETE", f"{path}/kept").status)
    for method in ("GET", "DELETE"):
        expect_error(client.mgmt(method, f"{path}/kept"), 404, NO_ENTITY)
    expect_error(client.mgmt("POST", path, []), 400, VIOLATION)
    of_set(client, f"/distributionsets/{one.update.set_id}/metadata")


def of_set(client: RowClient, path: str) -> None:
    """A set's metadata is for operators only."""
    expect("status of POST …/metadata", 201, client.mgmt("POST", path, [{"key": "k", "value": "v"}]).status)
    expect("the pair", {"key": "k", "value": "v"}, expect_document(client.mgmt("GET", f"{path}/k")))
    changed = client.mgmt("PUT", f"{path}/k", {"value": "w"})
    expect("status of PUT …/metadata/k", client.generation.no_content, changed.status)
    page = expect_document(client.mgmt("GET", path))
    expect_keys("the page", ["content", "total", "size"], page)
    expect("the pairs", [{"key": "k", "value": "w"}], page["content"])
    expect_error(client.mgmt("PUT", f"{path}/k", {}), 400, VIOLATION)
