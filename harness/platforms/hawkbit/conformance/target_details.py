"""What hangs on a target: attributes, sets, metadata (docs/contracts/hawkbit.md §1.3)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_bare, expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import no_content
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "target-details")


def expect_metadata(client: RowClient, path: str, wanted: dict[str, str]) -> None:
    """All of a target's metadata, in any order."""
    page = expect_document(client.mgmt("GET", path))
    expect("the metadata", wanted, {entry["key"]: entry["value"] for entry in page["content"]})
    expect("total and size of the page", [len(wanted)] * 2, [page["total"], page["size"]])


@ROWS.row("S28", "no-attributes", "A target without attributes answers 204, an unknown one 404")
def no_attributes(client: RowClient) -> None:
    target, nobody = client.target(), client.name("nobody")
    expect_bare(client.mgmt("GET", f"/targets/{target.controller_id}/attributes"), 204)
    expect_error(client.mgmt("GET", f"/targets/{nobody}/attributes"), 404, "repo.entityNotFound",
                 info={"type": "Target", "entityId": nobody})  # fmt: skip


@ROWS.row("S29", "no-set", "A target without a distribution set, assigned or installed, answers 204")
def no_set(client: RowClient) -> None:
    target = client.target()
    for which in ("assignedDS", "installedDS"):
        expect_bare(client.mgmt("GET", f"/targets/{target.controller_id}/{which}"), 204)


@ROWS.row("S30", "metadata", "Metadata is created, read, changed and deleted key by key")
def metadata(client: RowClient) -> None:
    target = client.target().controller_id
    path = f"/targets/{target}/metadata"
    creates, given = (
        client.generation.metadata_put_creates,
        [{"key": "k1", "value": "v1"}, {"key": "k2", "value": "v2"}],
    )
    expect_bare(client.mgmt("POST", path, given), 201)
    expect("k1", given[0], expect_document(client.mgmt("GET", f"{path}/k1")))
    expect_metadata(client, path, {"k1": "v1", "k2": "v2"})
    expect_error(client.mgmt("POST", path, given[:1]), 409, "repo.entityAlreadyExists")
    change(client, f"{path}/k1", {"key": "k1", "value": "v9"})
    if creates:
        change(client, f"{path}/k3", {"key": "k3", "value": "v3"})
    else:
        expect_error(client.mgmt("PUT", f"{path}/k3", {"value": "v3"}), 404, "repo.entityNotFound")
    expect_metadata(client, path, {"k1": "v9", "k2": "v2"} | ({"k3": "v3"} if creates else {}))
    expect_bare(client.mgmt("DELETE", f"{path}/k1"), no_content(client))
    for method in ("GET", "DELETE"):
        expect_error(client.mgmt(method, f"{path}/k1"), 404, "repo.entityNotFound",
                     info={"type": "Target metadata", "entityId": f"{target}:k1"})  # fmt: skip
    expect_metadata(client, path, {"k2": "v2"} | ({"k3": "v3"} if creates else {}))


def change(client: RowClient, path: str, entry: dict[str, Any]) -> None:
    """Puts the value of a key."""
    expect_bare(client.mgmt("PUT", path, {"value": entry["value"]}), no_content(client))
    expect("the entry afterwards", entry, expect_document(client.mgmt("GET", path)))
