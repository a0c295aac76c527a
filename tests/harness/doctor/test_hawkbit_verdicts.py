"""The doctor's verdict is the server's answer, its request is what it advises, and its reasons agree with both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetrig.harness.conformance.exact_client import Answer, ExactClient
from fleetrig.harness.doctor.certificates import CertificateFacts
from fleetrig.harness.doctor.diagnosis import Admission, Judgement, Shell, Weight
from fleetrig.harness.platforms.hawkbit.doctor.facts import Facts, Kind, Presented
from fleetrig.harness.platforms.hawkbit.doctor.gathering import DoctorRequest, gather
from fleetrig.harness.platforms.hawkbit.doctor.judging import judge
from tests.harness.doctor.conftest import ADMIN, Server, server_of
from tests.harness.served import Served

ID: Final = "gw-17"
ISSUERS: Final = {
    "CN=Plant CA,O=Acme": "Plant CA",
    "CN=Other CA,O=Acme": "Other CA",
    "CN=Other CA": "Other CA",
    "CN=Acme\\, Inc,O=Acme": "Acme, Inc",
    "O=Acme": "",
    "CN=M\u00fcller CA,O=M\u00fcller": "M\u00fcller CA",
}
"""Whole name -> common name."""
FINGERPRINT: Final = "aa:bb:0c"
LISTS: Final = (
    "CN=Plant CA, O=Acme", "Other CA", "other ca;x", " Plant CA , Other CA", "o=acme", "", ",", "x,,y", "x,", "inc",
    FINGERPRINT.upper(), "Hawkbit", "x\u00a0", "m\u00fcller ca", "Other CA,", "CN=Other CA",
)  # fmt: skip
FIXED: Final = (None, None, "Hawkbit", "CN=Other CA,O=Acme", "", "a,,b", "x", "y;o=acme", "Other CA ", "x\u00a0")
SECRETS: Final = ("a" * 32, "A" * 32, "b" * 32, "t\u00f6k\u00e9n", "a b", "TargetToken a", '"a"', "a" * 32 + " ", "x")
KEYS: Final = (*SECRETS[:5], "", "x")


@dataclass(frozen=True)
class Case:
    """One tenant, one target or none, one credential."""

    kind: Kind
    on: frozenset[Kind]
    exists: bool
    secret: str
    stored: str
    key: str
    issuer: str
    listed: str
    fixed: str | None
    common_name: str = ID
    fingerprints: tuple[str, ...] = field(default=())

    def presented(self) -> Presented:
        if self.kind is not Kind.CERTIFICATE:
            return Presented(self.kind, self.secret if self.kind is not Kind.NOTHING else "")
        own = CertificateFacts(
            f"CN={self.common_name}", self.common_name, self.issuer, ISSUERS[self.issuer],
            datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC), issuer_fingerprints=self.fingerprints,
        )  # fmt: skip
        return Presented(self.kind, certificate=own, authority=self.fixed)


CASES: Final = st.builds(
    Case,
    kind=st.sampled_from([*Kind, Kind.CERTIFICATE, Kind.CERTIFICATE]),
    on=st.sampled_from([frozenset(Kind), frozenset(Kind), frozenset({Kind.TARGET_TOKEN}), frozenset()]),
    exists=st.booleans(),
    secret=st.sampled_from(SECRETS),
    stored=st.sampled_from(SECRETS[:5]),
    key=st.sampled_from(KEYS),
    issuer=st.sampled_from(sorted(ISSUERS)),
    listed=st.sampled_from(LISTS),
    fixed=st.sampled_from(FIXED),
    common_name=st.sampled_from([ID, ID, ID, "GW-17", "gw-18"]),
    fingerprints=st.sampled_from([(), (FINGERPRINT,)]),
)


@pytest.fixture(scope="module")
def quiet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without limits for its callers."""
    with Served(
        tmp_path_factory.mktemp("verdicts"), "--set", "hawkbit.server.security.dos.filter.enabled=false"
    ) as served:
        yield server_of(served)


def prepare(server: Server, case: Case) -> None:
    server.configure(
        target=Kind.TARGET_TOKEN in case.on, gateway=Kind.GATEWAY_TOKEN in case.on, header=Kind.CERTIFICATE in case.on,
        key=case.key, authority=case.listed,
    )  # fmt: skip
    server.mgmt("DELETE", f"/targets/{ID}")
    if case.exists:
        server.target(ID, case.stored)


def look(server: Server, presented: Presented, *, tries: bool = False) -> Facts:
    shell = Shell(server.url, "admin", "${TOKEN}")
    return gather(DoctorRequest(shell, "DEFAULT", ID, presented, ADMIN, may_register=tries))


def advised_headers(page: Judgement, common_name: str, issuer: str) -> dict[str, str]:
    """What nginx would send, by the page's advice."""
    (note,) = [one for one in page.diagnoses if one.name == "headers"]
    variables = {"$device": common_name, "$ssl_client_i_dn": issuer}
    lines = [re.fullmatch(r"proxy_set_header (\S+) (\S.*?);(?:  #.*)?", line) for line in note.command]
    found = {line[1]: line[2] for line in lines if line is not None}
    return {name: variables.get(text) or text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            for name, text in found.items()}  # fmt: skip


