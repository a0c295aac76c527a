"""Programs as devices: started with what they must know, killed as a whole, watched, and nothing left of them."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from fleetrig.harness.external.certificate_files import certificate_files
from fleetrig.harness.external.command import DeviceCommand, device_command, environment, folder_name, values_of
from fleetrig.harness.external.program_bench import ProgramBench, last_line
from fleetrig.harness.platforms.hawkbit.platform import credential_values
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded, expand
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate, DeviceIdentity, GatewayToken, TargetToken
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Flow, Pause

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("polling_device.py")
HEAD = """
scenario: A program polls
devices: {flow: hawkbit, external: true, serial: "EXT-{n:04d}", credential: CREDENTIAL}
server: {settings: {pollingTime: "00:00:01"}}
phases:
  - name: it polls
    do: [preregister, power_on]
    within: 20s
    expect:
      - receives: {name: poll, status: 200, times: {at_least: 3}}
"""


def scenario(folder: Path, more: str = "", credential: str = "target_token") -> Expanded:
    path = folder / "x.yaml"
    path.write_text(HEAD.replace("CREDENTIAL", credential) + dedent(more).replace("\n", "\n  "), encoding="utf-8")
    (one,) = expand(read_scenario(path, "external/x"))
    return one


def command(*habits: str) -> DeviceCommand:
    return device_command(f"{sys.executable} {PROGRAM} {' '.join(habits)}")


def run_program(what: Expanded, folder: Path, *habits: str) -> Report:
    return asyncio.run(run(what, RunOptions(device=command(*habits), results=folder / "results")))


def said(folder: Path, serial: str = "EXT-0001") -> str:
    return (folder / "results" / "external" / "x" / f"{serial}.log").read_text(encoding="utf-8")


def test_a_report_names_what_it_has_printed_and_its_last_line(tmp_path: Path) -> None:
    report = run_program(scenario(tmp_path), tmp_path, "talks")
    ((path, last),) = report.output
    assert path == str(tmp_path / "results" / "external" / "x" / "EXT-0001.log")
    assert last in ("answered 200", said(tmp_path).splitlines()[-1])
    assert last_line("one\n\x1b[31mtwo\x1b[0m \n \n") == "[31mtwo[0m"
    assert last_line("") == ""


@pytest.mark.parametrize("credential", ["target_token", "gateway_token"])
def test_it_is_told_where_to_go_and_who_it_is(credential: str, tmp_path: Path) -> None:
    report = run_program(scenario(tmp_path, credential=credential), tmp_path)
    assert report.verdict is Verdict.PASSED, report
    assert report.time == "real"
    assert "answered 200" in said(tmp_path)


def test_a_power_cycle_starts_it_again_in_the_same_place(tmp_path: Path) -> None:
    again = """
      - name: switched off and on
        do: {power_cycle: {off: 200ms}}
        within: 20s
        expect: [{receives: {name: poll, status: 200, times: {at_least: 2}}}]
    """
    report = run_program(scenario(tmp_path, again), tmp_path)
    assert report.verdict is Verdict.PASSED, report
    assert said(tmp_path).count("started with") == 2


def test_a_power_cut_is_silence(tmp_path: Path) -> None:
    off = """
      - name: switched off
        do: power_cut
        for: 1s
        expect: [{never: {sends: {name: poll}}}]
    """
    assert run_program(scenario(tmp_path, off), tmp_path).verdict is Verdict.PASSED


def test_a_new_token_comes_with_a_new_start(tmp_path: Path) -> None:
    rotated = """
      - name: rotated and told
        do: {rotate: {what: target_token}}
        within: 20s
        expect: [{receives: {name: poll, status: 200, times: {at_least: 2}}}]
      - name: rotated and not told
        do: {rotate: {what: target_token, tell_device: false}}
        within: 20s
        expect: [{receives: {name: poll, status: 401}}]
    """
    assert run_program(scenario(tmp_path, rotated), tmp_path).verdict is Verdict.PASSED


def test_nothing_that_it_started_outlives_the_run(tmp_path: Path) -> None:
    assert run_program(scenario(tmp_path), tmp_path, "has-a-child").verdict is Verdict.PASSED
    found = re.search(r"child (\d+)", said(tmp_path))
    assert found is not None
    deadline_s = time.monotonic() + 20
    while is_running(int(found[1])):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """A zombie that nobody waits for counts as ended."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


