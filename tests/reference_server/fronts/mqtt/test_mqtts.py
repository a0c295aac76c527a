"""MQTT over TLS: what mosquitto's client hears of handshakes, and a peer that does not read."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.mqtt_limits import MqttLimits
from fleetrig.reference_server.platform import HandshakeAnswer
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.contract.session import Session
from tests.peers.programs import need_program
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, MqttPeer, Scripted, mqtt_served
from tests.reference_server.fronts.peer import LIMIT_S


@dataclass
class ScriptedJudge(Scripted):
    alert: TlsAlert | None = None

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        return HandshakeAnswer(self.alert, reason="nobody knows it" if self.alert else "")


@pytest.fixture
def mqtts() -> Iterator[MqttBench]:
    with mqtt_served(ScriptedJudge(), ("mqtts",), ClientAuth.ANY) as bench:
        yield bench


@pytest.fixture(scope="module")
def device() -> ClientCertificate:
    return CertificateAuthority("fleet", time.time_ns() // 1000).authority_below("plant").issue_client("gw-7")


def publish(mqtts: MqttBench, folder: Path, shown: ClientCertificate | None = None) -> subprocess.CompletedProcess[str]:
    port = mqtts.server.addresses["scripted"]["mqtts"].port
    command = [need_program("mosquitto_pub", "mosquitto-clients"), "-h", "localhost", "-p", str(port),
               "--cafile", str(mqtts.server.ca), "-t", "up", "-m", "x", "-d", "--tls-version", "tlsv1.2"]  # fmt: skip
    if shown is not None:
        chain, key = folder / "chain.pem", folder / "key.pem"
        chain.write_text("".join(map(ssl.DER_cert_to_PEM_cert, shown.chain)))
        key.write_bytes(shown.key_pem)
        command += ["--cert", str(chain), "--key", str(key)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.mark.peer
def test_a_certificate_comes_to_the_platform_with_its_session(
    mqtts: MqttBench, device: ClientCertificate, tmp_path: Path
) -> None:
    assert publish(mqtts, tmp_path, device).returncode == 0
    (session,) = mqtts.platform.sessions
    assert (session.id, session.listener, session.tls, session.server_name) == (1, "mqtts", True, "localhost")
    assert session.certificates == device.chain


@pytest.mark.peer
@pytest.mark.parametrize("alert", [TlsAlert.CERTIFICATE_UNKNOWN, TlsAlert.UNKNOWN_CA, TlsAlert.CERTIFICATE_EXPIRED])
def test_a_refusal_is_heard_as_its_alert(
    mqtts: MqttBench, device: ClientCertificate, tmp_path: Path, alert: TlsAlert
) -> None:
    mqtts.platform.alert = alert
    done = publish(mqtts, tmp_path, device)
    assert done.returncode != 0
    assert f"alert {alert.replace('_', ' ')}" in done.stdout + done.stderr
    assert mqtts.platform.sessions == []
    assert publish(mqtts, tmp_path).returncode == 0  # without one it is not judged


@pytest.mark.peer
@pytest.mark.parametrize("certificate", ["wrong_name", "expired", "not_yet_valid", "stranger"])
def test_another_certificate_of_the_server_is_refused_once(mqtts: MqttBench, tmp_path: Path, certificate: str) -> None:
    fault = Fault(FaultKind.SERVER_CERTIFICATE, "HANDSHAKE mqtts", times=1, parameters={"certificate": certificate})
    mqtts.bench.loop.call(lambda: mqtts.server.add_fault(fault))
    done = publish(mqtts, tmp_path)
    assert done.returncode != 0
    assert "TLS error" in done.stderr
    assert publish(mqtts, tmp_path).returncode == 0
    assert [session.id for session in mqtts.platform.sessions] == [2]


@pytest.mark.parametrize("client_auth", [ClientAuth.NONE, ClientAuth.ANY])
def test_a_peer_that_does_not_read_is_reset_over_tls_too(client_auth: ClientAuth) -> None:
    """The front's bound for what a peer leaves unread counts what TLS holds of it."""

    def pushes(session: Session, envelope: object) -> Sequence[Output] | None:
        return [Send(2, MqttPublish("a", b"x" * 100_000))] * 200 if isinstance(envelope, MqttPublish) else None

    platform = Scripted(pushes, MqttLimits(unread_bytes=100_000))
    with mqtt_served(platform, ("mqtts",), client_auth) as bench:
        context = ssl.create_default_context(cafile=bench.server.ca)
        port = bench.server.addresses["scripted"]["mqtts"].port
        with MqttPeer(port, tls=context) as one, MqttPeer(port, tls=context) as reads_nothing:
            one.connect()
            reads_nothing.connect()
            one.say(MqttPublish("go"))
            bench.is_gone(2)
            assert one.is_served()
        (why,) = bench.reasons(2)
    assert why.endswith(" bytes unread")
