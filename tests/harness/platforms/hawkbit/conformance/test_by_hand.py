"""Requests written by hand, what may stand before a server, and the row that needs speed."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator

import pytest
import trustme

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.expect import Mismatch, MissingCapability, expect
from fleetrig.harness.conformance.raw_exchange import RawExchange, raw_exchange
from fleetrig.harness.platforms.hawkbit.conformance import limits
from fleetrig.harness.platforms.hawkbit.conformance.proxy_tolerance import tolerating_proxies
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword
from tests.harness.conformance.raw_server import Talk, always, answer, raw_server
from tests.harness.platforms.hawkbit.conformance.row_reports import judged, needs_speed

BY_NUMBER = {row.number: row for row in ROWS}
HEAD = b"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"


@contextlib.contextmanager
def exchange_with(talk: Talk) -> Iterator[RawExchange]:
    with raw_server(talk) as url, raw_exchange(ExactClient(url), "PUT") as exchange:
        exchange.send(HEAD)
        yield exchange


def saying(*pieces: bytes) -> Talk:
    """Hears a head, then says the first piece; hears a body, then says the next."""

    def talk(connection: socket.socket) -> None:
        for piece in pieces:
            assert connection.recv(65536)
            connection.sendall(piece)
        connection.recv(65536)

    return talk


def test_an_interim_answer_and_the_final_one() -> None:
    with exchange_with(saying(b"HTTP/1.1 100 Continue\r\n\r\n", answer(200, {"a": 1}))) as exchange:
        assert exchange.interim(30.0) == "HTTP/1.1 100 Continue"
        exchange.send(b"{}")
        final = exchange.answer()
    assert (final.status, final.json()) == (200, {"a": 1})


def leaving(last: bytes) -> Talk:
    """Hears a head, says this, and is gone."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(last)

    return talk


def silent(connection: socket.socket) -> None:
    """Hears everything, says nothing."""
    while connection.recv(65536):
        pass


def test_a_server_that_waits_for_the_body() -> None:
    with (
        exchange_with(silent) as exchange,
        pytest.raises(Mismatch, match=r"within 0\.05 s; got none"),
    ):
        exchange.interim(0.05)


def test_a_server_that_leaves_in_between() -> None:
    with exchange_with(leaving(b"HTTP/1.1 1")) as exchange, pytest.raises(Mismatch, match=r"got HTTP/1\.1 1"):
        exchange.interim(30.0)


def test_a_server_that_gives_no_answer() -> None:
    with exchange_with(leaving(b"hello\r\n\r\n")) as exchange, pytest.raises(Mismatch, match="PUT written by hand"):
        exchange.answer()


def test_by_hand_through_tls() -> None:
    ca = trustme.CA()
    inside, outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    ca.issue_cert("127.0.0.1").configure_cert(inside)
    ca.configure_trust(outside)
    with raw_server(saying(answer(204)), inside) as url, raw_exchange(ExactClient(url, outside), "PUT") as exchange:
        exchange.send(HEAD)
        assert exchange.answer().status == 204


def test_by_hand_where_nobody_listens(free_port: int) -> None:
    with pytest.raises(BrokenBench, match="nobody listens"):
        ExactClient(f"http://127.0.0.1:{free_port}").bare_socket()


@contextlib.contextmanager
def server_of(talk: Talk, path: str = "") -> Iterator[TenantUnderTest]:
    with raw_server(talk) as url, contextlib.closing(ExactClient(url + path)) as client:
        yield TenantUnderTest(client, UserPassword("admin", "admin"))


def differs(server: TenantUnderTest) -> None:
    with tolerating_proxies(RowClient(server, "s1"), "paths"):
        expect("status", 400, 200)


def test_a_difference_is_the_servers_when_nothing_stands_before_it() -> None:
    with server_of(always(answer(401))) as server, pytest.raises(Mismatch):
        differs(server)


@pytest.mark.parametrize("header", ["Server", "Via"])
def test_a_difference_proves_nothing_behind_a_proxy_that_names_itself(header: str) -> None:
    with (
        server_of(always(answer(401, **{header: "proxy"}))) as server,
        pytest.raises(MissingCapability, match="status: 400"),
    ):
        differs(server)


def test_a_difference_proves_nothing_below_a_path() -> None:
    with (
        server_of(always(answer(401)), "/hawkbit") as server,
        pytest.raises(MissingCapability, match="paths may be changed"),
    ):
        differs(server)


def test_a_server_without_a_limiter() -> None:
    with server_of(always(answer(401))) as server:
        report = judged(server, BY_NUMBER["S61"])
    if needs_speed(report):
        pytest.skip(report.reason)
    assert report.verdict is Verdict.FAILED
    finding = report.phases[0].checks[0].finding
    assert finding is not None
    assert finding.expected == (
        "status of PUT number 53 within a second: 429, if hawkbit.server.security.dos.filter.enabled is true, "
        "hawkbit.server.security.dos.filter.whitelist is empty, hawkbit.server.security.clients.remoteIpHeader is "
        "X-Forwarded-For and hawkbit.server.security.dos.filter.maxWrite is 50"
    )


def test_a_second_that_is_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What took longer than the limiter counts proves nothing, and is said so."""
    monkeypatch.setattr(limits, "WINDOW_S", 0.0)
    monkeypatch.setattr(limits, "LIMITER_WINDOW_S", 0.0)
    with server_of(always(answer(401))) as server:
        report = judged(server, BY_NUMBER["S61"])
    assert (report.verdict, needs_speed(report)) == (Verdict.SKIPPED, True)
