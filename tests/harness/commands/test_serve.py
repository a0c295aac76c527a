"""`fleetrig serve` from outside: a process that is started, asked, stopped and killed."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.report.version import VERSION
from fleetrig.simulator.contract.trace_json import from_line
from tests.harness.served import LIMIT_S, Served, failing

pytestmark = pytest.mark.slow

ROUNDS = 8
WRITERS = 3
ACKNOWLEDGED_PER_ROUND = 60


def basic(user: str = "admin", password: str = "admin") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Mgmt:
    """The management API over one connection."""

    connection: http.client.HTTPConnection
    authorization: str = field(default_factory=basic)

    @classmethod
    def of(cls, served: Served, authorization: str = "") -> Mgmt:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=LIMIT_S)
        served.at_exit.callback(connection.close)
        return cls(connection, authorization or basic())

    def call(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        headers = {"Authorization": self.authorization, "Content-Type": "application/json"}
        self.connection.request(method, "/rest/v1" + path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def create(self, *controller_ids: str) -> int:
        return self.call("POST", "/targets", [{"controllerId": name} for name in controller_ids])[0]

    def target_count(self) -> int:
        status, body = self.call("GET", "/targets?limit=1")
        assert status == 200, body
        return int(json.loads(body)["total"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with Served(tmp_path) as served:
        control = served.ready["control"]
        assert served.ready == {
            "pid": served.process.pid,
            "http": f"127.0.0.1:{served.port}",
            "control": control,
        }
        assert Mgmt.of(served).create("dev-1") == 201
        banner = served.until_said("Refused requests and why:")
        assert served.stop(number) == 0
        assert served.said() == banner, "nothing is said at the end"
    assert not served.ready_file.exists()
    for part in (
        f"http://127.0.0.1:{served.port}",
        f"control  http://{control}",
        "admin / admin",
        "memory:",
        "lost when the server stops",
        "Ctrl-C",
    ):
        assert part in banner
    assert "\x1b" not in banner


def test_leftovers_are_said_at_the_start_and_go_on_request_only(tmp_path: Path) -> None:
    url, folder = f"sqlite:///{tmp_path / 'fleet.db'}", tmp_path / "fleet.db.artifacts"
    folder.mkdir()
    leftover = folder / ("ab" * 16)
    leftover.write_bytes(b"left")
    with Served(tmp_path, "--store", url) as served:
        assert f"leftover 1 artifact file (4 bytes) in {folder}" in served.until_said("Refused requests and why:")
    assert leftover.read_bytes() == b"left"
    with Served(tmp_path, "--store", url, "--remove-leftovers") as served:
        assert f"removed  1 artifact file (4 bytes) in {folder}" in served.until_said("Refused requests and why:")
    assert not leftover.exists()
    leftover.write_bytes(b"left")
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    code, said = failing("--http", "127.0.0.1:0", "--store", url, "--remove-leftovers")
    assert code == 4
    assert "is a link" in said
    assert leftover.read_bytes() == b"left"


def test_refusals_are_told_with_their_reason_and_repeats_are_counted(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        mgmt = Mgmt.of(served)
        mgmt.call("PUT", "/system/configs", {"authentication.targettoken.enabled": True})
        mgmt.call("POST", "/targets", [{"controllerId": "dev-1", "securityToken": "the-right-token"}])
        for _ in range(5):
            mgmt.connection.request(
                "GET", "/DEFAULT/controller/v1/dev-1", headers={"Authorization": "TargetToken the-wrong-token"}
            )
            answer = mgmt.connection.getresponse()
            assert (answer.status, answer.read()) == (401, b"")
        served.until_said("GET /DEFAULT/controller/v1/dev-1  401  dev-1: ")
        served.stop()
        said = served.said()
    lines = [line for line in said.splitlines() if "  401  " in line]
    assert len(lines) == 2
    assert lines[1].endswith(" (×4)")
    assert lines[1][8:-5] == lines[0][8:]
    assert "the-right-token" not in said
    assert "the-wrong-token" not in said


def test_the_trace_is_readable_and_holds_no_secret(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    trace.write_text("of an earlier run\n")
    with Served(tmp_path, "--trace", str(trace)) as served:
        mgmt = Mgmt.of(served)
        mgmt.call("POST", "/targets", [{"controllerId": "dev-1", "securityToken": "the-right-token"}])
        served.stop()
    text = trace.read_text()
    events = [from_line(line) for line in text.splitlines()]
    assert [event.kind for event in events] == ["received", "answered"]
    assert "the-right-token" not in text
    assert basic().removeprefix("Basic ") not in text
    assert "target-token:" in text


def test_the_control_interface_says_what_is_served(tmp_path: Path) -> None:
    with Served(tmp_path, "--profile", "hawkbit=0.9", "--control", "[::1]:0") as served:
        Mgmt.of(served).create("dev-1", "dev-2")
        connection = http.client.HTTPConnection(served.ready["control"], timeout=LIMIT_S)
        connection.request("GET", "/")
        said = json.loads(connection.getresponse().read())
        connection.close()
    assert (said["version"], said["profiles"], said["platforms"]) == (VERSION, {"hawkbit": "0.9"}, ["hawkbit"])
    assert (said["store"], said["records"]["hawkbit.target"]) == ("memory:", 2)


def test_the_control_interface_can_be_left_out(tmp_path: Path) -> None:
    with Served(tmp_path, "--control", "off") as served:
        assert "control" not in served.ready
        assert "control" not in served.until_said("Refused requests and why:")


def test_a_control_interface_for_everybody_is_said_aloud(tmp_path: Path) -> None:
    with Served(tmp_path, "--control", "0.0.0.0:0") as served:
        assert "everybody who can reach it can make this server fail" in served.until_said("Refused requests and why:")


def test_https_with_a_throw_away_authority(tmp_path: Path) -> None:
    with Served(tmp_path, "--https", "127.0.0.1:0") as served:
        ca, https = Path(served.ready["ca"]), served.ready["https"]
        connection = http.client.HTTPSConnection(https, timeout=LIMIT_S, context=ssl.create_default_context(cafile=ca))
        assert Mgmt(connection).create("dev-1") == 201
        assert Mgmt.of(served).target_count() == 1
        assert f"https://{https}" in served.until_said("Refused")
        connection.close()
        served.at_exit.close()
        assert served.stop() == 0
    assert not ca.exists()


def test_accounts_properties_and_profile(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(
        "- {user: creator, password: pw-1, rights: [CREATE_TARGET, READ_TARGET]}\n"
        "- {user: hidden, password: 'env:HIDDEN', tenant: OTHER}\n"
    )
    options = (
        *("--accounts", str(accounts), "--profile", "hawkbit=0.9", "--admin-password", "env:ADMIN_PW"),
        *("--set", "hawkbit.controller.pollingTime=00:00:42"),
        *("--set", "hawkbit.server.ddi.security.authentication.targettoken.enabled=true"),
    )
    with Served(tmp_path, *options, env={"HIDDEN": "pw-2", "ADMIN_PW": "pw-3"}) as served:
        assert Mgmt.of(served).create("dev-1") == 401
        assert Mgmt.of(served, basic("admin", "pw-3")).create("dev-1") == 201
        assert Mgmt.of(served, basic("creator", "pw-1")).create("dev-2") == 201
        assert Mgmt.of(served, basic("creator", "pw-1")).call("DELETE", "/targets/dev-1")[0] == 403
        assert Mgmt.of(served, basic("hidden", "pw-2")).target_count() == 0
        assert Mgmt.of(served, basic("admin", "pw-3")).target_count() == 2
        assert b"00:00:42" in Mgmt.of(served, basic("admin", "pw-3")).call("GET", "/system/configs")[1]
        said = served.until_said("Refused")
    assert "hawkBit 0.9" in said
    assert "creator   (password as given)   tenant DEFAULT, CREATE_TARGET, READ_TARGET" in said
    assert not any(password in said for password in ("pw-1", "pw-2", "pw-3"))


def test_a_port_in_use_is_said_in_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        code, said = failing("--http", taken, "--store", "sqlite:///fleet.db", "--ready-file", "ready.json",
                             "--trace", "trace.jsonl", cwd=tmp_path)  # fmt: skip
    assert code == 3
    assert said.count("\n") == 1
    assert f"cannot listen on {taken}: the port is in use" in said
    assert list(tmp_path.iterdir()) == []


def write_foreign_files(folder: Path) -> None:
    (folder / "diary.db").write_text("dear diary " * 100)
    (folder / "bad.yaml").write_text("- user: x\n  password: y\n  rights: [CREATE_TARGT]\n")
    (folder / "typo.yaml").write_text("- user: x\n  pasword: y\n")
    (folder / "colon.yaml").write_text('- user: fine\n  password: x\n- user: "a:b"\n  password: y\n')
    (folder / "bell.yaml").write_text('- user: x\n  password: "a\\nb"\n')
    (folder / "reference.yaml").write_text("- user: x\n  password: env:TWO_LINES\n")
    (folder / "noise.pem").write_text("noise")


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--http", "8080"], 4, "'8080' is no address: expected HOST:PORT"),
        (["--platform", "hawkbt"], 4, "expected hawkbit"),
        (["--profile", "0.8"], 4, "expected 1.1, 0.9 or as-documented; did you mean 0.9?"),
        (["--profile", "hawkbit=0.8"], 4, "expected 1.1, 0.9 or as-documented; did you mean 0.9?"),
        (["--mqtt", "127.0.0.1:0"], 4, "--mqtt: hawkBit has no such listener; it has --http and --https"),
        (["--set", "hawkbit.controller.pollingTme=00:01:00"], 4, "did you mean hawkbit.controller.pollingTime?"),
        (["--control", "of"], 4, "--control: 'of' is no address: expected HOST:PORT"),
        (["--set", "nonsense"], 4, "expected KEY=VALUE"),
        (["--store", "sqlte:///x"], 4, "did you mean sqlite:///x"),
        (["--store", "sqlite:///diary.db"], 4, "diary.db is not a fleetrig store"),
        (["--http", "0.0.0.0:0"], 4, "--admin-password env:NAME"),
        (["--http", "0.0.0.0:0", "--admin-password", "env:WELL_KNOWN"], 4, "a password that not everybody knows"),
        (["--admin-password", "env:NOT_SET"], 4, "no variable NOT_SET"),
        (["--admin-password", "hunter2"], 4, "--admin-password takes no secret itself"),
        (["--accounts", "bad.yaml"], 4, "did you mean CREATE_TARGET?"),
        (["--accounts", "typo.yaml"], 4, "typo.yaml:2:3"),
        (
            ["--accounts", "colon.yaml"],
            4,
            "colon.yaml:3:3: [1]: expected an account that HTTP Basic can carry, but the",
        ),
        (["--accounts", "bell.yaml"], 4, "the password holds a control character or a line end"),
        (["--accounts", "reference.yaml"], 4, "env:TWO_LINES of user 'x': the password holds a control character"),
        (["--admin-password", "env:TWO_LINES"], 4, "--admin-password: the password holds a control character"),
        (["--accounts", "absent.yaml"], 4, "cannot read absent.yaml"),
        (["--https", "127.0.0.1:0", "--cert", "absent.pem"], 4, "cannot read absent.pem"),
        (["--https", "127.0.0.1:0", "--cert", "noise.pem"], 4, "noise.pem"),
        (["--cert", "noise.pem"], 4, "--https HOST:PORT, which is missing"),
        (["--ready-file", "no/where.json"], 4, "is not there: make that folder first"),
        (["--trace", "no/where.jsonl"], 4, "is not there: make that folder first"),
        (["--bogus"], 4, "--bogus"),
    ],
)
def test_what_cannot_be_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], code: int,
    sentence: str,
) -> None:  # fmt: skip
    write_foreign_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WELL_KNOWN", "admin")
    monkeypatch.setenv("TWO_LINES", "two\nlines")
    before = sorted(path.name for path in tmp_path.iterdir())
    http = [] if "--http" in options else ["--http", "127.0.0.1:0"]
    assert main(["serve", *http, *options]) == code
    out, err = capsys.readouterr()
    assert (out, sentence in err) == ("", True), err
    assert "hunter2" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_slow_libraries_stay_out_of_the_way() -> None:
    heavy = (
        "httpx",
        "locust",
        "simpy",
        "pydantic",
        "ruamel",
        "cryptography",
        "rich.console",
        "aiocoap",
        "paho",
        "serial",
    )
    script = (
        "import sys, fleetrig.harness.commands.serve; from fleetrig.harness.commands.serve_platform import *; "
        "servable('hawkbit').configure(PlatformArgs({}, '1.1')); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=LIMIT_S)
    assert done.stdout == "[]\n"


def test_of_the_platforms_only_those_that_are_served_are_imported() -> None:
    """The engines of all four take as long as everything else."""
    script = (
        "import sys; from fleetrig.harness.commands.serve_options import *; "
        "from fleetrig.harness.commands.serve_platform import *; "
        "parse(ServeArgs(['hono']), {name: servable(name) for name in ('hawkbit', 'thingsboard', 'hono', 'kura')}); "
        "print(sorted({name.split('.')[3] for name in sys.modules if name.startswith("
        "'fleetrig.reference_server.platforms.')}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=LIMIT_S)
    assert done.stdout == "['hono']\n"


@dataclass
class Writer:
    """Registers targets as fast as it can; remembers which the server has acknowledged."""

    served: Served
    name: str
    acknowledged: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Until the server is gone."""
        mgmt = Mgmt.of(self.served)
        number = 0
        try:
            while True:
                names = [f"{self.name}-{number}", f"{self.name}-{number}b"]
                if mgmt.create(*names) == 201:
                    self.acknowledged += names
                number += 1
        except (OSError, http.client.HTTPException):
            return