def idle(_device: DeviceIdentity, _remembered: Mapping[str, Json]) -> Flow:
    yield Pause(1.0, 1.0, "nothing")


def test_a_device_that_was_reset_finds_an_empty_folder_and_keeps_its_output(tmp_path: Path) -> None:
    device = Agent(DeviceIdentity("EXT-0001"), idle)
    counts = device_command("sh -c 'ls | wc -l; touch kept; mkdir -p kept.d/deep'")

    async def lives() -> str:
        trace, ended = Trace(), asyncio.Queue[str]()
        trace.listen(lambda event: ended.put_nowait(event.kind), ["ended"])
        async with (
            RealBench(trace, seed=1) as real,
            ProgramBench(real, counts, lambda _agent, _folder: {}, tmp_path / "results", Secrets()) as bench,
        ):
            for is_reset in (False, True, False):
                if is_reset:
                    bench.forget(device)
                bench.power_on(device)
                await ended.get()
            return bench.output_of("EXT-0001")

    # Its log is there each time, and what it has kept only where it was not reset.
    assert asyncio.run(lives()).split() == ["1", "1", "3"]


def test_certificates_are_given_as_files_that_others_cannot_read(tmp_path: Path) -> None:
    ca = tmp_path / "elsewhere.pem"
    ca.write_bytes(b"whom to trust")
    shown = ClientCertificate((b"leaf", b"issuer"), b"a private key")
    given = certificate_files(shown, ca, tmp_path)
    assert given.keys() == {"certificate", "certificate_key", "ca"}
    assert Path(given["certificate"]).read_bytes() == shown.chain_pem
    assert Path(given["certificate_key"]).read_bytes() == b"a private key"
    assert Path(given["ca"]).read_bytes() == b"whom to trust"
    assert {Path(path).stat().st_mode & 0o777 for path in given.values()} == {0o600}
    assert certificate_files(TargetToken("t"), None, tmp_path) == dict.fromkeys(given, "")


def test_a_program_that_ends_by_itself_fails_with_its_last_words(tmp_path: Path) -> None:
    on = """
      - name: it goes on
        for: 20s
    """
    report = run_program(scenario(tmp_path, on), tmp_path, "dies")
    assert report.verdict is Verdict.FAILED
    (finding,) = [check.finding for phase in report.phases for check in phase.checks if check.finding is not None]
    assert "EXT-0001 ended by itself: exit code 3, last words:" in finding.got
    assert "last words" in finding.got
    assert finding.evidence[0].lane == "device"


def test_an_update_does_not_wait_for_a_program_that_has_ended(tmp_path: Path) -> None:
    what = scenario(tmp_path, "")
    path = tmp_path / "x.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("power_on]", "power_on, deploy: {version: '2'}]"))
    (what,) = expand(read_scenario(path, "external/x"))
    report = asyncio.run(run(what, RunOptions(device=device_command("sh -c 'echo last words; exit 3'"),
                                              results=tmp_path / "results")))  # fmt: skip
    assert report.verdict is Verdict.FAILED, report
    (finding,) = [check.finding for phase in report.phases for check in phase.checks if check.finding is not None]
    assert finding.got == "EXT-0001 has not called the server, and its program has ended or is switched off"
    assert [last for _, last in report.output] == ["last words"]


SECRETS = """
  - name: it keeps its token to itself
    for: 1s
    expect: [keeps_secrets]
"""


def test_a_token_in_its_output_is_found_and_not_repeated(tmp_path: Path) -> None:
    report = run_program(scenario(tmp_path, SECRETS), tmp_path, "talks")
    assert report.verdict is Verdict.FAILED
    (finding,) = [check.finding for phase in report.phases for check in phase.checks if check.finding is not None]
    assert re.search(r"EXT-0001 wrote one in line \d+: my token is target-token:[0-9a-f]{4}$", finding.got)
    assert re.search(r"my token is target-token:[0-9a-f]{4}\n", said(tmp_path))
    assert not re.search(r"my token is [0-9a-f]{32}", said(tmp_path))


