"""A server of ours by its control interface: its address, its ready file or a SERVER.yaml with `control` is enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.commands.conform import expected_profile
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.servers.control_page import ControlPage
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import described_server, platform_named_by, remote_server_from
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from tests.harness.command import fleetrig
from tests.harness.served import Served

pytestmark = pytest.mark.slow

ANY = "127.0.0.1:0"
PASSWORD = {"BENCH_PASSWORD": "s3cret-of-the-bench"}
OF_HONO = ("registry", "http", "https", "mqtt", "mqtts", "coap", "coaps")
SERVED = (
    *("--platform", "hawkbit", "--platform", "hono", "--http", f"hawkbit={ANY}"),
    *(word for name in OF_HONO for word in (f"--{name}", f"hono={ANY}")),
    *("--set", "hawkbit=hawkbit.controller.minPollingTime=00:00:01", "--admin-password", "hawkbit=env:BENCH_PASSWORD"),
)


QUICK = """
scenario: A device is provisioned at first contact
devices: {flow: hono, over: http, credential: certificate}
phases:
  - name: first contact
    do: power_on
    within: 20s
    expect: [{reaches: {stage: online}}]
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """hawkBit and Hono, the first with a password of its own and short intervals."""
    with Served(tmp_path_factory.mktemp("served"), *SERVED, env=PASSWORD) as served:
        yield served


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "server.yaml"


def control_of(served: Served) -> str:
    return f"http://{served.ready['control']}"


def server_of(against: object, platform: str = "hawkbit") -> RemoteServer:
    return remote_server_from(str(against), platform, may_change_settings=False, environ=PASSWORD)


def test_an_address_a_ready_file_and_a_server_file_say_the_same(served: Served, file: Path) -> None:
    file.write_text(f"control: {served.ready['control']}\n")
    one, *others = (server_of(way) for way in (control_of(served), served.ready_file, file))

    assert one.url == f"http://{served.ready['hawkbit']['http']}"
    assert (one.account.user, one.account.password) == ("admin", "s3cret-of-the-bench")
    assert (one.platform, one.profile, one.tenant) == ("hawkbit", "1.1", "DEFAULT")
    assert one.can == {
        "hawkbit", "hawkbit.admin", "hawkbit.fast_polling", "http", "reference.faults", "reference.reasons",
    }  # fmt: skip
    assert one.control is not None
    assert one.control.url == control_of(served)
    for other in others:
        assert (other.url, other.account, other.can, other.ca) == (one.url, one.account, one.can, one.ca)
        assert (other.is_file, other.may_change_settings) == (True, True)


def test_every_listener_and_who_signed_its_certificate_are_known(served: Served) -> None:
    server = server_of(control_of(served), "hono")
    ready = served.ready["hono"]
    assert server.listeners == {
        **{name: f"{'https' if name == 'https' else 'http'}://{ready[name]}" for name in ("http", "https", "registry")},
        **{name: ready[name] for name in ("mqtt", "mqtts", "coap", "coaps")},
    }
    assert server.ca == Path(served.ready["ca"])
    assert (server.account.user, server.profile) == ("", "2")
    assert "hono.no_orphans" in server.can
    assert "hono.orphans" not in server.can


