"""A Hono device of a page and a half, as its author would write it: http.client, and paho-mqtt for MQTT.

It shows what it has, sends a temperature, speaks for the devices behind it, and carries out commands. All it knows
stands in the environment, and nothing here is fleetrig's. Its arguments are bad habits: `talks` prints its password,
`trusts-everybody` checks no server, `knocks` never waits long nor gives up, `deaf` does no commands.
"""

from __future__ import annotations

import base64
import json
import os
import random
import socket
import ssl
import sys
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse
from queue import Empty, Queue
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

TOLD = {name.removeprefix("FLEETRIG_").lower(): text for name, text in os.environ.items() if "FLEETRIG_" in name}
PLACE = urlsplit(TOLD["adapter_url"])
HOST = str(PLACE.hostname)
ADDRESS = "127.0.0.1" if HOST.endswith(".localhost") else HOST  # which no name server knows
JSON = {"Content-Type": "application/json"}
ANSWER_WITHIN_S, LONGEST_WAIT_S, PATIENCE_S = 10.0, 60.0, 600.0
TRIES = 5
HABITS = frozenset(sys.argv[1:])


class Refused(Exception):
    """The server has said no: (how long it asks to wait)."""


class Raced(Exception):
    """Another one was faster."""


def trust() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=TOLD["ca"])
    if "trusts-everybody" in HABITS:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if TOLD["certificate"]:
        context.load_cert_chain(TOLD["certificate"], TOLD["certificate_key"])
    return context


# HTTP


def ask(method: str, path: str, body: bytes, headers: dict[str, str]) -> HTTPResponse:
    """One request on a connection of its own. Raises OSError, HTTPException."""
    connection = HTTPConnection(ADDRESS, PLACE.port or 8443, timeout=ANSWER_WITHIN_S + float(TOLD["ttd_s"] or 0))
    connection.sock = socket.create_connection((ADDRESS, PLACE.port or 8443), connection.timeout)
    if PLACE.scheme == "https":
        connection.sock = trust().wrap_socket(connection.sock, server_hostname=HOST)
    if TOLD["user_name"]:
        account = f"{TOLD['user_name']}:{TOLD['password']}".encode()
        headers = {**headers, "Authorization": f"Basic {base64.b64encode(account).decode()}"}
    connection.request(method, path, body, {"Host": f"{HOST}:{PLACE.port}", **headers})
    return connection.getresponse()


def post(body: bytes) -> None:
    """Its own message, those of the devices behind it, and what comes back. Raises Refused, Raced, OSError."""
    headers = {**JSON, "qos-level": TOLD["qos"], **({"hono-ttd": TOLD["ttd_s"]} if TOLD["ttd_s"] else {})}
    answer = ask("POST", f"/{TOLD['endpoint']}", body, headers)
    command, request_id = answer.getheader("hono-command"), answer.getheader("hono-cmd-req-id")
    if answer.status == 409:
        raise Raced
    if answer.status in (401, 403, 404):
        raise Refused
    if answer.status not in (200, 202):
        time.sleep(float(answer.getheader("Retry-After") or 0))
        raise OSError(f"HTTP {answer.status}")
    if command and request_id and "deaf" not in HABITS:
        ask("POST", f"/command/res/{request_id}?hono-cmd-status=200", answer.read(), JSON)
    for device in TOLD["edge_devices"].split():
        ask("PUT", f"/{TOLD['endpoint']}//{device}", body, JSON)  # who is refused is tried again the next time


# MQTT


def work_over_mqtt() -> None:
    """For as long as the server lets it. Raises Refused, OSError, Empty."""
    news: Queue[int] = Queue()
    client = Client(CallbackAPIVersion.VERSION1, TOLD["id"])
    client.on_connect = lambda _client, _data, _flags, code: news.put(code)
    client.on_message = answer_command
    if TOLD["user_name"]:
        client.username_pw_set(TOLD["user_name"], TOLD["password"])
    if PLACE.scheme == "mqtts":
        client.tls_set_context(trust())
    client.connect(HOST, PLACE.port or 1883)
    client.loop_start()
    try:
        code = news.get(timeout=ANSWER_WITHIN_S)
        if code in (4, 5):
            raise Refused
        topics = ["command///req/#"] if TOLD["ttd_s"] else []
        for topic in [*topics, *(["error///#"] if TOLD["gateway"] else [])]:
            client.subscribe(topic)
        while code == 0 and client.is_connected():
            for place in ("", *(f"//{device}" for device in TOLD["edge_devices"].split())):
                said = client.publish(f"{TOLD['endpoint']}{place}", '{"temperature":21.5}', int(TOLD["qos"]))
                said.wait_for_publish(ANSWER_WITHIN_S)
                if not said.is_published():
                    raise OSError("no PUBACK")
            time.sleep(float(TOLD["telemetry_interval_s"]))
    finally:
        client.disconnect()
        client.loop_stop()


def answer_command(client: Client, _: object, message: MQTTMessage) -> None:
    parts = message.topic.split("/")
    if parts[0] == "command" and parts[4] and "deaf" not in HABITS:
        client.publish(f"command//{parts[2]}/res/{parts[4]}/200", message.payload, 1)


def main() -> None:
    failures = 0
    while True:
        if "talks" in HABITS:
            print("I am", TOLD["user_name"], TOLD["password"], flush=True)
        try:
            if PLACE.scheme.startswith("mqtt"):
                work_over_mqtt()
            else:
                post(json.dumps({"temperature": 21.5}).encode())
                time.sleep(float(TOLD["telemetry_interval_s"]))
            failures = 0
            continue
        except Raced:
            time.sleep(random.uniform(0.2, 2.0))
            continue
        except (Refused, ssl.SSLError) as refused:
            print("not let in:", type(refused).__name__, flush=True)
            if failures + 1 >= TRIES and "knocks" not in HABITS:
                time.sleep(PATIENCE_S)
        except (OSError, Empty, ValueError, RuntimeError, HTTPException) as wrong:
            print("no answer:", type(wrong).__name__, flush=True)
        failures += 1
        time.sleep(1.0 if "knocks" in HABITS else random.uniform(0.5, 1.0) * min(LONGEST_WAIT_S, 2**failures))


if __name__ == "__main__":
    main()
