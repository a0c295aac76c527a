"""A server that others use too: what runs, simulations and registrars do there, what they leave, what they say."""

from __future__ import annotations

import asyncio
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import pytest

from fleetrig.harness.platform import UnitSighting, UnitSite, UnitValues
from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.platform import admin_of
from fleetrig.harness.platforms.kura.registrar import KuraRegistrar
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.platforms.kura.signers import signers_of
from fleetrig.harness.platforms.kura.vocabulary import PROGRAM_VALUES
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall, Director, Until
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.flows.kura.components import DataService, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings
from fleetrig.simulator.stages import Stage
from tests.harness.command import fleetrig
from tests.harness.runs import write_scenario
from tests.harness.served import Served

pytestmark = pytest.mark.slow

T = TypeVar("T")
DEVICES = """
    scenario: It works
    devices: {flow: kura, over: mqtt, count: 2, serial: "KU-{n}", credential: CREDENTIAL, interval: 1s, TLS
              provisioning: {enabled: IS_ON, retry_interval: 2s, timeout: 10s}, data_service: {retry_interval: 2s}}
"""
ONLINE = """
    phases:
      - name: they come
        do: power_on
        within: 30s
        expect:
          - reaches: {stage: online}
          - registry: {devices: 2, connection: CONNECTED, account: acct, account_devices: 2}
"""


class Foreign:
    """The server, its SERVER.yaml, and what an operator sees on it."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.ready = served.ready
        self.url = f"http://{served.ready['http']}"
        self.file = folder / "SERVER.yaml"
        places = "".join(f"{name}: {served.ready[name]}\n" for name in ("mqtt", "mqtts"))
        self.file.write_text(f"platform: kura\nhttp: {self.url}\n{places}ca: {served.ready['ca']}\n")
        listeners = {name: served.ready[name] for name in ("mqtt", "mqtts")}
        self.server = RemoteServer(self.url, SERVER.account, tenant=SERVER.tenant, listeners=listeners)
        self.admin = admin_of(self.server)

    def ask(self, call: Callable[[KuraAdmin], AdminCall[T]]) -> T:
        async def asked() -> T:
            async with RealBench(Trace()) as bench:
                return await bench.run(call(self.admin))

        return asyncio.run(asked())

    def names(self) -> dict[str, list[str]]:
        """Everything that could be left behind: accounts, and users of the provisioning account."""

        def found(admin: KuraAdmin) -> AdminCall[dict[str, list[str]]]:
            yield from admin.greet()
            accounts = yield from admin.listed(f"{admin.scope_id}/accounts")
            scope = yield from admin.account_id("ec-provisioning")
            users = yield from admin.listed(f"{scope}/users")
            return {"accounts": [one["name"] for one in accounts], "users": [one["name"] for one in users]}

        return self.ask(found)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    folder = tmp_path_factory.mktemp("foreign")
    options = [word for name in SERVER.listeners for word in (f"--{name}", "127.0.0.1:0")]
    with Served(folder, "--platform", "kura", *options, "--set", "kura.birth-wait-s=0") as served:
        yield Foreign(served, folder)


def head(credential: str, *, tls: bool = False) -> str:
    is_on = "false" if credential == "password" else "true"
    said = DEVICES.replace("CREDENTIAL", credential).replace("IS_ON", is_on)
    return said.replace("TLS", "tls: true," if tls else "")


@pytest.mark.parametrize(("credential", "tls"), [("bootstrap", False), ("password", True)])
def test_a_run_leaves_nothing_behind_and_shows_no_secret(
    foreign: Foreign, tmp_path: Path, credential: str, tls: bool
) -> None:
    before = foreign.names()
    write_scenario(tmp_path, ONLINE, "kura/x", head(credential, tls=tls))
    trace = tmp_path / "t.jsonl"
    done = fleetrig("run", "kura/x", "--against", str(foreign.file), "--trace", str(trace), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert foreign.names() == before
    assert "aA1!" not in trace.read_text()


class WithoutRequests(BaseHTTPRequestHandler):
    """As a Kapua answers: it has all but `/v2`. What it has is asked of `behind`."""

    behind = ""
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/v2"):
            self._say(404, b"<html>HTTP 404 Not Found</html>")
            return
        headers = {name: value for name, value in self.headers.items() if name in ("Authorization", "Content-Type")}
        asked = urllib.request.Request(self.behind + self.path, body or None, headers, method=self.command)
        try:
            with urllib.request.urlopen(asked) as said:
                self._say(said.status, said.read())
        except urllib.error.HTTPError as refused:
            self._say(refused.code, refused.read())

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests say nothing."""


@pytest.fixture
def kapua(foreign: Foreign, tmp_path: Path) -> Iterator[str]:
    """The SERVER.yaml of one."""
    methods = dict.fromkeys(("do_GET", "do_POST", "do_PUT", "do_DELETE"), WithoutRequests.answer)
    handler = type("Handler", (WithoutRequests,), {"behind": foreign.url, **methods})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = tmp_path / "KAPUA.yaml"
        file.write_text(f"platform: kura\nhttp: http://127.0.0.1:{server.server_port}\nmqtt: {foreign.ready['mqtt']}\n")
        yield str(file)
        server.shutdown()