def test_what_a_file_says_wins(served: Served, file: Path, tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text("")
    file.write_text(
        f"control: {control_of(served)}\nhttp: http://proxy:1\nuser: anna\npassword: pw\nca: own.pem\n"
        "line: {user: line, password: pw}\ntenant: T\n"
    )
    server = server_of(file)
    assert (server.url, server.account.user, server.tenant, server.ca) == (
        "http://proxy:1",
        "anna",
        "T",
        tmp_path / "own.pem",
    )
    assert server.line_account is not None
    assert not server.may_change_settings


def test_what_it_is_is_known(served: Served, file: Path) -> None:
    file.write_text(f"control: {control_of(served)}\n")
    assert described_server(str(file)).platforms == ("hawkbit", "hono")
    assert platform_named_by(str(file)) is None
    file.write_text(f"control: {control_of(served)}\nplatform: hono\n")
    assert platform_named_by(str(file)) == "hono"


def test_a_platform_that_it_is_not(served: Served, file: Path) -> None:
    there = f"the server at {control_of(served)} is hawkbit and hono, but kura is asked for here"
    with pytest.raises(UsageError, match=there):
        server_of(control_of(served), "kura")
    file.write_text(f"# ours\ncontrol: {control_of(served)}\n")
    with pytest.raises(FileMistakes) as refused:
        server_of(file, "kura")
    assert str(refused.value).startswith(f"{file}:2:10: control: {there}: `fleetrig serve --platform kura` starts one")


def test_a_capability_that_the_server_itself_denies(served: Served, file: Path) -> None:
    file.write_text(f"control: {control_of(served)}\ncan: [hawkbit.fast_cleanup]\n")
    with pytest.raises(FileMistakes) as refused:
        server_of(file)
    said = "can[0]: this server says that it has not hawkbit.fast_cleanup: start it with --set hawkbit.autocleanup"
    assert f"{file}:2:7: {said}" in str(refused.value)


def test_a_password_that_only_the_server_knows(served: Served, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the password of admin on the server at .* is not known here") as refused:
        remote_server_from(control_of(served), "hawkbit", may_change_settings=False, environ={})
    assert "s3cret" not in str(refused.value)


def test_the_address_of_a_platform_is_no_control_interface(served: Served, file: Path) -> None:
    http = f"http://{served.ready['hawkbit']['http']}"
    assert (server_of(http).url, server_of(http).control, server_of(http).is_file) == (http, None, False)
    file.write_text(f"control: {http}\n")
    with pytest.raises(BrokenBench) as refused:
        server_of(file)
    assert str(refused.value).startswith(f"{file}: control: {http} is no control interface of a reference server: ")


def nobody(url: str) -> ControlPage | None:
    raise BrokenBench(f"nobody listens at {url}")


def test_a_control_interface_that_does_not_answer_is_needed_where_it_says_all(file: Path) -> None:
    file.write_text("control: 127.0.0.1:9\n")
    with pytest.raises(BrokenBench, match=r"control: nobody listens at http://127\.0\.0\.1:9"):
        remote_server_from(str(file), "hawkbit", may_change_settings=False, ask=nobody)
    file.write_text("control: 127.0.0.1:9\nhttp: 127.0.0.1:8\n")
    server = remote_server_from(str(file), "hawkbit", may_change_settings=False, ask=nobody)
    assert server.control is not None
    assert server.profile == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"pid": 1, "http": "127.0.0.1:1"}', "names no control interface (the server was started with --control off)"),
        (None, "No such file or directory (is the server running?)"),
    ],
)
def test_ready_files_that_say_nothing(tmp_path: Path, content: str | None, said: str) -> None:
    ready = tmp_path / "ready.json"
    if content is not None:
        ready.write_text(content)
    with pytest.raises(UsageError) as refused:
        server_of(ready)
    assert said in str(refused.value)


def test_a_server_file_may_be_json(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text('{"http": "127.0.0.1:1"}')
    assert server_of(tmp_path / "server.json").url == "http://127.0.0.1:1"


def test_scenarios_of_two_platforms_run_against_one_server(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD["BENCH_PASSWORD"])
    (tmp_path / "scenarios/hono").mkdir(parents=True)
    (tmp_path / "scenarios/hono/quick.yaml").write_text(QUICK)
    ids = ("hawkbit/target_types", "hono/sequence", "hono/quick", "kura/over_tls")
    done = fleetrig("run", *ids, "--against", control_of(served), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok hawkbit/target_types" in done.stdout
    assert "ok hono/quick" in done.stdout
    assert "hawkbit, the scenario is for kura: run it against a server of kura" in done.stdout
    assert "lacks reference; it takes a server of its own" in done.stdout
    assert "s3cret" not in done.stdout + json.dumps(served.said())


def test_a_row_that_is_skipped_says_how_the_server_is_started_for_it(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ("conform", "hawkbit", "S54", "S188", "--allow-skipped", "--against")
    monkeypatch.setenv("BENCH_PASSWORD", PASSWORD["BENCH_PASSWORD"])
    done = fleetrig(*rows, control_of(served), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lacks hawkbit.fast_cleanup; start `fleetrig serve` with --set hawkbit.autocleanup.scheduler" in done.stdout


def test_rows_expect_the_generation_that_the_server_says_it_plays(tmp_path: Path) -> None:
    with Served(tmp_path, "--profile", "0.9") as served:
        assert expected_profile(None, "hawkbit", control_of(served)) == "0.9"
        assert expected_profile("1.1", "hawkbit", control_of(served)) == "1.1"
        assert expected_profile(None, "hawkbit", f"http://{served.ready['http']}") == "1.1"
    assert expected_profile(None, "hono", None) == "2"
