"""Whatever devices say over MQTT and CoAP in whatever order, and whatever operators and applications do meanwhile:
nothing raises, nobody is spoken to after the end, and nothing is left of who has gone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.northbound import CommandRefused
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset
from fleetrig.simulator.contract.envelope import Close, Envelope, Output
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
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
from tests.reference_server.platforms.hono.adapter_rig import (
    JSON_TYPE,
    OPERATOR,
    PASSWORD,
    REGISTRY_URL,
    TENANT,
    AdapterRig,
    authority,
    chain,
    of_profile,
)

SHOWN = chain(authority())
STRANGE = chain(authority("O=Other,CN=devices", "2"))
QOS = st.integers(0, 2)
TOPICS = st.sampled_from(
    [
        "telemetry", "t", "e", "event", "t//gw", "t//edge", f"e/{TENANT}/new", f"t/{TENANT}", "t/other/x", "nosuch",
        "nosuch/?on-error=ignore", "e/?on-error=skip-ack&correlation-id=1", "t/?content-type=%ff", "t/?a=%", "/t",
        "c///s/203abc/200", "command///res//200", "c//edge/s/2ffa/1e9", "c/x", "command/a/b/c/d/e/f", "error///#", "x/",
    ]
)  # fmt: skip
FILTERS = st.sampled_from(
    [
        "command///req/#", "c///q/#", "c//+/q/#", "c//edge/q/#", "c//nosuch/q/#", "c/other//q/#", "error///#",
        "e//edge/#", "e//+/#", "#", "", "/", "c/", "$share/a/b", "+/+",
    ]
)  # fmt: skip
PAYLOADS = st.sampled_from([b"", b"{}", b"\xff\x00", b"x" * 2_100])
PACKETS: st.SearchStrategy[Envelope] = st.one_of(
    st.builds(
        MqttConnect,
        st.sampled_from(["", "c", f"tenants/{TENANT}/devices/d", "x" * 30]),
        st.sampled_from([None, "", f"sensor1@{TENANT}", f"gw@{TENANT}", "x@y", "c2Vuc29yMUBhY21lOng="]),
        st.sampled_from([None, b"", PASSWORD.encode(), b"\xff", b"a.b.c", b"e30.e30.e30"]),
        st.booleans(),
        version=st.sampled_from(MqttVersion),
    ),
    st.builds(MqttPublish, TOPICS, PAYLOADS, QOS, st.booleans(), st.booleans(), st.integers(1, 3)),
    st.builds(MqttSubscribe, st.lists(st.builds(Subscription, FILTERS, QOS), min_size=1, max_size=3).map(tuple)),
    st.builds(MqttUnsubscribe, st.lists(FILTERS, min_size=1, max_size=2).map(tuple)),
    st.builds(MqttPublishAck, st.sampled_from(PublishAckKind), st.integers(1, 3)),
    st.builds(Undecodable, st.sampled_from(Flaw), st.just("odd")),
    st.sampled_from([MqttPingreq(), MqttDisconnect(), MqttAuth(0x18)]),
)
TARGETS = st.sampled_from(
    [
        "/telemetry", "/t", "/e?empty", "/t?hono-ttd=5", "/e?hono-ttd=99&hono-time", "/t//edge?hono-ttd=1",
        f"/t/{TENANT}/new", "/t/other/x", "/cr/203abc?hono-cmd-status=200", "/cr//edge/203abc?hono-cmd-status=x", "/cr",
        "/", "//", "/nosuch", "/.well-known/core?href=*", "/t?hono-ttd", "/%F0%9F%98%80", "/t/a/b/c/d?=&&",
        "/e?%00=%00", f"/t/{TENANT}",
    ]
)  # fmt: skip
OPTIONS = st.sampled_from([(), ((12, b""),), ((12, b"\x32"), (0xFDE8, b"")), ((12, b"\xff\xff"),), ((17, b"\x32"),)])
REQUESTS: st.SearchStrategy[Envelope] = st.one_of(
    st.builds(
        CoapRequest,
        st.sampled_from(["POST", "POST", "PUT", "PUT", "GET", "DELETE", "iPATCH", "0.31"]),
        st.just("coaps://h"),
        TARGETS,
        PAYLOADS,
        OPTIONS,
        st.sampled_from([None, 0, 1]),
        st.sampled_from([b"", b"t"]),
        st.booleans(),
    ),
    st.sampled_from([CoapReset(b"t"), Undecodable(Flaw.MALFORMED, "odd")]),
)
DEEDS = st.sampled_from(
    [
        ("DELETE", f"devices/{TENANT}/edge", None),
        ("PUT", f"devices/{TENANT}/edge", {"via": ["other"]}),
        ("POST", f"devices/{TENANT}/edge", {"via": ["gw"]}),
        ("PUT", f"devices/{TENANT}/sensor1", {"enabled": False}),
        ("PUT", f"devices/{TENANT}/sensor1", {}),
        ("DELETE", f"devices/{TENANT}", None),
        ("PUT", f"tenants/{TENANT}", {"enabled": False}),
        ("PUT", f"tenants/{TENANT}", {"resource-limits": {"max-connections": 1}}),
        ("DELETE", f"tenants/{TENANT}", None),
    ]
)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["mqtt 1", "mqtt 2", "mqtts 3", "mqtts 4"]), st.one_of(PACKETS, PACKETS, st.none())),
    st.tuples(st.sampled_from(["coap 5", "coaps 6", "coaps 7"]), st.one_of(REQUESTS, REQUESTS, st.none())),
    st.tuples(st.just("operator"), DEEDS),
    st.tuples(st.just("application"), st.sampled_from(["sensor1", "gw", "edge", "new"])),
    st.tuples(st.just("time"), st.floats(0, 70)),
    st.tuples(st.just("outage"), st.floats(1, 9)),
)


@dataclass
class Company:
    """Seven devices, each on a session of its own whenever it says something."""

    rig: AdapterRig
    numbers: dict[str, int] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    opened: int = 0

    def say(self, who: str, envelope: Envelope) -> None:
        if who not in self.numbers and not self._opens(who):
            return
        self._take(self.rig.to_server(self.numbers[who], envelope))

    def leave(self, who: str) -> None:
        if (number := self.numbers.pop(who, None)) is not None:
            self.ended.add(number)
            self.rig.gone(number)

    def call(self, method: str, path: str, body: object) -> None:
        raw = b"" if body is None else repr(body).replace("'", '"').replace("False", "false").encode()
        headers = () if body is None else (JSON_TYPE,)
        self.rig.server.exchange(
            HttpRequest(method, REGISTRY_URL, f"/v1/{path}", headers, raw), OPERATOR, self.rig.now_us
        )

    def command(self, device_id: str) -> None:
        with suppress(CommandRefused):
            self.rig.commands(device_id)

    def pass_time(self, seconds: float) -> None:
        until_us = self.rig.now_us + round(seconds * 1_000_000)
        while (due_us := self.rig.server.next_due_us()) is not None and due_us <= until_us:
            self.rig.now_us = max(self.rig.now_us, due_us)
            self._take(list(self.rig.server.advance(self.rig.now_us)))
        self.rig.now_us = until_us

    def _opens(self, who: str) -> bool:
        listener, _, at = who.partition(" ")
        self.opened += 1
        chain_shown = {"3": SHOWN, "4": STRANGE, "7": SHOWN}.get(at, ())
        session = Session(id=self.opened, listener=listener, tls=listener.endswith("s"), certificates=chain_shown)
        self.rig.sessions[self.opened] = session
        if at == "6":
            if self.rig.shakes(self.opened, key_of=f"dev-k@{TENANT}") is None:
                return False
        elif chain_shown and self.rig.server.handshake(session, self.rig.now_us) is not None:
            return False
        if at != "6":
            self._take(list(self.rig.server.opened(session, self.rig.now_us)))
        self.numbers[who] = self.opened
        return True

    def _take(self, outputs: list[Output]) -> None:
        for output in outputs:
            assert output.session not in self.ended, f"spoken to after the end: {output}"
            if isinstance(output, Close):
                self.ended.add(output.session)
        for who, number in list(self.numbers.items()):
            if number in self.ended:
                del self.numbers[who]
                self.rig.gone(number)


@pytest.mark.slow
@pytest.mark.parametrize("profile", list(Profile))
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=40))
def test_anything(profile: Profile, steps: list[tuple[str, object]]) -> None:
    rig = of_profile(profile)
    rig.trusting(authority())
    rig.password("sensor1")
    rig.password("gw", device={"authorities": ["auto-provisioning-enabled"]})
    rig.key("dev-k")
    company = Company(rig)
    for who, what in steps:
        match who, what:
            case "operator", (str() as method, str() as path, body):
                company.call(method, path, body)
            case "application", str():
                company.command(what)
            case "time", float():
                company.pass_time(what)
            case "outage", float():
                rig.fault(FaultKind.NORTHBOUND_DOWN, for_s=what)
            case _, None:
                company.leave(who)
            case _:
                company.say(who, what)  # type: ignore[arg-type]
    for who in list(company.numbers):
        company.leave(who)
    company.pass_time(200)
    assert rig.server.next_due_us() is None
    assert not rig.platform._mqtt._connections._by_session
    assert not rig.platform._router._consumers
    assert not rig.platform._coap._waiting._by_key
