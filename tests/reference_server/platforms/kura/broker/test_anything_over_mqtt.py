"""Whatever clients say in whatever order, and whatever an administrator does meanwhile: nothing raises, nobody is
spoken to after the end, no job makes a move that there is not, and nobody has material who may not have it."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.kura.broker.topics import REQUESTER
from fleetrig.reference_server.platforms.kura.payload.codec import encode
from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    Metric,
    ValueType,
    int32,
    int64,
    octets,
    string,
)
from fleetrig.reference_server.platforms.kura.state.errors import Refused
from fleetrig.reference_server.platforms.kura.state.provision_jobs import reset_job, stop_job
from fleetrig.reference_server.platforms.kura.state.provision_requests import delete_request, requests_for
from fleetrig.simulator.contract.envelope import Close, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.reference_server.platforms.kura.broker_rig import (
    ACCOUNT,
    BOOTSTRAP,
    GATEWAY,
    PASSWORD,
    PROVISION,
    BrokerRig,
    lwt,
    start_metrics,
    told,
)
from tests.reference_server.platforms.kura.provisioning.attachments import bundle

QOS = st.integers(0, 2)
BELOW = f"$EDC/{PROVISION}/{GATEWAY}"
TOPICS = st.sampled_from(
    [
        f"{BELOW}/PROV-SIM1/POST/request", f"{BELOW}/PROV-SIM1/POST/request", f"{BELOW}/PROV-SIM1/POST/confirm",
        f"{BELOW}/PROV-SIM1/POST/confirm", f"{BELOW}/PROV-SIM1/POST", f"{BELOW}/PROV-SIM1", f"{BELOW}/MQTT/BIRTH",
        f"$EDC/{PROVISION}/gw-2/PROV-SIM1/REPLY/r", f"$EDC/{PROVISION}/{REQUESTER}/DEPLOY-V2/REPLY/r",
        f"$EDC/{PROVISION}/{REQUESTER}/DEPLOY-V2/NOTIFY/{GATEWAY}/install",
        f"$EDC/{PROVISION}/{REQUESTER}/DEPLOY-V2/NOTIFY/{GATEWAY}", f"$EDC/{ACCOUNT}/{REQUESTER}/CONF-V1/REPLY/r",
        f"$EDC/{ACCOUNT}/{GATEWAY}/MQTT/BIRTH", f"$EDC/{ACCOUNT}/{GATEWAY}/MQTT/DC",
        f"$EDC/{ACCOUNT}/{GATEWAY}/MQTT/APPS", f"$EDC/{ACCOUNT}/{GATEWAY}/MQTT/LWT",
        f"{ACCOUNT}/{GATEWAY}/APP/t", "$EDC//a/b/c", "$EDC", "x", "", "+",
    ]
)  # fmt: skip
FILTERS = st.sampled_from(
    [f"{BELOW}/#", f"$EDC/{ACCOUNT}/{GATEWAY}/#", f"{BELOW}/PROV-SIM1/REPLY/#", "#", "$EDC/#", "a/#/b"]
)


def payloads() -> list[bytes]:
    good = start_metrics(GATEWAY)
    confirm = {
        "request.id": string("r"),
        "requester.client.id": string(GATEWAY),
        "prov.job.id": string("JOB"),
        "prov.result": string("STAGED"),
    }
    other = {**good, "prov.nonce": octets(bytes(32)), "request.id": string("ü" * 300)}
    odd = {**good, "prov.attempt": Metric(ValueType.DOUBLE, float("nan")), "prov.nonce": string("")}
    notified = {"job.id": int64(1), "dp.install.status": string("COMPLETED")}
    said = [
        good,
        other,
        odd,
        confirm,
        {**confirm, "prov.result": string("FAILED")},
        notified,
        {"response.code": int32(202)},
    ]
    encoded = [encode(KuraPayload(1, metrics=metrics)) for metrics in said]
    return [
        *encoded,
        encode(KuraPayload(metrics=good, body=b"no csr"), gzip=True),
        b"",
        b"{",
        b"\x1f\x8b\x08",
        b"\xff" * 9,
    ]


CONNECTS = st.builds(
    MqttConnect,
    st.sampled_from(["", GATEWAY, GATEWAY, "gw-2", "a/b", REQUESTER]),
    st.sampled_from([None, BOOTSTRAP, BOOTSTRAP, "dev", "kapua-sys", "nobody"]),
    st.sampled_from([None, PASSWORD.encode(), PASSWORD.encode(), b"kapua-password", b"\xff"]),
    st.booleans(),
    version=st.sampled_from(MqttVersion),
    will=st.sampled_from([None, lwt(), lwt("gw-2", PROVISION)]),
)
PACKETS = st.one_of(
    CONNECTS,
    st.builds(MqttPublish, TOPICS, st.sampled_from(payloads()), QOS, st.booleans(), packet_id=st.just(1)),
    st.builds(MqttPublish, TOPICS, st.sampled_from(payloads()), st.just(1), packet_id=st.just(1)),
    st.builds(MqttSubscribe, st.lists(st.builds(Subscription, FILTERS, QOS), min_size=1, max_size=2).map(tuple)),
    st.builds(MqttUnsubscribe, st.lists(FILTERS, min_size=1, max_size=2).map(tuple)),
    st.builds(MqttPublishAck, st.sampled_from(PublishAckKind), st.integers(1, 3)),
    st.builds(Undecodable, st.sampled_from(Flaw), st.just("odd")),
    st.sampled_from([MqttPingreq(), MqttDisconnect()]),
)
DEEDS = st.sampled_from(["stops", "resets", "deletes", "creates", "waits", "waits long"])
DOES = st.lists(st.tuples(st.integers(1, 3), st.one_of(PACKETS, PACKETS, DEEDS)), max_size=14)


@dataclass
class Crowd(BrokerRig):
    """Sessions that open when they speak for the first time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.user()
        self.request(attachments=(bundle(),), retry_max_attempts=1)
        self.ended: set[int] = set()

    def does(self, session: int, what: object) -> list[Output]:
        if isinstance(what, str):
            return self.administrator(what)
        if session in self.ended:
            return []
        if session not in self.sessions:
            self.sessions[session] = Session(id=session, listener="mqtt")
            self.server.opened(self.sessions[session], self.now_us)
        if isinstance(what, MqttPublish):
            job = requests_for(self.registry, GATEWAY)[:1]
            data = what.payload.replace(b"\x03JOB", b"\x0b" + job[0].job.id.encode()) if job else what.payload
            what = MqttPublish(what.topic, data, what.qos, what.retain, packet_id=1)
        return self.receive(session, what)

    def administrator(self, deed: str) -> list[Output]:
        found = requests_for(self.registry, GATEWAY)
        try:
            with self.store.transaction():
                match deed:
                    case "stops" if found:
                        stop_job(self.registry, found[0], self.now_us)
                    case "resets" if found:
                        reset_job(self.registry, found[0], self.now_us)
                    case "deletes" if found:
                        delete_request(self.registry, found[0])
        except Refused:
            pass
        if deed == "creates":
            self.request(overwrite_if_duplicate=True)
        return self.later({"waits": 3, "waits long": 400}.get(deed, 0))

    def follow(self, outputs: list[Output]) -> None:
        """Nobody is spoken to after the end; what the front would say of ends is said."""
        for output in outputs:
            assert output.session not in self.ended
            if isinstance(output, Close):
                self.ended.add(output.session)
        for session in sorted(self.ended & set(self.sessions)):
            self.follow(self.vanishes(session))


@given(DOES)
@settings(max_examples=60)
def test_whatever_is_said(does: list[tuple[int, object]]) -> None:
    crowd = Crowd()
    for session, what in does:
        outputs = crowd.does(session, what)
        for one in told(outputs):
            if "prov.password" in one.payload.metrics:
                assert one.topic.startswith(f"{BELOW}/PROV-SIM1/REPLY/")
        crowd.follow(outputs)
    for session in list(crowd.sessions):
        crowd.follow(crowd.vanishes(session))
    crowd.follow(crowd.later(1_000))
    assert len(crowd.platform._broker._clients) == 0
    assert len(crowd.platform._broker.calls._calls) == 0
    assert not [one for one in crowd.later(100_000) if isinstance(one, Send)]
