"""ThingsBoard's own SDK as a device under test: `fleetrig run external/thingsboard --device-command …`.

Run by the interpreter of `sdk.py`, which has nothing of ours. It does what the SDK's examples do, and beside that only
what the SDK leaves to its users: it stores what it was given in its folder, and after `provision` has given nothing it
waits longer each time. At the level of the examples the SDK logs to standard error.
"""

from __future__ import annotations

import json
import logging
import os
import random
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TOLD = {name.removeprefix("FLEETRIG_").lower(): text for name, text in os.environ.items() if "FLEETRIG_" in name}
PLACE = urlsplit(TOLD["provision_url"])
INTERVAL_S = float(TOLD["telemetry_interval_s"])
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
SENDS = {"temperature": 21.5}
TROUBLE = (OSError, ValueError, KeyError, TypeError, RuntimeError)
"""What the SDK raises beside its own exceptions; errors of requests are OSErrors."""
OWN = {"access_token": "access_token", "client_id": "client_id", "user_name": "username", "password": "password"}


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    stored = Path(TOLD["folder"]) / "credentials.json"
    tries = 0
    while not stored.exists():
        try:
            given = over_http() if PLACE.scheme == "http" else over_mqtt()
        except TROUBLE as wrong:
            print("provision raised", type(wrong).__name__, flush=True)
            given = None
        if given is not None:
            stored.write_text(json.dumps(given), encoding="utf-8")
            break
        time.sleep(random.uniform(0.5, 1.0) * min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**tries))
        tries += 1
    kept: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8"))
    send_over_http(kept) if PLACE.scheme == "http" else send_over_mqtt(kept)


def over_mqtt() -> Any:
    from tb_device_mqtt import TBDeviceMqttClient  # type: ignore[import-not-found]

    more: dict[str, Any] = {name: TOLD[told] for told, name in OWN.items() if TOLD[told]}
    if TOLD["credentials_type"] == "X509_CERTIFICATE":
        own, end, _ = Path(TOLD["certificate"]).read_text(encoding="ascii").partition("-----END CERTIFICATE-----\n")
        more["hash"] = own + end
    if TOLD["gateway"]:
        more["gateway"] = True
    key, secret = TOLD["provision_key"], TOLD["provision_secret"]
    return TBDeviceMqttClient.provision(PLACE.hostname, key, secret, device_name=TOLD["id"], port=PLACE.port, **more)


def over_http() -> Any:
    from tb_device_http import TBHTTPDevice, TBProvisionFailure  # type: ignore[import-not-found]

    try:
        device = TBHTTPDevice.provision(origin(), TOLD["id"], TOLD["provision_key"], TOLD["provision_secret"])
    except TBProvisionFailure:
        return None
    return {"credentialsType": "ACCESS_TOKEN", "credentialsValue": device.token}


def send_over_http(given: dict[str, Any]) -> None:
    from tb_device_http import TBHTTPDevice

    device = TBHTTPDevice(origin(), given["credentialsValue"], TOLD["id"])
    while True:
        try:
            device.send_telemetry(SENDS, queued=False)
        except TROUBLE as wrong:
            print("send_telemetry raised", type(wrong).__name__, flush=True)
        time.sleep(INTERVAL_S)


def send_over_mqtt(given: dict[str, Any]) -> None:
    from tb_gateway_mqtt import TBGatewayMqttClient  # type: ignore[import-not-found]

    client = TBGatewayMqttClient(PLACE.hostname, port=PLACE.port, **login(given)) if TOLD["gateway"] else plain(given)
    client.connect(**tls())
    known: set[str] = set()
    while True:
        if client.is_connected():
            for child in set(TOLD["children"].split()) - known:
                client.gw_connect_device(child)
                known.add(child)
            client.send_telemetry(SENDS)
        time.sleep(INTERVAL_S)


def plain(given: dict[str, Any]) -> Any:
    from tb_device_mqtt import TBDeviceMqttClient

    return TBDeviceMqttClient(PLACE.hostname, port=PLACE.port, **login(given))


def login(given: dict[str, Any]) -> dict[str, Any]:
    value: Any = given.get("credentialsValue")
    if given["credentialsType"] == "MQTT_BASIC":
        return {"username": value["userName"], "password": value["password"], "client_id": value["clientId"]}
    return {"username": value} if given["credentialsType"] == "ACCESS_TOKEN" else {}


def tls() -> dict[str, Any]:
    if PLACE.scheme != "mqtts":
        return {}
    return {"tls": True, "ca_certs": TOLD["ca"], "cert_file": TOLD["certificate"], "key_file": TOLD["certificate_key"]}


def origin() -> str:
    return f"{PLACE.scheme}://{PLACE.netloc}"


if __name__ == "__main__":
    main()