def test_one_that_holds_its_tongue_passes(tmp_path: Path) -> None:
    assert run_program(scenario(tmp_path, SECRETS), tmp_path).verdict is Verdict.PASSED


ADDRESS = """
  - name: it comes from one address
    for: 3s
    expect: [one_address]
"""


def test_an_id_that_comes_from_two_addresses_by_turns_is_a_duplicate(tmp_path: Path) -> None:
    report = run_program(scenario(tmp_path, ADDRESS), tmp_path, "two-addresses")
    assert report.verdict is Verdict.FAILED
    (finding,) = [check.finding for phase in report.phases for check in phase.checks if check.finding is not None]
    assert finding.got == "duplicate id: EXT-0001 comes from 127.0.0.1 and 127.0.0.2 by turns"
    assert len(finding.evidence) == 3
    assert run_program(scenario(tmp_path, ADDRESS), tmp_path).verdict is Verdict.PASSED


def test_an_image_of_its_own_is_what_is_deployed(tmp_path: Path) -> None:
    image = tmp_path / "image.swu"
    image.write_bytes(b"an image that only this program understands")
    deployed = """
      - name: deployed
        do: {deploy: {version: "1.0"}}
        within: 5s
        expect: [{registry: {assigned: "1.0"}}]
    """
    one = replace(command(), image=image)
    options = RunOptions(device=one, results=tmp_path / "results", trace=tmp_path / "trace.jsonl")
    assert asyncio.run(run(scenario(tmp_path, deployed), options)).verdict is Verdict.PASSED
    assert image.read_text(encoding="utf-8") in (tmp_path / "trace.jsonl").read_text(encoding="utf-8")


def test_a_program_that_cannot_be_started_breaks_the_run(tmp_path: Path) -> None:
    no_program = tmp_path / "no-program"
    no_program.write_text("#!/no/such/interpreter\n", encoding="ascii")
    no_program.chmod(0o755)
    options = RunOptions(device=device_command(str(no_program)), results=tmp_path / "results")
    report = asyncio.run(run(scenario(tmp_path), options))
    assert report.verdict is Verdict.BROKEN
    assert "no-program cannot be started" in report.reason


IDENTITY = DeviceIdentity("dev 1", "ACME")


def test_places_in_the_command_are_filled_in_and_other_braces_stay() -> None:
    identity = DeviceIdentity("de:ad:bé@1", "ACME")
    values = values_of(identity, credential_values(TargetToken("s3cret")), "http://h:1", Path("/tmp/x"))
    given = DeviceCommand(("swupdate", "-u", "-t {tenant} -u {url} -i {id} -k {token}{gateway_token}", "{x}"), "")
    assert given.for_device(values) == ["swupdate", "-u", "-t ACME -u http://h:1 -i de:ad:bé@1 -k s3cret", "{x}"]


HOSTILE = ["x;touch${IFS}hidden", "$(touch${IFS}hidden)", "`touch\thidden`", "x'y", 'x"y', "a b", "a\nb", "a|b", "a&b",
           "~", "-rf", "a>b", "*", "a\\b", "!x", "#x", "=ls", "{id}$"]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "words",
    [
        ("sh", "-c", "echo {id}"),
        ("prog", "--id={id}"),
        ("ssh", "h", "{id}"),
        ("adb", "shell", "dev", "{id}"),
        ("sh", "{id}"),
    ],
)
def test_what_a_shell_could_take_for_a_command_is_for_the_environment(words: tuple[str, ...], value: str) -> None:
    with pytest.raises(
        UsageError, match=r'let the program read the environment variable FLEETRIG_ID \("\$FLEETRIG_ID"'
    ):
        DeviceCommand(words, "").for_device({"id": value})


@pytest.mark.parametrize("value", [value for value in HOSTILE if not value.startswith("-")])
def test_a_word_of_its_own_is_given_as_it_is(value: str) -> None:
    assert DeviceCommand(("prog", "--id", "{id}"), "").for_device({"id": value}) == ["prog", "--id", value]


