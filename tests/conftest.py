"""For all tests: children hear Ctrl-C and a closed terminal, also in the background; what is slow begins first."""

from __future__ import annotations

import signal

import pytest

# `&` in a shell without job control and `nohup` ignore these in what they start, and an ignored signal is inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Several workers end together when no long test is left for the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
