"""A served Hono, devices over HTTP and HTTPS: `kill -9` in between, and an external system that is told of devices."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.harness.servers.serve_process import ServeProcess
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.names import distinguished_name
from tests.harness.served import LIMIT_S, failing

pytestmark = pytest.mark.slow

ANY_PORT = "127.0.0.1:0"
TENANT = "acme"
ROUNDS = 2
ACKNOWLEDGED_PER_ROUND = 20
GATEWAYS = ("gw0", "gw1")
PASSWORD = "hono-secret"


def hono(folder: Path, *more: str) -> ServeProcess:
    store = f"sqlite:///{folder / 'hono.db'}"
    listeners = [option for name in (*SERVER.listeners, "control") for option in (f"--{name}", ANY_PORT)]
    return ServeProcess(folder, "--platform", "hono", *listeners, "--store", store, *more)


def asked(address: str, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(address, timeout=LIMIT_S)
    sent = None if body is None else json.dumps(body).encode()
    connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
    response = connection.getresponse()
    raw = response.read()
    connection.close()
    return response.status, json.loads(raw) if raw else None


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}@{TENANT}:{PASSWORD}".encode()).decode()


class Plant:
    """A tenant with an authority and two gateways, and what devices of it say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = CertificateAuthority(distinguished_name("CN=devices,O=ACME"), now_us(), 30)

    def set_up(self, served: ServeProcess) -> None:
        cert = base64.b64encode(self.authority.certificate.public_bytes(Encoding.DER)).decode()
        anchor = {"cert": cert, "auto-provisioning-enabled": True}
        registry = served.ready["registry"]
        assert asked(registry, "POST", f"/v1/tenants/{TENANT}", {"trusted-ca": [anchor]})[0] == 201
        pwd_hash = base64.b64encode(hashlib.sha256(PASSWORD.encode()).digest()).decode()
        secret = {"hash-function": "sha-256", "pwd-hash": pwd_hash}
        for gateway in GATEWAYS:
            device = {"authorities": ["auto-provisioning-enabled"]}
            assert asked(registry, "POST", f"/v1/devices/{TENANT}/{gateway}", device)[0] == 201
            entries = [{"type": "hashed-password", "auth-id": gateway, "secrets": [secret]}]
            assert asked(registry, "PUT", f"/v1/credentials/{TENANT}/{gateway}", entries)[0] == 204

    def edge_contact(self, served: ServeProcess, gateway: str, device_id: str) -> int:
        path = f"/event/{TENANT}/{device_id}"
        return asked(served.ready["http"], "PUT", path, {}, Authorization=basic(gateway))[0]

    def contact(self, served: ServeProcess, name: str) -> int:
        """A first contact with a certificate."""
        file = self.folder / f"{name}.pem"
        issued = self.authority.issue_client(distinguished_name(f"CN={name},O=ACME"))
        pems = [ssl.DER_cert_to_PEM_cert(der) for der in issued.chain]
        file.write_text("".join(pems) + issued.key_pem.decode())
        context = ssl.create_default_context(cafile=served.ready["ca"])
        context.load_cert_chain(file)
        connection = http.client.HTTPSConnection(served.ready["https"], timeout=LIMIT_S, context=context)
        connection.request("POST", "/event", b"{}", {"Content-Type": "application/json"})
        status = connection.getresponse().status
        connection.close()
        return status


def now_us() -> int:
    """The served clock is the machine's: certificates have to count now."""
    return time.time_ns() // 1000


def devices_of(served: ServeProcess) -> Iterator[dict[str, Any]]:
    total, page = 1, 0
    while page * 200 < total:
        path = f"/v1/devices/{TENANT}?pageSize=200&pageOffset={page}"
        _, found = asked(served.ready["registry"], "GET", path)
        yield from found["result"]
        total, page = found["total"], page + 1


