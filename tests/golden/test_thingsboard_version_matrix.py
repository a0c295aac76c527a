"""The table of versions (spec 1.7), line by line, on real sockets: what an older server says, and what a newer one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from tests.golden.mqtt_client import MqttClient
from tests.golden.served import Served
from tests.golden.thingsboard_player.asking import ask_coap, ask_http
from tests.golden.thingsboard_player.certificates import Certificates
from tests.golden.thingsboard_player.served import served

pytestmark = pytest.mark.slow

KEY, SECRET = "the-key-of-profile-a", "the-secret-of-profile-a"
OLD, PREVIOUS, CURRENT, DOCUMENTED = Profile.OLD, Profile.PREVIOUS, Profile.CURRENT, Profile.AS_DOCUMENTED
ALLOW, CHECK, CHAIN = "ALLOW_CREATE_NEW_DEVICES", "CHECK_PRE_PROVISIONED_DEVICES", "X509_CERTIFICATE_CHAIN"


@dataclass
class Bench:
    served: Served
    login: str = ""

    def rest(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        if not self.login:
            account = {"username": "tenant@thingsboard.org", "password": "tenant"}
            self.login = self.http("POST", "/api/auth/login", account)["body"]["token"]
        headers = {"X-Authorization": f"Bearer {self.login}"}
        request = {"method": method, "path": path, "headers": headers, "body": body}
        return ask_http(self.served.port("http"), request)

    def http(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return ask_http(self.served.port("http"), {"method": method, "path": path, "body": body})

    def profile(self, strategy: str, secret: str = SECRET, **more: Any) -> int:
        configuration = {"type": strategy, "provisionDeviceSecret": secret, **more}
        data = {
            "configuration": {"type": "DEFAULT"},
            "transportConfiguration": {"type": "DEFAULT"},
            "provisionConfiguration": configuration,
        }
        body = {"name": "A", "type": "DEFAULT", "transportType": "DEFAULT", "provisionType": strategy}
        key = {} if strategy == CHAIN else {"provisionDeviceKey": KEY}
        status: int = self.rest("POST", "/api/deviceProfile", {**body, **key, "profileData": data})["status"]
        return status

    def provision(self, **members: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.http("POST", "/api/v1/provision", request(**members))["body"]
        return answer

    @contextmanager
    def joined(self, version: str = "3.1.1", username: str = "provision") -> Iterator[MqttClient]:
        client = MqttClient(self.served.port("mqtt"), version)
        try:
            client.connect({"username": username, "client_id": "x"})
            client.hear_one()
            yield client
        finally:
            client.close()

    def heard(self, client: MqttClient) -> list[str]:
        """All that it has been told since it was asked last."""
        client.hear_all()
        said = []
        while (event := client.next_event()) is not None:
            said.append(" ".join(f"{name}={_short(value)}" for name, value in event.items()))
        return said


def request(**members: Any) -> dict[str, Any]:
    return {"provisionDeviceKey": KEY, "provisionDeviceSecret": SECRET, **members}


def _short(value: Any) -> Any:
    return value["topic"] if isinstance(value, dict) else value


# What is seen of each line


def provisions_everywhere(bench: Bench) -> object:
    bench.profile(ALLOW)
    over_http = bench.provision(deviceName=" a ")
    over_coap = ask_coap(
        bench.served.port("coap"), {"method": "POST", "path": "api/v1/provision", "payload": request(deviceName="b")}
    )
    with bench.joined() as client:
        client.publish({"topic": "/provision/request", "payload": request(), "qos": 1})
        over_mqtt = bench.heard(client)
    names = [each["name"] for each in bench.rest("GET", "/api/tenant/devices?pageSize=9&page=0")["body"]["data"]]
    return [
        sorted(over_http),
        (over_coap["code"], sorted(over_coap["payload"])),
        over_mqtt,
        [name for name in sorted(names) if len(name) == 1],
        [len(name) for name in names if len(name) > 1],
    ]


def closes_after_60_s(bench: Bench) -> object:
    bench.profile(ALLOW)
    with bench.joined() as client:
        client.publish({"topic": "/provision/request", "payload": request(deviceName="a")})
        bench.heard(client)
        bench.served.wait(61)
        return bench.heard(client)


def knows_chains(bench: Bench) -> object:
    made = Certificates()
    pem = made.make("ca", "an authority", None, 30, bench.served.now_us)
    made.make("leaf", "dev", "ca", 30, bench.served.now_us)
    status = bench.profile(CHAIN, pem, certificateRegExPattern="(.*)", allowCreateNewDevicesByX509Certificate=True)
    client = MqttClient(bench.served.port("mqtts"), tls=made.context(["leaf", "ca"], None))
    try:
        client.connect({"client_id": "x"})
        return status, client.hear_one()["connack"]
    finally:
        client.close()


def tells_reasons(bench: Bench) -> object:
    bench.rest("POST", "/api/device?accessToken=a-token-of-a-device", {"name": "d", "type": "default"})
    with bench.joined("5", "a-token-of-a-device") as client:
        client.publish({"topic": "no/such/topic", "payload": {}, "qos": 1})
        return bench.heard(client)


def acknowledges_before_it_closes(bench: Bench) -> object:
    with bench.joined() as client:
        client.publish({"topic": "v1/devices/me/telemetry", "payload": {}, "qos": 1})
        return bench.heard(client)


def makes_gateways(bench: Bench) -> object:
    bench.profile(ALLOW)
    bench.provision(deviceName="gw", gateway=True)
    device = bench.rest("GET", "/api/tenant/devices?deviceName=gw")["body"]
    return (device["additionalInfo"] or {}).get("gateway")


def answers_subscriptions(bench: Bench) -> object:
    with bench.joined() as client:
        client.subscribe([("/provision/response", 1)])
        client.unsubscribe("/provision/response")
        return bench.heard(client)


def checks_what_is_provisioned(bench: Bench) -> object:
    bench.profile(CHECK)
    bench.rest("POST", "/api/device", {"name": "d", "type": "A"})
    first, second = (bench.provision(deviceName="d") for _ in range(2))
    return second["status"], second.get("credentialsValue") == first["credentialsValue"]


def names_its_members(bench: Bench) -> object:
    bench.profile(ALLOW)
    good, bad = bench.provision(deviceName="d"), bench.provision(deviceName="d")
    return list(good), bad


SAME = [
    ["credentialsType", "credentialsValue", "status"],
    ("2.01", ["credentialsType", "credentialsValue", "status"]),
    ["puback=True", "publish=/provision/response"],
    ["a", "b"],
    [20],
]
FAILURE = {"errorMsg": "Failed to provision device!", "status": "FAILURE"}
MEMBERS = ["credentialsValue", "credentialsType", "status"]
UNHEARD = ["closed=True disconnect=None"]

Look = Callable[[Bench], object]
MATRIX: tuple[tuple[str, Look, Profile, object, Profile, object], ...] = (
    # line of the table                     before                       from
    ("3.2 all transports, one answer", provisions_everywhere, OLD, SAME, CURRENT, SAME),
    ("3.2 members", names_its_members, OLD, (MEMBERS, FAILURE), CURRENT, (MEMBERS, FAILURE)),
    (
        "never: as documented", names_its_members,
        DOCUMENTED, (["deviceId", "provisionDeviceStatus", "credentialsType", "accessToken"],
                     {"provisionDeviceStatus": "FAILURE"}),
        CURRENT, (MEMBERS, FAILURE),
    ),
    ("3.3 60 s close", closes_after_60_s, OLD, [], CURRENT, UNHEARD),
    ("3.5 chains", knows_chains, OLD, (500, 5), CURRENT, (200, 0)),
    ("3.7 reason codes", tells_reasons, OLD, ["puback=0"], CURRENT, ["puback=144"]),
    ("3.7 PUBACK before close", acknowledges_before_it_closes, OLD, UNHEARD, CURRENT, ["puback=True", *UNHEARD]),
    ("3.8 gateway", makes_gateways, OLD, None, CURRENT, True),
    ("3.9 SUBACK", answers_subscriptions, OLD, [], CURRENT, ["suback=[1]", "unsuback=[]"]),
    ("4.2.1.1 provisioned once", checks_what_is_provisioned, PREVIOUS, ("SUCCESS", True), CURRENT, ("FAILURE", False)),
    ("4.2.1.1 in 3.2", checks_what_is_provisioned, OLD, ("SUCCESS", True), CURRENT, ("FAILURE", False)),
)  # fmt: skip
SEEN = [
    pytest.param(look, profile, expected, id=f"{line} in {profile}")
    for line, look, before, old, after, new in MATRIX
    for profile, expected in ((before, old), (after, new))
]


@pytest.mark.parametrize(("look", "profile", "expected"), SEEN)
def test_a_line_of_the_version_matrix(look: Look, profile: Profile, expected: object) -> None:
    with served(profile=profile) as one:
        assert look(Bench(one)) == expected


@pytest.mark.parametrize("profile", [PREVIOUS, DOCUMENTED])
def test_all_other_lines_are_as_in_4_3(profile: Profile) -> None:
    """4.2 differs in one line, what the documentation says in the members alone."""
    is_its_own = {PREVIOUS: checks_what_is_provisioned, DOCUMENTED: names_its_members}[profile]
    lines = {look: new for _, look, _, _, _, new in MATRIX if look not in (is_its_own, provisions_everywhere)}
    if profile is DOCUMENTED:
        del lines[checks_what_is_provisioned]
    for look, expected in lines.items():
        with served(profile=profile) as one:
            assert look(Bench(one)) == expected, look.__name__


def test_every_line_says_two_things() -> None:
    """But for what has been so from the first."""
    assert [line for line, _, _, old, _, new in MATRIX if old == new and not line.startswith("3.2")] == []
