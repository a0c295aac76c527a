"""`fleetrig run --against` a ThingsBoard that others use too: what is skipped, what is left, what secrets are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin
from fleetrig.harness.platforms.thingsboard.issued_credentials import given_in, secrets_in
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import verify_with
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.realtime import RealBench
from tests.harness.command import PROJECT, Running, fleetrig
from tests.harness.platforms.thingsboard.library import SCENARIOS
from tests.harness.runs import write_scenario
from tests.harness.served import Served

pytestmark = pytest.mark.slow

LISTENERS = ("http", "mqtt", "mqtts", "coap", "coaps")
PROFILE = {
    "name": "theirs", "type": "DEFAULT", "transportType": "DEFAULT", "provisionType": "DISABLED",
    "profileData": {"configuration": {"type": "DEFAULT"}, "transportConfiguration": {"type": "DEFAULT"},
                    "provisionConfiguration": {"type": "DISABLED"}, "alarms": None},
}  # fmt: skip
LONG = """
    scenario: It goes on
    devices: {flow: thingsboard, count: 2, over: mqtt, serial: "TB-{n}", credential: CREDENTIAL, interval: 1s}
    phases:
      - name: starts
        do: power_on
        within: 20s
        expect: [{sends: {name: telemetry}}]
      - name: for ever
        for: 9000h
"""
RUNS = (
    "thingsboard/credentials",
    "thingsboard/mqtt_basic[over=http]",
    "thingsboard/protobuf[over=coap,credential=server_token]",
    "thingsboard/wrong_secret[over=coap]",
    "thingsboard/gateway",
    "thingsboard/nameless",
    "thingsboard/certificate[over=mqtt]",
    "thingsboard/certificate_chain",
    "thingsboard/pre_provisioned[over=mqtt]",
    "thingsboard/recovery/create_lost[credential=server_token]",
    "thingsboard/recovery/check_forgotten[accident=factory_reset,credential=server_token]",
)

T = TypeVar("T")


class Foreign:
    """The server, its SERVER.yaml, and what an operator sees on it."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.url = f"http://{served.ready['http']}"
        self.file = folder / "SERVER.yaml"
        places = "".join(f"{name}: {served.ready[name]}\n" for name in LISTENERS[1:])
        self.file.write_text(
            f"platform: thingsboard\nhttp: {self.url}\n{places}ca: {served.ready['ca']}\n"
            "can: [thingsboard.answers_once]\n"
        )
        self._admin = ThingsBoardAdmin(self.url, UserPassword("tenant@thingsboard.org", "tenant"), "Tenant")

    def ask(self, call: Callable[[ThingsBoardAdmin], AdminCall[T]]) -> T:
        async def asked() -> T:
            async with RealBench(Trace()) as bench:
                return await bench.run(call(self._admin))

        return asyncio.run(asked())

    def names(self) -> dict[str, list[str]]:
        """Everything that a run could leave behind."""
        profiles = sorted(one["name"] for one in self.ask(lambda admin: admin.profiles()))
        return {"devices": sorted(one["name"] for one in self.ask(lambda admin: admin.devices())), "profiles": profiles}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """Holds other people's things, under names that the scenarios use too."""
    folder = tmp_path_factory.mktemp("foreign")
    options = [word for name in LISTENERS for word in (f"--{name}", "127.0.0.1:0")]
    with Served(folder, "--platform", "thingsboard", *options) as served:
        server = Foreign(served, folder)
        server.ask(lambda admin: admin.save_profile(PROFILE))
        server.ask(lambda admin: admin.import_devices("theirs", [{"serial": "TB-0001"}, {"serial": "GW-0001-1"}]))
        yield server


def test_runs_touch_nothing_of_others_and_show_no_credential(tmp_path: Path, foreign: Foreign) -> None:
    before = foreign.names()
    server = remote_server_from(str(foreign.file), "thingsboard", may_change_settings=False)
    given: set[str] = set()

    def note(event: TraceEvent) -> None:
        given.update(secret for _, secret in secrets_in(given_in(event.envelope)))

    async def run_all() -> None:
        async def one(position: int, expanded: Any) -> None:
            assert server.ca is not None
            options = RunOptions(
                against=server, results=tmp_path, trace=tmp_path / f"{position}.jsonl", listener=note,
                verify=verify_with(server.ca, insecure=False),
            )  # fmt: skip
            report = await run(expanded, options)
            assert report.verdict is Verdict.PASSED, report

        await asyncio.gather(*(one(*pair) for pair in enumerate(plan(RUNS, SCENARIOS))))

    asyncio.run(run_all())
    assert foreign.names() == before
    assert len(given) > 20
    for trace in tmp_path.glob("*.jsonl"):
        text = trace.read_text()
        assert [secret for secret in given if secret in text] == []


@pytest.mark.parametrize(
    ("run_id", "word"),
    [
        ("thingsboard/first_contact", "lacks mqtt; if it listens there, say so in a SERVER.yaml: `mqtt: HOST:PORT`"),
        ("thingsboard/certificate[over=coap]", "`coaps: HOST:PORT`"),
        ("thingsboard/certificate_chain", "`mqtts: HOST:PORT`"),
        ("thingsboard/mqtt_basic[over=http]", "`mqtt: HOST:PORT`"),
        ("thingsboard/second_request", "`can: [thingsboard.answers_once]`"),
        ("thingsboard/lost_reply[over=http]", "only fleetrig's own server has"),
    ],
)
def test_what_an_address_alone_does_not_tell_is_skipped_with_the_word_to_give(
    foreign: Foreign, run_id: str, word: str
) -> None:
    done = fleetrig("run", run_id, "--against", foreign.url, "--allow-skipped", cwd=PROJECT)
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
    assert word in " ".join(done.stdout.split())


def test_an_address_alone_is_enough_for_http(foreign: Foreign) -> None:
    done = fleetrig(
        "run", "thingsboard/credentials[over=http,credential=own_token]", "--against", foreign.url, cwd=PROJECT
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("credential", ["server_token", "mqtt_basic"])
def test_ctrl_c_takes_everything_back(tmp_path: Path, foreign: Foreign, credential: str) -> None:
    before = foreign.names()
    write_scenario(tmp_path, LONG.replace("CREDENTIAL", credential), "thingsboard/x", "")
    running = Running("run", "thingsboard/x", "--against", str(foreign.file), "-v", cwd=tmp_path)
    while foreign.names()["devices"] == before["devices"]:
        assert running.process.poll() is None, running.said()
    assert running.interrupt() == 2, running.said()
    assert foreign.names() == before
