"""One attempt to be provisioned, from CONNECT to DISCONNECT (open profile PROV-SIM1, spec 1.6).

    gateway                                              provision broker
      | -- CONNECT with its bootstrap credentials ---------> |
      | -- SUBSCRIBE …/REPLY/# …/EXEC/#, handlers ---------> |   before anything is published
      | -- PUBLISH $EDC/P/C/PROV-SIM1/POST/request --------> |
      | <- PUBLISH $EDC/P/C/PROV-SIM1/REPLY/<request.id> --- |   the material
      |    stages it: nothing is stored yet                  |
      | -- PUBLISH …/POST/confirm -------------------------> |   again, with another id, until it is answered
      | <- PUBLISH …/REPLY/<request.id> 200 ---------------- |   the permission to commit
      | -- DISCONNECT -------------------------------------> |

While it waits it answers requests (CONF-V1, DEPLOY-V2): packages may be installed before the permission.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final

from fleetrig.simulator.certificates.names import named
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    Subscription,
)
from fleetrig.simulator.effects import (
    Connect,
    Disconnect,
    Effect,
    NoReply,
    Outcome,
    Reply,
    acknowledge,
    ask,
    draw_token,
)
from fleetrig.simulator.flows.kura import codec, protobuf
from fleetrig.simulator.flows.kura.commit import commit
from fleetrig.simulator.flows.kura.dispatcher import dispatch
from fleetrig.simulator.flows.kura.keystore import SEED_BYTES, key_pem, make_key, signing_request
from fleetrig.simulator.flows.kura.life import FOREVER_S, GatewayLife
from fleetrig.simulator.flows.kura.material import Material, Refusal, read_material, read_refusal
from fleetrig.simulator.flows.kura.naming import ControlTopic, is_publishable, read_control, substituted
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, int32, string
from fleetrig.simulator.flows.kura.requests import REQUEST_ID, REQUESTER, RESPONSE_CODE
from fleetrig.simulator.flows.kura.store import MessageStore

PROFILE: Final = "PROV-SIM1"
ID_BYTES: Final = 16
"""More than the 64 bits that an id must have at least."""
NONCE_BYTES: Final = 16
CONFIRM_EVERY_S: Final = 5.0
LISTENED: Final = ("PUBLISH *", "DISCONNECT*")
ANSWERS: Final = ("reply", "notify")
SERVED: Final = ("CONF-V1", "DEPLOY-V2")
FAILED_FROM: Final = 0x80

LOST: Final = frozenset({"closed", "reset", "malformed", "truncated", "tls", "refused", "unreachable"})
"""What ends the connection by itself."""
CALLED_OFF: Final = Refusal("called off")
OUT_OF_TIME: Final = Refusal("timeout")

Attempting = Generator[Effect, Outcome, Refusal | None]
"""None: it is done."""


@dataclass(slots=True)
class Attempt:
    life: GatewayLife
    until_s: float
    """When its time is over."""
    account: str
    client_id: str
    key_pem: str = field(default="", repr=False)
    is_connected: bool = False
    said_s: float = 0.0
    """When it said anything last."""

    @property
    def left_s(self) -> float:
        """Until its time is over, or until an operator changes something."""
        changes = [change.after_s for change in self.life.changes[:1]]
        return max(0.0, min([self.until_s, *changes]) - self.life.now_s)

    @property
    def is_over(self) -> bool:
        return self.life.is_due(self.until_s)

    @property
    def is_called_off(self) -> bool:
        """An operator has switched it off, or has begun anew."""
        return not self.life.is_to_provision

    def topic(self, app_topic: str) -> str:
        life = self.life
        app = life.settings.prov_app_id
        return f"{life.cloud.control_prefix}/{self.account}/{self.client_id}/{app}/{app_topic}"

    # CONNECT and SUBSCRIBE

    def signed_in(self) -> Generator[Effect, Outcome, Refusal | None]:
        wanted = self.life.provisioning
        username = wanted.username or f"{self.life.mac}-{self.life.serial_number}"
        hello = MqttConnect(
            self.client_id,
            username,
            wanted.password.encode() if wanted.password else None,
            keep_alive_s=self.life.transport.keep_alive_s,
        )
        answer = yield from self.life.call(
            Connect("provision-connect", wanted.broker_url.rstrip("/"), hello, self.left_s)
        )
        match answer:
            case Reply(MqttConnack(code=0)):
                self.is_connected = True
                return None
            case Reply(connack):
                return Refusal(connack.line)
            case NoReply(why):
                return Refusal(why)

    def subscribed(self) -> Generator[Effect, Outcome, Refusal | None]:
        prefix = f"{self.life.cloud.control_prefix}/{self.account}/{self.client_id}"
        filters = [self.topic("REPLY/#"), self.topic("EXEC/#"), *(f"{prefix}/{app}/#" for app in SERVED)]
        wanted = MqttSubscribe(tuple(Subscription(one, 1) for one in filters))
        answer = yield from ask("provision-subscribe", wanted, self.left_s)
        self.life.now_s += answer.after_s
        self.said_s = self.life.now_s
        if isinstance(answer, NoReply):
            return Refusal(answer.why)
        # That of the replies counts: a broker may not want to send requests here.
        is_refused = not answer.envelope.codes or answer.envelope.codes[0] >= FAILED_FROM
        return Refusal(answer.envelope.line) if is_refused else None

    # The request

    def material(self) -> Generator[Effect, Outcome, Material | Refusal]:
        request_id = yield from draw_token("request-id", ID_BYTES)
        nonce = (yield from draw_token("nonce", NONCE_BYTES)).encode("latin-1", "replace")
        body = yield from self._signing_request()
        yield from self._publish("provision-request", "request", request_id, self._asked(nonce), body)
        came = yield from self._reply_to("provision", request_id, self.until_s)
        if isinstance(came, Refusal):
            return came
        topic, reply = came
        refusal = read_refusal(reply)
        return refusal or (yield from read_material(self.life, topic, reply, nonce))

    def _asked(self, nonce: bytes) -> dict[str, Metric]:
        life, hardware = self.life, self.life.settings.hardware
        key = life.provisioning.activation_key
        about = {
            "serial_number": life.serial_number, "model_id": hardware.model_id, "model_name": hardware.model_name,
            "firmware_version": hardware.firmware_version, "application_framework_version": hardware.kura_version,
        }  # fmt: skip
        return {
            "prov.profile": string(PROFILE),
            "prov.attempt": int32(life.attempts),
            "prov.nonce": Metric(MetricType.BYTES, nonce),
            **({"activation.key": string(key)} if key else {}),
            **{name: string(value) for name, value in about.items()},
        }

    def _signing_request(self) -> Generator[Effect, Outcome, bytes | None]:
        if not self.life.settings.asks_for_certificate:
            return None
        drawn = yield from draw_token("device-key", SEED_BYTES)
        key = make_key("EC", 256, drawn)
        self.key_pem = key_pem(key)
        return signing_request(key, named(self.client_id), "SHA256withECDSA").encode()

    def _publish(
        self, name: str, resource: str, request_id: str, metrics: dict[str, Metric], body: bytes | None = None
    ) -> Generator[Effect, Outcome, bool]:
        """Protobuf without gzip, as Kura's own calls are (spec 2.5)."""
        ids = {REQUEST_ID: string(request_id), REQUESTER: string(self.client_id)}
        data = protobuf.encode(KuraPayload(metrics={**ids, **metrics}, body=body))
        return (yield from self._say(name, MqttPublish(self.topic(f"POST/{resource}"), data)))

    # What comes back

    def _reply_to(
        self, name: str, request_id: str, until_s: float
    ) -> Generator[Effect, Outcome, tuple[ControlTopic, KuraPayload] | Refusal]:
        """The reply with that id; requests that come meanwhile are answered, all else is passed over."""
        life = self.life
        while True:
            yield from self._serve()
            if self.is_called_off:
                return CALLED_OFF
            ping_s = self.said_s + (life.transport.keep_alive_s or FOREVER_S)
            wait_s = min(self.left_s, min(until_s, life.next_work_s(), ping_s) - life.now_s)
            if life.is_due(until_s) or self.is_over:
                return OUT_OF_TIME
            came = yield from life.listen(name, LISTENED, wait_s)
            match came:
                case Reply(MqttPublish() as publish):
                    if (found := (yield from self._heard(publish, request_id))) is not None:
                        return found
                case Reply(envelope):
                    return Refusal(envelope.line)
                case NoReply(why) if why != "timeout":
                    return Refusal(why)
            if life.is_due(ping_s):
                yield from self._say("ping", MqttPingreq())

    def _heard(
        self, publish: MqttPublish, request_id: str
    ) -> Generator[Effect, Outcome, tuple[ControlTopic, KuraPayload] | Refusal | None]:
        """None for what is not waited for."""
        life = self.life
        yield from acknowledge(publish)
        topic = read_control(publish.topic, life.cloud.control_prefix)
        if topic is None or topic.app_id != life.settings.prov_app_id:
            yield from dispatch(life, publish, must_be_signed=life.must_be_signed)
            return None
        if topic.app_topic == "EXEC/abort":
            return Refusal("the server has aborted it")
        payload = codec.from_wire(publish.payload, encoding="kura-protobuf")
        return None if payload is None or topic.app_topic != f"REPLY/{request_id}" else (topic, payload)

    def _say(self, name: str, envelope: Envelope) -> Generator[Effect, Outcome, bool]:
        is_out = yield from self.life.say(name, envelope)
        self.said_s = self.life.now_s
        return is_out

    def _serve(self) -> Generator[Effect, Outcome, None]:
        """What is due, and replies of handlers that wait to be sent; what else the store has is for the target."""
        life = self.life
        yield from life.do_what_is_due()
        while (message := life.store.first()) is not None:
            topic = substituted(message.topic, life.tokens)
            if message.name in ANSWERS and not is_publishable(topic) and life.has_quirk("poisoned-queue"):
                return
            life.store.drop(message)
            if message.name in ANSWERS and is_publishable(topic):
                yield from self._say(message.name, MqttPublish(topic, message.payload))

    # Staging and confirming

    def staged(self, material: Material) -> Generator[Effect, Outcome, Refusal | None]:
        """It takes a while; nothing is kept of it but in the memory of this attempt."""
        done_s = self.life.now_s + self.life.settings.staging_s
        came = yield from self._reply_to("provision-staging", "", min(done_s, self.until_s))
        if isinstance(came, Refusal) and (came is not OUT_OF_TIME or self.is_over):
            return came
        if self.key_pem and not material.device_certificate:
            return Refusal("the certificate that was asked for did not come")
        return None

    def confirmed(self, material: Material, failure: Refusal | None) -> Generator[Effect, Outcome, Refusal | None]:
        """Said again, with a new id and the same job, until it is answered or the time is over (G-34)."""
        life = self.life
        said = {"prov.job.id": string(material.job_id), "prov.result": string("FAILED" if failure else "STAGED")}
        if failure is not None:
            said["prov.reason"] = string(failure.why)
        while not self.is_over:
            request_id = yield from draw_token("request-id", ID_BYTES)
            yield from self._publish("provision-confirm", "confirm", request_id, said)
            if failure is not None:
                return failure
            until_s = min(self.until_s, life.now_s + CONFIRM_EVERY_S)
            came = yield from self._reply_to("provision-confirmed", request_id, until_s)
            if not isinstance(came, Refusal):
                code = came[1].int32(RESPONSE_CODE)
                return None if code == 200 else read_refusal(came[1])
            if came is not OUT_OF_TIME:
                return came
        return OUT_OF_TIME