def as_device(server: Server, case: Case, advice: Judgement) -> int:
    """The server's own answer: 200 for who is let in, 401 for who is not. Told in this test's own words."""
    headers: dict[str, str] = {}
    match case.kind:
        case Kind.TARGET_TOKEN:
            headers["Authorization"] = f"TargetToken {case.secret}"
        case Kind.GATEWAY_TOKEN:
            headers["Authorization"] = f"GatewayToken {case.secret}"
        case Kind.CERTIFICATE:
            headers = advised_headers(advice, case.common_name, case.issuer)
    client = ExactClient(server.url)
    try:
        return client.call("GET", f"/DEFAULT/controller/v1/{quote(ID)}", headers).status
    finally:
        client.close()


def by_reasoning(facts: Facts) -> Judgement:
    """What the doctor would say had it asked nothing as the device."""
    return judge(replace(facts, answer=None, knock=None, trial=None))


@pytest.mark.slow
@settings(
    max_examples=150, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(case=CASES)
def test_the_verdict_is_the_server_s_answer(quiet_server: Server, case: Case) -> None:
    holds(quiet_server, case)


def holds(server: Server, case: Case) -> None:
    prepare(server, case)
    facts = look(server, case.presented())
    page, foretold = judge(facts), by_reasoning(facts)

    status = as_device(server, case, with_note_on_headers(facts))
    expected = {200: Admission.LET_IN, 401: Admission.REFUSED}[status]
    assert page.outcome is expected, case
    assert foretold.outcome in (expected, Admission.UNCERTAIN), (case, foretold)
    assert "contradiction" not in [one.name for one in page.diagnoses], (case, page)
    if expected is Admission.REFUSED:
        assert {Weight.CAUSE, Weight.LIKELY} & {one.weight for one in page.diagnoses}, (case, page)


def with_note_on_headers(facts: Facts) -> Judgement:
    """The page of a refusal: that of a device that was let in has no advice."""
    return judge(replace(facts, answer=Answer(401, (), b"", "GET /"), trial=None, knock=None))


BASE: Final = Case(
    Kind.CERTIFICATE, frozenset(Kind), True, "", "a" * 32, "", "CN=Other CA,O=Acme", "CN=Plant CA, O=Acme", None
)


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("fixed", [None, "CN=Other CA,O=Acme"])
def test_another_authority_of_the_same_organisation_gets_in_and_that_is_said(
    quiet_server: Server, fixed: str | None, exists: bool
) -> None:
    case = replace(BASE, fixed=fixed, exists=exists)
    holds(quiet_server, case)
    prepare(quiet_server, case)

    page = judge(look(quiet_server, case.presented()))

    assert page.outcome is Admission.LET_IN
    assert page.asked.endswith("X-Controller-Id: gw-17, X-Authority: CN=Other CA,O=Acme")
    (warning,) = [one for one in page.diagnoses if one.name == "authority-by-part"]
    assert "Every authority whose name has o=acme in it is trusted" in warning.cause
    assert quiet_server.knows(ID) is exists


def test_an_empty_list_lets_in_whoever_sends_an_empty_header_and_that_is_said(quiet_server: Server) -> None:
    for listed in ("", "x,,y"):
        holds(quiet_server, replace(BASE, listed=listed, fixed=""))
        page = judge(look(quiet_server, Presented(Kind.NOTHING)))
        (warning,) = [one for one in page.diagnoses if one.name == "authority-open"]
        assert "is let in as any device, without any certificate" in warning.cause
    for listed in (",", "x"):
        holds(quiet_server, replace(BASE, listed=listed, fixed=""))


@pytest.mark.slow
def test_what_the_page_says_to_change_lets_the_device_in(quiet_server: Server) -> None:
    """The list as advised, and the header as the page then advises, for every issuer."""
    for issuer in ISSUERS:
        case = replace(BASE, issuer=issuer, listed="Hawkbit", exists=False)
        prepare(quiet_server, case)
        page = judge(look(quiet_server, case.presented()))
        (unknown,) = [one for one in page.diagnoses if one.name == "authority-unknown"]
        body = next(re.findall(r"-d '(.*)' ", line)[0] for line in unknown.command if line.startswith("  -d"))
        added = body.removeprefix('{"value": "').removesuffix('"}')

        assert added.startswith("Hawkbit,")
        fixed = None
        if unknown.command[-1].startswith("proxy_set_header"):  # no form of this issuer can be one entry
            fixed = unknown.command[-1].split('"')[1]
        case = replace(case, listed=added, fixed=fixed)
        holds(quiet_server, case)
        prepare(quiet_server, case)
        assert judge(look(quiet_server, case.presented())).outcome is Admission.LET_IN
