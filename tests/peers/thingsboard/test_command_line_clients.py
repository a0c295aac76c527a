"""mosquitto's clients, libcoap's and curl against our ThingsBoard: each provisions, logs in and is heard."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.peers.care import Care
from tests.peers.programs import Program, need_program, until
from tests.peers.thingsboard.serving import KEY, SECRET, ServedThingsBoard, Tenant

pytestmark = [pytest.mark.slow, pytest.mark.peer]

WITHIN_S = 60.0
SENDS = '{"temperature":21.5}'
NOT_FOUND = {"errorMsg": "Provision data was not found!", "status": "NOT_FOUND"}


def asks(name: str, secret: str = SECRET, **more: str) -> str:
    return json.dumps({"deviceName": name, "provisionDeviceKey": KEY, "provisionDeviceSecret": secret, **more})


def run(program: str, package: str, *words: str) -> str:
    """What it prints. Fails when it ends with an error."""
    command = [need_program(program, package), *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


# -- mosquitto


def mosquitto_asks(served: ServedThingsBoard, request: str, *words: str) -> Any:
    topics = ["-t", "/provision/request", "-e", "/provision/response"]
    place = ["-h", "127.0.0.1", "-p", served.port("mqtt"), "-u", "provision"]
    return json.loads(run("mosquitto_rr", "mosquitto-clients", *place, *topics, "-m", request, *words))


def mosquitto_sends(served: ServedThingsBoard, *words: str) -> str:
    place = ["-h", "127.0.0.1", "-p", served.port("mqtt"), "-q", "1"]
    return run("mosquitto_pub", "mosquitto-clients", *place, "-t", "v1/devices/me/telemetry", "-m", SENDS, *words)


@pytest.mark.parametrize("version", ["mqttv31", "mqttv311", "mqttv5"])
def test_mosquitto_rr_provisions(thingsboard: ServedThingsBoard, tenant: Tenant, name: str, version: str):
    # 3.1 wants a client id of 1 to 23 characters
    reply = mosquitto_asks(thingsboard, asks(name), "-V", version, "-i", "rr")
    mosquitto_sends(thingsboard, "-V", version, "-i", "pub", "-u", reply["credentialsValue"])

    assert reply["credentialsValue"] == tenant.credentials(name)["credentialsId"]
    assert tenant.temperature(name) == "21.5"


def test_mosquitto_logs_in_by_client_id_user_and_password(thingsboard: ServedThingsBoard, tenant: Tenant, name: str):
    own = {"credentialsType": "MQTT_BASIC", "clientId": "mosquitto-c", "username": "mosquitto-u", "password": "p"}
    mosquitto_asks(thingsboard, asks(name, **own))
    mosquitto_sends(thingsboard, "-i", "mosquitto-c", "-u", "mosquitto-u", "-P", "p")

    assert tenant.temperature(name) == "21.5"


def test_mosquitto_rr_hears_a_refusal(thingsboard: ServedThingsBoard, tenant: Tenant, name: str):
    assert mosquitto_asks(thingsboard, asks(name, secret="wrong")) == NOT_FOUND
    assert tenant.device(name) is None


def test_mosquitto_sub_hears_what_the_operator_tells_the_device(
    thingsboard: ServedThingsBoard, tenant: Tenant, care: Care, name: str, tmp_path: Path
):
    token = mosquitto_asks(thingsboard, asks(name))["credentialsValue"]
    place = ["-h", "127.0.0.1", "-p", thingsboard.port("mqtt"), "-u", token, "-t", "v1/devices/me/attributes"]
    command = [need_program("mosquitto_sub", "mosquitto-clients"), *place, "-C", "1"]
    listener = care.take(Program("mosquitto_sub", command, tmp_path / "heard", dict(os.environ)))

    def tells() -> bool:  # again and again: nobody tells when it has subscribed
        tenant.tell(name, {"interval": 60})
        return listener.has_ended

    until("it has heard of the interval", tells)
    assert listener.said() == '{"interval":60}\n'


# -- libcoap


def coap_posts(program: str, url: str, body: str, folder: Path, *words: str) -> str:
    out = folder / "answer"
    run(program, "libcoap3-bin", *words, "-m", "post", "-B", "20", "-o", str(out), "-e", body, url)
    return out.read_text() if out.exists() else ""


@pytest.mark.parametrize("program", ["coap-client-notls", "coap-client-openssl", "coap-client-gnutls"])
def test_libcoap_provisions(thingsboard: ServedThingsBoard, tenant: Tenant, name: str, tmp_path: Path, program: str):
    url = f"coap://127.0.0.1:{thingsboard.port('coap')}/api/v1"
    reply = json.loads(coap_posts(program, f"{url}/provision", asks(name), tmp_path))
    coap_posts(program, f"{url}/{reply['credentialsValue']}/telemetry", SENDS, tmp_path)

    assert reply["status"] == "SUCCESS"
    assert tenant.temperature(name) == "21.5"


@pytest.mark.parametrize("program", ["coap-client-openssl", "coap-client-gnutls"])
def test_libcoap_provisions_over_dtls(
    thingsboard: ServedThingsBoard, tenant: Tenant, name: str, tmp_path: Path, program: str
):
    """It knows the server's authority, and shows nothing of its own (spec 1.5)."""
    url = f"coaps://localhost:{thingsboard.port('coaps')}/api/v1"
    trust = ("-R", thingsboard.ca)
    reply = json.loads(coap_posts(program, f"{url}/provision", asks(name), tmp_path, *trust))
    coap_posts(program, f"{url}/{reply['credentialsValue']}/telemetry", SENDS, tmp_path, *trust)

    assert tenant.temperature(name) == "21.5"


# -- curl


def test_curl_provisions(thingsboard: ServedThingsBoard, tenant: Tenant, name: str):
    typed = ("-sS", "--fail", "-H", "Content-Type: application/json")
    url = f"{thingsboard.url}/api/v1"
    reply = json.loads(run("curl", "curl", *typed, "-d", asks(name), f"{url}/provision"))
    run("curl", "curl", *typed, "-d", SENDS, f"{url}/{reply['credentialsValue']}/telemetry")

    assert reply["credentialsValue"] == tenant.credentials(name)["credentialsId"]
    assert tenant.temperature(name) == "21.5"


def test_curl_sends_a_form_unless_told_otherwise(thingsboard: ServedThingsBoard, tenant: Tenant, name: str):
    """The commonest mistake with curl: `-d` alone, and the server loses the body (spec 1.5)."""
    url = f"{thingsboard.url}/api/v1/provision"
    status = run("curl", "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-d", asks(name), url)

    assert status == "500"
    assert tenant.device(name) is None