def attempted(life: GatewayLife) -> Attempting:
    """Ends without a connection, whatever happens; what waits for the target stays in its store."""
    wanted, store = life.provisioning, life.store
    client_id = life.client_id(wanted.client_id, colons=False)
    attempt = Attempt(life, life.now_s + wanted.timeout_s, wanted.account_name, client_id)
    life.provision_tokens = {"account-name": attempt.account, "client-id": client_id}
    life.store = MessageStore(life.data)
    refusal = yield from conversation(attempt)
    if attempt.is_connected and (refusal is None or refusal.why not in LOST):
        yield from life.say("provision-leave", MqttDisconnect())
    yield Disconnect()
    life.provision_tokens, life.store = None, store
    if refusal is not None:
        yield from life.do_what_is_due()
    return refusal


def conversation(attempt: Attempt) -> Attempting:
    """It is committed while it is connected, and nothing is published after that."""
    if (refusal := (yield from attempt.signed_in())) is not None:
        return refusal
    if (refusal := (yield from attempt.subscribed())) is not None:
        return refusal
    material = yield from attempt.material()
    if isinstance(material, Refusal):
        return material
    failure = yield from attempt.staged(material)
    if failure is not None and (failure is CALLED_OFF or failure.why in LOST):
        return failure
    if (refusal := (yield from attempt.confirmed(material, failure))) is not None:
        return refusal
    yield from commit(attempt.life, material, attempt.key_pem)
    return None
