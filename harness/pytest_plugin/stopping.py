"""A pytest that is stopped leaves no servers behind."""

from __future__ import annotations

import pytest

ENDS_AS_WITH_CTRL_C = pytest.StashKey[bool]()


def end_as_with_ctrl_c(config: pytest.Config) -> None:
    """From the first use of fleetrig on, SIGTERM and SIGHUP end pytest as Ctrl-C does, so that servers are stopped."""
    from fleetrig.harness.run.interrupts import signals_as_ctrl_c

    if not config.stash.get(ENDS_AS_WITH_CTRL_C, False):
        config.stash[ENDS_AS_WITH_CTRL_C] = True
        config.add_cleanup(signals_as_ctrl_c())
