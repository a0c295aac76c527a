"""Performs the steps of a row against our server, over real sockets."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import PreSharedKey, TlsCredential
from tests.golden.hono_player.asking import HttpPeer, ask_coap, ask_http
from tests.golden.hono_player.certificates import Certificates
from tests.golden.hono_player.mqtt_steps import MqttSteps
from tests.golden.hono_player.names import Names
from tests.golden.hono_player.recording import Step
from tests.golden.hono_player.served import HonoServed

JSON: Final = {"Content-Type": "application/json"}
PAYLOAD: Final = '{"temp":5}'
SINK_DOWN: Final = "sink down"
"""Steps whose names say so were recorded while the broker of events hung."""
RACE_ROWS: Final[Mapping[str, int]] = {"A28m": 4}
"""Row -> the step before which twenty MQTT clients connected at once, which the recording leaves out."""
AT_ONCE: Final = 20


@dataclass
class HonoWire:
    """Of one row: it has its own certificates and connections.

    A row begins with a second, so that what was recorded as of one second is of one second here too.
    """

    served: HonoServed
    certificates: Certificates = field(default_factory=Certificates)

    def __post_init__(self) -> None:
        self.served.wait((-self.served.now_us % US_PER_S) / US_PER_S)
        self.mqtt = MqttSteps(self.served.served, self.certificates)
        self._names = Names("")
        self._kinds: Mapping[str, Callable[[dict[str, Any]], Any]] = {
            "pki": lambda request: {},
            "management": self._management,
            "adapter-http": self._adapter_http,
            "mqtt-connect": self.mqtt.connect,
            "mqtt-publish": self.mqtt.publish,
            "mqtt-subscribe": self.mqtt.subscribe,
            "mqtt-wait": self.mqtt.wait,
            "coap": self._coap,
            "events": lambda request: {"events": self.served.events(request["tenant"])},
            "parallel": self._parallel,
            "wait": self._wait,
        }

    def before(self, step: Step, names: Names) -> None:
        self._names = names
        self.served.let_through(SINK_DOWN not in step.name)
        if step.kind == "pki":
            names.values |= self.certificates.make(step.request, self.served.now_us)
        if RACE_ROWS.get(step.row) == step.number:
            self.mqtt.connect_at_once(AT_ONCE, f"device-1.{step.row.lower()}")

    def perform(self, step: Step, request: dict[str, Any]) -> Any:
        return self._kinds[step.kind](request)

    def close(self) -> None:
        self.mqtt.close_all()
        self.served.let_through(True)

    def _management(self, request: dict[str, Any]) -> Any:
        return self.served.answered(lambda: ask_http(self.served.port("registry"), request))

    def _adapter_http(self, request: dict[str, Any]) -> Any:
        port, tls = self._adapter(request)
        return self.served.answered(lambda: ask_http(port, request, tls, request.get("sni")))

    def _adapter(self, request: dict[str, Any]) -> tuple[int, ssl.SSLContext | None]:
        if not request.get("clientCert"):
            return self.served.port("http"), None
        return self.served.port("https"), self.certificates.context(request["clientCert"], request.get("chain"))

    def _coap(self, request: dict[str, Any]) -> Any:
        shown: TlsCredential
        if request.get("psk"):
            identity, key = request["psk"]
            shown = PreSharedKey(identity, key.encode())
        else:
            shown = self.certificates.of(request["clientCert"], request.get("chain"))
        return ask_coap(self.served.port("coaps"), request, shown, self.served.settle)

    def _wait(self, request: dict[str, Any]) -> Any:
        self.served.wait(request["seconds"])
        return {}

    def _parallel(self, request: dict[str, Any]) -> Any:
        """All are connected before the first asks, and all have asked before the first is heard."""
        gateways = request.get("gateways") or [""]
        asked = [(gateways[number % len(gateways)], number) for number in range(request["n"])]
        requests = [self._one_of(request, gateway) for gateway, _ in asked]
        peers = [HttpPeer(*self._adapter(one)) for one in requests]
        self.served.settle()  # all are accepted: who asks first is read first
        for peer, one in zip(peers, requests, strict=True):
            peer.say(one)
        self.served.settle()
        statuses = [self.served.answered(peer.hear)["status"] for peer in peers]
        counted = Counter(f"{gateway} {status}".strip() for (gateway, _), status in zip(asked, statuses, strict=True))
        return {"statuses": dict(counted)}

    def asked(self, method: str, certificate: str) -> HttpPeer:
        """A device's telemetry, whose answer is still to be read."""
        request = {"method": method, "path": "/telemetry", "headers": JSON, "body": PAYLOAD, "clientCert": certificate}
        peer = HttpPeer(*self._adapter(request))
        peer.say(request)
        return peer

    def _one_of(self, request: dict[str, Any], gateway: str) -> dict[str, Any]:
        if not gateway:
            return {"headers": JSON, "body": PAYLOAD, **request}
        tenant = self._names.fill("${tenant}")
        return {"method": "PUT", "path": f"/telemetry/{tenant}/e1", "headers": JSON, "body": PAYLOAD,
                "basic": f"{gateway}@{tenant}:secret"}  # fmt: skip
