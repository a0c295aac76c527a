"""For all tests: how they are spread over workers, a port, and that children hear Ctrl-C, also in the background."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

TOGETHER = (
    "tests/peers/thingsboard/test_sdk_rows.py", "tests/peers/hono/", "tests/peers/kura/", "tests/peers/",
    "tests/harness/doctor/", "tests/test_installed.py", "tests/golden/test_thingsboard_", "tests/golden/test_hono_",
    "tests/golden/test_kura_",
)  # fmt: skip
"""Tests below these run in one worker, one after another: they share what is costly to make, or what a machine has
once. The first that fits counts. (xdist 3.8 overlooks its own mark `xdist_group` under pytest 9.2.)"""

# How long an example takes is the machine's business.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# `&` in a shell without job control and `nohup` ignore these in what they start, and an ignored signal is inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several workers end together when no long test is left for the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the garbage collector need not look at 20,000 tests each time."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests go to workers one by one, in order; those of `TOGETHER` first and to one worker each."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = lambda nodeid: next((path for path in TOGETHER if nodeid.startswith(path)), nodeid)
    return scheduler


@pytest.fixture
def free_port() -> Iterator[int]:
    """Nobody listens there until the test starts somebody who does: meanwhile no other program is given the port."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
