"""`fleetrig run --against` a Hono that others use too: what is skipped, what is left, what secrets are shown."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket
from typing import Any, TypeVar

import pytest

from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.harness.servers.trust import verify_with
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.realtime import RealBench
from tests.harness.command import PROJECT, Running, fleetrig
from tests.harness.platforms.hono.library import SCENARIOS
from tests.harness.runs import write_scenario
from tests.harness.served import Served

pytestmark = pytest.mark.slow

LISTENERS = ("registry", "http", "https", "mqtt", "mqtts", "coap", "coaps")
LONG = """
    scenario: It goes on
    devices: {flow: hono, count: 2, over: OVER, serial: "HN-{n}", credential: CREDENTIAL, interval: 1s}
    phases:
      - name: starts
        do: [DO]
        within: 20s
        expect: [{sends: {name: telemetry}}]
      - name: for ever
        for: 9000h
"""
RUNS = (
    "hono/manual[over=http,credential=password]",
    "hono/manual[over=mqtt,credential=certificate]",
    "hono/psk",
    "hono/first_contact[over=http]",
    "hono/first_contact[over=mqtt]",
    "hono/first_contact[over=coap]",
    "hono/authority_rollover[over=mqtt]",
    "hono/renamed_with_template[over=http]",
    "hono/tenant_disabled[over=mqtt,credential=certificate]",
    "hono/tenant_deleted[over=http]",
    "hono/strangers[over=coap,credential=forged_certificate]",
    "hono/gateway_certificate[over=mqtt]",
    "hono/limit[over=http]",
)
SERVED_BODY = """
    scenario: An application hears of devices and speaks to them
    needs: [hono.notifications, reference.reasons]
    devices: {flow: hono, count: 2, over: OVER, serial: "HN-{n}", credential: certificate, interval: 1s,
              waits_for_commands: 5s}
    phases:
      - name: told
        do: [power_on, {wait: 3s}, {command: {name: blink, payload: {times: 3}}}]
        within: 20s
        expect:
          - sends: {name: command-response, times: 1}
          - steps: {in_order: [credentials_created, notification_sent], times: 2}
          - registry: {devices: 2, notifications: 1, tenant_devices: 2}
"""
THEIRS = "theirs"
SECRETS = re.compile(r'"(pwd-hash|key)": "([^"]+)"')

T = TypeVar("T")


class Foreign:
    """The server, its SERVER.yaml, and what an operator sees on it."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.url, self.control = f"http://{served.ready['registry']}", served.ready["control"]
        self.file = folder / "SERVER.yaml"
        places = "".join(f"{name}: {url_or_place(name, served.ready[name])}\n" for name in LISTENERS)
        self.file.write_text(f"platform: hono\n{places}ca: {served.ready['ca']}\n")
        self._admin = HonoAdmin(self.url, UserPassword("", ""), THEIRS)

    def ask(self, call: Callable[[HonoAdmin], AdminCall[T]]) -> T:
        async def asked() -> T:
            async with RealBench(Trace()) as bench:
                return await bench.run(call(self._admin))

        return asyncio.run(asked())

    def tenants(self) -> list[str]:
        """Everything that a run could leave behind hangs on a tenant of its own."""
        found: dict[str, Any] = self.ask(lambda admin: admin.call("GET", "/tenants?pageSize=200"))
        return sorted(one["id"] for one in found["result"])

    def theirs(self) -> object:
        """All that stands in the tenant of others."""
        ids = self.ask(lambda admin: admin.device_ids())
        return json.dumps([self.ask(lambda admin, one=one: admin.device(one)) for one in sorted(ids)])  # type: ignore[misc]


def secrets_in(event: TraceEvent) -> Iterator[str]:
    """What devices and operators say of passwords and keys."""
    match event.envelope:
        case HttpRequest() as request:
            yield from filter(None, [(request.header("Authorization") or "").removeprefix("Basic ")])
            yield from shown_in(body_bytes(request.body).decode("utf-8", "replace"))
        case MqttConnect(password=bytes(password)):
            yield password.decode()


def shown_in(body: str) -> Iterator[str]:
    """A key also as the device has it."""
    for name, secret in SECRETS.findall(body):
        yield secret
        if name == "key":
            yield b64decode(secret).decode()


