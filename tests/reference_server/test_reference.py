"""A running server: all or nothing at the start, due work, outages, several in one process. The platform is an echo."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.faults import Fault, FaultKind
from tests.reference_server.echo import Echo, ServerBench, get, port_of, running, traced, until
from tests.reference_server.fronts.peer import LIMIT_S, Peer, is_refused

pytestmark = pytest.mark.slow


@pytest.fixture
def bench() -> Iterator[ServerBench]:
    with running() as bench:
        yield bench


def test_a_server_answers_at_its_url_until_it_stops(bench: ServerBench) -> None:
    server = bench.start()
    assert server.url("echo") == f"http://127.0.0.1:{port_of(server)}"
    assert [get(server, "/a"), get(server, "/a"), get(server, "/b")] == [(200, b"1"), (200, b"2"), (200, b"1")]
    bench.stop(server)
    bench.stop(server)
    assert is_refused(port_of(server))


def test_what_is_undone_was_never_there(bench: ServerBench) -> None:
    server = bench.start()
    assert [get(server, "/undo"), get(server, "/undo")] == [(200, b"1"), (200, b"1")]


def test_servers_in_one_process_do_not_know_each_other(bench: ServerBench) -> None:
    servers = [bench.start() for _ in range(5)]
    assert [get(server, "/a") for server in servers] == [(200, b"1")] * 5


def test_state_in_a_file_outlives_the_server(bench: ServerBench, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fleet.db"
    for number in (b"1", b"2", b"3"):
        server = bench.start(store=url)
        assert get(server, "/a") == (200, number)
        bench.stop(server)


def test_a_port_in_use_leaves_nothing_behind(bench: ServerBench, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = Address("127.0.0.1", other.getsockname()[1])
        with pytest.raises(BrokenBench, match="in use"):
            bench.start(http=taken, store=f"sqlite:///{tmp_path}/fleet.db")
        free = bench.start()
        bench.stop(free)
        with pytest.raises(BrokenBench, match="in use"):
            bench.start(http=Address("127.0.0.1", port_of(free)), https=taken, store=f"sqlite:///{tmp_path}/fleet.db")
    assert list(tmp_path.iterdir()) == []
    bench.start(http=Address("127.0.0.1", port_of(free)))


def test_a_store_that_cannot_be_opened_leaves_the_port_free(bench: ServerBench, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    foreign.write_text("somebody's diary")
    first = bench.start()
    bench.stop(first)
    with pytest.raises(UsageError, match="no"):
        bench.start(http=Address("127.0.0.1", port_of(first)), store=f"sqlite:///{foreign}")
    assert foreign.read_text() == "somebody's diary"
    bench.start(http=Address("127.0.0.1", port_of(first)))


def test_both_schemes_serve_the_same_state(bench: ServerBench) -> None:
    server = bench.start(https=Address("127.0.0.1", 0))
    assert server.ca is not None
    assert get(server, "/a") == (200, b"1")
    with Peer(port_of(server, "https"), ssl.create_default_context(cafile=server.ca)) as peer:
        assert peer.get("/a").body == b"2"
    assert server.url("echo", "https") == f"https://127.0.0.1:{port_of(server, 'https')}"
    bench.stop(server)
    assert not server.ca.exists()


def test_each_platform_has_its_own_port_over_one_store(bench: ServerBench) -> None:
    two = tuple(PlatformOptions(name, partial(Echo, name=name)) for name in ("one", "two"))
    server = bench.run(ReferenceServer(ServerOptions(two)))
    assert list(server.addresses) == ["one", "two"]
    assert [get(server, "/a", name) for name in ("one", "two", "one")] == [(200, b"1"), (200, b"2"), (200, b"3")]
    assert server.url("one") != server.url("two")


def test_a_listener_that_nobody_knows(bench: ServerBench) -> None:
    options = PlatformOptions("echo", bench.build, {"htp": ANY_LOOPBACK_PORT})
    with pytest.raises(UsageError, match=r"no listener called 'htp'; there are http, https, .*; did you mean http"):
        bench.run(ReferenceServer(ServerOptions((options,))))


def test_a_platform_twice(bench: ServerBench) -> None:
    with pytest.raises(UsageError, match="each platform can be served once, got echo, echo"):
        bench.run(ReferenceServer(ServerOptions((PlatformOptions("echo", bench.build),) * 2)))


def test_a_bug_in_one_platform_s_due_work_does_not_stop_another(bench: ServerBench) -> None:
    echoes: list[Echo] = []

    def build(store: Store, blobs: Blobs, entropy: Entropy) -> Echo:
        echoes.append(Echo(store))
        return echoes[-1]

    server = bench.run(ReferenceServer(ServerOptions(tuple(PlatformOptions(name, build) for name in ("one", "two")))))
    echoes[0].fails = True
    get(server, "/alarm?0", "one")
    get(server, "/alarm?0", "two")
    assert echoes[1].rang.wait(LIMIT_S)
    assert [str(bug) for bug in server.bugs] == ["a bug in due work"]


def test_an_outage_begins_at_once_and_ends_by_itself(bench: ServerBench) -> None:
    trace, events = traced()
    server = bench.start(trace)
    with Peer(port_of(server)) as peer:
        assert peer.get("/a").status == 200
        bench.loop.call(lambda: server.add_fault(Fault(FaultKind.OUTAGE, for_s=0.3)))
        assert is_refused(port_of(server))
        with pytest.raises(ConnectionResetError):
            peer.rest()
    until(lambda: not is_refused(port_of(server)))
    assert get(server, "/a") == (200, b"2")
    assert [event.reason for event in events if event.lane == "network"] == ["stopped listening", "listening again"]


def test_an_outage_that_begins_later_and_is_cleared(bench: ServerBench) -> None:
    server = bench.start()
    bench.loop.call(lambda: server.add_fault(Fault(FaultKind.OUTAGE, at_s=0.1)))
    until(lambda: is_refused(port_of(server)))
    bench.loop.call(server.faults.clear)
    until(lambda: not is_refused(port_of(server)))


def test_an_outage_of_some_paths_resets_them(bench: ServerBench) -> None:
    server = bench.start()
    bench.loop.call(lambda: server.add_fault(Fault(FaultKind.OUTAGE, hits="GET /a")))
    with pytest.raises(ConnectionResetError):
        get(server, "/a")
    assert get(server, "/b") == (200, b"1")


def test_a_lost_reply_was_committed(bench: ServerBench) -> None:
    server = bench.start()
    bench.loop.call(lambda: server.add_fault(Fault(FaultKind.LOST_REPLY, times=1, shows_as=Ending.CLOSED)))
    with Peer(port_of(server)) as peer, pytest.raises(EOFError):
        peer.get("/a")
    assert get(server, "/a") == (200, b"2")


def test_due_work_is_done_without_anybody_asking(bench: ServerBench) -> None:
    server = bench.start()
    assert get(server, "/alarm?50000")[0] == 200
    assert bench.echo.rang.wait(LIMIT_S)
    assert len(bench.echo.rang_at_us) == 1


def test_a_bug_in_due_work_does_not_stop_the_clock(bench: ServerBench) -> None:
    server = bench.start()
    bench.echo.fails = True
    get(server, "/alarm?0")
    until(lambda: len(server.bugs) == 1)
    bench.echo.fails = False
    get(server, "/alarm?0")
    assert bench.echo.rang.wait(LIMIT_S)


def test_a_bug_is_told_once_without_secrets_and_without_a_traceback(
    bench: ServerBench, caplog: pytest.LogCaptureFixture
) -> None:
    server = bench.start()
    get(server, "/a")
    with caplog.at_level(logging.INFO):
        assert [get(server, "/broken")[0] for _ in range(3)] == [500, 500, 500]
    assert [type(bug) for bug in server.bugs] == [LookupError]
    assert len(caplog.records) == 1
    told = caplog.records[0]
    assert told.exc_info is None
    assert "LookupError: 'a bug at word:" in told.getMessage() or "LookupError: a bug at word:" in told.getMessage()
    assert "during GET /broken" in told.getMessage()
    assert get(server, "/a") == (200, b"2")


def test_everything_stands_in_the_trace_of_whoever_started_it(bench: ServerBench) -> None:
    trace, events = traced()
    server = bench.start(trace)
    get(server, "/a")
    get(server, "/no")
    assert [event.kind for event in events] == ["received", "answered", "received", "refused"]
    assert [event.session for event in events] == [1, 1, 2, 2]
    assert abs(events[0].at_us - events[-1].at_us) < 60 * US_PER_S
