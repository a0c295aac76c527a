"""What `fleetrig serve` does when a disk, a file or a limit fails: it says so in one line and promises nothing."""

from __future__ import annotations

import http.client
import json
import resource
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.cli import main
from tests.harness.commands.test_serve import Mgmt
from tests.harness.served import LIMIT_S, Served

pytestmark = pytest.mark.slow

HAWKBIT = ("--platform", "hawkbit", "--control", "off")
SERVER_ERROR = {"status": 500, "error": "Internal Server Error"}


def limit(served: Served, what: int, soft: int) -> None:
    """From now on, as `ulimit` would from the start."""
    resource.prlimit(served.pid, what, (soft, resource.prlimit(served.pid, what)[1]))


def told(served: Served, sentence: str) -> list[str]:
    """The lines of stderr that say it; the console shows refusals too, with a time in front."""
    served.until_said(sentence)
    return [line for line in served.said().splitlines() if sentence in line and not line[:1].isdigit()]


def no_bug(served: Served) -> None:
    assert "bug in fleetrig" not in served.said()
    assert "Traceback" not in served.said()


def without_time(body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body)
    del document["timestamp"]
    return document


def upload(mgmt: Mgmt, content: bytes) -> tuple[int, bytes]:
    head = b'--e\r\nContent-Disposition: form-data; name="file"; filename="fw.bin"\r\n\r\n'
    headers = {"Authorization": mgmt.authorization, "Content-Type": "multipart/form-data; boundary=e"}
    mgmt.connection.request("POST", "/rest/v1/softwaremodules/1/artifacts", head + content + b"\r\n--e--\r\n", headers)
    answer = mgmt.connection.getresponse()
    return answer.status, answer.read()


def test_a_full_disk_keeps_what_was_acknowledged_and_nothing_else(tmp_path: Path) -> None:
    store = ("--store", f"sqlite:///{tmp_path / 'fleet.db'}")
    with Served(tmp_path, *HAWKBIT, *store) as served:
        mgmt = Mgmt.of(served)
        assert mgmt.create("before") == 201
        limit(served, resource.RLIMIT_FSIZE, 150_000)
        answers = [mgmt.create(*(f"d{turn}-{number}" for number in range(50))) for turn in range(12)]
        assert answers[0] == 201
        assert answers[-1] == 500
        body = [{"controllerId": f"more-{number}", "description": "x" * 500} for number in range(50)]
        assert without_time(mgmt.call("POST", "/targets", body)[1]) == SERVER_ERROR
        assert mgmt.target_count() == 1 + 50 * answers.count(201)
        assert len(told(served, "fleet.db")) == 2, "the banner names it, and one line says what failed"
        limit(served, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        assert mgmt.create("after") == 201
        no_bug(served)
        assert served.stop() == 0
    with Served(tmp_path, *HAWKBIT, *store) as served:
        assert Mgmt.of(served).target_count() == 2 + 50 * answers.count(201)


def test_a_deleted_database_is_refused_and_ends_with_3(tmp_path: Path) -> None:
    with Served(tmp_path, *HAWKBIT, "--store", f"sqlite:///{tmp_path / 'fleet.db'}") as served:
        mgmt = Mgmt.of(served)
        assert mgmt.create("kept") == 201
        (tmp_path / "fleet.db").unlink()
        assert [mgmt.create("lost"), mgmt.create("lost")] == [500, 500]
        assert len(told(served, "was deleted or moved away")) == 1
        assert served.stop() == 3
        no_bug(served)


def test_a_deleted_database_is_noticed_though_nobody_writes(tmp_path: Path) -> None:
    with Served(tmp_path, *HAWKBIT, "--store", f"sqlite:///{tmp_path / 'fleet.db'}") as served:
        (tmp_path / "fleet.db").unlink()
        assert served.stop() == 3
        assert len(told(served, "was deleted or moved away")) == 1


def test_an_artifact_whose_file_is_gone(tmp_path: Path) -> None:
    with Served(tmp_path, *HAWKBIT, "--store", f"sqlite:///{tmp_path / 'fleet.db'}") as served:
        mgmt = Mgmt.of(served)
        mgmt.call("POST", "/softwaremodules", [{"name": "m", "version": "1", "type": "os"}])
        status, document = upload(mgmt, b"image")
        assert status == 201
        shutil.rmtree(tmp_path / "fleet.db.artifacts")
        status, body = mgmt.call("GET", "/softwaremodules/1/artifacts/1/download")
        assert (status, json.loads(body)) == (500, {
            "exceptionClass": "org.eclipse.hawkbit.artifact.exception.ArtifactBinaryNotFoundException",
            "errorCode": "hawkbit.server.error.artifact.loadFailed",
            "message": json.loads(document)["hashes"]["sha1"],
        })  # fmt: skip
        served.until_said("is gone: put it back, or delete the artifact and upload it again")
        no_bug(served)


def test_a_temporary_folder_that_takes_no_more(tmp_path: Path) -> None:
    with Served(tmp_path, *HAWKBIT) as served:
        mgmt = Mgmt.of(served)
        mgmt.call("POST", "/softwaremodules", [{"name": "m", "version": "1", "type": "os"}])
        limit(served, resource.RLIMIT_FSIZE, 100_000)
        assert upload(Mgmt.of(served), b"x" * 300_000)[0] == 500
        assert upload(Mgmt.of(served), b"x" * 20_000)[0] == 201
        (line,) = told(served, "cannot keep the body of a request")
        assert line.endswith(
            "File too large: the size of files is limited: see `ulimit -f`, or set TMPDIR to another folder"
        )
        no_bug(served)
        assert served.stop() == 0


def test_too_many_open_files_is_one_line_and_passes(tmp_path: Path) -> None:
    with Served(tmp_path, *HAWKBIT) as served:
        assert Mgmt.of(served).create("first") == 201
        limit(served, resource.RLIMIT_NOFILE, len(list(Path(f"/proc/{served.pid}/fd").iterdir())) + 5)
        many = [socket.create_connection(("127.0.0.1", served.port), LIMIT_S) for _ in range(40)]
        served.until_said("cannot accept a connection: Too many open files")
        for one in many:
            one.close()
        late = http.client.HTTPConnection("127.0.0.1", served.port, timeout=LIMIT_S)
        late.request("GET", "/")
        assert late.getresponse().status == 302
        late.close()
        assert len(told(served, "cannot accept a connection")) == 1
        no_bug(served)
        assert served.stop() == 0


def test_a_trace_that_fills_the_disk_ends_and_the_exit_code_says_so(tmp_path: Path) -> None:
    with Served(tmp_path, *HAWKBIT, "--trace", "/dev/full") as served:
        mgmt = Mgmt.of(served)
        assert mgmt.create("one") == 201
        served.until_said("the trace /dev/full ends here: No space left on device")
        assert mgmt.create("two") == 201
        assert served.stop() == 3
        assert len(told(served, "the trace /dev/full is not whole")) == 1
        no_bug(served)


@pytest.mark.parametrize("option", ["--trace", "--ready-file", "--cert", "--accounts", "--store"])
def test_a_name_of_5000_characters_is_a_wrong_option(
    option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    long = str(tmp_path / ("x" * 5_000))
    value = f"sqlite:///{long}" if option == "--store" else long
    assert main(["serve", *HAWKBIT, "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", option, value]) == 4
    said = capsys.readouterr().err
    assert "File name too long" in said
    assert "bug" not in said
