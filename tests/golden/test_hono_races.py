"""Contacts at the same time, over real sockets, in every profile (A28, A29, G10, G11): all have shaken hands before
the first asks, and all have asked before the first is answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from tests.golden.hono_player.names import Names
from tests.golden.hono_player.recording import step_of
from tests.golden.hono_player.served import HonoServed, served
from tests.golden.hono_player.wire import HonoWire

pytestmark = pytest.mark.slow

TWENTY = 20
TWO_STEPS = (Profile.JDBC, Profile.MONGODB)
"""Whose registries make the device and then its credentials, and undo nothing."""
LOSERS = {Profile.JDBC: "500", Profile.MONGODB: "409"}
PASSWORD = {"hash-function": "sha-256", "pwd-hash": "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols="}
"""Of `secret`, without salt."""
JSON = {"Content-Type": "application/json"}


@dataclass
class Race:
    """A tenant that trusts the authority `ca`, and the device `device-1` that has a certificate of it."""

    served: HonoServed
    profile: Profile

    def __post_init__(self) -> None:
        self.wire = HonoWire(self.served)
        self.names = Names("race")
        self.certificate("ca", "devices", ca=True)
        self.certificate("device-1", "device-1", issuer="ca")

    def do(self, kind: str, **request: Any) -> Any:
        step = step_of({"row": "X", "step": 1, "name": "", "kind": kind, "request": request, "response": {}})
        self.wire.before(step, self.names)
        return self.wire.perform(step, self.names.fill(request))

    def certificate(self, name: str, common_name: str, **more: Any) -> None:
        self.do("pki", name=name, subject=[["O", "ACME"], ["OU", "iot"], ["CN", common_name]], **more)

    def manage(self, method: str, path: str, body: object = None) -> Any:
        """What it answers with."""
        answer = self.do("management", method=method, path=f"/v1{path}", headers=JSON, body=body)
        assert answer["status"] < 300, answer
        return json.loads(answer["text"] or "null")

    def tenant(self, **anchor: Any) -> None:
        trusted = {"cert": "${cert:ca}", "auto-provisioning-enabled": True, **anchor}
        self.manage("POST", "/tenants/${tenant}", {"trusted-ca": [trusted]})

    def gateway(self, name: str) -> None:
        self.manage("POST", f"/devices/${{tenant}}/{name}", {"authorities": ["auto-provisioning-enabled"]})
        entry = {"type": "hashed-password", "auth-id": name, "secrets": [PASSWORD]}
        self.manage("PUT", f"/credentials/${{tenant}}/{name}", [entry])

    @property
    def devices(self) -> int:
        return self.served.records().get("hono.device", 0)

    @property
    def events(self) -> list[Any]:
        return self.served.events(self.names.fill("${tenant}"))

    def without_credentials(self) -> int:
        """How many devices nobody can sign in as."""
        found = self.manage("GET", "/devices/${tenant}?pageSize=200")["result"]
        return sum(not self.manage("GET", f"/credentials/${{tenant}}/{device['id']}") for device in found)

    def first_contacts(self, certificate: str = "device-1", how_many: int = TWENTY) -> dict[str, int]:
        """Status -> how many, over HTTPS."""
        answer = self.do("parallel", n=how_many, clientCert=certificate, method="POST", path="/telemetry")
        statuses: dict[str, int] = answer["statuses"]
        return statuses

    def again(self) -> int:
        request = {"method": "POST", "path": "/telemetry", "headers": JSON, "body": "{}", "clientCert": "device-1"}
        status: int = self.do("adapter-http", **request)["status"]
        return status


@pytest.fixture(params=Profile)
def race(request: pytest.FixtureRequest) -> Iterator[Race]:
    with served(request.param) as bench:
        yield Race(bench, request.param)


def leaves_orphans(race: Race) -> bool:
    return race.profile in TWO_STEPS


def announced(race: Race, times: int = 1) -> int:
    """Generation 1 announces nobody."""
    return 0 if race.profile is Profile.OLD else times


def test_twenty_first_contacts_over_https(race: Race) -> None:
    """A28. Where it is one transaction, the nineteen find the device that the first has made."""
    race.tenant()
    statuses = race.first_contacts()
    if leaves_orphans(race):
        assert statuses == {"202": 1, LOSERS[race.profile]: TWENTY - 1}
        assert (race.devices, race.without_credentials()) == (TWENTY, TWENTY - 1)
    else:
        assert statuses == {"202": TWENTY}
        assert race.devices == 1
    assert race.served.records()["hono.credentials"] == 1
    assert len(race.events) == announced(race)


def test_who_lost_is_let_in_later(race: Race) -> None:
    race.tenant()
    race.first_contacts()
    devices = race.devices
    assert [race.again(), race.again()] == [202, 202]
    assert race.devices == devices
    assert len(race.events) == announced(race)


def test_twenty_first_contacts_with_a_template_of_device_ids(race: Race) -> None:
    """A28b. They are in each other's way when the device is made, so that there are no orphans."""
    race.tenant(**{"auto-provisioning-device-id-template": "dev-{{subject-cn}}"})
    statuses = race.first_contacts()
    lost = {"202": 1, "409": TWENTY - 1}
    assert statuses == (lost if leaves_orphans(race) else {"202": TWENTY})
    assert race.devices == 1
    assert len(race.events) == announced(race)


