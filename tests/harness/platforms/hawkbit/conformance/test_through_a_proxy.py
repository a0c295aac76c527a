"""The whole suite where it is used: through a reverse proxy with a path, over TLS with a private authority, on a server
that holds other people's things, in any order, and again."""

from __future__ import annotations

import contextlib
import random
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import pytest
import trustme

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.hawkbit.conformance.row_client import open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.verdict import Report, Verdict
from tests.harness.conformance.proxy import proxy_before
from tests.harness.platforms.hawkbit.conformance.in_process import reference
from tests.harness.platforms.hawkbit.conformance.server_contents import everything

CAN = frozenset({"accounts", "fast_polling"})
"""Behind a proxy all requests come from one address."""
OTHERS = 700
"""Targets of other people: more than fit on any page."""
BLANK = Report("conform/hawkbit", "", Verdict.PASSED)


@pytest.fixture
def behind_a_proxy() -> Iterator[TenantUnderTest]:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with authority.cert_pem.tempfile() as pem:
        trusting = ssl.create_default_context(cafile=pem)
    with reference() as server:
        inside = urlsplit(server.http.url)
        with (
            proxy_before(str(inside.hostname), int(inside.port or 0), context) as url,
            contextlib.closing(ExactClient(url, trusting)) as client,
        ):
            yield replace(server, http=client)


def inhabit(server: TenantUnderTest) -> None:
    """Other people's targets, groups, types, updates and settings."""
    with open_client(server, ROWS[0]) as session:
        others = [{"controllerId": f"other-{n}", "name": "Board One", "group": "Europe"} for n in range(OTHERS)]
        session.mgmt("POST", "/targets", others)
        session.mgmt("POST", "/targettypes", [{"name": "other"}])
        session.mgmt("POST", "/distributionsets", [{"name": "other", "version": "1", "type": "os"}])
        session.mgmt("PUT", "/system/configs", {"pollingTime": "00:10:00", "authentication.targettoken.enabled": True})


@pytest.mark.slow
def test_every_row_passes_behind_a_proxy_and_leaves_nothing(behind_a_proxy: TenantUnderTest) -> None:
    server = behind_a_proxy
    inhabit(server)
    before = everything(server)
    shuffled = random.Random(7).sample(ROWS, len(ROWS))
    reports = list(run_rows(shuffled, partial(open_client, server), CAN, BLANK))
    odd = [f"{report.name} {report.verdict} {report.reason} {report.phases}" for report in reports
           if report.verdict not in (Verdict.PASSED, Verdict.SKIPPED)]  # fmt: skip
    assert not odd, "\n".join(odd)
    skipped = sum(report.verdict is Verdict.SKIPPED for report in reports)
    assert (len(reports), skipped) == (len(ROWS), sum(not CAN.issuperset(row.needs) for row in ROWS))
    pause = threading.Event()
    for _ in range(100):  # a deleted rollout goes when the server's scheduler comes by
        if everything(server) == before:
            break
        pause.wait(0.1)
    assert everything(server) == before
    assert server.left_behind == []
