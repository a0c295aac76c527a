"""The programs of ThingsBoard's page on provisioning, written anew: each is provisioned, logs in and is heard."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.peers.thingsboard.serving import KEY, SECRET, ServedThingsBoard, Tenant

pytestmark = [pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 60.0
WRONG = "not-the-secret"


def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"tests.peers.thingsboard.programs.{program}", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, check=False)


def provisioned(program: str, *words: str) -> dict[str, Any]:
    ended = run(program, *words)
    assert ended.returncode == 0, ended.stderr
    reply: dict[str, Any] = json.loads(ended.stdout)
    return reply


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("mqtt_server_token", "ACCESS_TOKEN"),
        ("mqtt_own_token", "ACCESS_TOKEN"),
        ("mqtt_basic", "MQTT_BASIC"),
    ],
)
def test_programs_over_mqtt(thingsboard: ServedThingsBoard, tenant: Tenant, name: str, program: str, kind: str):
    reply = provisioned(program, thingsboard.port("mqtt"), KEY, SECRET, name)

    assert reply["credentialsType"] == kind == tenant.credentials(name)["credentialsType"]
    assert tenant.temperature(name) == "21.5"


def test_the_program_with_a_certificate(thingsboard: ServedThingsBoard, tenant: Tenant, name: str, tmp_path: Path):
    port = thingsboard.port("mqtts")
    reply = provisioned("mqtt_x509", port, KEY, SECRET, name, thingsboard.ca, str(tmp_path))

    assert reply["credentialsValue"] == tenant.credentials(name)["credentialsValue"]
    assert reply["credentialsValue"] in (tmp_path / "device.pem").read_text().replace("\n", "")
    assert tenant.temperature(name) == "21.5"


@pytest.mark.parametrize("token", [(), ("a-token-of-its-own",)], ids=["server's token", "own token"])
@pytest.mark.parametrize("listener", ["http", "coap"])
def test_programs_over_http_and_coap(
    thingsboard: ServedThingsBoard, tenant: Tenant, name: str, listener: str, token: tuple[str, ...]
):
    own = tuple(f"{one} {listener}".replace(" ", "-") for one in token)
    reply = provisioned(f"{listener}_tokens", thingsboard.port(listener), KEY, SECRET, name, *own)

    assert reply["credentialsValue"] == tenant.credentials(name)["credentialsId"]
    assert not own or reply["credentialsValue"] == own[0]
    assert tenant.temperature(name) == "21.5"


@pytest.mark.parametrize(
    ("program", "listener"), [("mqtt_server_token", "mqtt"), ("http_tokens", "http"), ("coap_tokens", "coap")]
)
def test_a_wrong_secret_is_told_and_makes_no_device(
    thingsboard: ServedThingsBoard, tenant: Tenant, name: str, program: str, listener: str
):
    ended = run(program, thingsboard.port(listener), KEY, WRONG, name)

    assert ended.returncode == 1
    assert json.loads(ended.stdout) == {"errorMsg": "Provision data was not found!", "status": "NOT_FOUND"}
    assert tenant.device(name) is None
