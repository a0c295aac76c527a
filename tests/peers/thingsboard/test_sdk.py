"""ThingsBoard's own SDK for devices, as its vendor gives it away, against our server.

What it does otherwise than a device should is in `test_sdk_deviations.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.peers.thingsboard.programs.mqtt_x509 import make_certificate
from tests.peers.thingsboard.sdk_runs import asked, ran
from tests.peers.thingsboard.serving import KEY, SECRET, ServedThingsBoard, Tenant

pytestmark = [pytest.mark.slow]

PEM_LINES = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n"

VARIANTS: dict[str, tuple[dict[str, Any], str, Any]] = {
    "server's token": ({}, "ACCESS_TOKEN", None),
    "own token": ({"access_token": "token-of-the-sdk"}, "ACCESS_TOKEN", "token-of-the-sdk"),
    "basic": (
        {"client_id": "sdk-c", "username": "sdk-u", "password": "sdk-p"},
        "MQTT_BASIC",
        {"clientId": "sdk-c", "userName": "sdk-u", "password": "sdk-p"},
    ),
    "gateway": ({"gateway": True}, "ACCESS_TOKEN", None),
}
"""Name -> further arguments of `provision`, the type and value of the credentials; None: the server's own."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_provisions_logs_in_and_is_heard(
    thingsboard: ServedThingsBoard, tenant: Tenant, sdk: str, name: str, variant: str
):
    arguments, kind, value = VARIANTS[variant]
    ended = ran(sdk, "mqtt", thingsboard.port("mqtt"), asked(name, **arguments))

    assert ended.returncode == 0, ended.stderr
    assert ended.reply["status"] == "SUCCESS"
    assert ended.reply["credentialsType"] == kind == tenant.credentials(name)["credentialsType"]
    assert ended.reply["credentialsValue"] == (value or tenant.credentials(name)["credentialsId"])
    assert tenant.temperature(name) == "21.5"


def test_a_gateway_is_one(thingsboard: ServedThingsBoard, tenant: Tenant, sdk: str, name: str):
    ran(sdk, "mqtt", thingsboard.port("mqtt"), asked(name, gateway=True))

    device = tenant.device(name)
    assert device is not None
    assert device["additionalInfo"]["gateway"] is True


def test_a_certificate_is_stored_without_its_armour(
    thingsboard: ServedThingsBoard, tenant: Tenant, sdk: str, name: str
):
    ended = ran(sdk, "mqtt", thingsboard.port("mqtt"), asked(name, hash=PEM_LINES))

    assert ended.reply["credentialsValue"] == PEM_LINES.splitlines()[1]
    assert tenant.credentials(name)["credentialsType"] == "X509_CERTIFICATE"


def test_with_a_certificate_it_logs_in_over_tls(
    thingsboard: ServedThingsBoard, tenant: Tenant, sdk: str, name: str, tmp_path: Path
):
    certificate, key = make_certificate(name, tmp_path)
    arguments = asked(name, hash=certificate.read_text())
    ports = (thingsboard.port("mqtt"), thingsboard.port("mqtts"))
    ended = ran(sdk, "certificate", *ports, arguments, thingsboard.ca, str(certificate), str(key))

    assert ended.returncode == 0, ended.stderr
    assert ended.reply["credentialsType"] == tenant.credentials(name)["credentialsType"] == "X509_CERTIFICATE"
    assert tenant.temperature(name) == "21.5"


def test_over_http(thingsboard: ServedThingsBoard, tenant: Tenant, sdk: str, name: str):
    ended = ran(sdk, "http", thingsboard.port("http"), name, KEY, SECRET)

    assert ended.returncode == 0, ended.stderr
    assert ended.reply["token"] == tenant.credentials(name)["credentialsId"]
    assert tenant.temperature(name) == "21.5"


def test_over_http_a_wrong_secret_is_an_error_that_tells_the_reply(
    thingsboard: ServedThingsBoard, tenant: Tenant, sdk: str, name: str
):
    ended = ran(sdk, "http", thingsboard.port("http"), name, KEY, "wrong")

    assert "TBProvisionFailure: {'errorMsg': 'Provision data was not found!', 'status': 'NOT_FOUND'}" in ended.stderr
    assert tenant.device(name) is None


def test_a_server_that_acknowledges_no_subscription(old_thingsboard: ServedThingsBoard, sdk: str, name: str):
    """Before 3.9 (spec 1.7): the SDK asks without waiting for it."""
    ended = ran(sdk, "mqtt", old_thingsboard.port("mqtt"), asked(name))

    assert ended.returncode == 0, ended.stderr
    assert Tenant(old_thingsboard.url).temperature(name) == "21.5"
