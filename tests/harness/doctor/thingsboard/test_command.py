"""The command itself: its words, its page, the commands on the page, and a REST API that answers anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.platforms.thingsboard.doctor.document import IMPOSSIBLE_NAME
from tests.harness.doctor.thingsboard.bench import ALLOW, CHECK, NAME, Bench, ask
from tests.harness.doctor.thingsboard.conftest import Doctor, Page, too_wide
from tests.harness.doctor.thingsboard.seeds import ASKS, LOGS_IN
from tests.harness.hostile_server import in_front_of, one_value_of_another_kind

pytestmark = pytest.mark.slow
PageText = Callable[..., tuple[int, str]]
PAGES = Path(__file__).with_name("pages")


@pytest.fixture
def page_text(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> PageText:
    """Runs the command as people do; ports and masks of ids made equal. (`doctor` sets the environment.)"""
    del doctor

    def call(bench: Bench, *options: str, over: str = "http") -> tuple[int, str]:
        words = ["doctor", "thingsboard", "--against", bench.url, "--over", bench.over(over), *options]
        code = main(words)
        said = capsys.readouterr()
        assert [line for line in said.out.splitlines() if too_wide(line)] == []
        page = re.sub(r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:PPPPP", said.out or said.err)
        return code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", page)

    return call


def expected(name: str) -> str:
    return (PAGES / f"{name}.txt").read_text(encoding="utf-8")


def test_pages(bench: Bench, page_text: PageText) -> None:
    """What people see, whole."""
    bench.profile("Model A", CHECK)
    bench.device(profile="Model A")

    assert page_text(bench, *ASKS, over="mqtt") == (0, expected("would-provision"))
    bench.set_state("provisioned")
    assert page_text(bench, *ASKS, over="mqtt") == (1, expected("already-provisioned"))
    assert page_text(bench, *ASKS, "--no-account", over="mqtt") == (3, expected("name-unseen"))
    assert page_text(bench, "--token", "env:OTHER", "--name", NAME, over="mqtt") == (1, expected("token-differs"))


# -- the commands on the page


def commands_of(page: Page) -> list[str]:
    return ["\n".join(one["command"]) for one in page.document["diagnoses"] if one["command"]]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    "case", ["already-exists", "not-listed", "other-profile", "already-provisioned", "unknown-state"]
)
def test_the_commands_do_what_they_say(case: str, bench: Bench, doctor: Doctor) -> None:
    """The page's own commands, run by a shell, make the device welcome."""
    bench.profile("Model A", ALLOW if case == "already-exists" else CHECK)
    if case != "not-listed":
        bench.device(profile="Model Z" if case == "other-profile" else "Model A")
    if case in ("already-provisioned", "unknown-state"):
        bench.set_state("provisioned" if case == "already-provisioned" else "reset")
    page = doctor(bench, *ASKS)
    assert page.names == [case]

    (command,) = commands_of(page)
    environ = {**os.environ, "TB_PASSWORD": "tenant"}
    done = subprocess.run(["sh", "-ec", command], env=environ, timeout=60, check=False, capture_output=True)

    assert done.returncode == 0, (command, done.stderr)
    assert doctor(bench, *ASKS).names == []
    assert ask(bench) == "SUCCESS"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_password_with_odd_characters_survives_the_shell(bench: Bench, doctor: Doctor) -> None:
    """It is refused by the server, but as it stands: the shell takes nothing from it."""
    bench.profile("Model A")
    bench.device(profile="Model A")
    (command,) = commands_of(doctor(bench, *ASKS))

    done = subprocess.run(
        ["sh", "-ec", command], env={**os.environ, "TB_PASSWORD": "$(touch /nowhere) '` x"}, timeout=60, check=False,
        capture_output=True,
    )  # fmt: skip

    assert b"401" in done.stderr
    assert bench.names() == [NAME]


