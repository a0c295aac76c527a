"""`fleetrig doctor hawkbit` against a running server: what it says, what it asks, and that its advice works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.doctor.options import account_to_look_with
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword
from tests.harness.doctor.conftest import GATEWAY_KEY, OTHER, RIGHT, Doctor, Server, expected, flat, server_of
from tests.harness.served import Served

pytestmark = pytest.mark.slow

TT, GW = ("--target-token", "env:TOKEN"), ("--gateway-token", "env:KEY")


def test_a_new_server_takes_nobody(server: Server, doctor: Doctor) -> None:
    server.target("gw-17")

    assert doctor(server.url, *TT) == (1, expected("mode-off"))


def test_a_device_that_is_let_in(server: Server, doctor: Doctor) -> None:
    server.target("gw-17")
    server.configure(target=True)

    assert doctor(server.url, *TT) == (0, expected("let-in"))
    assert server.mgmt("GET", "/targets/gw-17").json()["updateStatus"] == "registered"


@pytest.mark.parametrize("option", ["--id", "--tenant"])
def test_a_name_that_is_no_text(option: str, server: Server, doctor: Doctor) -> None:
    code, said = doctor(server.url, option, "\udcff")
    assert code == 4
    assert f"{option} '\\udcff' holds bytes that are not UTF-8" in said


def test_another_token(server: Server, doctor: Doctor) -> None:
    server.target("gw-17", OTHER)
    server.configure(target=True)

    assert doctor(server.url, *TT) == (1, expected("token-differs"))
    assert server.mgmt("GET", "/targets/gw-17").json()["updateStatus"] == "unknown"


def test_no_such_target(server: Server, doctor: Doctor) -> None:
    server.target("GW-17", OTHER)
    server.configure(target=True)

    assert doctor(server.url, *TT) == (1, expected("unknown-target"))
    assert not server.knows("gw-17")


def test_an_unknown_device_with_a_gateway_token_is_not_registered_unless_wanted(server: Server, doctor: Doctor) -> None:
    server.configure(gateway=True, key=GATEWAY_KEY)

    assert doctor(server.url, *GW) == (0, expected("would-register"))
    assert not server.knows("gw-17")
    assert doctor(server.url, *GW, "--try") == (0, expected("registered"))
    assert server.knows("gw-17")


@pytest.mark.parametrize(
    ("key", "options", "said"),
    [
        ("", GW, "1 CAUSE     Tenant DEFAULT has no gateway key."),
        ("another", GW, "1 CAUSE     The gateway key of tenant DEFAULT is another one"),
        (GATEWAY_KEY, ("--target-token", "env:KEY"), "is the gateway key of the"),
        (
            RIGHT,
            ("--gateway-token", "env:OTHER"),
            "The gateway key of tenant DEFAULT is another one",
        ),
    ],
)
def test_gateway_keys(server: Server, doctor: Doctor, key: str, options: tuple[str, ...], said: str) -> None:
    server.target("gw-17")
    server.configure(target=True, gateway=True, key=key)

    code, page = doctor(server.url, *options)

    assert code == 1
    assert said in page


def test_another_tenant(server: Server, doctor: Doctor) -> None:
    server.target("gw-17")
    server.configure(target=True)

    assert doctor(server.url, *TT, "--tenant", "DEFAUTL") == (1, expected("other-tenant"))
    assert doctor(server.url, *TT, "--tenant", "default")[0] == 0


def test_an_account_of_another_tenant(server: Server, doctor: Doctor) -> None:
    server.target("gw-17")
    server.configure(target=True)

    code, page = doctor(server.url, *TT, "--user", "acme", "--password", "env:ACME")

    assert code == 0, "the device itself is right"
    assert "account acme of tenant ACME (and so is the rest)" in page


def test_an_account_with_few_rights_says_less(server: Server, doctor: Doctor) -> None:
    server.target("gw-17", OTHER)

    assert doctor(server.url, *TT, "--user", "reader", "--password", "env:READER") == (1, expected("few-rights"))


def test_an_account_that_is_not_accepted(server: Server, doctor: Doctor) -> None:
    code, page = doctor(server.url, *TT, "--user", "admin", "--password", "env:READER")

    assert code == 1
    assert "the server does not accept the account 'admin': check user and password" in flat(page)
    assert "1 possible  All of these look the same from outside" in page


def test_without_an_account_a_gateway_token_is_judged_by_the_answer(server: Server, doctor: Doctor) -> None:
    server.configure(gateway=True, key=GATEWAY_KEY)
    without = ("--user", "admin", "--password", "env:READER")

    code, page = doctor(server.url, *GW, *without)
    refused, wrong = doctor(server.url, "--gateway-token", "env:OTHER", *without)

    assert code == 0
    assert "LET IN  The server lets this device in with this gateway token." in page
    assert "Its first poll registers a new target gw-17" in page
    assert refused == 1
    assert "All of these look the same from outside" in flat(wrong)
    assert not server.knows("gw-17")


@pytest.mark.parametrize(
    ("controller_id", "options", "said"),
    [
        ("a%b", TT, "The id holds % (sent as %25)."),
        ("..", TT, "The id is .., which means a folder in a path."),
        ("gw 17", (*GW, "--try"), 'The id "gw 17" holds white space.'),
        ("x" * 257, (*GW, "--try"), "The id has 257 characters; a target may have 256 at most"),
        ("x" * 200, (*GW, "--try"), "The id has 200 characters."),
    ],
)
def test_impossible_ids(
    server: Server, doctor: Doctor, controller_id: str, options: tuple[str, ...], said: str
) -> None:
    server.configure(gateway=True, key=GATEWAY_KEY, target=True)

    code, page = doctor(server.url, *options, controller_id=controller_id)

    assert code == 1
    assert "and answers 400." in page
    assert f"1 CAUSE     {said}" in page
    assert server.mgmt("GET", "/targets").json()["total"] == 0


def test_nothing_presented(server: Server, doctor: Doctor) -> None:
    server.configure(gateway=True)

    code, page = doctor(server.url)

    assert code == 1
    assert "The device presents nothing" in page
    assert "On is: gateway token." in page


def test_similar_ids_are_found_among_many(server: Server, doctor: Doctor) -> None:
    server.configure(target=True)
    crowd = [{"controllerId": f"a-{number:04d}"} for number in range(600)]
    server.mgmt("POST", "/targets", [*crowd, {"controllerId": "press-00l7"}])
    try:
        page = doctor(server.url, *TT, controller_id="press-0017")[1]
    finally:
        for record in [*crowd, {"controllerId": "press-00l7"}]:
            server.mgmt("DELETE", f"/targets/{record['controllerId']}")

    assert "There is press-00l7 (looks alike, but has l where this has 1)." in flat(page)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_do_what_they_say(server: Server, doctor: Doctor) -> None:
    """From an unknown device on a new server to one that is let in, by the page's commands alone."""
    environ = {**os.environ, "TOKEN": RIGHT}
    rounds = 0
    while (said := doctor(server.url, *TT))[0] == 1:
        rounds += 1
        assert rounds <= 2, said[1]
        for command in re.findall(r"^ {4}(curl .*(?:\n {6}.*)*)", said[1], re.MULTILINE):
            whole = command.replace("-u admin", "-sS --fail -u admin:admin").replace(
                "http://127.0.0.1:PPPPP", server.url
            )
            done = subprocess.run(["sh", "-c", whole], env=environ, timeout=60, check=False, capture_output=True)
            assert done.returncode == 0, (command, done.stderr)

    assert said[0] == 0
    assert rounds == 1, "one page names all causes"


