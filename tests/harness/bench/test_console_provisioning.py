"""Identities over consoles: what the bench file says is what the board has, and nobody else sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.bench.bench_file import read_bench
from fleetrig.harness.bench.console_provisioning import (
    check_can_be_provisioned,
    provision_over_console,
    values_for_board,
)
from fleetrig.harness.bench.opened_board import OpenedBoard, opened_board
from fleetrig.harness.bench.provisioning_part import known_places
from fleetrig.harness.platform import platform_of
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.hil.board import BoardSpec, ConsoleSpec, MadeOf, ProvisioningSpec
from fleetrig.hil.consoles.identity_over_console import fingerprint
from fleetrig.hil.flasher import WrongBoard
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.wall_clock import WallClock
from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.hono.flow import HonoDevice
from fleetrig.simulator.flows.hono.settings import HonoSettings
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import KuraSettings
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings

TOKEN = "0123456789abcdef-a-target-token"
VALUES = {"url": "http://127.0.0.1:8080", "tenant": "DEFAULT", "id": "GW-1", "token": TOKEN}
VARIABLES = ProvisioningSpec(
    variables={"fleetrig_server": "${url}", "fleetrig_id": "${serial}", "fleetrig_token": "${token}"}, host="10.0.2.2"
)
BOARD = BoardSpec(
    "left", "fake-board", "", identity={"serial#": "FAKE-1"}, console=ConsoleSpec("uboot"),
    emulated=MadeOf("fake", {"serial": "FAKE-1", "fault": "none", "agent": ""}), provisioning=VARIABLES,
)  # fmt: skip


def on_board(folder: Path, spec: BoardSpec, work: Callable[[OpenedBoard], Awaitable[None]]) -> str:
    """All that was written down of what went over its line."""

    async def story() -> Path:
        async with opened_board(spec, folder, WallClock(), None, Trace(), Secrets()) as board:
            await work(board)
            return board.log

    return asyncio.run(story()).read_text()


def test_variables_are_in_the_environment_and_masked_in_the_evidence(tmp_path: Path) -> None:
    secrets, kept = Secrets(), dict[str, str]()

    async def work(board: OpenedBoard) -> None:
        written = await provision_over_console(board, VALUES, secrets)
        assert written.fingerprints["fleetrig_token"] == fingerprint(TOKEN.encode())
        said = (await board.console().run("printenv fleetrig_server; printenv fleetrig_token")).output
        kept.update((name, value) for name, _, value in (line.partition("=") for line in said.splitlines()))

    evidence = on_board(tmp_path, BOARD, work)
    assert kept == {"fleetrig_server": "http://10.0.2.2:8080", "fleetrig_token": TOKEN}
    assert "fleetrig_id=GW-1" in evidence
    assert TOKEN not in evidence
    assert secrets.hide(TOKEN) != TOKEN


def test_a_board_that_is_another_is_given_nothing(tmp_path: Path) -> None:
    async def work(board: OpenedBoard) -> None:
        with pytest.raises(WrongBoard, match="it says that it is serial#=FAKE-1"):
            await provision_over_console(board, VALUES, Secrets())

    evidence = on_board(tmp_path, replace(BOARD, identity={"serial#": "FAKE-2"}), work)
    assert "printenv serial#" in evidence
    assert "setenv" not in evidence


@pytest.mark.parametrize("value", ["it's", "a\nb", "$(reboot)", "`x`", 'a"b', "a\\b"])
def test_a_value_that_a_shell_would_read_is_refused_and_not_shown(value: str, tmp_path: Path) -> None:
    async def work(board: OpenedBoard) -> None:
        with pytest.raises(UsageError, match=r"left: the value for \$\{token\} has a quote") as refused:
            await provision_over_console(board, {**VALUES, "token": value}, Secrets())
        assert value not in str(refused.value)

    assert "setenv" not in on_board(tmp_path, BOARD, work)


def test_what_a_run_does_not_give_is_named(tmp_path: Path) -> None:
    spec = replace(BOARD, provisioning=ProvisioningSpec(variables={"key": "${provision_key}"}))

    async def work(board: OpenedBoard) -> None:
        with pytest.raises(UsageError, match=r"has the place \$\{provision_key\}, and here is serial, url, tenant"):
            await provision_over_console(board, VALUES, Secrets())

    on_board(tmp_path, spec, work)


WITHOUT = {
    "nothing is said": (replace(BOARD, provisioning=None), "left has no provisioning: say in the bench file"),
    "files for U-Boot": (
        replace(BOARD, provisioning=ProvisioningSpec(files={"/a": "b"})),
        "its console is uboot, and its provisioning needs linux",
    ),
    "what another platform gives": (
        replace(BOARD, console=ConsoleSpec("linux"), provisioning=ProvisioningSpec(files={"/a": "${provision_key}"})),
        "has the place .{provision_key}, and units of hawkbit are given url, ",
    ),
    "nobody signs": (
        replace(BOARD, console=ConsoleSpec("linux"), provisioning=ProvisioningSpec(key="/a.key", certificate="/a.pem")),
        "makes its own key: say who signs for it",
    ),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_a_board_that_cannot_be_provisioned_is_told_beforehand(name: str) -> None:
    spec, said = WITHOUT[name]
    with pytest.raises(UsageError, match=said):
        check_can_be_provisioned(spec, platform_of("hawkbit"))


def test_only_this_machine_has_another_name_for_the_board() -> None:
    given = {
        "url": "http://localhost:8080/ui",
        "far": "mqtt://gw.example:1883",
        "v6": "coap://[::1]:5683",
        "id": "GW-1",
    }
    assert values_for_board(VARIABLES, given) == {
        "serial": "GW-1",
        "url": "http://10.0.2.2:8080/ui",
        "far": "mqtt://gw.example:1883",
        "v6": "coap://10.0.2.2:5683",
        "id": "GW-1",
    }


DEVICES: dict[str, Behaviour] = {
    "thingsboard": ThingsBoardDevice(ThingsBoardSettings("mqtts://h:1"), None, None),
    "hono": HonoDevice(HonoSettings("mqtts://h:1")),
    "kura": KuraGateway(KuraSettings()),
}


def test_every_value_that_platforms_give_has_a_place() -> None:
    given = {"confirmation"}
    for platform in map(platform_of, PLATFORMS):
        given |= {*platform.credential_values(None)}
        if platform.name in DEVICES:
            given |= {*platform.behaviour_values(DEVICES[platform.name])}
    assert set(known_places()) == given | {"url", "tenant", "id", "serial", "mac"}
    assert {platform for platform in PLATFORMS if platform_of(platform).registrar is not None} == set(PLATFORMS)


MISTAKES = {
    "{files: {/data/token: '${tokn}'}}": "the place 'tokn' is not known here; did you mean 'token'?",
    "{files: {token: x}}": "expected the whole path of a file on the board, such as /data/identity",
    "{variables: {'a b': x}}": "expected a variable of U-Boot",
    "{host: 10.0.2.2}": "expected files, variables or csr",
    "{files: {/a: b}, variables: {a: b}}": "variables are for U-Boot, files and csr for Linux",
    "{csr: {key: /data/k}}": "certificate is missing",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_are_found_when_the_file_is_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bench.yaml"
    path.write_text(f"boards:\n  left:\n    type: gw\n    port: /dev/ttyS0\n    provisioning: {text}\n")
    with pytest.raises(UsageError) as mistakes:
        read_bench(path)
    assert MISTAKES[text] in str(mistakes.value)
    assert ":5:" in str(mistakes.value)


def test_a_file_says_how_a_board_takes_its_identity(tmp_path: Path) -> None:
    path, given = (
        tmp_path / "bench.yaml",
        "{files: {/data/id: 'T=${token} $HOME ${HOME}'}, csr: {key: /k, certificate: /c}}",
    )
    path.write_text(f"boards:\n  left:\n    type: gw\n    port: /dev/ttyS0\n    provisioning: {given}\n")
    spec: Any = read_bench(path).board("left").provisioning
    assert spec == ProvisioningSpec({"/data/id": "T=${token} $HOME ${HOME}"}, {}, "/k", "/c")