# -- words


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "say what the device has: --provision-key and --provision-secret"),
        ((*ASKS, *LOGS_IN), "a device presents one thing here: give one of --provision-key and --token"),
        (("--provision-key", "env:KEY"), "--provision-key needs --provision-secret env:NAME"),
        (("--provision-secret", "env:KEY"), "--provision-secret belongs to --provision-key"),
        (("--provision-key", "secret", "--provision-secret", "env:SECRET"), "--provision-key takes no secret itself"),
        (("--token", "env:NO_SUCH"), "the environment has no variable NO_SUCH"),
        (("--request", "r.json", "--name", "x"), "--name and --gateway stand in the request that --request gives"),
        (("--key", "k.pem"), "--key belongs to --cert FILE, which is missing"),
        (("--cert", "nope.pem"), "cannot read the certificate nope.pem"),
        (("--request", "nope.json"), "cannot read the request nope.json"),
        ((*LOGS_IN, "--over", "mqttt"), "--over: expected mqtt"),
        ((*LOGS_IN, "--over", "ftp://h"), "--over: expected mqtt, mqtts, http"),
        ((*LOGS_IN, "--over", "mqtt://:1"), "--over 'mqtt://:1' is no address"),
        ((*LOGS_IN, "--over", "mqtt://h:x"), "--over 'mqtt://h:x' is no address"),
        ((*LOGS_IN, "--user", "x"), "--user needs --password env:NAME"),
        ((*LOGS_IN, "--no-account", "--try"), "--no-account contradicts --user, --password and --try"),
        ((*LOGS_IN, "--ca", "nope.pem"), "cannot read the CA nope.pem"),
    ],
    ids=str,
)
def test_wrong_usage(options: tuple[str, ...], said: str, doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    del doctor
    assert main(["doctor", "thingsboard", "--against", "http://127.0.0.1:1", *options]) == 4
    assert capsys.readouterr().err.startswith(said)


def test_files_with_secrets_are_the_owner_s_alone(
    doctor: Doctor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del doctor
    file = tmp_path / "request.json"
    file.write_text("{}")
    file.chmod(0o644)

    assert main(["doctor", "thingsboard", "--against", "http://127.0.0.1:1", "--request", str(file)]) == 4
    assert f"can be read by others: chmod 600 {file}" in capsys.readouterr().err


def test_a_key_of_another_certificate(bench: Bench, doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    """The authority's certificate stands first in the file: a frequent slip."""
    del doctor
    ca = bench.authority("Acme CA")
    options = bench.cert_files(ca.issue_client(NAME), ca)
    cert = Path(options[1])
    leaf, authority = re.findall(rb"-----BEGIN.*?-----END CERTIFICATE-----\n", cert.read_bytes(), re.DOTALL)
    cert.write_bytes(authority + leaf)

    assert main(["doctor", "thingsboard", "--against", bench.url, *options, "--over", bench.over("mqtts")]) == 4
    assert "the device's own has to stand first" in capsys.readouterr().err


def test_a_server_file_names_the_listeners(bench: Bench, doctor: Doctor, tmp_path: Path) -> None:
    bench.device()
    file = tmp_path / "server.yaml"
    file.write_text(
        f"platform: thingsboard\nhttp: {bench.url}\nmqtt: {bench.ready['mqtt']}\npassword: env:TB_PASSWORD\n"
        f"user: tenant@thingsboard.org\n"
    )

    page = doctor(str(file), *LOGS_IN, "--over", "mqtt")
    assert (page.names, page.code) == ([], 0)
    assert page.document["seen"][0].startswith("account tenant@thingsboard.org")


def test_an_account_that_is_not_accepted(bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A")

    page = doctor(bench, *ASKS, "--user", "tenant@thingsboard.org", "--password", "env:OTHER")

    assert page.names == ["name-unseen"]
    assert any("does not accept the account" in gap for gap in page.document["not_seen"])


# -- a REST API that answers anything


@pytest.mark.parametrize("seed", range(12))
def test_answers_that_nobody_expects(seed: int, bench: Bench, doctor: Doctor) -> None:
    """Whatever the REST API says, there is a page, and nothing is provisioned."""
    bench.profile("Model A", CHECK if seed % 2 else ALLOW)
    bench.device("gw-18", token="another-token-0123")
    address = bench.ready["http"]

    with in_front_of(address, one_value_of_another_kind(seed)) as url:
        page = doctor(url, *ASKS, "--over", bench.over("mqtt"), "--within", "5")
        login = doctor(url, *LOGS_IN, "--over", bench.over("mqtt"), "--within", "5")

    assert page.code in (0, 1, 3)
    assert login.code == 1
    assert bench.names() == ["gw-18"]


def test_the_name_that_no_device_can_have_is_one(bench: Bench) -> None:
    """The whole harmlessness rests on that: a request with it is refused where all others are granted."""
    bench.profile("Model A")

    assert ask(bench, name=IMPOSSIBLE_NAME) == "FAILURE"
    assert bench.names() == []