@pytest.mark.slow
def test_kill_9_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    store = ("--store", f"sqlite:///{tmp_path}/fleet.db")
    acknowledged: list[str] = []
    for round_ in range(ROUNDS):
        with Served(tmp_path, *store) as served:
            check_all(served, acknowledged[-500:])
            assert Mgmt.of(served).target_count() >= len(acknowledged)
            writers = [Writer(served, f"r{round_}-{letter}") for letter in "abc"[:WRITERS]]
            with ThreadPoolExecutor(WRITERS) as pool:
                runs = [pool.submit(writer.run) for writer in writers]
                wait_for(lambda: sum(len(w.acknowledged) for w in writers) >= ACKNOWLEDGED_PER_ROUND)  # noqa: B023
                served.kill()
                for run in runs:
                    run.result(LIMIT_S)
        acknowledged += [name for writer in writers for name in writer.acknowledged]
    with Served(tmp_path, *store) as served:
        check_all(served, acknowledged)
        assert served.stop() == 0
    assert len(acknowledged) >= ROUNDS * ACKNOWLEDGED_PER_ROUND


def check_all(served: Served, names: list[str]) -> None:
    mgmt = Mgmt.of(served)
    missing = [name for name in names if mgmt.call("GET", f"/targets/{quote(name)}")[0] != 200]
    assert missing == []


def wait_for(is_so: object) -> None:
    assert callable(is_so)
    pause = threading.Event()
    for _ in range(int(LIMIT_S / 0.005)):
        if is_so():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to be")


def test_a_ready_file_of_another_process_is_left_alone(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        others = json.dumps({"pid": os.getpid(), "http": "127.0.0.1:1"})
        served.ready_file.write_text(others)
        assert served.stop() == 0
    assert served.ready_file.read_text() == others
