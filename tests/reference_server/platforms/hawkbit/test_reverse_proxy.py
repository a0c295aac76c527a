"""The proxy in front of a hawkBit: what it lets through, what it says itself, and what it takes away."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platform import HttpAnswer, VerifiedClient
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.request.reverse_proxy import as_nginx_tells, pass_on
from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import Headers, HttpRequest
from fleetrig.simulator.contract.session import Session

NAMES = ("x-controller-id", "x-authority")
POLL = "/DEFAULT/controller/v1/HB-1"
SHOWN = Session(tls=True, certificates=(b"der",))
BARE = Session(tls=True)
FORGED: Headers = (
    ("X-Controller-Id", "HB-1"),
    ("x-authority", "a"),
    ("X-Authority-1", "a"),
    ("X_AUTHORITY_12", "a"),
    ("X-Controller_Id", "HB-1"),
)


class Verifier:
    """Has always the same opinion."""

    def __init__(self, client: VerifiedClient) -> None:
        self.client = client

    def verify(self, chain: tuple[bytes, ...], now_us: int) -> VerifiedClient:
        return self.client


GOOD = Verifier(VerifiedClient("", "HB-1", ("28ac07e6", "0e292e49")))
EXPIRED = Verifier(VerifiedClient("certificate has expired"))


def passed(
    session: Session, verifier: Verifier = GOOD, path: str = POLL, headers: Headers = ()
) -> HttpRequest | HttpAnswer:
    return pass_on(HttpRequest("GET", "https://h", path, headers), session, 0, verifier, NAMES)


def headers_of(result: HttpRequest | HttpAnswer) -> Headers:
    assert isinstance(result, HttpRequest)
    return result.headers


def test_a_verified_certificate_becomes_headers() -> None:
    found = headers_of(passed(SHOWN, headers=(("Accept", "*/*"),)))
    assert found == (
        ("Accept", "*/*"),
        ("x-controller-id", "HB-1"),
        ("x-authority-1", "28ac07e6"),
        ("x-authority-2", "0e292e49"),
    )


def test_a_device_without_a_certificate_does_not_pass_by_spelling_its_path_otherwise() -> None:
    refused = passed(BARE, path="/DEFAULT/%63ontroller/v1/HB-1")
    assert isinstance(refused, HttpAnswer)
    assert (refused.response.status, refused.device) == (403, "HB-1")


@pytest.mark.parametrize("session", [SHOWN, BARE, Session()], ids=["shown", "none shown", "plain HTTP"])
def test_what_the_client_says_itself_never_passes(session: Session) -> None:
    """Also over plain HTTP, where the proxy has nothing to say, and on paths that are no devices'."""
    found = headers_of(passed(session, path="/rest/v1/targets", headers=(*FORGED, ("X-Authority-X", "stays"))))
    own = () if session is not SHOWN else found[-3:]
    assert found == (("X-Authority-X", "stays"), *own)


@pytest.mark.parametrize("path", [POLL, "/rest/v1/targets", "/"])
def test_a_wrong_certificate_is_a_400_everywhere(path: str) -> None:
    answer = passed(SHOWN, EXPIRED, path)
    assert isinstance(answer, HttpAnswer)
    assert answer.response.status == 400
    assert b"<center>The SSL certificate error</center>" in body_bytes(answer.response.body)
    assert answer.reason == "the proxy: certificate has expired (the certificate of the device)"


@pytest.mark.parametrize("path", [POLL, "/t/controller/v1/x/deploymentBase/1", "/a/CONTROLLER/", "/a/b/controller/x"])
def test_a_device_without_a_certificate_is_a_403(path: str) -> None:
    answer = passed(BARE, path=path)
    assert isinstance(answer, HttpAnswer)
    assert (answer.response.status, answer.response.header("Content-Type")) == (403, "text/html")


@pytest.mark.parametrize(
    ("path", "device"), [(POLL, "HB-1"), (f"{POLL}%20x/cancelAction/1", "HB-1 x"), ("/rest/v1/x", "")]
)
def test_a_refusal_says_whose_poll_it_was(path: str, device: str) -> None:
    answer = passed(SHOWN, EXPIRED, path)
    assert isinstance(answer, HttpAnswer)
    assert answer.device == device


@pytest.mark.parametrize("path", ["/rest/v1/targets", "/", "/controller/x"])
def test_everybody_else_needs_none(path: str) -> None:
    assert headers_of(passed(BARE, path=path)) == ()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("HB-1", "HB-1"),
        ("de:ad:be:ef:00:01", "de:ad:be:ef:00:01"),
        ("Grün", r"Gr\C3\BCn"),
        ("a,b", "a\\"),
        ('x"y', 'x\\"y'),
        ("#1", "\\#1"),
        ("", ""),
    ],
)
def test_a_common_name_is_told_as_the_guides_nginx_does(name: str, told: str) -> None:
    assert as_nginx_tells(name) == told


def test_a_certificate_without_a_common_name_tells_none() -> None:
    assert headers_of(passed(SHOWN, Verifier(VerifiedClient("", "", ("28ac07e6",))))) == (
        ("x-authority-1", "28ac07e6"),
    )


def platform_behind(verifier: Verifier) -> HawkbitPlatform:
    settings = Settings(
        client_verifier=verifier,
        config_defaults={"authentication.header.enabled": True, "authentication.header.authority": "28ac07e6"},
    )
    return HawkbitPlatform(MemoryStore(), MemoryBlobs(), SeededEntropy(1), settings)


@pytest.mark.parametrize(
    ("session", "verifier", "headers", "needed"),
    [
        (SHOWN, GOOD, (), True),
        (SHOWN, EXPIRED, (), False),
        (BARE, GOOD, (), False),
        (BARE, GOOD, (("X-Controller-Id", "HB-1"), ("X-Authority", "28ac07e6")), False),
    ],
)
def test_a_body_is_read_only_for_whom_the_proxy_vouches_for(
    session: Session, verifier: Verifier, headers: Headers, needed: bool
) -> None:
    request = HttpRequest("PUT", "https://h", f"{POLL}/configData", (*headers, ("Content-Type", "application/json")))
    needs_body = platform_behind(verifier).container_rules.needs_body
    assert needs_body is not None
    assert needs_body(request, session, 0) is needed


@pytest.mark.parametrize(
    ("session", "verifier", "status"), [(SHOWN, GOOD, 200), (SHOWN, EXPIRED, 400), (BARE, GOOD, 403)]
)
def test_hawkbit_believes_its_proxy(session: Session, verifier: Verifier, status: int) -> None:
    platform = platform_behind(verifier)
    with platform.repo.store.transaction():
        answer = platform.handle(HttpRequest("GET", "https://h", POLL, (("Host", "h"),)), session, 0)
    assert isinstance(answer, HttpAnswer)
    assert (answer.response.status, answer.device) == (status, "HB-1")
