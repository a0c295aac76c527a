"""Addresses, ports and TLS, and places that are no ThingsBoard: silence is told apart by what lies behind it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.profile import Validity
from tests.harness.conformance.raw_server import raw_server
from tests.harness.doctor.thingsboard.bench import Bench, now_us
from tests.harness.doctor.thingsboard.conftest import Doctor
from tests.harness.doctor.thingsboard.places import Talk, closes, datagrams, listening, says, says_nothing
from tests.harness.doctor.thingsboard.seeds import ASKS, LOGS_IN

pytestmark = pytest.mark.slow
SOON = ("--within", "0.5")
CONNACK, SUBACK = b"\x20\x02\x00\x00", b"\x90\x03\x00\x06\x01"


@pytest.mark.parametrize(
    ("speaks", "at", "name", "said"),
    [
        ("mqtt", "mqtts", "is-tls", "was asked without TLS, but that port speaks TLS"),
        ("mqtts", "mqtt", "not-tls", "what answers there is no TLS"),
        ("mqtt", "http", "other-protocol", "speaks MQTT to"),
        ("http", "mqtt", "other-protocol", "that port speaks MQTT"),
        ("http", "mqtts", "is-tls", "Use https://"),
        ("https", "http", "not-tls", ": it is HTTP"),
        ("coap", "coaps", "coap-silence", "or UDP is blocked".removeprefix("or ")),
    ],
)
def test_a_port_that_speaks_something_else(
    speaks: str, at: str, name: str, said: str, bench: Bench, doctor: Doctor
) -> None:
    bench.device()
    place = f"{speaks}://{bench.ready[at]}"

    page = doctor(bench, *LOGS_IN, *SOON, over=place, ca=False)

    assert page.names == [name]
    assert page.code == 3
    assert page.document["outcome"] == "server unusable"
    assert said in page.one(name)["cause"] + page.one(name)["change"]


def test_nobody_listens(bench: Bench, doctor: Doctor, free_port: int) -> None:
    page = doctor(bench, *ASKS, over=f"mqtts://127.0.0.1:{free_port}", ca=False)

    assert (page.names, page.code) == (["nobody-listens", "unknown-key"], 3)
    assert "MQTT_SSL_ENABLED=true turns it on" in page.one("nobody-listens")["change"]


def test_an_unknown_host(bench: Bench, doctor: Doctor) -> None:
    page = doctor(bench, *LOGS_IN, over="mqtt://no-such-host.invalid:1883")

    assert page.names[0] == "unknown-host"
    assert page.code == 3


def test_an_authority_that_is_not_trusted(bench: Bench, doctor: Doctor, tmp_path: Path) -> None:
    """Key and secret are never sent to it."""
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(CertificateAuthority("Stranger CA", now_us()).certificate_pem)
    bench.profile("Model A")

    page = doctor(bench, *ASKS, "--ca", str(stranger), over="mqtts", ca=False)

    assert (page.names, page.code) == (["certificate-not-accepted"], 3)
    assert page.document["asked"] == "nothing as the device"


@pytest.mark.parametrize(
    ("host", "is_over", "name", "said"),
    [
        ("thingsboard.example", False, "server-certificate-host", "is not for 127.0.0.1, but for thingsboard.example"),
        ("127.0.0.1", True, "server-certificate-dates", "The server's certificate expired on"),
    ],
    ids=["other-host", "expired"],
)
def test_the_server_s_certificate(
    host: str, is_over: bool, name: str, said: str, bench: Bench, doctor: Doctor, tmp_path: Path
) -> None:
    ca = CertificateAuthority("Plant CA", now_us())
    issued = ca.issue_server([host], validity=Validity.expired(now_us()) if is_over else None)
    files = {"ca": ca.certificate_pem, "server": issued.certificate_pem + issued.key_pem}
    for file, content in files.items():
        (tmp_path / f"{file}.pem").write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    bench.profile("Model A")

    with raw_server(says_nothing, context) as url:
        place = url.replace("https", "mqtts")
        page = doctor(bench, *ASKS, "--ca", str(tmp_path / "ca.pem"), over=place, ca=False)

    assert (page.names, page.code) == (["certificate-not-accepted", name], 3)
    assert said in page.one(name)["cause"]
    assert page.document["asked"] == "nothing as the device", "key and secret were sent"


def test_insecure_looks_on_and_says_so(bench: Bench, doctor: Doctor) -> None:
    bench.device()

    page = doctor(bench, *LOGS_IN, "--insecure", over="mqtts", ca=False)

    assert (page.names, page.code) == ([], 0)
    assert page.notes == ["server-certificate-unchecked"]


# -- places that are none


@pytest.mark.parametrize(
    ("talk", "options", "name", "said"),
    [
        (closes, LOGS_IN, "ip-guard", "after 10 wrong logins it refuses every connection"),
        (closes, ASKS, "ip-guard", "TB_TRANSPORT_IP_RATE_LIMITS_ENABLED"),
        (says_nothing, LOGS_IN, "no-connack", "never answers CONNECT"),
        (says(b"SSH-2.0-x\r\n"), LOGS_IN, "not-thingsboard", "SSH-2.0"),
        (says(b"\x20\x7f"), LOGS_IN, "not-thingsboard", "no MQTT"),
        (says(b"\xff" * 64), ASKS, "not-thingsboard", "no MQTT"),
        (says(CONNACK, SUBACK), ASKS, "no-reply", "a broker of another kind"),
        (says(CONNACK, b"\xff\xff\xff\xff\xff\xff"), ASKS, "not-thingsboard", "CONNACK 0, no MQTT"),
        (says(CONNACK, b"\x30\x17\x00\x13/provision/response{}"), ASKS, "not-thingsboard", "PUBLISH"),
    ],
    ids=[
        "guard-login",
        "guard-request",
        "silence",
        "ssh",
        "half-connack",
        "garbage",
        "broker",
        "late-garbage",
        "no-status",
    ],
)
def test_what_answers_mqtt(
    talk: Talk, options: tuple[str, ...], name: str, said: str, bench: Bench, doctor: Doctor
) -> None:
    bench.profile("Model A")
    bench.device("other", token="another-token-0123")
    bench.device("gw-18", token="token-of-gw-17-0123")
    with listening(talk) as place:
        page = doctor(bench, *options, *SOON, over=f"mqtt://{place}")

    assert page.names == [name]
    assert page.code in (1, 3)
    assert said in page.one(name)["cause"]


@pytest.mark.parametrize(
    ("talk", "name"),
    [
        (closes, ""),
        (says_nothing, ""),
        (says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "not-thingsboard"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"), "not-thingsboard"),
        (says(b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"status":"WHAT"}'), "not-thingsboard"),
        (says(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"), "chain-profile-key"),
        (says(b"\x00\x01garbage"), ""),
    ],
    ids=["closes", "silence", "404", "page", "other-status", "gave-up", "garbage"],
)
def test_what_answers_http(talk: Talk, name: str, bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A")
    with listening(talk) as place:
        page = doctor(bench, *ASKS, *SOON, "--no-account", over=f"http://{place}")

    assert page.names == ([name] if name else ["no-answer"])
    assert page.code in (1, 3)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (None, "coap-silence"),
        (b"", "not-thingsboard"),
        (b"\x60\x45\x00", "not-thingsboard"),
        (b"\x70\x00\x00\x01", "coap-silence"),
    ],
    ids=["silence", "empty", "half", "reset-of-another"],
)
def test_what_answers_coap(answer: bytes | None, name: str, bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A")
    with datagrams(answer) as place:
        page = doctor(bench, *ASKS, *SOON, over=f"coap://{place}")

    assert page.names == [name]
    assert page.code == 3


def test_the_rest_api_is_not_there_but_the_device_is(bench: Bench, doctor: Doctor, free_port: int) -> None:
    """A device's network often reaches no REST API: its own view is told."""
    bench.device()

    page = doctor(f"http://127.0.0.1:{free_port}", *LOGS_IN, "--over", bench.over("mqtt"))

    assert (page.names, page.code) == ([], 0)
    assert any("nobody listens" in gap for gap in page.document["not_seen"])