def test_commands_and_notifications_go_over_the_control_interface_of_a_served_one(
    tmp_path: Path, foreign: Foreign
) -> None:
    file = tmp_path / "SERVER.yaml"
    file.write_text(f"{foreign.file.read_text()}control: http://{foreign.control}\n")
    body = SERVED_BODY.replace("OVER", "mqtt")
    write_scenario(tmp_path, body, "hono/x", "")
    done = fleetrig("run", "hono/x", "--against", str(file), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_server_that_tells_no_steps_breaks_a_run_that_asks_for_none(tmp_path: Path, foreign: Foreign) -> None:
    """`times: 0` would hold whatever it does."""
    body = LONG.replace("OVER", "http").replace("CREDENTIAL", "password").replace("DO", "preregister, power_on")
    body = body.replace("{sends: {name: telemetry}}", "{steps: {in_order: [credentials_created], times: 0}}")
    body = body.replace("within: 20s", "for: 5s")
    write_scenario(tmp_path, body, "hono/x", "")
    done = fleetrig("run", "hono/x", "--against", str(foreign.file), cwd=tmp_path)
    assert done.returncode == Exit.BROKEN, done.stdout
    assert "does not tell the steps that it takes; say `needs: [reference.reasons]`" in " ".join(done.stdout.split())


def test_a_run_that_ends_before_it_has_asked_for_a_tenant_deletes_nothing(tmp_path: Path, foreign: Foreign) -> None:
    """The SERVER.yaml names a tenant of others, and a control interface that nobody has there."""
    before = foreign.tenants(), foreign.theirs()
    with socket() as unused:
        unused.bind(("127.0.0.1", 0))
        file = tmp_path / "SERVER.yaml"
        control = f"http://127.0.0.1:{unused.getsockname()[1]}"
        file.write_text(f"{foreign.file.read_text()}tenant: {THEIRS}\ncontrol: {control}\n")
        body = LONG.replace("OVER", "http").replace("CREDENTIAL", "password").replace("DO", "power_on")
        write_scenario(tmp_path, body, "hono/x", "")
        done = fleetrig("run", "hono/x", "--against", str(file), cwd=tmp_path)
    assert done.returncode == Exit.BROKEN, done.stdout
    assert control in done.stdout
    assert (foreign.tenants(), foreign.theirs()) == before


def url_or_place(listener: str, place: str) -> str:
    scheme = {"registry": "http", "http": "http", "https": "https"}.get(listener)
    return place if scheme is None else f"{scheme}://{place}"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """Holds other people's things, under names that the scenarios use too."""
    folder = tmp_path_factory.mktemp("foreign")
    options = [word for name in LISTENERS for word in (f"--{name}", "127.0.0.1:0")]
    with Served(folder, "--platform", "hono", *options) as served:
        server = Foreign(served, folder)
        server.ask(lambda admin: admin.create_tenant({}))
        server.ask(lambda admin: admin.create_device("HN-0001", {"ext": {"ours": True}}))
        yield server


def test_runs_touch_nothing_of_others_and_show_no_secret(tmp_path: Path, foreign: Foreign) -> None:
    before = foreign.tenants(), foreign.theirs()
    server = remote_server_from(str(foreign.file), "hono", may_change_settings=False)

    given: set[str] = set()

    def note(event: TraceEvent) -> None:
        given.update(secrets_in(event))

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
    assert (foreign.tenants(), foreign.theirs()) == before
    traces = [trace.read_text() for trace in tmp_path.glob("*.jsonl")]
    assert len(traces) == len(RUNS)
    assert given
    assert [secret for secret in given if any(secret in text for text in traces)] == []


def test_our_own_server_shows_no_secret_either(tmp_path: Path) -> None:
    """It is told passwords and keys by the operator, and hears them from devices."""
    given: set[str] = set()

    def note(event: TraceEvent) -> None:
        given.update(secrets_in(event))

    wanted = ("hono/password_rotation[over=http]", "hono/password_rotation[over=mqtt]", "hono/psk")
    for position, expanded in enumerate(plan(wanted, SCENARIOS)):
        trace = tmp_path / f"{position}.jsonl"
        report = asyncio.run(run(expanded, RunOptions(results=tmp_path, trace=trace, listener=note)))
        assert report.verdict is Verdict.PASSED, report
        text = trace.read_text()
        assert [secret for secret in given if secret in text] == []
    assert len(given) >= 20


@pytest.mark.parametrize(
    ("run_id", "word"),
    [
        ("hono/first_contact[over=http]", "lacks https; if it listens there, say so in a SERVER.yaml: `https: "),
        ("hono/first_contact[over=mqtt]", "`mqtts: HOST:PORT`"),
        ("hono/psk", "`coaps: HOST:PORT`"),
        ("hono/clones[over=http]", "`can: [hono.no_orphans]`"),
        ("hono/lost_reply", "only fleetrig's own server has"),
    ],
)
def test_what_an_address_alone_does_not_tell_is_skipped_with_the_word_to_give(
    foreign: Foreign, run_id: str, word: str
) -> None:
    done = fleetrig("run", run_id, "--against", foreign.url, "--allow-skipped", cwd=PROJECT)
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
    assert word in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("over", "credential", "do"),
    [("mqtt", "certificate", "power_on"), ("http", "password", "preregister, power_on")],
)
def test_ctrl_c_takes_everything_back(tmp_path: Path, foreign: Foreign, over: str, credential: str, do: str) -> None:
    before = foreign.tenants()
    body = LONG.replace("OVER", over).replace("CREDENTIAL", credential).replace("DO", do)
    write_scenario(tmp_path, body, "hono/x", "")
    running = Running("run", "hono/x", "--against", str(foreign.file), "-v", cwd=tmp_path)
    while foreign.tenants() == before:
        assert running.process.poll() is None, running.said()
    assert running.interrupt() == 2, running.said()
    assert foreign.tenants() == before
