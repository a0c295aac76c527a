"""A gateway of two pages, as its author would write it with paho-mqtt: it provisions itself, connects, and is managed.

All it knows stands in the environment, what it is given is kept in its folder, and nothing here is fleetrig's: the
payloads are put together by hand. Its arguments are bad habits: `talks` prints what it was given, `trusts-everybody`
checks no server and no chain, `forgets` keeps nothing, `hammers` does not wait, `obeys` looks at no signature.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import ssl
import struct
import sys
import time
from itertools import pairwise
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

TOLD = {name.removeprefix("FLEETRIG_").lower(): text for name, text in os.environ.items() if "FLEETRIG_" in name}
HABITS = frozenset(sys.argv[1:])
STORED = Path(TOLD["folder"]) / "given.json"
APP = "PROV-SIM1"
TYPES = {"d": 0, "q": 2, "i": 3, "b": 4, "s": 5, "y": 6}
SIGNED_WITHIN_S = 300.0
GIVEN = {"url": "broker-url", "account": "account-name", "client_id": "client-id", "user_name": "username",
         "password": "password", "alias": "dm.alias", "chain": "cert.chain"}  # fmt: skip
Metrics = dict[str, Any]


class Failed(Exception):
    """An attempt has come to nothing."""


# Payloads


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number: int, kind: int, content: bytes) -> bytes:
    return varint(number << 3 | kind) + (varint(len(content)) if kind == 2 else b"") + content


def payload(metrics: Metrics, body: bytes = b"") -> bytes:
    """Text is STRING, bytes are BYTES, whole numbers INT32."""
    out = field(1, 0, varint(int(time.time() * 1000)))
    for name, value in metrics.items():
        kind = {str: 5, bytes: 6, int: 3, float: 0}[type(value)]
        out_of = {5: lambda v: field(8, 2, v.encode()), 6: lambda v: field(9, 2, v),
                  3: lambda v: field(6, 0, varint(v)), 0: lambda v: field(3, 1, struct.pack("<d", v))}  # fmt: skip
        content = out_of[kind](value)
        out += field(5000, 2, field(1, 2, name.encode()) + field(2, 0, varint(kind)) + content)
    return out + (field(5001, 2, body) if body else b"")


def fields(data: bytes) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = []
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte, at = data[at], at + 1
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            found.append((key >> 3, number()))
            continue
        size = {1: 8, 5: 4}.get(key & 7) or number()
        found.append((key >> 3, data[at : at + size]))
        at += size
    return found


def read(data: bytes) -> tuple[Metrics, dict[str, int], bytes]:
    """(metrics, their types, body); nothing of what is no payload."""
    metrics, types, body = {}, {}, b""
    try:
        for number, content in fields(data):
            if number == 5000:
                parts = dict(fields(content))
                name, kind = parts[1].decode(), parts[2]
                value = parts.get(kind + 3, 0 if kind < 5 else b"")
                metrics[name], types[name] = value.decode() if kind == 5 else value, kind
            body = content if number == 5001 else body
    except (IndexError, KeyError, TypeError, UnicodeDecodeError):
        return {}, {}, data
    return metrics, types, body


# Connections


def session(place: dict[str, str]) -> tuple[Client, Queue[Any]]:
    """Connecting, and where its news come: the CONNACK's code, (topic, payload), None for the end."""
    news: Queue[Any] = Queue()
    client = Client(CallbackAPIVersion.VERSION1, place["client_id"])
    client.on_connect = lambda _client, _data, _flags, code: news.put(code)
    client.on_message = lambda _client, _data, message: news.put((message.topic, bytes(message.payload)))
    client.on_disconnect = lambda *_: news.put(None)
    client.username_pw_set(place["user_name"], place["password"])
    client.will_set(f"$EDC/{place['account']}/{place['client_id']}/MQTT/LWT", b"", 0, False)
    url = urlsplit(place["url"])
    if url.scheme == "mqtts":
        trusts = "trusts-everybody" in HABITS
        client.tls_set(TOLD["ca"], cert_reqs=ssl.CERT_NONE if trusts else ssl.CERT_REQUIRED)
        client.tls_insecure_set(trusts)
    client.connect(str(url.hostname), url.port or 1883, 30)
    client.loop_start()
    return client, news


def over(client: Client) -> None:
    client.disconnect()
    client.loop_stop()


# Being provisioned


