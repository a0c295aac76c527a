"""A running reference server that the doctor is called to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.doctor.page import COMMAND_INDENT, MARGIN, WIDTH
from fleetrig.harness.platforms.hawkbit.conformance.api_client import basic
from fleetrig.simulator.contract.identity import UserPassword
from tests.harness.served import Served

RIGHT, OTHER = "right-token-0123456789abcdef0123", "other-token-0123456789abcdef0123"
ADMIN = UserPassword("admin", "admin")
GATEWAY_KEY = "the-key-of-the-line-0123456789abcdef"
PAGES = Path(__file__).with_name("pages")
ACCOUNTS = [
    {"user": "reader", "password": "reader", "rights": ["READ_TARGET"]},
    {"user": "acme", "password": "acme", "rights": ["ROLE_TENANT_ADMIN"], "tenant": "ACME"},
]


@dataclass(frozen=True)
class Server:
    """The server's addresses, and its Management API."""

    url: str
    https: str
    ca: str

    def mgmt(self, method: str, path: str, body: object = None) -> Answer:
        client = ExactClient(self.url)
        headers = {"Authorization": basic(ADMIN), "Content-Type": "application/json"}
        try:
            return client.call(method, f"/rest/v1{path}", headers, None if body is None else json.dumps(body).encode())
        finally:
            client.close()

    def target(self, controller_id: str, token: str = RIGHT) -> None:
        self.mgmt("DELETE", f"/targets/{controller_id}")
        body = [{"controllerId": controller_id, "securityToken": token}]
        assert self.mgmt("POST", "/targets", body).status == 201

    def knows(self, controller_id: str) -> bool:
        return self.mgmt("GET", f"/targets/{controller_id}").status == 200

    def configure(
        self, *, target: bool = False, gateway: bool = False, header: bool = False, key: str = "", authority: str = ""
    ) -> None:
        """All ways in, those that are not named shut."""
        settings: dict[str, Any] = {
            "targettoken.enabled": target,
            "gatewaytoken.enabled": gateway,
            "header.enabled": header,
            "gatewaytoken.key": key,
            "header.authority": authority,
        }
        named = {f"authentication.{name}": value for name, value in settings.items()}
        assert self.mgmt("PUT", "/system/configs", named).status == 204


def server_of(served: Served) -> Server:
    ready = served.ready
    return Server(f"http://{ready['http']}", f"https://{ready.get('https', '')}", ready.get("ca", ""))


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    accounts = folder / "accounts.yaml"
    accounts.write_text(json.dumps(ACCOUNTS))
    with Served(folder, "--https", "127.0.0.1:0", "--accounts", str(accounts)) as served:
        yield server_of(served)


@pytest.fixture
def server(shared_server: Server) -> Server:
    """Its ways in are shut and its targets removed."""
    shared_server.configure()
    for record in shared_server.mgmt("GET", "/targets").json()["content"]:
        shared_server.mgmt("DELETE", f"/targets/{record['controllerId']}")
    return shared_server


Doctor = Callable[..., tuple[int, str]]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Runs the command with secrets in the environment; exit code and page, ports of five digits made equal."""
    monkeypatch.setenv("TOKEN", RIGHT)
    monkeypatch.setenv("OTHER", OTHER)
    monkeypatch.setenv("KEY", GATEWAY_KEY)
    monkeypatch.setenv("READER", "reader")
    monkeypatch.setenv("ACME", "acme")

    def call(against: str, *options: str, controller_id: str = "gw-17") -> tuple[int, str]:
        code = main(["doctor", "hawkbit", "--against", against, "--id", controller_id, *options])
        said = capsys.readouterr()
        page = said.out or said.err
        for secret in (RIGHT, OTHER, GATEWAY_KEY):
            assert secret not in page
        assert [line for line in said.out.splitlines() if too_wide(line)] == []
        return code, re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:PPPPP", page)

    return call


def too_wide(line: str) -> bool:
    """Commands are left whole; they are indented less than text."""
    is_command = line.startswith(COMMAND_INDENT) and not line.startswith(MARGIN * " ")
    return len(line) > WIDTH and not is_command


def flat(page: str) -> str:
    """Without line ends, for what may be wrapped anywhere."""
    return " ".join(page.split())


def expected(name: str) -> str:
    """A page as it is to look, with `PPPPP` for ports."""
    return (PAGES / f"{name}.txt").read_text(encoding="utf-8")
