"""Artifacts: who may have them, their MD5 sums, downloads in parts, uploads and their limits (§1.4, §2.8)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Quotas, Settings
from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, FILE, GATEWAY, ORIGIN, Bench

MD5 = hashlib.md5(FILE).hexdigest()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def artifact(bench: Bench, module_id: int, name: str = "fw.bin", method: str = "GET", device: str = "dev", **headers):
    return bench.device(method, f"/softwaremodules/{module_id}/artifacts/{name}", device=device, **headers)


def assigned_module(bench: Bench) -> tuple[int, int]:
    bench.target()
    module_id = bench.module()
    return module_id, bench.assign(bench.set_of(module_id))


def test_md5sum(bench):  # S116
    module_id, action_id = assigned_module(bench)
    answer = artifact(bench, module_id, "fw.bin.MD5SUM")
    assert (answer.status, answer.raw) == (200, f"{MD5}  fw.bin".encode())
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Disposition"] == "attachment;filename=fw.bin.MD5SUM"
    path = f"/DEFAULT/controller/v1/dev/softwaremodules/{module_id}/artifacts/fw.bin.MD5SUM"
    assert bench.history(action_id)[0] == ("download", [f"Update Server: Target downloads {path}"])
    assert artifact(bench, module_id, "nope.MD5SUM").status == 404
    assert artifact(bench, module_id, "fw.bin.MD5SUM", Accept="application/json").status == 404
    assert artifact(bench, module_id, "fw.bin.MD5SUM", Accept="text/*").status == 200


def test_case_and_blanks_of_a_name_do_not_matter(bench):
    module_id, _ = assigned_module(bench)
    answer = artifact(bench, module_id, "FW.bin%20")
    assert (answer.status, answer.raw) == (200, FILE)
    assert answer.headers["Content-Disposition"] == "attachment;filename=fw.bin"
    answer = artifact(bench, module_id, "FW.bin.MD5SUM")
    assert (answer.raw, answer.headers["Content-Disposition"]) == (
        f"{MD5}  FW.bin".encode(), "attachment;filename=FW.bin.MD5SUM"
    )  # fmt: skip


def test_the_list_has_no_tag(bench):
    module_id, _ = assigned_module(bench)
    answer = bench.device("GET", f"/softwaremodules/{module_id}/artifacts", If_None_Match="*")
    assert (answer.status, "ETag" in answer.headers) == (200, False)


def test_links_to_files_have_the_tenant_as_it_is_stored(bench):
    module_id, _ = assigned_module(bench)
    path = f"/controller/v1/dev/softwaremodules/{module_id}/artifacts"
    (file,) = bench.send("GET", f"/default{path}", Authorization=GATEWAY).body
    assert file["_links"]["download-http"]["href"] == f"{ORIGIN}/DEFAULT{path}/fw.bin"


def test_ranges_leave_no_trace_and_whole_downloads_do(bench):
    module_id, action_id = assigned_module(bench)
    artifact(bench, module_id, Range="bytes=0-3")
    assert len(bench.history(action_id)) == 1
    artifact(bench, module_id)
    artifact(bench, module_id, method="HEAD")
    assert len(bench.history(action_id)) == 3


def test_downloads_can_fill_the_history():
    bench = Bench(Settings(quotas=replace(Quotas(), status_entries_per_action=2)))
    module_id, _ = assigned_module(bench)
    assert [artifact(bench, module_id).status for _ in range(2)] == [200, 429]
    assert artifact(bench, module_id, Range="bytes=0-").status == 206
    assert artifact(bench, module_id, "fw.bin.MD5SUM").status == 200  # noted only after it was sent


def test_a_head_with_a_range_is_whole(bench):
    module_id, _ = assigned_module(bench)
    answer = artifact(bench, module_id, method="HEAD", Range="bytes=0-3")
    assert (answer.status, answer.headers["Content-Length"], answer.raw) == (200, "14", b"")


def test_another_devices_file(bench):  # S140
    module_id, _ = assigned_module(bench)
    bench.target("other")
    answer = artifact(bench, module_id, device="other")
    assert (answer.status, answer.body["errorCode"]) == (404, "hawkbit.server.error.repo.entityNotFound")
    nobody = bench.send("GET", f"/DEFAULT/controller/v1/dev/softwaremodules/{module_id}/artifacts/fw.bin")
    assert (nobody.status, nobody.raw) == (401, b"")


def test_no_file_while_it_is_being_canceled(bench):
    module_id, action_id = assigned_module(bench)
    bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}")
    assert artifact(bench, module_id).status == 404


def test_an_unknown_module(bench):
    bench.target()
    answer = artifact(bench, 4711)
    assert (answer.status, answer.body["info"]) == (404, {"type": "SoftwareModule", "entityId": 4711})
    assert bench.device("GET", "/softwaremodules/4711/artifacts").status == 404


def test_the_list_stays_for_the_installed_set(bench):
    module_id, action_id = assigned_module(bench)
    bench.report(action_id, CLOSED)
    assert len(bench.device("GET", f"/softwaremodules/{module_id}/artifacts").body) == 1
    bench.target("other")
    assert bench.device("GET", f"/softwaremodules/{module_id}/artifacts", device="other").status == 404


@pytest.mark.parametrize(
    ("filename", "shown"),
    [("fw.bin", "fw.bin"), ("a(1).bin", '"a(1).bin"'), ("x" * 90, "x" * 78), ('q".bin', '"q\\".bin"')],
)
def test_content_disposition(bench, filename, shown):
    bench.target()
    module_id = bench.module(file=None)
    made = bench.upload(module_id, FILE, query="?filename=" + filename.replace('"', "%22"))
    assert made.body["providedFilename"] == filename
    bench.assign(bench.set_of(module_id))
    links = bench.device("GET", f"/softwaremodules/{module_id}/artifacts").body[0]["_links"]
    name = links["download-http"]["href"].rpartition("/")[2]
    assert artifact(bench, module_id, name).headers["Content-Disposition"] == f"attachment;filename={shown}"


def test_checksums_at_upload(bench):
    module_id = bench.module(file=None)
    assert bench.upload(module_id, FILE, md5sum=MD5.upper(), sha1sum=hashlib.sha1(FILE).hexdigest()).status == 201
    for field in ("md5sum", "sha1sum", "sha256sum"):
        answer = bench.upload(module_id, FILE, "other.bin", query=f"?{field}=00")
        name = field.removesuffix("sum")
        code = f"hawkbit.server.error.artifact.uploadFailed.checksum.{name}.match"
        assert (answer.status, answer.body["errorCode"]) == (400, code)
    assert len(bench.mgmt("GET", f"/softwaremodules/{module_id}/artifacts").body) == 1


def test_a_refused_upload_leaves_nothing_behind():
    bench = Bench()
    module_id = bench.module(file=None)
    before = bench.platform.repo.blobs.total_bytes()
    for _ in range(3):
        bench.upload(module_id, FILE, query="?md5sum=00")
    bench.upload(module_id, FILE)
    bench.upload(module_id, FILE)
    assert len(bench.mgmt("GET", f"/softwaremodules/{module_id}/artifacts").body) == 1
    assert before == 0


def test_a_name_is_taken_once(bench):
    module_id = bench.module()
    answer = bench.upload(module_id, b"other")
    assert (answer.status, answer.body["message"]) == (
        409,
        "File with that name already exists in the Software Module",
    )


def test_upload_of_something_else(bench):
    module_id = bench.module(file=None)
    path = f"/softwaremodules/{module_id}/artifacts"
    assert bench.mgmt("POST", path, {"a": 1}).status == 415
    assert bench.mgmt("POST", path, b"junk", Content_Type="multipart/form-data; boundary=edge").status == 400
    no_file = b'--edge\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--edge--'
    assert bench.mgmt("POST", path, no_file, Content_Type="multipart/form-data; boundary=edge").status == 400
    assert bench.upload(4711, FILE).status == 404


def test_quotas_of_uploads():
    limits = replace(Quotas(), artifact_bytes=100, all_artifacts_bytes=150, artifacts_per_module=3)
    bench = Bench(Settings(quotas=limits))
    module_id = bench.module(file=None)
    too_large = bench.upload(module_id, b"x" * 101)
    assert (too_large.status, too_large.body["errorCode"]) == (429, "hawkbit.server.error.quota.fileSizeExceeded")
    assert bench.upload(module_id, b"x" * 100, "a").status == 201
    too_much = bench.upload(module_id, b"x" * 51, "b")
    assert (too_much.status, too_much.body["errorCode"]) == (429, "hawkbit.server.error.quota.storageExceeded")
    assert [bench.upload(module_id, b"x", name).status for name in "bc"] == [201, 201]
    too_many = bench.upload(module_id, b"x", "d")
    assert too_many.body["message"] == (
        f"Quota exceeded: Cannot assign 1 more Artifact entities to SoftwareModule '{module_id}'. The maximum is 3."
    )


def test_download_and_delete_through_mgmt(bench):
    module_id = bench.module()
    listed = bench.mgmt("GET", f"/softwaremodules/{module_id}/artifacts").body
    assert set(listed[0]["_links"]) == {"self"}
    path = f"/softwaremodules/{module_id}/artifacts/{listed[0]['id']}"
    assert set(bench.mgmt("GET", path).body["_links"]) == {"self", "download"}
    assert bench.mgmt("GET", f"{path}/download").raw == FILE
    part = bench.mgmt("GET", f"{path}/download", Range="bytes=-8")
    assert (part.status, part.raw) == (206, b"fleetrig")
    assert bench.mgmt("DELETE", path).status == 204
    assert bench.mgmt("GET", path).status == 404
    assert bench.platform.repo.blobs.total_bytes() == 0


def test_a_locked_module_keeps_its_files(bench):
    module_id, _ = assigned_module(bench)
    artifact_id = bench.mgmt("GET", f"/softwaremodules/{module_id}/artifacts").body[0]["id"]
    answer = bench.mgmt("DELETE", f"/softwaremodules/{module_id}/artifacts/{artifact_id}")
    assert (answer.status, answer.body["errorCode"]) == (423, "hawkbit.server.error.locked")