def attempt(number: int) -> dict[str, str]:
    """What it is given. Raises Failed, OSError, Empty."""
    mac = TOLD["mac"].replace(":", "").upper()
    own = {"url": TOLD["broker_url"], "account": TOLD["account_name"], "client_id": TOLD["client_id"] or mac,
           "user_name": TOLD["user_name"] or f"{mac}-{TOLD['serial_number'] or 'UNKNOWN'}",
           "password": TOLD["password"]}  # fmt: skip
    ends = time.monotonic() + float(TOLD["timeout_s"])
    client, news = session(own)
    try:
        if (code := news.get(timeout=max(0.1, ends - time.monotonic()))) != 0:
            raise Failed(f"CONNACK {code}")
        return dialogue(client, news, own, number, ends)
    finally:
        over(client)


def dialogue(client: Client, news: Queue[Any], own: dict[str, str], number: int, ends: float) -> dict[str, str]:
    base, nonce = f"$EDC/{own['account']}/{own['client_id']}/{APP}", secrets.token_bytes(16)
    client.subscribe(f"{base}/REPLY/#", 1)
    asked = {"prov.profile": APP, "prov.attempt": number, "prov.nonce": nonce}
    if TOLD["activation_key"]:
        asked["activation.key"] = TOLD["activation_key"]
    given = ask(client, news, base, "request", own, asked, ends)
    if given.get("response.code") != 200 or given.get("prov.nonce") != nonce:
        raise Failed(str(given.get("prov.error")))
    check(given["prov.cert.chain"])
    while True:
        told = {"prov.job.id": given["prov.job.id"], "prov.result": "STAGED", "prov.reason": ""}
        try:
            within = min(ends, time.monotonic() + 5.0)
            if ask(client, news, base, "confirm", own, told, within).get("response.code") == 200:
                break
            raise Failed("confirm")
        except Empty:
            if time.monotonic() >= ends:
                raise
    return {name: given[f"prov.{word}"] for name, word in GIVEN.items()}


def ask(
    client: Client, news: Queue[Any], base: str, what: str, own: dict[str, str], metrics: Metrics, ends: float
) -> Metrics:
    """The answer to this very request. Raises Failed, Empty."""
    request = secrets.token_hex(16)
    ids = {"request.id": request, "requester.client.id": own["client_id"]}
    client.publish(f"{base}/POST/{what}", payload({**ids, **metrics}), 1)
    while True:
        match news.get(timeout=max(0.05, ends - time.monotonic())):
            case None:
                raise Failed("the connection ended")
            case (str(topic), bytes(data)) if topic == f"{base}/REPLY/{request}":
                return read(data)[0]
            case _:
                continue


def check(pem: str) -> None:
    """Each was issued by the next, all count now, and the last is trusted. Raises Failed."""
    try:
        chain = x509.load_pem_x509_certificates(pem.encode())
        if not TOLD["ca_authentication"] or "trusts-everybody" in HABITS:
            return
        for one, issuer in pairwise(chain):
            one.verify_directly_issued_by(issuer)
        trusted = x509.load_pem_x509_certificates(TOLD["trust_anchors"].encode()) if TOLD["trust_anchors"] else []
        now = time.time()
        in_time = all(
            one.not_valid_before_utc.timestamp() <= now <= one.not_valid_after_utc.timestamp() for one in chain
        )
        if not in_time or chain[-1] not in trusted:
            raise Failed("chain")
    except (ValueError, TypeError, InvalidSignature) as wrong:
        raise Failed("chain") from wrong


# At work


def work(place: dict[str, str]) -> None:
    """For as long as the server lets it. Raises Failed, OSError, Empty."""
    client, news = session(place)
    try:
        if (code := news.get(timeout=30.0)) != 0:
            raise Failed(f"CONNACK {code}")
        base = f"$EDC/{place['account']}/{place['client_id']}"
        client.publish(f"{base}/MQTT/BIRTH", payload(birth()), 1)
        client.subscribe(f"{base}/#", 1)
        every = float(TOLD["telemetry_interval_s"] or 1e6)
        due = time.monotonic() + every
        while True:
            try:
                match news.get(timeout=max(0.01, due - time.monotonic())):
                    case None:
                        return
                    case (str(topic), bytes(data)) if topic.startswith(f"{base}/CONF-V1/"):
                        answer(client, place, topic, data)
                    case _:
                        continue
            except Empty:
                due += every
                client.publish(
                    f"{place['account']}/{place['client_id']}/telemetry/data", payload({"temperature": 21.5})
                )
    finally:
        client.loop_stop()


