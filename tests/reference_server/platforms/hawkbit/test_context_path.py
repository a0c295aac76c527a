"""`server.servlet.context-path`, as a real server started with it answered."""

from __future__ import annotations

import json
import re

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.hawkbit.rig import basic

ORIGIN = "http://cdn.example:8443"
OPERATOR = ("Authorization", basic("admin", "admin"))
TARGETS = "/hb/rest/v1/targets"


class Served:
    def __init__(self, **properties: str) -> None:
        given = {"server.servlet.context-path": "/hb", **{k.replace("__", "-"): v for k, v in properties.items()}}
        self.store = MemoryStore()
        self.platform = HawkbitPlatform(self.store, MemoryBlobs(), SeededEntropy(1), settings_from_properties(given))

    def ask(
        self, method: str, target: str, *headers: tuple[str, str], body: object = None, origin: str = ORIGIN
    ) -> HttpResponse:
        raw = b"" if body is None else json.dumps(body).encode()
        typed = (("Content-Type", "application/json"),) if raw else ()
        request = HttpRequest(method, origin, target, (("Host", origin.partition("://")[2]), *typed, *headers), raw)
        with self.store.transaction():
            answer = self.platform.handle(request, Session("10.0.0.1"), 0)
        assert isinstance(answer, HttpAnswer)
        return answer.response


@pytest.fixture
def served() -> Served:
    served = Served()
    answer = served.ask("POST", TARGETS, OPERATOR, body=[{"controllerId": "c1", "name": "x"}])
    assert answer.status == 201
    return served


@pytest.mark.parametrize(
    "target", ["/", "/hbx", "/HB/rest/v1/targets", "/rest/v1/targets", "/DEFAULT/controller/v1/c1", "/a;b", "/a.zip"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE", "BREW"])
def test_outside_of_it_the_container_answers(served: Served, method: str, target: str) -> None:
    answer = served.ask(method, target, OPERATOR)
    assert answer.status == 404
    assert b"HTTP Status 404" in body_bytes(answer.body)
    assert answer.header("Content-Type") == "text/html;charset=utf-8"


@pytest.mark.parametrize(
    ("target", "to"), [("/hb", "/hb/"), ("/hb?a=b", "/hb/?a=b"), ("/hb/", "/hb/swagger-ui/index.html")]
)
def test_the_folder_itself_leads_on(served: Served, target: str, to: str) -> None:
    answer = served.ask("GET", target)
    assert (answer.status, answer.header("Location")) == (302, ORIGIN + to)


@pytest.mark.parametrize(
    ("target", "status"),
    [("/hb/nope", 404), ("/hb//rest/v1/targets", 400), ("/hb;a/rest/v1/targets", 400), ("/h%62/rest/v1/targets", 200)],
)
def test_inside_of_it_all_is_as_ever(served: Served, target: str, status: int) -> None:
    answer = served.ask("GET", target, OPERATOR)
    assert answer.status == status
    assert answer.header("Content-Type") in ("application/json", "application/hal+json")


def test_what_is_no_url_is_refused_before_anybody_looks_where_it_goes(served: Served) -> None:
    assert served.ask("GET", "/a%2Fb").status == 400
    assert served.ask("OPTIONS", "*").status == 200
    assert served.ask("CONNECT", "host:443").status == 501


@pytest.mark.parametrize(
    ("strategy", "headers", "base"),
    [
        ("NONE", {"X-Forwarded-Prefix": "/pre"}, ORIGIN + "/hb"),
        ("FRAMEWORK", {}, ORIGIN + "/hb"),
        ("FRAMEWORK", {"X-Forwarded-Prefix": "/pre"}, ORIGIN + "/pre"),
        ("FRAMEWORK", {"X-Forwarded-Prefix": "/pre/,/fix"}, ORIGIN + "/pre/fix"),
        ("FRAMEWORK", {"X-Forwarded-Prefix": ""}, ORIGIN),
        ("FRAMEWORK", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.b:444"}, "https://a.b:444/hb"),
        ("FRAMEWORK", {"X-Forwarded-Proto": "https"}, "https://cdn.example/hb"),
        ("FRAMEWORK", {"X-Forwarded-Port": "80"}, "http://cdn.example/hb"),
        ("FRAMEWORK", {"Forwarded": "host=z;proto=https"}, "https://z/hb"),
        ("NATIVE", {"X-Forwarded-Proto": "https"}, "https://cdn.example/hb"),
    ],
)
def test_links_begin_with_it_unless_a_proxy_names_another(strategy: str, headers: dict[str, str], base: str) -> None:
    served = Served(**{"server.forward-headers-strategy": strategy})
    served.ask("POST", TARGETS, OPERATOR, body=[{"controllerId": "c1", "name": "x"}])
    answer = served.ask("GET", TARGETS + "/c1", OPERATOR, *headers.items())
    links = set(re.findall(rb'"href":"(.*?)/rest/v1/', body_bytes(answer.body)))
    assert links == {base.encode()}


def test_a_usual_port_is_left_out(served: Served) -> None:
    answer = served.ask("GET", TARGETS + "/c1", OPERATOR, origin="http://h:80")
    assert b'"http://h/hb/rest/v1/targets/c1"' in body_bytes(answer.body)


def test_devices_get_links_below_it(served: Served) -> None:
    keys = {"authentication.gatewaytoken.enabled": True, "authentication.gatewaytoken.key": "gw"}
    served.ask("PUT", "/hb/rest/v1/system/configs", OPERATOR, body=keys)
    answer = served.ask("GET", "/hb/DEFAULT/controller/v1/c1", ("Authorization", "GatewayToken gw"))
    link = json.loads(body_bytes(answer.body))["_links"]["configData"]["href"]
    assert link == f"{ORIGIN}/hb/DEFAULT/controller/v1/c1/configData"


@pytest.mark.parametrize("text", ["hb", "/", "/hb/", "/h b", "/a?b"])
def test_what_is_no_context_path(text: str) -> None:
    with pytest.raises(ValueError, match="such as /hb"):
        settings_from_properties({"server.servlet.context-path": text})


def test_links_to_files_go_by_a_property_of_their_own() -> None:
    """The real server reads `hawkbit.server.servlet.context-path` for them, and that alone."""
    assert settings_from_properties({"server.servlet.context-path": "/hb"}).artifact_context_path == ""
    assert settings_from_properties({"hawkbit.server.servlet.context-path": "hb"}).artifact_context_path == "/hb"
