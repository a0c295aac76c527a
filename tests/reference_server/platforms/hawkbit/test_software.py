"""Modules, sets, types and their metadata (§1.4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Profile, Quotas, Settings
from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_types_of_a_fresh_tenant(bench):
    kinds = bench.mgmt("GET", "/softwaremoduletypes").body["content"]
    assert {kind["key"]: kind["maxAssignments"] for kind in kinds} == {"application": 2147483647, "os": 1}
    sets = bench.mgmt("GET", "/distributionsettypes").body["content"]
    assert {kind["key"]: kind["name"] for kind in sets} == {
        "os": "OS only",
        "app": "App(s) only",
        "os_app": "OS with app(s)",
    }
    default = next(kind["id"] for kind in sets if kind["key"] == "os_app")
    refused = bench.mgmt("DELETE", f"/distributionsettypes/{default}")
    assert (refused.status, "errorCode" in refused.body) == (400, False)


def test_a_set_without_type_is_of_the_default_type(bench):
    made = bench.mgmt("POST", "/distributionsets", [{"name": "n", "version": "1"}]).body[0]
    assert (made["type"], made["complete"]) == ("os_app", False)


@pytest.mark.parametrize("kind", ["softwaremodules", "distributionsets"])
@pytest.mark.parametrize(
    "changes",
    [{"name": None}, {"version": None}, {"name": ""}, {"name": "x" * 129}, {"version": "x" * 65}, {"name": "<b>x</b>"},
     {"description": "x" * 513}],
)  # fmt: skip
def test_bad_fields(bench, kind, changes):
    body = {"name": "n", "version": "1", "type": "os", **changes}
    answer = bench.mgmt("POST", f"/{kind}", [body])
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.repo.constraintViolation")


@pytest.mark.parametrize("kind", ["softwaremodules", "distributionsets"])
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": None}, "name must not be null."),
        ({"name": "\t "}, "name size must be between 1 and 128."),
        ({"version": " "}, "version size must be between 1 and 64."),
        ({"name": ""}, "create.create[0].name size must be between 1 and 128."),
        ({"description": "<b>x</b>"}, "create.create[0].description Invalid characters in string."),
    ],
)
def test_what_is_said_of_a_request_has_a_path_and_what_is_said_of_a_record_has_none(bench, kind, given, sentence):
    answer = bench.mgmt("POST", f"/{kind}", [{"name": "n", "version": "1", "type": "os", **given}])
    assert (answer.status, answer.body["message"]) == (400, sentence)


@pytest.mark.parametrize("kind", ["softwaremodules", "distributionsets"])
def test_texts_are_stored_trimmed(bench, kind):
    given = {"name": " n ", "version": "\t1 ", "type": "os", "description": " d"}
    made = bench.mgmt("POST", f"/{kind}", [given]).body[0]
    assert (made["name"], made["version"], made["description"]) == ("n", "1", "d")
    assert bench.mgmt("POST", f"/{kind}", [{"name": "n", "version": "1", "type": "os"}]).status == 409


@pytest.mark.parametrize("encrypted", [True, "true", 1])
def test_the_open_source_server_makes_no_encrypted_module(bench, encrypted):
    body = {"name": "n", "version": "1", "type": "os", "encrypted": encrypted}
    answer = bench.mgmt("POST", "/softwaremodules", [body])
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.artifact.encryptionNotSupported")
    assert bench.mgmt("GET", "/softwaremodules").body["total"] == 0


@pytest.mark.parametrize("kind", ["softwaremodules", "distributionsets"])
def test_creation_is_all_or_nothing(bench, kind):
    one, other = {"name": "a", "version": "1", "type": "os"}, {"name": "b", "version": "1", "type": "os"}
    assert bench.mgmt("POST", f"/{kind}", [one]).status == 201
    answer = bench.mgmt("POST", f"/{kind}", [other, one])
    assert (answer.status, answer.body["errorCode"]) == (409, "hawkbit.server.error.repo.entityAlreadyExists")
    assert bench.mgmt("GET", f"/{kind}").body["total"] == 1


def test_unknown_types_and_modules(bench):
    module = bench.mgmt("POST", "/softwaremodules", [{"name": "n", "version": "1", "type": "x"}])
    assert (module.status, module.body["info"]) == (404, {"type": "SoftwareModuleType", "entityId": "x"})
    assert bench.mgmt("POST", "/softwaremodules", [{"name": "n", "version": "1"}]).status == 400
    kind = bench.mgmt("POST", "/distributionsets", [{"name": "n", "version": "1", "type": "x"}])
    assert (kind.status, kind.body["info"]["type"]) == (404, "DistributionSetType")
    none = bench.mgmt("POST", "/distributionsets", [{"name": "n", "version": "1", "modules": [{"id": 99}]}])
    assert (none.status, none.body["info"]["type"]) == (404, "SoftwareModule")


def test_a_module_of_a_type_that_the_set_does_not_take(bench):
    app = bench.module("app", "application")
    answer = bench.mgmt(
        "POST", "/distributionsets", [{"name": "n", "version": "1", "type": "os", "modules": [{"id": app}]}]
    )
    assert (answer.status, answer.body["errorCode"]) == (
        400,
        "hawkbit.server.error.distributionset.modules.unsupported",
    )


def test_modules_come_and_go_until_the_set_is_locked(bench):
    first, second, app = bench.module("first"), bench.module("second"), bench.module("app", "application")
    set_id = bench.set_of(first, kind="os_app")
    path = f"/distributionsets/{set_id}/assignedSM"
    assert bench.mgmt("POST", path, [{"id": app}, {"id": second}]).status == 204
    listed = bench.mgmt("GET", path).body["content"]
    assert {module["id"] for module in listed} == {app, second}  # a set takes one operating system
    assert bench.mgmt("DELETE", f"{path}/{app}").status == 204
    bench.target()
    bench.assign(set_id)
    for method, where, body in [("POST", path, [{"id": app}]), ("DELETE", f"{path}/{second}", None)]:
        answer = bench.mgmt(method, where, body)
        assert (answer.status, answer.body["errorCode"]) == (423, "hawkbit.server.error.locked")


def test_too_many_modules():
    bench = Bench(Settings(quotas=replace(Quotas(), modules_per_set=1)))
    one, two = bench.module("a", "application"), bench.module("b", "application")
    set_id = bench.set_of(kind="app")
    answer = bench.mgmt("POST", f"/distributionsets/{set_id}/assignedSM", [{"id": one}, {"id": two}])
    assert answer.status == 429


def test_change(bench):
    module_id = bench.module()
    changed = bench.mgmt("PUT", f"/softwaremodules/{module_id}", {"description": "d", "vendor": "v"}).body
    assert (changed["description"], changed["vendor"], changed["name"]) == ("d", "v", "firmware")
    assert set(changed["_links"]) == {"self", "artifacts", "type", "metadata"}
    set_id = bench.set_of(module_id)
    other = bench.set_of(name="other")
    assert bench.mgmt("PUT", f"/distributionsets/{set_id}", {"name": "renamed"}).body["name"] == "renamed"
    assert bench.mgmt("PUT", f"/distributionsets/{other}", {"name": "renamed"}).status == 409
    assert bench.mgmt("PUT", f"/distributionsets/{set_id}", {"locked": True}).body["modules"][0]["locked"] is True
    step = bench.mgmt("PUT", f"/distributionsets/{set_id}", {"requiredMigrationStep": True})
    assert step.status == 423
    assert bench.mgmt("PUT", f"/distributionsets/{set_id}", {"locked": False}).body["locked"] is False


def test_delete(bench):
    module_id = bench.module()
    set_id = bench.set_of(module_id)
    assert bench.mgmt("DELETE", f"/softwaremodules/{module_id}").status == 204
    assert bench.mgmt("GET", f"/softwaremodules/{module_id}").body["deleted"] is True
    assert bench.mgmt("GET", "/softwaremodules").body["total"] == 0
    for mode, count in [("INCLUDE_SOFT_DELETED", 1), ("ONLY_SOFT_DELETED", 1), ("EXCLUDE_SOFT_DELETED", 0), ("", 0)]:
        assert bench.mgmt("GET", f"/softwaremodules?soft_deleted_mode={mode}").body["total"] == count
    assert bench.mgmt("GET", "/softwaremodules?soft_deleted_mode=only_soft_deleted").status == 400
    body = {"name": "firmware", "version": "1", "type": "os"}
    assert bench.mgmt("POST", "/softwaremodules", [body]).status == 409, "the name of a deleted module is not free"
    assert bench.mgmt("DELETE", f"/distributionsets/{set_id}").status == 204
    assert bench.mgmt("GET", f"/distributionsets/{set_id}").status == 404
    assert bench.mgmt("GET", f"/softwaremodules/{module_id}").body["deleted"] is True


def test_a_used_set_is_only_marked_and_keeps_its_name(bench):
    bench.target()
    set_id = bench.release()
    action_id = bench.assign(set_id)
    bench.report(action_id, CLOSED)
    bench.mgmt("DELETE", f"/distributionsets/{set_id}")
    assert bench.mgmt("GET", f"/distributionsets/{set_id}").body["deleted"] is True
    assert bench.mgmt("GET", "/distributionsets").body["total"] == 0
    assert bench.action(action_id)["_links"]["distributionset"]["name"] == "release:1"
    body = {"name": "release", "version": "1", "type": "os"}
    assert bench.mgmt("POST", "/distributionsets", [body]).status == 409
    assert bench.mgmt("POST", "/distributionsets", [{**body, "type": "app"}]).status == 201
    changed = bench.mgmt("PUT", f"/distributionsets/{set_id}", {})
    assert (changed.status, changed.body["errorCode"]) == (404, "hawkbit.server.error.deleted")


def test_a_module_of_a_locked_set_stays(bench):
    bench.target()
    module_id = bench.module()
    set_id = bench.set_of(module_id)
    bench.assign(set_id)
    answer = bench.mgmt("DELETE", f"/softwaremodules/{module_id}")
    assert answer.status == 423
    assert answer.body["message"] == (
        f"JpaSoftwareModule with given identifier {{{module_id}}} is locked and DELETE is forbidden! "
        f"Reason: Part of a locked distribution set: release:1 ({set_id})"
    )


@pytest.mark.parametrize("kind", ["softwaremodules", "distributionsets"])
def test_metadata(bench, kind):
    record_id = bench.module() if kind == "softwaremodules" else bench.set_of()
    path = f"/{kind}/{record_id}/metadata"
    assert bench.mgmt("POST", path, {"key": "k", "value": "v"}).status == 201
    extra = {"targetVisible": False} if kind == "softwaremodules" else {}
    assert bench.mgmt("GET", path).body == {"content": [{"key": "k", "value": "v", **extra}], "total": 1, "size": 1}
    change = {"value": "w", "targetVisible": False} if kind == "softwaremodules" else {"value": "w"}
    assert bench.mgmt("PUT", f"{path}/k", change).status == 204
    assert bench.mgmt("GET", f"{path}/k").body["value"] == "w"
    assert bench.mgmt("POST", path, [{"key": "k", "value": "again"}]).status == 201
    assert bench.mgmt("DELETE", f"{path}/k").status == 204
    assert bench.mgmt("DELETE", f"{path}/k").status == 404
    assert bench.mgmt("GET", f"{path}/k").status == 404
    many = [{"key": str(n), "value": ""} for n in range(101)]
    too_many = bench.mgmt("POST", path, many)
    assert (too_many.status, "Cannot assign 101 more" in too_many.body["message"]) == (429, True)
    assert bench.mgmt("POST", path, [{"key": "x" * 129, "value": ""}]).status == 400
    assert bench.mgmt("POST", path, []).status == 400
    assert bench.mgmt("POST", path, [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]).status == 500


def test_metadata_without_a_value(bench):
    """A module's is stored only where it is to be seen; a set's makes the server break."""
    module, record = f"/softwaremodules/{bench.module()}/metadata", f"/distributionsets/{bench.set_of()}/metadata"
    assert bench.mgmt("POST", module, [{"key": "a"}, {"key": "b", "targetVisible": True}]).status == 201
    assert bench.mgmt("GET", module).body["content"] == [{"key": "b", "targetVisible": True}]
    assert bench.mgmt("PUT", f"{module}/a", {"value": "x"}).status == 500, "not without targetVisible"
    assert bench.mgmt("POST", record, [{"key": "a"}]).status == 500
    assert bench.mgmt("PUT", f"{record}/a", {}).body["message"] == "createMetadata.value must not be null."


def test_metadata_is_listed_in_the_order_of_a_hash_map(bench):
    path = f"/distributionsets/{bench.set_of()}/metadata"
    bench.mgmt("POST", path, [{"key": key, "value": ""} for key in ("one", "two", "three", "four", "a", "z", "")])
    keys = [pair["key"] for pair in bench.mgmt("GET", path).body["content"]]
    assert keys == ["", "a", "four", "one", "z", "two", "three"]


def test_lists(bench):
    os, app = bench.module("base"), bench.module("extra", "application")
    bench.set_of(os, name="one")
    bench.set_of(os, app, name="two", kind="os_app")

    def names(path: str) -> list[str]:
        return [record["name"] for record in bench.mgmt("GET", path).body["content"]]

    assert names("/softwaremodules?q=type==application") == ["extra"]
    assert names("/softwaremodules?sort=name:DESC") == ["extra", "base"]
    assert names("/distributionsets?q=type.key==os_app") == ["two"]
    assert names("/distributionsets?q=module.name==extra") == ["two"]
    assert names("/distributionsets?limit=1&offset=1") == ["two"]
    assert bench.mgmt("GET", "/distributionsets?q=colour==red").status == 400


def test_targets_of_a_set(bench):
    bench.target()
    bench.target("other")
    set_id = bench.release()
    action_id = bench.assign(set_id)
    assert [
        t["controllerId"] for t in bench.mgmt("GET", f"/distributionsets/{set_id}/assignedTargets").body["content"]
    ] == ["dev"]
    assert bench.mgmt("GET", f"/distributionsets/{set_id}/installedTargets").body["total"] == 0
    bench.report(action_id, CLOSED)
    assert bench.mgmt("GET", f"/distributionsets/{set_id}/installedTargets?q=name==dev").body["total"] == 1


def test_own_types(bench):
    made = bench.mgmt(
        "POST", "/softwaremoduletypes", [{"key": "fpga", "name": "FPGA", "minArtifacts": 1, "maxAssignments": 1}]
    )
    made = made.body[0]
    assert (made["maxAssignments"], made["minArtifacts"], made["deleted"]) == (1, 1, False)
    kind = bench.mgmt(
        "POST", "/distributionsettypes", [{"key": "hw", "name": "HW", "mandatorymodules": [{"id": made["id"]}]}]
    ).body[0]
    mandatory = bench.mgmt("GET", f"/distributionsettypes/{kind['id']}/mandatorymoduletypes").body
    assert [one["key"] for one in mandatory] == ["fpga"]
    module_id = bench.module("bits", "fpga", None)
    set_id = bench.set_of(module_id, kind="hw")
    assert bench.mgmt("GET", f"/distributionsets/{set_id}").body["complete"] is False
    bench.upload(module_id, b"bits")
    assert bench.mgmt("GET", f"/distributionsets/{set_id}").body["complete"] is True
    assert bench.mgmt("DELETE", f"/softwaremoduletypes/{made['id']}").status == 204
    assert bench.mgmt("GET", f"/softwaremoduletypes/{made['id']}").body["deleted"] is True
    for taken in ({"key": "os", "name": "x"}, {"key": "x", "name": "OS"}, {"key": "fpga", "name": "y"}):
        assert bench.mgmt("POST", "/softwaremoduletypes", [{**taken, "maxAssignments": 1}]).status == 409
    assert bench.mgmt("POST", "/softwaremoduletypes", [{"key": "x", "name": "x"}]).status == 400


def test_the_older_generation_answers_200():
    bench = Bench(Settings(profile=Profile.OLD))
    module_id = bench.module()
    set_id = bench.set_of(kind="os")
    assert bench.mgmt("POST", f"/distributionsets/{set_id}/assignedSM", [{"id": module_id}]).status == 200
    assert bench.mgmt("DELETE", f"/distributionsets/{set_id}").status == 200
    assert bench.mgmt("DELETE", f"/softwaremodules/{module_id}").status == 200


def test_rights():
    few = Account("few", "few", ("READ_TARGET",))
    bench = Bench(Settings(accounts=(Account("admin", "admin"), few)))
    authorization = "Basic ZmV3OmZldw=="
    body = [{"name": "n", "version": "1", "type": "os"}]
    answer = bench.send("POST", "/rest/v1/softwaremodules", body, Authorization=authorization)
    assert (answer.status, answer.body["errorCode"]) == (403, "hawkbit.server.error.insufficientPermission")
