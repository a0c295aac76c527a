"""What the doctor foretells is what the server does: any request to any tenant, any chain to any profile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.platforms.thingsboard.doctor.presenting import Given, device_view
from fleetrig.harness.platforms.thingsboard.doctor.way import Over
from fleetrig.simulator.contract.identity import as_pem
from tests.harness.doctor.thingsboard.bench import ALLOW, CHECK, KEY, NAME, OFF, SECRET, Bench, ask
from tests.harness.doctor.thingsboard.conftest import Doctor

pytestmark = pytest.mark.slow
FEW: Final = settings(
    max_examples=30, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
KEYS: Final = (KEY, KEY, KEY, "another-key-0123", "")
SECRETS: Final = (SECRET, SECRET, SECRET, "another-secret-89abcdef", "")
NAMES: Final = (NAME, NAME, "GW-17", None, " ", " gw-17 ", "<b>", "x" * 256)
STATES: Final = (None, None, "provisioned", "reset")


@dataclass(frozen=True)
class Case:
    """One profile, one device or none, one request."""

    strategy: str
    listed_in: str | None
    state: str | None
    name: str | None
    key: str
    secret: str


CASES = st.builds(
    Case, st.sampled_from((ALLOW, CHECK, CHECK, OFF)), st.sampled_from((None, "Model A", "Model A", "Model Z")),
    st.sampled_from(STATES), st.sampled_from(NAMES), st.sampled_from(KEYS), st.sampled_from(SECRETS),
)  # fmt: skip


@FEW
@given(case=CASES)
def test_requests(case: Case, bench: Bench, doctor: Doctor) -> None:
    bench.tidy()
    bench.profile("Model A", case.strategy)
    if case.listed_in is not None:
        bench.device(profile=case.listed_in)
        if case.state is not None:
            bench.set_state(case.state)
    named = {} if case.name is None else {"deviceName": case.name}
    request = {**named, "provisionDeviceKey": case.key, "provisionDeviceSecret": case.secret}
    before = bench.names()

    page = doctor(bench, *bench.request_file(request))
    assert bench.names() == before
    assert case.listed_in is None or bench.state() == case.state
    really = ask(bench, name=case.name, key=case.key, secret=case.secret)

    assert (page.document["outcome"] == "let in") is (really == "SUCCESS"), (page.names, really)
    assert bool(page.names) is (really != "SUCCESS")
    assert "contradiction" not in page.names + page.notes


@dataclass(frozen=True)
class ChainCase:
    """One chain profile, one device or none, one certificate."""

    pattern: str
    creates: bool
    held: str | None
    """What a device of the name has: nothing, a token, this leaf, another leaf; in the profile, or elsewhere."""
    is_elsewhere: bool
    common_name: str
    is_expired: bool
    behind: tuple[str, ...]


CHAINS = st.builds(
    ChainCase, st.sampled_from(("(.*)", "(.*)", r"gw-(\d+)", r"(\d+)", r"w-(.)", "gw-.*", "(press)-4", "")),
    st.booleans(),
    st.sampled_from((None, None, "token", "this", "another")), st.sampled_from((False, False, True)),
    st.sampled_from((NAME, NAME, "press-4")), st.sampled_from((False, False, False, True)),
    st.sampled_from((("own",), ("own",), ("own",), (), ("stranger",), ("own", "stranger"))),
)  # fmt: skip


@settings(FEW, max_examples=18)
@given(case=CHAINS)
def test_chains(case: ChainCase, bench: Bench, doctor: Doctor) -> None:
    bench.tidy()
    own, stranger = bench.chain_profile("Chained", case.pattern, creates=case.creates), bench.authority("Stranger CA")
    leaf = own.issue_client(case.common_name, expired=case.is_expired)
    found = re.search(case.pattern, case.common_name)
    name = found[1] if found is not None and found.groups() else case.common_name
    if case.held is not None:
        bench.device(name, "Model Z" if case.is_elsewhere else "Chained")
        another = own.issue_client(case.common_name)
        held = {"this": leaf, "another": another}.get(case.held)
        if held is not None:
            bench.set_credentials("X509_CERTIFICATE", as_pem(held.chain[0]).decode(), name=name)
    authorities = {"own": own, "stranger": stranger}
    files = bench.cert_files(leaf, *(authorities[one] for one in case.behind))
    before = [(one, bench.credentials(one)["credentialsId"]) for one in bench.names()]

    page = doctor(bench, *files, over="mqtts")
    assert [(one, bench.credentials(one)["credentialsId"]) for one in bench.names()] == before
    really = logs_in(bench, files)

    assert (page.document["outcome"] == "let in") is really, (page.names, really)
    assert bool(page.names) is not really
    assert "contradiction" not in page.names + page.notes


def logs_in(bench: Bench, files: tuple[str, ...]) -> bool:
    """With the whole chain."""
    view = device_view(Given(cert=Path(files[1]), key=Path(files[3])), lambda: False)
    context: Any = view.tls(Over.MQTTS)
    context.check_hostname, context.verify_mode = False, 0
    host, _, port = bench.ready["mqtts"].rpartition(":")
    try:
        connection = ExactMqtt(host, int(port), 4, context)
    except HandshakeRefused:
        return False
    try:
        return connection.connect() == "CONNACK 0"
    finally:
        connection.close()