@pytest.mark.parametrize(
    ("credential", "code", "word"),
    [("bootstrap", Exit.BROKEN, "this server has no /v2/provisionRequests"), ("password", Exit.PASSED, "1 passed")],
)
def test_a_server_without_provision_requests_is_named_and_plain_gateways_run_there(
    foreign: Foreign, kapua: str, tmp_path: Path, credential: str, code: Exit, word: str
) -> None:
    before = foreign.names()
    write_scenario(tmp_path, ONLINE, "kura/x", head(credential))
    done = fleetrig("run", "kura/x", "--against", kapua, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert word in " ".join(done.stdout.split())
    assert foreign.names() == before


def test_an_address_alone_is_not_enough(foreign: Foreign, tmp_path: Path) -> None:
    write_scenario(tmp_path, ONLINE, "kura/x", head("bootstrap"))
    done = fleetrig("run", "kura/x", "--against", foreign.url, "--allow-skipped", cwd=tmp_path)
    assert "lacks mqtt; if it listens there, say so in a SERVER.yaml: `mqtt: HOST:PORT`" in " ".join(
        done.stdout.split()
    )


@pytest.mark.parametrize(
    "more", [(), ("--transport", "mqtts", "--credentials", "password")], ids=["bootstrap", "password"]
)
def test_a_simulation_is_gone_afterwards(foreign: Foreign, tmp_path: Path, more: tuple[str, ...]) -> None:
    before, trace = foreign.names(), tmp_path / "t.jsonl"
    done = fleetrig(
        "simulate", "kura", "--against", str(foreign.file), "--register", "--count", "2", "--messages", "1", "--spread",
        "0s", "--interval", "1s", "--retry-interval", "2s", "--trace", str(trace), *more, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == Exit.PASSED, done.stdout + done.stderr
    assert "2 of 2 devices came through; 2 messages, 0 failures\n" in done.stdout
    assert re.search(r"^ +login +2 +0 ", done.stdout, re.MULTILINE), "how long they took"
    assert foreign.names() == before
    assert "aA1!" not in trace.read_text()


def test_who_is_not_let_in_hears_what_to_do(foreign: Foreign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S", "wrong")
    done = fleetrig(
        "simulate", "kura", "--against", f"mqtt://{foreign.ready['mqtt']}", "--credentials", "password", "--account",
        "kapua-sys", "--user", "nobody", "--secret", "env:S", "--count", "1", "--for", "2s", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == Exit.FAILED
    assert "a user of the account kapua-sys who may connect to the broker" in done.stdout


# Units that stay


def registrar(foreign: Foreign, group: str) -> KuraRegistrar:
    site = UnitSite(foreign.server, Secrets(), lambda: "0" * 32, group=group)
    return KuraRegistrar(site, admin_of(foreign.server))


def ask(call: Callable[[], AdminCall[T]]) -> T:
    async def asked() -> T:
        async with RealBench(Trace()) as bench:
            return await bench.run(call())

    return asyncio.run(asked())


def sighting_of_board(foreign: Foreign, own: KuraRegistrar, given: UnitValues, group: str) -> UnitSighting:
    """While a board is connected that was told so, and has provisioned itself."""
    told = given.given
    scope = foreign.ask(lambda admin: admin.account_id(group))
    assert scope is not None
    anchors = {one.alias: one.root_pem for one in foreign.ask(lambda admin: signers_of(admin, scope))}
    service = ProvisioningService(
        enabled=True, broker_url=told["broker_url"], account_name=told["account_name"], username=told["user_name"],
        password=told["password"], activation_key=told["activation_key"], client_id=told["client_id"],
        retry_interval_s=2,
    )  # fmt: skip
    settings = KuraSettings(
        service, data=DataService(retry_interval_s=2), hardware=GatewayHardware(serial_number=told["serial_number"]),
        trust_anchors=anchors,
    )  # fmt: skip
    agent = Agent(DeviceIdentity(told["serial_number"]), KuraGateway(settings))

    def seen() -> Director[UnitSighting]:
        yield Until(lambda: agent.stage is Stage.ONLINE, 20.0)
        return (yield from own.sighting(told["serial_number"]))

    async def live() -> UnitSighting:
        async with RealBench(Trace()) as bench:
            bench.power_on(agent)
            return await bench.run(seen())

    return asyncio.run(live())


def test_a_unit_is_known_told_and_seen(foreign: Foreign) -> None:
    own = registrar(foreign, "line-1")
    ask(lambda: own.prepare(frozenset()))
    assert not ask(lambda: own.knows("UN-1"))
    given = ask(lambda: own.make_known("UN-1", frozenset()))
    assert given.given.keys() >= {*PROGRAM_VALUES}
    assert given.credential.kind == "activation_key"
    assert len(given.credential.secret) == 32
    assert ask(lambda: own.knows("UN-1"))
    sighting = ask(lambda: own.sighting("UN-1"))
    assert not sighting.is_seen
    assert sighting.said == "its provision job is CREATED, and in the account line-1 it is not connected"

    again = ask(lambda: own.make_known("UN-1", frozenset()))
    assert again.credential.secret != given.credential.secret
    sighting = sighting_of_board(foreign, own, again, "line-1")
    assert sighting == UnitSighting(True, "its provision job is COMPLETED, and in the account line-1 it is CONNECTED")


def test_a_name_that_no_account_can_have_is_told(foreign: Foreign) -> None:
    with pytest.raises(UsageError, match="letters, digits, _ and -"):
        ask(lambda: registrar(foreign, "a b").prepare(frozenset()))
