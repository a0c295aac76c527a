"""For all tests: how they are spread over workers, a port, and that children hear Ctrl-C, also in the background."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.compiled import TESTS, compile_a_share

USAGE = "fleetrig_usage"
"""What a worker says to the main process: why it cannot collect what it was asked for."""

# How long an example takes is the machine's business. `make quick` tries fewer where a test does not say how many.
settings.register_profile("unhurried", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("unhurried")

# `&` in a shell without job control and `nohup` ignore these in what they start, and an ignored signal is inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is collected stays to the end: the garbage collector need not look at 20,000 tests each time."""
    compile_a_share(session.config)
    gc.disable()
    try:
        return (yield)
    except pytest.UsageError as wrong:
        getattr(session.config, "workeroutput", {})[USAGE] = [str(why) for why in wrong.args]
        raise
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """xdist does not look why a worker has nothing to do: a path that does not exist would be no tests, and no word."""
    if whys := getattr(node, "workeroutput", {}).get(USAGE):
        raise pytest.UsageError(*whys)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several workers end together when no long test is left for the end. The longest perform whole pages of docs."""
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, item.path.parent != TESTS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.spread import OneByOne

    return OneByOne(config, log)


@pytest.fixture
def free_port() -> Iterator[int]:
    """Nobody listens there until the test starts somebody who does: meanwhile no other program is given the port."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
