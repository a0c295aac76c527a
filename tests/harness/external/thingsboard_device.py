"""A ThingsBoard device of a page and a half, as its author would write it with paho-mqtt: MQTT only.

It provisions itself, keeps what it was given in its folder, logs in with that and sends a temperature. All it knows
stands in the environment, and nothing here is fleetrig's. Its arguments are bad habits: `talks` prints what it was
given, `trusts-everybody` checks no server, `forgets` keeps nothing, `keeps-all` survives a factory reset.
"""

from __future__ import annotations

import json
import os
import random
import ssl
import sys
import time
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

TOLD = {name.removeprefix("FLEETRIG_").lower(): text for name, text in os.environ.items() if "FLEETRIG_" in name}
OWN = {"access_token": "token", "client_id": "clientId", "user_name": "username", "password": "password"}
ANSWER_WITHIN_S, LONGEST_WAIT_S, PATIENCE_S = 30.0, 60.0, 600.0
HABITS = frozenset(sys.argv[1:])


class Refused(Exception):
    """The server has said no."""


def request() -> dict[str, Any]:
    """What it has nothing for is left out."""
    wanted: dict[str, Any] = {"deviceName": TOLD["id"], "provisionDeviceKey": TOLD["provision_key"]}
    wanted |= {"provisionDeviceSecret": TOLD["provision_secret"]}
    if kind := TOLD["credentials_type"]:
        wanted |= {"credentialsType": kind} | {OWN[name]: TOLD[name] for name in OWN if TOLD[name]}
    if TOLD["certificate"] and kind:
        own, end, _ = Path(TOLD["certificate"]).read_text(encoding="ascii").partition("-----END CERTIFICATE-----\n")
        wanted["hash"] = own + end  # the first in the file: those of its issuers follow
    return wanted | ({"gateway": True} if TOLD["gateway"] else {})


def session(
    client_id: str = "", user_name: str | None = None, password: str | None = None
) -> tuple[Client, Queue[Any]]:
    """Connected, and where its news come: the CONNACK's code, the bytes of messages, None for the end."""
    news: Queue[Any] = Queue()
    client = Client(CallbackAPIVersion.VERSION1, client_id)
    client.on_connect = lambda _client, _data, _flags, code: news.put(code)
    client.on_message = lambda _client, _data, message: news.put(bytes(message.payload))
    client.on_disconnect = lambda *_: news.put(None)
    if user_name is not None:
        client.username_pw_set(user_name, password)
    place = urlsplit(TOLD["provision_url"])
    if place.scheme == "mqtts":
        client.tls_set(TOLD["ca"], TOLD["certificate"] or None, TOLD["certificate_key"] or None,
                       cert_reqs=ssl.CERT_NONE if "trusts-everybody" in HABITS else ssl.CERT_REQUIRED)  # fmt: skip
        client.tls_insecure_set("trusts-everybody" in HABITS)
    client.connect(str(place.hostname), place.port or 1883)
    client.loop_start()
    return client, news


def over(client: Client) -> None:
    client.disconnect()
    client.loop_stop()


def provision() -> list[Any]:
    """Kind and value of the credentials. Raises Refused, and OSError, Empty or ValueError for what is no answer."""
    client, news = session(user_name="provision")
    try:
        if (code := news.get(timeout=ANSWER_WITHIN_S)) != 0:
            raise OSError(f"CONNACK {code}")
        client.subscribe("/provision/response", 1)
        client.publish("/provision/request", json.dumps(request()), 1)
        reply = json.loads(news.get(timeout=ANSWER_WITHIN_S) or b"")
    finally:
        over(client)
    if not isinstance(reply, dict) or reply.get("status") != "SUCCESS":
        raise Refused(str(reply))
    kind, value = reply.get("credentialsType"), reply.get("credentialsValue")
    if kind not in ("ACCESS_TOKEN", "MQTT_BASIC", "X509_CERTIFICATE") or not value:
        raise ValueError("credentials of no use")
    return [kind, value]


def work(kind: str, value: Any) -> None:
    """For as long as the server lets it. Raises Refused when it does not let it in."""
    parts = value if kind == "MQTT_BASIC" else {"userName": value} if kind == "ACCESS_TOKEN" else {}
    client, news = session(parts.get("clientId") or TOLD["id"], parts.get("userName"), parts.get("password") or None)
    try:
        code = news.get(timeout=ANSWER_WITHIN_S)
        if code in (2, 4, 5):
            raise Refused(f"CONNACK {code}")
        for child in TOLD["children"].split():
            client.publish("v1/gateway/connect", json.dumps({"device": child}), 1)
        while code == 0 and client.is_connected():
            client.publish("v1/devices/me/telemetry", '{"temperature":21.5}', 1)
            time.sleep(float(TOLD["telemetry_interval_s"]))
    finally:
        over(client)


def main() -> None:
    stored = Path(TOLD["folder"]) / ("../kept.json" if "keeps-all" in HABITS else "credentials.json")
    failures = 0
    while True:
        try:
            credentials = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else provision()
            if "forgets" not in HABITS:
                stored.write_text(json.dumps(credentials), encoding="utf-8")
            if "talks" in HABITS:
                print("I was given", credentials, flush=True)
            failures = 0 if failures < 3 else failures
            work(*credentials)
        except Refused as refused:
            failures += 1
            if failures >= 3 or not stored.exists():
                print("only people can help:", type(refused).__name__, flush=True)
                time.sleep(PATIENCE_S)
        except (OSError, Empty, ValueError, TypeError) as wrong:
            failures += 1
            print("no answer:", type(wrong).__name__, flush=True)
        time.sleep(random.uniform(0.5, 1.0) * min(LONGEST_WAIT_S, 2**failures))


if __name__ == "__main__":
    main()
