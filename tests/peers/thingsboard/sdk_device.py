"""A device made of ThingsBoard's own SDK; run by the interpreter of `sdk.py`, which has nothing of ours.

    python sdk_device.py mqtt PORT '{"provision_device_key": …}' [GIVES_UP_AFTER_S]
    python sdk_device.py http PORT NAME KEY SECRET
    python sdk_device.py http-timeout
    python sdk_device.py certificate PROVISION_PORT TLS_PORT '{…}' CA CERTIFICATE KEY
    python sdk_device.py tls
    python sdk_device.py without-mmh3

The JSON is the arguments of TBDeviceMqttClient.provision. Prints what it was given as one line of JSON, then logs in
with it and sends a temperature; what the SDK logs goes to standard error. `tls` tells whom the SDK would trust,
`without-mmh3` what it runs when it is imported where that package is missing.
"""

from __future__ import annotations

import importlib
import json
import logging
import ssl
import subprocess
import sys
from collections.abc import Callable
from typing import Any

HOST = "127.0.0.1"
SENDS = {"temperature": 21.5}


def main(way: str, *rest: str) -> None:
    logging.basicConfig(level=logging.INFO)
    ways: dict[str, Callable[..., None]] = {
        "http": over_http,
        "http-timeout": http_timeout,
        "certificate": with_certificate,
        "mqtt": over_mqtt,
        "tls": trust_of_its_own,
        "without-mmh3": what_it_runs,
    }
    ways[way](*rest)


def over_mqtt(port_text: str, arguments: str, gives_up_after_s: str = "60") -> None:
    from tb_device_mqtt import ProvisionClient, TBDeviceMqttClient  # type: ignore[import-not-found]

    port, asked = int(port_text), json.loads(arguments)
    ProvisionClient.provision.__defaults__ = (float(gives_up_after_s),)  # 60 s, and no argument leads there
    given = TBDeviceMqttClient.provision(HOST, port=port, **asked)
    print(json.dumps(given), flush=True)
    if given is None or given["credentialsType"] == "X509_CERTIFICATE":
        return  # for a certificate it needs the listener with TLS
    client = TBDeviceMqttClient(HOST, port=port, **login(given))
    client.connect()  # its callback comes to nothing when the server is fast: it is set after the loop was started
    sent = client.send_telemetry(SENDS).get()  # waits for the login too
    client.disconnect()
    client.stop()
    if sent != 0:
        raise SystemExit(f"telemetry was not taken: {sent}")


def login(given: dict[str, Any]) -> dict[str, Any]:
    value = given["credentialsValue"]
    if given["credentialsType"] == "ACCESS_TOKEN":
        return {"username": value}
    return {"username": value["userName"], "password": value["password"], "client_id": value["clientId"]}


def over_http(port: str, name: str, key: str, secret: str) -> None:
    from tb_device_http import TBHTTPDevice  # type: ignore[import-not-found]

    device = TBHTTPDevice.provision(f"http://{HOST}:{port}", name, key, secret)
    print(json.dumps({"token": device.token}), flush=True)
    device.send_telemetry(SENDS, queued=False)


def http_timeout() -> None:
    """How long it lets a reply take, as it tells requests."""
    import requests
    from tb_device_http import TBHTTPDevice

    def tells(*_: object, **words: object) -> None:
        print(json.dumps({"timeout": words.get("timeout")}))
        raise SystemExit

    requests.post = tells  # type: ignore[assignment]
    TBHTTPDevice.provision("http://127.0.0.1:1", "n", "k", "s")


def with_certificate(port: str, tls_port: str, arguments: str, ca: str, certificate: str, key: str) -> None:
    """Asks without TLS, which it knows on port 8883 only, and logs in with its certificate."""
    from tb_device_mqtt import TBDeviceMqttClient

    given = TBDeviceMqttClient.provision(HOST, port=int(port), **json.loads(arguments))
    print(json.dumps(given), flush=True)
    client = TBDeviceMqttClient(HOST, port=int(tls_port))
    client.connect(tls=True, ca_certs=ca, cert_file=certificate, key_file=key)
    sent = client.send_telemetry(SENDS).get()
    client.disconnect()
    client.stop()
    if sent != 0:
        raise SystemExit(f"telemetry was not taken: {sent}")


def trust_of_its_own() -> None:
    from tb_device_mqtt import ProvisionClient

    context = ProvisionClient(HOST, 8883, {})._ssl_context
    print(json.dumps({"checks": context.verify_mode != ssl.CERT_NONE}))


def what_it_runs() -> None:
    def tells(command: list[str], **_: object) -> None:
        print(json.dumps(command[1:]))
        raise SystemExit

    sys.modules["mmh3"] = sys.modules["pymmh3"] = None  # type: ignore[assignment]
    subprocess.check_call = tells  # type: ignore[assignment]
    importlib.import_module("sdk_utils")


if __name__ == "__main__":
    main(*sys.argv[1:])
