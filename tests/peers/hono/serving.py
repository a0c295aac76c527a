"""`fleetrig serve --platform hono` among other programs, what an operator asks, and certificates made by openssl."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetrig.harness.servers.serve_process import ServeProcess
from tests.peers.programs import need_program

LISTENERS = ("registry", "http", "https", "mqtt", "mqtts", "coap", "coaps", "control")
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
WITHIN_S = 60.0


class ServedHono(ServeProcess):
    """All its listeners and the control interface, on ports of their own."""

    def __init__(self, folder: Path, *options: str) -> None:
        addresses = [word for name in LISTENERS for word in (f"--{name}", "127.0.0.1:0")]
        super().__init__(folder, "--platform", "hono", *addresses, *options)

    def port(self, listener: str) -> str:
        """As text: it goes into command lines."""
        return str(self.ready[listener]).rpartition(":")[2]

    def url(self, listener: str, path: str = "", host: str = "127.0.0.1") -> str:
        return f"{listener}://{host}:{self.port(listener)}{path}"


class Operator:
    """Asks the management API."""

    def __init__(self, served: ServedHono) -> None:
        self._registry = f"http://127.0.0.1:{served.port('registry')}/v1"
        self._control = f"http://127.0.0.1:{served.port('control')}"

    def create_tenant(self, tenant: str, **members: Any) -> None:
        ask("POST", f"{self._registry}/tenants/{tenant}", members)

    def create_device(self, tenant: str, device: str, credentials: list[Any] | None = None, **members: Any) -> None:
        ask("POST", f"{self._registry}/devices/{tenant}/{device}", members)
        if credentials is not None:
            ask("PUT", f"{self._registry}/credentials/{tenant}/{device}", credentials)

    def devices(self, tenant: str) -> dict[str, Any]:
        """Device-id -> the device."""
        try:
            found = ask("GET", f"{self._registry}/devices/{tenant}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return {}
        return {device["id"]: device for device in found["result"]}

    def auth_ids(self, tenant: str, device: str) -> list[str]:
        return [one["auth-id"] for one in ask("GET", f"{self._registry}/credentials/{tenant}/{device}")]

    def northbound(self, tenant: str) -> list[Any]:
        """What applications got so far."""
        messages: list[Any] = ask("GET", f"{self._control}/northbound?tenant={tenant}")["messages"]
        return messages


def ask(method: str, url: str, body: object = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@dataclass(frozen=True)
class Shown:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    @property
    def base64(self) -> str:
        """As the management API takes it."""
        return base64.b64encode(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).decode()


class Workshop:
    """Makes certificates as the fact sheet does (section 9), with openssl."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def authority(self, subject: str) -> Shown:
        made = self._files(subject)
        files = ["-keyout", str(made.key), "-out", str(made.certificate)]
        openssl("req", "-x509", *EC, *files, "-days", "30", "-subj", subject)
        return made

    def device(self, subject: str, authority: Shown, *dates: str) -> Shown:
        """`dates`: other options of `openssl x509` than ten days from now on."""
        made, request = self._files(subject), self._folder / "request.pem"
        openssl("req", *EC, "-keyout", str(made.key), "-out", str(request), "-subj", subject)
        signer = ["-CA", str(authority.certificate), "-CAkey", str(authority.key), "-CAcreateserial"]
        openssl(
            "x509", "-req", "-in", str(request), *signer, *(dates or ("-days", "10")), "-out", str(made.certificate)
        )
        return made

    def _files(self, subject: str) -> Shown:
        number = len(list(self._folder.glob("*.key")))
        name = f"{number}-{subject.rpartition('=')[2]}"
        return Shown(self._folder / f"{name}.pem", self._folder / f"{name}.key")


def openssl(*words: str) -> None:
    command = [need_program("openssl", "openssl"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0, done.stderr


def run(program: str, package: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A program to its end, whatever that is."""
    command = [need_program(program, package), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