@pytest.mark.parametrize("template", [None, "dev-{{subject-cn}}"])
def test_twenty_first_contacts_over_mqtt(race: Race, template: str | None) -> None:
    """A28m."""
    race.tenant(**({"auto-provisioning-device-id-template": template} if template else {}))
    codes = Counter(event["connack"] for event in race.wire.mqtt.connect_at_once(TWENTY, "device-1"))
    assert codes == ({0: 1, 5: TWENTY - 1} if leaves_orphans(race) else {0: TWENTY})
    assert race.devices == (TWENTY if leaves_orphans(race) and template is None else 1)
    assert len(race.events) == announced(race)


def test_different_devices_are_not_in_each_others_way(race: Race) -> None:
    """A29, with as many at once as the machine's tests can bear."""
    race.tenant()
    for number in range(TWENTY):
        race.certificate(f"d{number}", f"d{number}", issuer="ca")
    peers = [race.wire.asked("POST", f"d{number}") for number in range(TWENTY)]
    assert [race.served.answered(peer.hear)["status"] for peer in peers] == [202] * TWENTY
    assert race.devices == TWENTY
    assert len({event["key"] for event in race.events}) == announced(race, TWENTY)


def test_ten_requests_of_one_gateway_for_an_unknown_device(race: Race) -> None:
    """G10. Generation 1 provisions no edge devices."""
    race.tenant()
    race.gateway("gw")
    answer = race.do("parallel", n=10, gateways=["gw"])
    if race.profile is Profile.OLD:
        assert answer["statuses"] == {"gw 404": 10}
        return
    assert answer["statuses"] == {"gw 202": 10}
    assert race.manage("GET", "/devices/${tenant}/e1")["via"] == ["gw"]
    assert race.devices == 2
    assert race.events


def test_ten_requests_of_two_gateways_for_an_unknown_device(race: Race) -> None:
    """G11. The one that was first has the device."""
    race.tenant()
    race.gateway("gw")
    race.gateway("gx")
    answer = race.do("parallel", n=10, gateways=["gw", "gx"])
    if race.profile is Profile.OLD:
        assert answer["statuses"] == {"gw 404": 5, "gx 404": 5}
        return
    assert answer["statuses"] == {"gw 202": 5, "gx 403": 5}
    assert race.manage("GET", "/devices/${tenant}/e1")["via"] == ["gw"]
    assert race.devices == 3