def birth() -> Metrics:
    names = ("uptime", "model_name", "model_id", "part_number", "firmware_version", "bios_version", "os", "os_version",
             "jvm_name", "jvm_version", "kura_version", "connection_ip", "total_memory",
             "available_processors", "cpu_version", "os_arch", "jvm_profile", "jvm_vendor", "jdk_vendor_version",
             "application_framework_version", "osgi_framework", "osgi_framework_version")  # fmt: skip
    return {**dict.fromkeys(names, "1"), "display_name": "a gateway", "serial_number": TOLD["serial_number"],
            "application_framework": "Kura", "application_ids": "CONF-V1", "accept_encoding": "",
            "connection_interface": f"eth0 ({TOLD['mac']})", "payload_encoding": "KURA_PROTOBUF"}  # fmt: skip


def answer(client: Client, place: dict[str, str], topic: str, data: bytes) -> None:
    metrics, types, body = read(data)
    request, requester = metrics.get("request.id"), metrics.get("requester.client.id")
    if not isinstance(request, str) or not isinstance(requester, str):
        return
    if "chain" in place and "obeys" not in HABITS and not is_signed(place, topic, metrics, types, body):
        return
    known = topic.split("/")[4:6] == ["GET", "configurations"]
    form = b'<esf:configurations xmlns:esf="http://eurotech.com/esf/2.0"/>'
    said = payload({"response.code": 200 if known else 404}, form if known else b"")
    client.publish(f"$EDC/{place['account']}/{requester}/CONF-V1/REPLY/{request}", said)


def is_signed(place: dict[str, str], topic: str, metrics: Metrics, types: dict[str, int], body: bytes) -> bool:
    """By SIG-SIM1, with the certificate that it was given."""
    if metrics.get("sig.alias") != place["alias"] or abs(time.time() - metrics["sig.time"] / 1000) > SIGNED_WITHIN_S:
        return False
    parts = [topic.split("/", 3)[3].encode(), place["client_id"].encode(), str(metrics["sig.time"]).encode()]
    for name in sorted(metrics, key=str.encode):
        if name != "sig.value":
            value = metrics[name]
            parts += [name.encode(), str(types[name]).encode(), value.hex().encode() if isinstance(value, bytes)
                      else str(value).encode()]  # fmt: skip
    signed = b"".join(struct.pack(">I", len(part)) + part for part in [*parts, body])
    key: Any = x509.load_pem_x509_certificates(place["chain"].encode())[0].public_key()
    try:
        key.verify(metrics["sig.value"], signed)
    except (InvalidSignature, TypeError):
        return False
    return True


def main() -> None:
    number, begins = 0, time.monotonic()
    interval, most = float(TOLD["retry_interval_s"]), int(TOLD["retry_max_attempts"])
    reconnect = 1.0 if "hammers" in HABITS else float(TOLD["reconnect_interval_s"])
    given = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else None
    while TOLD["provisioning"] and given is None and (most < 0 or number < most):
        number, begins = number + 1, time.monotonic()
        try:
            given = attempt(number)
            if "talks" in HABITS:
                print("I was given", given, flush=True)
            if "forgets" not in HABITS:
                STORED.write_text(json.dumps(given), encoding="utf-8")
        except (Failed, OSError, Empty) as wrong:
            print("attempt", number, type(wrong).__name__, flush=True)
            time.sleep(0.05 if "hammers" in HABITS else max(0.0, begins + interval - time.monotonic()))
    if given is None and not TOLD["provisioning"] and TOLD["broker_url"]:
        given = {"url": TOLD["broker_url"], "account": TOLD["account_name"], "client_id": TOLD["client_id"],
                 "user_name": TOLD["user_name"], "password": TOLD["password"]}  # fmt: skip
    while given is not None:
        begins = time.monotonic()
        try:
            work(given)
            time.sleep(1.0 if reconnect < 15 else random.randint(1, int(reconnect) // 5 - 1))
        except (Failed, OSError, Empty) as wrong:
            print("no connection:", type(wrong).__name__, flush=True)
            time.sleep(max(0.0, begins + reconnect - time.monotonic()))
    print("only people can help", flush=True)
    time.sleep(1e6)


if __name__ == "__main__":
    main()