# -- start-up properties, which nobody can look up


@pytest.mark.parametrize(
    ("properties", "code", "said"),
    [
        (["hawkbit.server.ddi.security.rp.trustedIPs=192.0.2.1"], 1, "3 possible  The server looks at devices'"),
        (["hawkbit.server.security.allowedHostNames=hawkbit.test"], 1, "1 LIKELY    400 without a body, before any"),
        (["hawkbit.server.security.clients.blacklist=127\\..*"], 1, "1 LIKELY    403 without a body, before any"),
    ],
)
def test_start_up_properties(tmp_path: Path, doctor: Doctor, properties: list[str], code: int, said: str) -> None:
    options = [
        "hawkbit.server.ddi.security.authentication.targettoken.enabled=true",
        *properties,
    ]
    with Served(tmp_path, *(f"--set={one}" for one in options)) as served:
        server = server_of(served)
        server.mgmt("POST", "/targets", [{"controllerId": "gw-17", "securityToken": RIGHT}])

        assert (got := doctor(server.url, *TT))[0] == code
        assert said in got[1]


# -- for machines


def test_json(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TOKEN", RIGHT)
    server.target("gw-17", OTHER)
    server.configure(target=True)

    code = main(["doctor", "hawkbit", "--against", server.url, "--id", "gw-17", *TT, "--json"])
    document = json.loads(capsys.readouterr().out)

    assert code == document["exit_code"] == 1
    assert document["platform"] == "hawkbit"
    assert document["outcome"] == "refused"
    assert document["answered"] == "401, an empty body"
    assert [(one["name"], one["weight"]) for one in document["diagnoses"]] == [("token-differs", "cause")]
    assert document["diagnoses"][0]["command"][0] == "curl -u admin -X PUT \\"
    assert document["not_seen"] == []


# -- usage


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((*TT, *GW), "a device has one credential here: give --target-token, --gateway-token or --cert"),
        (("--target-token", "secret"), "--target-token takes no secret itself"),
        (("--target-token", "env:NO_SUCH"), "the environment has no variable NO_SUCH"),
        (("--key", "k.pem"), "--key and --authority belong to --cert FILE, which is missing"),
        (("--user", "admin"), "--user needs --password env:NAME"),
        (("--cert", "nope.pem"), "cannot read the certificate nope.pem"),
        (("--ca", "nope.pem"), "cannot read the CA nope.pem"),
        (("--ca", "x", "--insecure"), "--ca and --insecure contradict each other"),
        (("--tenant", ""), "--tenant is empty"),
    ],
)
def test_wrong_usage(doctor: Doctor, options: tuple[str, ...], said: str) -> None:
    code, page = doctor("http://127.0.0.1:1", *options)

    assert code == 4
    assert page.startswith(said)