def announced(served: ServeProcess) -> set[str]:
    after, found = 0, set[str]()
    while True:
        _, page = asked(served.ready["control"], "GET", f"/northbound?after={after}&limit=1000")
        found |= {one["key"] for one in page["messages"] if one["properties"].get("hono_registration_status")}
        if page["last"] == after:
            return found
        after = page["last"]


def talking(plant: Plant, served: ServeProcess, number: int, acknowledged: set[str], who: int) -> None:
    """First contacts of ever new devices, until the server is gone."""
    with suppress(OSError, http.client.HTTPException):
        for at in range(10_000):
            name = f"d{number}-{who}-{at}"
            if who < len(GATEWAYS):
                status = plant.edge_contact(served, GATEWAYS[who], name)
            else:
                status = plant.contact(served, name)
            if status == 202:
                acknowledged.add(name)


def test_device_credentials_and_notification_survive_kill_9_together(tmp_path: Path) -> None:
    plant, acknowledged = Plant(tmp_path), set[str]()
    for number in range(ROUNDS):
        with hono(tmp_path) as served:
            if number == 0:
                plant.set_up(served)
            own = set[str]()
            with ThreadPoolExecutor(3) as pool:
                runs = [pool.submit(talking, plant, served, number, own, who) for who in range(3)]
                pause = threading.Event()
                while len(own) < ACKNOWLEDGED_PER_ROUND or not any(f"d{number}-2-" in name for name in own):
                    pause.wait(0.005)
                served.kill()
                for run in runs:
                    run.result(LIMIT_S)
            acknowledged |= own
    with hono(tmp_path) as served:
        known = {one["id"]: one for one in devices_of(served) if one["id"] not in GATEWAYS}
        told = announced(served)
        by_certificate = {}
        for device_id, device in known.items():
            assert device["status"]["auto-provisioned"] is True
            assert device["status"]["auto-provisioning-notification-sent"] is True
            if "via" not in device:
                _, (entry,) = asked(served.ready["registry"], "GET", f"/v1/credentials/{TENANT}/{device_id}")
                by_certificate[entry["auth-id"]] = device_id
        assert told == set(known), "each is announced, and none that is not there"
        names = set(known) | {auth_id.removeprefix("CN=").partition(",")[0] for auth_id in by_certificate}
        assert acknowledged <= names
        assert served.stop() == 0


class ExternalSystem(BaseHTTPRequestHandler):
    """It is busy for its first two calls."""

    calls = 0
    heard: list[dict[str, Any]]
    all_heard: threading.Event

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = type(self)
        kind.calls += 1
        if kind.calls > 2:
            kind.heard.append(body)
        self.send_response(503 if kind.calls <= 2 else 204)
        self.end_headers()
        if len(kind.heard) == 2:
            kind.all_heard.set()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


def test_an_external_system_is_told_of_devices(tmp_path: Path) -> None:
    handler: Any = type("ExternalSystem", (ExternalSystem,), {"heard": [], "all_heard": threading.Event()})
    external = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=external.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{external.server_port}/devices"
    plant = Plant(tmp_path)
    try:
        with hono(tmp_path, "--set", f"fleetrig.webhook={url}") as served:
            plant.set_up(served)
            assert plant.contact(served, "d1") == 202
            assert plant.edge_contact(served, "gw0", "e1") == 202
            assert plant.edge_contact(served, "gw0", "e1") == 202
            assert handler.all_heard.wait(LIMIT_S)
            assert served.stop() == 0
    finally:
        external.shutdown()
        external.server_close()
    first, second = handler.heard
    assert first["properties"]["hono_registration_status"] == "NEW"
    assert (second["key"], second["properties"]["gateway_id"]) == ("e1", "gw0")
    assert {one["topic"] for one in handler.heard} == {f"hono.event.{TENANT}"}


def test_a_webhook_elsewhere_is_refused() -> None:
    code, said = failing(
        "--platform", "hono", "--registry", ANY_PORT, "--set", "fleetrig.webhook=http://192.0.2.1/"
    )  # fmt: skip
    assert code == 4
    assert "is not on this machine" in said
