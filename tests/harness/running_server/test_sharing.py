"""When tests that share a server get another one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fleetrig.harness.running_server.platform_part import operator_part
from fleetrig.harness.running_server.server import RunningServer
from fleetrig.harness.running_server.starting import SharedServer

pytestmark = pytest.mark.slow


def shared(factory: pytest.TempPathFactory, most_tenants: int | None) -> SharedServer:
    part = replace(operator_part("hono"), most_tenants=most_tenants)
    return SharedServer("hono", lambda: factory.mktemp("hono"), part)


@pytest.fixture
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    one = shared(tmp_path_factory, None)
    yield one
    one.close()


def used(servers: SharedServer) -> tuple[int, str]:
    with servers.for_test() as server:
        return server.pid, server.tenant


def test_when_tenants_are_used_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    servers = shared(tmp_path_factory, 2)
    (first, one), (second, two), (third, three) = used(servers), used(servers), used(servers)
    servers.close()
    assert first == second != third
    assert (one, two, three) == ("test-1", "test-2", "test-1")


def test_when_a_test_has_ended_it_or_moved_its_clock(servers: SharedServer) -> None:
    def kill(server: RunningServer) -> None:
        os.kill(server.pid, signal.SIGKILL)

    def skip(server: RunningServer) -> None:
        server.skip("1s")

    for spoil in (kill, skip):
        with servers.for_test() as server:
            spoil(server)
        assert used(servers)[0] != server.pid


def test_not_when_a_test_fails(servers: SharedServer) -> None:
    def fail() -> None:
        with servers.for_test() as server:
            pids.append(server.pid)
            server.faults.add("outage")
            pytest.fail("as tests do")

    pids: list[int] = []
    with pytest.raises(pytest.fail.Exception):
        fail()
    assert used(servers)[0] == pids[0]
