"""Address, TLS, clocks: what can be wrong before it is asked who the device is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.doctor.certificates import CertificateFacts
from fleetrig.harness.doctor.contact import Contact, Trouble
from fleetrig.harness.doctor.diagnosis import Admission
from fleetrig.harness.platforms.hawkbit.doctor.facts import Facts
from fleetrig.harness.platforms.hawkbit.doctor.judging import judge
from tests.harness.doctor.facts_builder import CERTIFICATE, HEALTHY, LET_IN, NOW, answer, given, names, target_token

SERVER = replace(CERTIFICATE, names=("hawkbit.test",))


def beyond(contact: Contact, url: str = "https://hawkbit.test:8443") -> Facts:
    """Nothing but the contact is known."""
    shell = replace(HEALTHY.shell, url=url)
    return Facts(shell, "DEFAULT", "gw-17", target_token(), NOW, contact=contact)


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_words_and_ends_the_matter(trouble: Trouble) -> None:
    page = judge(beyond(Contact(trouble, "detail")))

    assert page.outcome is (Admission.REFUSED if trouble is Trouble.CERTIFICATE_REFUSED else Admission.UNUSABLE)
    assert len(page.diagnoses) == 1
    assert page.diagnoses[0].change
    assert page.asked == "nothing as the device"


@pytest.mark.parametrize(
    ("trouble", "url", "change"),
    [
        (Trouble.IS_TLS, "http://h:1/p", "Use https://h:1/p, here and on the device."),
        (Trouble.NOT_TLS, "https://h:1", "Use http://h:1, or the port on which the proxy ends TLS."),
    ],
)
def test_the_other_scheme(trouble: Trouble, url: str, change: str) -> None:
    assert judge(beyond(Contact(trouble), url)).diagnoses[0].change == change


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (SERVER, []),
        (replace(SERVER, not_after=NOW - timedelta(days=2)), ["server-certificate-dates"]),
        (replace(SERVER, not_before=NOW + timedelta(days=2)), ["server-certificate-dates"]),
        (replace(SERVER, names=("other.test",)), ["server-certificate-host"]),
        (replace(SERVER, names=()), ["server-certificate-host"]),
        (replace(SERVER, names=("*.test",)), []),
        (replace(SERVER, names=("*.hawkbit.test",)), ["server-certificate-host"]),
    ],
)
def test_everything_that_is_wrong_with_a_certificate_is_said(shown: CertificateFacts, expected: list[str]) -> None:
    contact = Contact(Trouble.NOT_TRUSTED, certificate=shown, untrusted="bad")

    assert names(judge(beyond(contact))) == ["certificate-not-accepted", *expected]


def test_what_insecure_accepted_is_said_all_the_same() -> None:
    contact = Contact(None, certificate=replace(SERVER, names=("x",)), untrusted="unable to get local issuer")
    facts = replace(given(target_token(), LET_IN), contact=contact)

    page = judge(facts)

    assert page.outcome is Admission.LET_IN
    assert names(page, notes=True) == ["server-certificate-host", "server-certificate-unchecked"]


HTML = answer(200, b"<html>", Content_Type="text/html")
NOT_FOUND = answer(404, b'{"status":404}', Content_Type="application/json")


@pytest.mark.parametrize("said", [HTML, NOT_FOUND, answer(405)])
def test_an_address_that_is_not_the_base(said: Answer) -> None:
    facts = replace(
        given(target_token()), userinfo=said, answer=said, account=None, config=None, exists=None, target=None
    )

    lost, found = judge(facts), judge(replace(facts, better_url="http://hawkbit.test:8080"))

    assert (names(lost), lost.outcome) == (["wrong-address"], Admission.UNUSABLE)
    assert found.diagnoses[0].change == "Use http://hawkbit.test:8080."


def test_a_proxy_that_publishes_the_device_api_only_is_no_wrong_address() -> None:
    facts = replace(given(target_token(), LET_IN), userinfo=NOT_FOUND, account=None, config=None, exists=None)

    assert judge(facts).outcome is Admission.LET_IN


@pytest.mark.parametrize(
    ("location", "change"),
    [
        ("https://hawkbit.test/x", "Use https from the beginning, here and on the device."),
        ("http://elsewhere.test/", "Use that address from the beginning, here and on the device."),
    ],
)
def test_redirects(location: str, change: str) -> None:
    moved = answer(301, Location=location)
    facts = replace(given(target_token(), moved), userinfo=moved, account=None, config=None, exists=None)

    page = judge(facts)

    assert (names(page), page.outcome) == (["redirect"], Admission.UNUSABLE)
    assert page.diagnoses[0].change == change
    assert page.answered == f"301: go to {location}"


@pytest.mark.parametrize(
    ("skew_s", "said"),
    [
        (59.0, None),
        (90.0, "The server's clock is 90 s ahead of this machine's."),
        (-7200.0, "The server's clock is 2 h behind this machine's."),
        (864_000.0, "The server's clock is 10 days ahead of this machine's."),
    ],
)
def test_clocks_that_differ(skew_s: float, said: str | None) -> None:
    found = judge(given(target_token(), LET_IN, skew_s=skew_s)).diagnoses

    assert [one.cause.partition(" Tokens")[0] for one in found] == ([said] if said else [])


def at(url: str, href: str) -> list[str]:
    body = f'{{"config":{{"polling":{{"sleep":"00:05:00"}}}},"_links":{{"configData":{{"href":"{href}"}}}}}}'
    told = answer(200, body.encode(), Content_Type="application/hal+json")
    facts = replace(HEALTHY, shell=replace(HEALTHY.shell, url=url), presented=target_token(), answer=told)
    return names(judge(facts), notes=True)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("http://h", "http://h:80/DEFAULT/controller/v1/gw-17/configData"),
        ("https://h:443", "https://h/DEFAULT/controller/v1/gw-17/configData"),
        ("https://h/ota", "https://h/ota/DEFAULT/controller/v1/gw-17/configData"),
    ],
)
def test_links_that_lead_back(url: str, link: str) -> None:
    assert at(url, link) == []


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://h", "http://h/DEFAULT/controller/v1/gw-17/configData"),
        ("http://h", "http://inner:8080/DEFAULT/controller/v1/gw-17/configData"),
        ("https://h:8443", "https://h/DEFAULT/controller/v1/gw-17/configData"),
        ("https://h/ota", "https://h/DEFAULT/controller/v1/gw-17/configData"),
    ],
)
def test_a_device_that_is_let_in_and_led_elsewhere(url: str, link: str) -> None:
    assert at(url, link) == ["links-elsewhere"]