def test_no_address(doctor: Doctor) -> None:
    assert doctor("ftp://127.0.0.1", *TT)[0] == 4
    assert doctor("http://127.0.0.1:1", controller_id="") == (4, "--id is empty\n")


def test_a_server_file(server: Server, doctor: Doctor, tmp_path: Path) -> None:
    server.target("gw-17")
    server.configure(target=True)
    file = tmp_path / "server.yaml"
    file.write_text(f"http: {server.url}\nuser: acme\npassword: env:ACME\ntenant: DEFAULT\n")

    code, page = doctor(str(file), *TT)

    assert code == 0
    assert "account acme of tenant ACME" in page


def test_the_well_known_account_is_for_loopback_only() -> None:
    far, near = "http://192.0.2.1:8080", "http://127.0.0.1:8080"

    def account(url: str, user: str | None = None) -> UserPassword | None:
        return account_to_look_with(remote_server_from(url, "hawkbit", may_change_settings=False), user, None)

    assert account(far) is None
    assert account(near) == UserPassword("admin", "admin")
    with pytest.raises(UsageError):
        account(far, "admin")


def test_a_token_that_another_target_has_too(server: Server, doctor: Doctor) -> None:
    server.target("gw-17")
    server.target("gw-18")
    server.configure(target=True)

    code, page = doctor(server.url, *TT)

    assert code == 0
    assert "The same token is held by target gw-18: each of these units can pretend" in flat(page)