def test_a_value_that_looks_like_an_option_is_refused() -> None:
    with pytest.raises(UsageError, match="would take for an option"):
        DeviceCommand(("prog", "{id}"), "").for_device({"id": "--config=/etc/x"})


def test_a_value_is_no_place_for_another_and_a_secret_is_not_shown() -> None:
    assert DeviceCommand(("prog", "{id}"), "").for_device({"id": "{token}", "token": "s3cret"}) == ["prog", "{token}"]
    with pytest.raises(UsageError, match=r"its value \(not shown\)") as refused:
        DeviceCommand(("sh", "-c", "x {token}"), "").for_device({"token": "s3cret;rm"})
    assert "s3cret" not in str(refused.value)


def test_a_serial_that_hides_a_command_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    text = HEAD.replace("CREDENTIAL", "none").replace("EXT-{n:04d}", f"x;touch${{IFS}}{tmp_path}/ran;{{n}}")
    path.write_text(text.replace("${IFS}", "$IFS"), encoding="utf-8")
    (one,) = expand(read_scenario(path, "external/x"))
    report = asyncio.run(
        run(one, RunOptions(device=device_command('sh -c "sleep 9; echo {id}"'), results=tmp_path / "results"))
    )
    assert report.verdict is Verdict.BROKEN
    assert "--device-command: {id} stands in a longer word" in report.reason
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("serial", [".", "..", "../x", "a/b", "a" * 300, "a\0b", ".hidden", "$(x)", "a\\b"])
def test_a_folder_is_called_by_what_is_plain_of_a_serial(serial: str) -> None:
    name = folder_name(serial)
    assert name not in {".", "..", serial}
    assert "/" not in name
    assert len(name.encode()) < 100
    assert folder_name(serial + "x") != name
    assert folder_name("EXT-0001") == "EXT-0001"


def test_the_environment_says_the_same_and_knows_no_proxies() -> None:
    values = values_of(IDENTITY, credential_values(GatewayToken("key")), "http://h:1", Path("/tmp/x"))
    assert environment(values, {"PATH": "/bin", "http_proxy": "http://p", "HTTPS_PROXY": "http://p"}) == {
        "PATH": "/bin", "FLEETRIG_URL": "http://h:1", "FLEETRIG_TENANT": "ACME", "FLEETRIG_ID": "dev 1",
        "FLEETRIG_TOKEN": "", "FLEETRIG_GATEWAY_TOKEN": "key", "FLEETRIG_FOLDER": "/tmp/x",
    }  # fmt: skip


def test_files_are_named_in_full_since_programs_run_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "board.sh").write_text("", encoding="ascii")
    monkeypatch.chdir(tmp_path)
    words = device_command("sh in/board.sh out/of/reach --key=value").words
    assert Path(words[0]).is_absolute()
    assert words[1:] == (str(tmp_path / "in" / "board.sh"), "out/of/reach", "--key=value")


def test_a_script_that_lies_here_is_meant_without_a_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("my_device.py", "update", "-x.conf"):
        (tmp_path / name).write_text("", encoding="ascii")
    monkeypatch.chdir(tmp_path)
    words = device_command("sh my_device.py update -x.conf elsewhere.py").words
    assert words[1:] == (str(tmp_path / "my_device.py"), "update", "-x.conf", "elsewhere.py")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("sh 'unfinished", "cannot be taken apart"),
        ("no-such-program -x", "there is no program no-such-program$"),
        ("device.sh", "there is no program device.sh; for the file of that name in this folder write ./device.sh"),
        ("./device.sh", re.escape("./device.sh may not be executed: `chmod +x ./device.sh`")),
        ("./folder", "./folder is no file"),
    ],
)
def test_commands_that_are_none(text: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "device.sh").write_text("", encoding="ascii")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=why):
        device_command(text)


def test_a_place_that_is_nearly_one_is_a_mistake() -> None:
    with pytest.raises(UsageError, match=re.escape("{urls} is no place; did you mean {url}?")):
        DeviceCommand(("client", "{urls}"), "").for_device({"url": "http://127.0.0.1:1", "id": "a"})


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        device_command("sh", tmp_path / "image")
